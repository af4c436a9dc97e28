"""The perceptron: a threshold unit whose weights are corrected after every mistake."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...errors import ConfigError, ShapeError


@dataclass(slots=True)
class Perceptron:
    """y = 1 if w . x + b > 0 else 0.

    The step has no useful derivative, so nothing is differentiated: after every sample
    w <- w + lr (t - y) x,  b <- b + lr (t - y), which changes nothing when y = t. If a hyperplane
    separates the two classes with margin gamma, and no (x, 1) is longer than R, at most
    (R / gamma)^2 mistakes are ever made (Novikoff 1962); if none does, as for XOR, there is no end.

    features: D. lr only scales w and b when they start at 0. Rosenblatt 1958.
    """

    features: int
    lr: float = 1.0
    weight: np.ndarray = field(init=False)  # (D,)
    bias: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        if self.features < 1 or not self.lr > 0:
            raise ConfigError(
                f"Perceptron: needs features >= 1 and lr > 0, got {self.features} and {self.lr}"
            )
        self.weight = np.zeros(self.features)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """x (N, D) -> classes (N,) int64. Raises ShapeError."""
        if x.ndim != 2 or x.shape[1] != self.features:
            raise ShapeError(f"Perceptron: x must be (N, {self.features}), got {x.shape}")
        return (x @ self.weight + self.bias > 0).astype(np.int64)

    def fit(self, x: np.ndarray, targets: np.ndarray, epochs: int = 100) -> list[int]:
        """Learn from x (N, D) and targets (N,) of 0 and 1; the mistakes of each epoch.

        Ends after the first epoch without a mistake, or after `epochs`. Raises ShapeError, and
        ConfigError for other targets.
        """
        if targets.shape != x.shape[:1]:
            raise ShapeError(f"Perceptron: x {x.shape} does not fit targets {targets.shape}")
        if not np.isin(targets, (0, 1)).all():
            raise ConfigError("Perceptron: targets are 0 or 1")
        mistakes: list[int] = []
        for _ in range(epochs):
            wrong = 0
            for sample, target in zip(x, targets, strict=True):
                error = int(target) - int(self(sample[None])[0])  # -1, 0 or 1
                self.weight += self.lr * error * sample
                self.bias += self.lr * error
                wrong += error != 0
            mistakes.append(wrong)
            if wrong == 0:
                break
        return mistakes
