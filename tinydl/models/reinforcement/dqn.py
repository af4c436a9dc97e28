"""The deep Q-network: Q-learning with a network in place of the table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arguments import probability
from ...nn import Module, huber
from ...ops import take_along_axis, where
from ...recording import no_grad
from ...tensor import Tensor
from ..feedforward.mlp import MLP


class DQN(Module):
    """Q(s, .): states (N, D) -> (N, A), what every action is expected to earn if the best follow.

    y = r + discount max_b Q'(s', b), or r where s' ends the episode;  loss: huber(Q(s, a) - y)

    Q', the target network, is a copy of Q that is renewed only now and then; (s, a, r, s') are
    drawn evenly from what was seen (replay.py), since steps that follow each other are alike. With
    huber the error's slope is at most 1, the paper's clipping. Mnih et al. 2015 (Nature 518),
    algorithm 1; their network looks at pictures, this one is a multilayer perceptron.

    sizes: D, hidden layers, A. discount: in [0, 1]. ConfigError otherwise.
    """

    def __init__(self, sizes: Sequence[int] = (4, 128, 128, 2), discount: float = 0.99) -> None:
        self.discount = probability("DQN", "discount", discount)
        self.network = MLP(sizes)

    def forward(self, states: Tensor) -> Tensor:
        return self.network(states)

    def following(self, states: Tensor, target: DQN) -> Tensor:
        """What the states s' are worth, (N,): the largest value that the target network sees."""
        return target(states).max(axis=1)

    def loss(
        self,
        states: Tensor,
        actions: Tensor,
        rewards: Tensor,
        following: Tensor,
        ended: Tensor,
        target: DQN,
    ) -> Tensor:
        """states, following (N, D), actions (N,) int64, rewards (N,), ended (N,) bool."""
        with no_grad():
            worth = where(ended, 0.0, self.following(following, target))
            wanted = rewards + self.discount * worth
        taken = take_along_axis(self(states), actions.reshape(-1, 1), axis=1).reshape(-1)
        return huber(taken, wanted)

    def greedy(self, states: np.ndarray) -> np.ndarray:
        """The action with the largest value in each of states (N, D); the first of several."""
        with no_grad():
            values = self(Tensor(states.astype(self.dtype), backend=self.backend))
        return values.numpy().argmax(axis=1)
