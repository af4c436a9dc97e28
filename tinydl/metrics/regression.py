"""How much of the variation a prediction explains."""

from __future__ import annotations

import numpy as np

from ..doors import checked
from ..errors import ShapeError


@checked
def r2_score(targets: np.ndarray, predictions: np.ndarray) -> float:
    """R^2 = 1 - sum (t - p)^2 / sum (t - mean t)^2: 1 for perfect, 0 for the mean, negative for
    worse.

    targets, predictions: float arrays of one shape (N,) or (N, D); for D outputs the mean of their
    R^2. A target that does not vary gives 1 if it is met exactly, else 0 (as scikit-learn).
    ShapeError for fewer than two samples. For a price that is near yesterday's price R^2 is close
    to 1 even for a useless model: compare with such a baseline.
    """
    targets, predictions = np.asarray(targets, np.float64), np.asarray(predictions, np.float64)
    if targets.shape != predictions.shape or targets.ndim not in (1, 2) or len(targets) < 2:
        raise ShapeError(
            f"r2_score: needs two arrays of one shape (N,) or (N, D), N >= 2, got "
            f"{targets.shape} and {predictions.shape}"
        )
    targets, predictions = targets.reshape(len(targets), -1), predictions.reshape(len(targets), -1)
    rest = ((targets - predictions) ** 2).sum(axis=0)
    total = ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    constant = np.where(rest == 0, 1.0, 0.0)
    return float(np.where(total > 0, 1 - rest / np.where(total > 0, total, 1), constant).mean())
