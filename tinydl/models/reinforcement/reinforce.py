"""REINFORCE: actions that were followed by reward are made more probable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arguments import probability
from ...environments import Played
from ...nn import Module
from ...ops import log_softmax, softmax, take_along_axis
from ...random import Generator, by_shares
from ...recording import no_grad
from ...tensor import Tensor
from ..feedforward.mlp import MLP
from .returns import discounted_returns


class REINFORCE(Module):
    """pi(a | s) = softmax(logits(s));  loss: -mean over steps of log pi(a | s) G.

    Its slope is, but for a factor, minus that of the expected reward of an episode: with
    G_t = r_t + discount G_{t+1}, E[sum_t slope of log pi(a_t | s_t) G_t] is the slope of
    E[sum_t r_t] at discount 1. Below 1 the factor discount^t of the proof is left out, as usual:
    late steps count as much. Williams 1992 (Machine Learning 8), theorem 1; Sutton and Barto 2018,
    section 13.3.

    sizes: numbers of a state, hidden layers (tanh), actions. states (N, D) -> logits (N, A).
    discount in [0, 1]. ConfigError otherwise.
    """

    discrete = True  # an action is one of so many

    def __init__(self, sizes: Sequence[int] = (4, 64, 64, 2), discount: float = 0.99) -> None:
        self.discount = probability(type(self).__name__, "discount", discount)
        self.policy = MLP(sizes, "tanh")

    def forward(self, states: Tensor) -> Tensor:
        return self.policy(states)

    def log_probability(self, states: Tensor, actions: Tensor) -> Tensor:
        """log pi(a | s) of each pair, (N,)."""
        logs = log_softmax(self(states), axis=1)
        return take_along_axis(logs, actions.reshape(-1, 1), axis=1).reshape(-1)

    def loss(self, states: Tensor, actions: Tensor, returns: Tensor) -> Tensor:
        """states (N, D), actions (N,) int64, returns (N,)."""
        return -(self.log_probability(states, actions) * returns).mean()

    def rollout(self, episodes: Sequence[Played]) -> tuple[np.ndarray, ...]:
        """What `loss` takes, of whole episodes; one that was left counts as ended."""
        returns = [discounted_returns(played.rewards, self.discount) for played in episodes]
        return (*steps_of(episodes), np.concatenate(returns))

    def act(self, states: np.ndarray, rng: Generator) -> np.ndarray:
        """An action drawn from pi(. | s) for each of states (N, D)."""
        with no_grad():
            shares = softmax(self(self.tensor(states)), axis=1).numpy().astype(np.float64)
        chances = rng.uniform((len(states), 1), dtype=np.float64)
        return by_shares(shares.cumsum(axis=1), chances)[:, 0]

    def greedy(self, states: np.ndarray) -> np.ndarray:
        """The most probable action in each of states (N, D)."""
        with no_grad():
            return self(self.tensor(states)).numpy().argmax(axis=1)

    def tensor(self, array: np.ndarray) -> Tensor:
        """Of the model's type and backend."""
        return Tensor(array.astype(self.dtype), backend=self.backend)


def steps_of(episodes: Sequence[Played]) -> tuple[np.ndarray, np.ndarray]:
    """(states, actions) of all steps of the episodes, one after the other."""
    states = np.concatenate([played.states[:-1] for played in episodes])
    return states, np.concatenate([played.actions for played in episodes])
