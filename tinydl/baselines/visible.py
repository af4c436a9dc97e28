"""Pictures of bits without hidden units."""

from __future__ import annotations

from typing import Any

import numpy as np


def independent_pixels(training: Any, part: str) -> dict[str, float]:
    """Each pixel by itself is 1 with its training part's mean m = (sum + 1) / (N + 2): the mean of
    log P in nats; the reconstruction is m."""
    train, x = training.parts["train"].astype(np.float64), training.parts[part]
    mean = (train.sum(axis=0) + 1) / (len(train) + 2)
    likelihood = (x @ np.log(mean) + (1 - x) @ np.log1p(-mean)).mean()
    return {"log_likelihood": float(likelihood), "reconstruction": float(np.mean((x - mean) ** 2))}
