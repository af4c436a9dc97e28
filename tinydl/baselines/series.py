"""Prices without a network: yesterday's, and yesterday's with the usual drift."""

from __future__ import annotations

from typing import Any

import numpy as np


def persistence(training: Any, part: str) -> dict[str, float]:
    """Tomorrow's price is today's."""
    _, y = getattr(training.parts, part)
    return training.scores(np.ones(y.shape), part)


def mean_return(training: Any, part: str) -> dict[str, float]:
    """Tomorrow's price is today's times the mean return of the training part."""
    _, y = getattr(training.parts, part)
    mean = training.parts.train[1].mean(dtype=np.float64)
    return training.scores(np.full(y.shape, mean), part)
