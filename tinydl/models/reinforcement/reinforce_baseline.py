"""REINFORCE with a baseline: not reward counts, but reward beyond what the state promised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arguments import finite
from ...environments import Played
from ...nn import mse
from ...recording import no_grad
from ...tensor import Tensor
from ..feedforward.mlp import MLP
from .reinforce import REINFORCE, steps_of
from .returns import discounted_returns


class ReinforceBaseline(REINFORCE):
    """loss: -mean log pi(a | s) (G - v(s)) + value_weight mean (v(s) - G)^2.

    Any v that does not look at the action leaves the expected slope as it is, since
    sum_a pi(a | s) slope of log pi(a | s) = 0, and one near E[G] makes it less noisy. v is a
    network of its own, of the same hidden sizes. In the first term G - v(s) is a number that was
    computed before (`rollout`), no function of the weights. Sutton and Barto 2018, section 13.4.
    """

    def __init__(
        self,
        sizes: Sequence[int] = (4, 64, 64, 2),
        discount: float = 0.99,
        value_weight: float = 0.5,
    ) -> None:
        super().__init__(sizes, discount)
        self.value_weight = finite(type(self).__name__, "value_weight", value_weight)
        self.value = MLP((*tuple(sizes)[:-1], 1), "tanh")

    def values(self, states: np.ndarray) -> np.ndarray:
        """v of states (N, D), (N,) float64."""
        with no_grad():
            return self.value(self.tensor(states)).numpy().reshape(-1).astype(np.float64)

    def loss(self, states: Tensor, actions: Tensor, beyond: Tensor, returns: Tensor) -> Tensor:  # type: ignore[override]
        """states (N, D), actions (N,) int64, beyond: G - v (N,), returns: G (N,)."""
        policy = -(self.log_probability(states, actions) * beyond).mean()
        return policy + self.value_weight * mse(self.value(states).reshape(-1), returns)

    def rollout(self, episodes: Sequence[Played]) -> tuple[np.ndarray, ...]:
        states, actions = steps_of(episodes)
        found = [discounted_returns(played.rewards, self.discount) for played in episodes]
        returns = np.concatenate(found)
        return states, actions, returns - self.values(states), returns
