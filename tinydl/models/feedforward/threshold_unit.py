"""The threshold unit of 1943: it adds up, compares, and cannot learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ConfigError, ShapeError


class ThresholdUnit:
    """y = 1 if sum_i w_i x_i >= threshold, else 0, for inputs of 0 and 1 and fixed weights.

    x (..., D) of zeros and ones -> (...,) int64. Weights 1 excite; in the paper one active
    inhibitory input silences the unit, here a large negative weight does. Raises ShapeError, and
    ConfigError for inputs other than 0 and 1. McCulloch and Pitts 1943.
    """

    def __init__(self, weights: Sequence[float], threshold: float) -> None:
        self.weights, self.threshold = np.asarray(weights, np.float64), float(threshold)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x, np.float64)
        if self.weights.ndim != 1 or x.ndim < 1 or x.shape[-1] != len(self.weights):
            raise ShapeError(f"ThresholdUnit: x {x.shape} does not fit weights {len(self.weights)}")
        if not np.isin(x, (0, 1)).all():
            raise ConfigError("ThresholdUnit: inputs are 0 or 1")
        return (x @ self.weights >= self.threshold).astype(np.int64)


AND, OR, NOT = ThresholdUnit((1, 1), 2), ThresholdUnit((1, 1), 1), ThresholdUnit((-1,), 0)


def xor(x: np.ndarray) -> np.ndarray:
    """x (..., 2) -> (...,): two layers of units can do what one cannot: (a or b) and not (a and b).

    The weights are thought out, not learned.
    """
    hidden = np.stack([OR(x), AND(x)], axis=-1)
    return ThresholdUnit((1, -1), 1)(hidden)
