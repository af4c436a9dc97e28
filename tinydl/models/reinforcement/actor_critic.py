"""Advantage actor-critic: the value network also says what comes after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arguments import finite, probability
from ...environments import Played
from ...ops import exp, log_softmax
from ...tensor import Tensor
from .reinforce import steps_of
from .reinforce_baseline import ReinforceBaseline
from .returns import advantages


class ActorCritic(ReinforceBaseline):
    """loss: -mean log pi(a | s) A + value_weight mean (v(s) - R)^2 - entropy_weight mean H(pi(s)).

    A_t = d_t + discount decay A_{t+1} with d_t = r_t + discount v(s_{t+1}) - v(s_t), and R = A + v:
    the critic v stands for the rest of the episode, wholly at decay 0, not at all at decay 1 but
    where the episode was left and not ended. H = -sum_a pi log pi keeps the policy from settling
    early. The synchronous form (A2C) of Mnih et al. 2016 (arXiv:1602.01783), section 4, with the
    advantages of Schulman et al. 2016 (arXiv:1506.02438).

    standard: A less its mean over the steps, divided by their standard deviation.
    """

    def __init__(
        self,
        sizes: Sequence[int] = (4, 64, 64, 2),
        discount: float = 0.99,
        value_weight: float = 0.5,
        decay: float = 0.95,
        entropy_weight: float = 0.01,
        standard: bool = True,
    ) -> None:
        super().__init__(sizes, discount, value_weight)
        self.decay = probability(type(self).__name__, "decay", decay)
        self.entropy_weight = finite(type(self).__name__, "entropy_weight", entropy_weight)
        self.standard = standard

    def entropy(self, states: Tensor) -> Tensor:
        """Mean of H(pi(s)) over the states, in nats."""
        logs = log_softmax(self(states), axis=1)
        return -(exp(logs) * logs).sum(axis=1).mean()

    def loss(self, states: Tensor, actions: Tensor, beyond: Tensor, returns: Tensor) -> Tensor:  # type: ignore[override]
        """states (N, D), actions (N,) int64, beyond: A (N,), returns: R (N,)."""
        return super().loss(states, actions, beyond, returns) - (
            self.entropy_weight * self.entropy(states)
        )

    def rollout(self, episodes: Sequence[Played]) -> tuple[np.ndarray, ...]:
        found, returns = [], []
        for played in episodes:
            values = self.values(played.states)
            values[-1] *= not played.terminated
            found.append(advantages(played.rewards, values, self.discount, self.decay))
            returns.append(found[-1] + values[:-1])
        beyond = np.concatenate(found)
        if self.standard:
            beyond = (beyond - beyond.mean()) / (beyond.std() + 1e-8)
        return (*steps_of(episodes), beyond, np.concatenate(returns))
