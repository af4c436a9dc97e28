"""Training on attacked pictures, and the question how many of them a network withstands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..attribution import pgd
from ..doors import checked_fields
from ..random import Generator
from ..train import predict


@checked_fields
@dataclass(frozen=True)
class Attack:
    """Each training batch is replaced by the worst near it that one search of `pgd` finds: min over
    the weights of the mean of max over |d| <= epsilon of L(x + d). Madry et al. 2018
    (arXiv:1706.06083), equation 2.1.

    epsilon grows along a line over the first share `warm` of the updates: a small network that
    meets all of it at once learns to say the same class to everything (the paper's section 4).
    """

    epsilon: float
    steps: int
    warm: float = 0.3

    def __call__(
        self, model: Any, x: np.ndarray, y: np.ndarray, rng: Generator, done: float
    ) -> np.ndarray:
        """The batch x (N, ...) of 0 ... 1 with the classes y, attacked; done: the share of the
        updates that lies behind."""
        epsilon = self.epsilon * min(1.0, done / self.warm) if self.warm else self.epsilon
        return pgd(model, x, y, epsilon, steps=self.steps, rng=rng)


@checked_fields
@dataclass(frozen=True)
class UnderAttack:
    """A `Question`: "pgd_accuracy", the share of the first `pictures` that is still told right
    after every one of `restarts` searches of `steps` steps within epsilon."""

    epsilon: float = 0.3
    steps: int = 40
    restarts: int = 3
    pictures: int = 1_000

    def __call__(self, model: Any, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
        right, rng = 0, Generator(0)
        for start in range(0, min(self.pictures, len(x)), 250):
            some = slice(start, min(start + 250, self.pictures))
            worst = pgd(
                model, x[some], y[some], self.epsilon, steps=self.steps, restarts=self.restarts,
                rng=rng,
            )  # fmt: skip
            right += int((predict(model, worst).argmax(axis=1) == y[some]).sum())
        return {"pgd_accuracy": right / min(self.pictures, len(x))}
