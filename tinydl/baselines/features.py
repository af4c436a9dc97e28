"""What features that were learnt stand beside: none, and features that were drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..random import Generator


def pixels_alone(training: Any, part: str) -> dict[str, float]:
    """Logistic regression on the pixels."""
    return {"accuracy": training.by_features(training.part_of(part), lambda x: x)}


def random_features(training: Any, part: str) -> dict[str, float]:
    """Logistic regression on as many sigmoid units as the last machine has, whose weights are drawn
    and stay: normal, so that what goes into a sigmoid has deviation 3."""
    x = training.parts.train[0]
    mean, units = x.mean(axis=0), training.program.architecture["sizes"][-1]
    spread = np.sqrt(np.square(x - mean, dtype=np.float64).sum(axis=1).mean())
    weight = (Generator(0).normal((x.shape[1], units)) * 3 / spread).astype(x.dtype)

    def features(rows: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(rows - mean) @ weight))

    return {"accuracy": training.by_features(training.part_of(part), features)}
