"""Proximal policy optimisation whose actions are numbers, drawn from a Gaussian."""

from __future__ import annotations

from collections.abc import Sequence
from math import e as EULER
from math import log, pi

import numpy as np

from ...nn import Parameter
from ...ops import exp
from ...random import Generator
from ...recording import no_grad
from ...tensor import Tensor
from .ppo import PPO


class GaussianPPO(PPO):
    """pi(a | s) = N(a; m(s), exp(2 b)): the network gives the means, b are A numbers of their own.

    log pi(a | s) = -sum over the A actions of ((a - m(s)) / exp(b))^2 / 2 + b + log(2 pi) / 2

    H = sum of b + log(2 pi e) / 2 is the same in every state. b begins at 0, a deviation of 1. What
    is beyond the world's bounds is cut when it is done, and learnt from as it was drawn; the greedy
    action is m(s). Williams 1992 (Machine Learning 8), section 6; else PPO's.

    sizes: numbers of a state, hidden layers (tanh), A. actions (N, A).
    """

    discrete = False

    def __init__(
        self,
        sizes: Sequence[int] = (2, 64, 64, 1),
        discount: float = 0.99,
        value_weight: float = 0.5,
        decay: float = 0.95,
        entropy_weight: float = 0.0,
        standard: bool = True,
        e: float = 0.2,
    ) -> None:
        super().__init__(sizes, discount, value_weight, decay, entropy_weight, standard, e)
        self.b = Parameter(np.zeros(tuple(sizes)[-1], np.float32))

    def log_probability(self, states: Tensor, actions: Tensor) -> Tensor:
        away = (actions - self(states)) / exp(self.b)
        return -(away * away / 2 + self.b + log(2 * pi) / 2).sum(axis=1)

    def entropy(self, states: Tensor) -> Tensor:
        return (self.b + log(2 * pi * EULER) / 2).sum()

    def act(self, states: np.ndarray, rng: Generator) -> np.ndarray:
        means = self.greedy(states)
        with no_grad():
            deviations = exp(self.b).numpy().astype(np.float64)
        return means + deviations * rng.normal(means.shape, dtype=np.float64)

    def greedy(self, states: np.ndarray) -> np.ndarray:
        """The means, (N, A) float64."""
        with no_grad():
            return self(self.tensor(states)).numpy().astype(np.float64)
