"""Proximal policy optimisation: several steps on the same episodes, none of them far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arguments import between
from ...environments import Played
from ...nn import mse
from ...ops import clip, exp, minimum
from ...recording import no_grad
from ...tensor import Tensor
from .actor_critic import ActorCritic


class PPO(ActorCritic):
    """loss: -mean min(q A, clip(q, 1 - e, 1 + e) A) + value_weight mean (v(s) - R)^2
    - entropy_weight mean H,  q = pi(a | s) / pi_old(a | s).

    pi_old is the policy that acted. Once q has left 1 +- e in the direction that A asks for, the
    step has no slope any more, so the same episodes may be learnt from several times. A is
    ActorCritic's. Schulman et al. 2017 (arXiv:1707.06347), equations 7 and 9.
    """

    def __init__(
        self,
        sizes: Sequence[int] = (4, 64, 64, 2),
        discount: float = 0.99,
        value_weight: float = 0.5,
        decay: float = 0.95,
        entropy_weight: float = 0.01,
        standard: bool = True,
        e: float = 0.2,
    ) -> None:
        super().__init__(sizes, discount, value_weight, decay, entropy_weight, standard)
        self.e = between("PPO", "e", e, 0, 1)

    def loss(  # type: ignore[override]
        self, states: Tensor, actions: Tensor, beyond: Tensor, returns: Tensor, before: Tensor
    ) -> Tensor:
        """As ActorCritic's; before: log pi_old(a | s) (N,)."""
        q = exp(self.log_probability(states, actions) - before)
        gain = minimum(q * beyond, clip(q, 1 - self.e, 1 + self.e) * beyond).mean()
        fit = mse(self.value(states).reshape(-1), returns)
        return self.value_weight * fit - gain - self.entropy_weight * self.entropy(states)

    def rollout(self, episodes: Sequence[Played]) -> tuple[np.ndarray, ...]:
        states, actions, beyond, returns = super().rollout(episodes)
        with no_grad():
            numbers = actions.dtype.kind == "f"  # or which of so many
            taken = self.tensor(actions) if numbers else Tensor(actions, backend=self.backend)
            before = self.log_probability(self.tensor(states), taken).numpy()
        return states, actions, beyond, returns, before
