"""Double DQN: one network chooses the following action, the other says what it is worth."""

from __future__ import annotations

from ...ops import argmax, take_along_axis
from ...tensor import Tensor
from .dqn import DQN


class DoubleDQN(DQN):
    """y = r + discount Q'(s', argmax_b Q(s', b)).

    The maximum of noisy values is too large on average (E max >= max E), and DQN learns from it;
    where the choice and its value come from two networks, their errors do not agree so often. All
    else is DQN's. Van Hasselt, Guez and Silver 2016 (arXiv:1509.06461), equation 4.
    """

    def following(self, states: Tensor, target: DQN) -> Tensor:
        best = argmax(self(states), axis=1).reshape(-1, 1)
        return take_along_axis(target(states), best, axis=1).reshape(-1)
