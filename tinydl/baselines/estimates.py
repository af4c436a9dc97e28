"""Numbers without a network: targets (N, ...) of pictures or rows, by the program's own metric."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..programs.scores import R2, of_numbers
from .labels import by_metric

MOST = 1_500  # numbers of a sample in a ridge regression
PENALTY = 0.01


def mean_target(training: Any, part: str) -> dict[str, float]:
    """The training part's mean, whatever is shown."""
    _, y = training.parts.train
    _, truth = getattr(training.parts, part)
    return _judged(training, part, np.broadcast_to(y.mean(axis=0, dtype=np.float64), truth.shape))


def ridge_regression(training: Any, part: str) -> dict[str, float]:
    """w = (X'X + p I)^-1 X'y of pictures made smaller until they have at most 1,500 numbers, each
    less its mean; p is a hundredth of the mean of X'X's diagonal."""
    x, y = training.parts.train
    small, targets = _small(x), y.reshape(len(y), -1).astype(np.float64)
    mean, middle = small.mean(axis=0), targets.mean(axis=0)
    small = small - mean
    products = small.T @ small
    products[np.diag_indices_from(products)] += PENALTY * np.trace(products) / len(products)
    weight = np.linalg.solve(products, small.T @ (targets - middle))
    found, truth = getattr(training.parts, part)
    guess = (_small(found) - mean) @ weight + middle
    return _judged(training, part, guess.reshape(truth.shape))


def _small(x: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, C) as rows of means of k x k pixels, the smallest k with at most `MOST`;
    what does not fill a square at the right and lower edge is left out."""
    if x.ndim != 4:
        return x.reshape(len(x), -1).astype(np.float64)
    n, height, width, channels = x.shape
    k = 1
    while (height // k) * (width // k) * channels > MOST:
        k += 1
    cut = x[:, : height // k * k, : width // k * k]
    cells = cut.reshape(n, height // k, k, width // k, k, channels)
    return cells.mean(axis=(2, 4), dtype=np.float64).reshape(n, -1)


def _judged(training: Any, part: str, guess: np.ndarray) -> dict[str, float]:
    (_, truth), program = getattr(training.parts, part), training.program
    if program.score == R2:
        return of_numbers(guess, truth, program.unit)
    return {program.score: by_metric(program.metric, guess, truth)}
