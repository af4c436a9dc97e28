"""Q-learning with a table: one number for every state and action, and no network."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...data import MDP
from ...errors import ConfigError
from ...nn import Buffer, Module
from ...random import Generator


class QTable(Module):
    """Q (S, A): the discounted reward that is expected after an action, if the best follow.

    Q(s, a) <- Q(s, a) + rate (r + discount max_b Q(s', b) - Q(s, a)), with 0 in place of the
    maximum where the episode ends. Watkins and Dayan 1992, Machine Learning 8, equation 1. The
    policy that learns is epsilon-greedy; ties go to the first action.

    states, actions: S, A >= 1. The table is float64 and starts at 0; `visits` counts the updates of
    each pair. ConfigError otherwise.
    """

    def __init__(self, states: int = 5, actions: int = 2) -> None:
        if states < 1 or actions < 1:
            raise ConfigError(f"QTable: needs states and actions >= 1, got {states} and {actions}")
        self.table = Buffer(np.zeros((states, actions)), dtype=np.float64)
        self.visits = Buffer(np.zeros((states, actions)), dtype=np.float64)

    def astype(self, dtype: Any) -> QTable:
        """Itself: a table of float32 could not be compared with an exact one."""
        return self

    def values(self) -> np.ndarray:
        """A copy of the table, (S, A) float64."""
        return np.array(self.table.numpy(), np.float64)

    def greedy(self, state: int) -> int:
        """The action with the largest value; the first of several."""
        return int(self.table.numpy()[state].argmax())

    def exact(self, world: MDP, discount: float, epsilon: float) -> np.ndarray:
        """What the table goes to, (S, A): the values of the best policy, whoever acts."""
        return value_iteration(world, discount)

    def episode(
        self,
        world: MDP,
        steps: int,
        rng: Generator,
        rate: float = 0.1,
        discount: float = 0.9,
        epsilon: float = 0.1,
        decay: float = 0.0,
    ) -> float:
        """Learn for `steps` steps, or until a terminal state is entered; returns the reward that
        was collected.

        rate in (0, 1], discount in [0, 1], epsilon in [0, 1]: how often the action is drawn evenly.
        The n-th update of a pair (s, a) has the rate rate / n^decay: a table converges in a world
        with chance for 0.5 < decay <= 1 (Watkins and Dayan), each pair by its own count.
        """
        checked_rates("QTable.episode", rate, discount, epsilon)
        q, state, collected = self.values(), world.start, 0.0
        visits = np.array(self.visits.numpy(), np.float64)
        for _ in range(steps):
            explores = float(rng.uniform(1, dtype=np.float64)[0]) < epsilon
            action = int(rng.integers(0, world.actions)) if explores else int(q[state].argmax())
            following, reward, done = world.step(state, action, rng)
            target = reward + (0.0 if done else discount * q[following].max())
            visits[state, action] += 1
            own_rate = rate / visits[state, action] ** decay
            q[state, action] += own_rate * (target - q[state, action])
            collected, state = collected + reward, following
            if done:
                break
        self.table.replace(q)
        self.visits.replace(visits)
        return collected


def checked_rates(op: str, rate: float, discount: float, epsilon: float) -> None:
    """ConfigError unless rate is in (0, 1], discount and epsilon in [0, 1]."""
    if not (0 < rate <= 1 and 0 <= discount <= 1 and 0 <= epsilon <= 1):
        raise ConfigError(
            f"{op}: rate must be in (0, 1], discount and epsilon in [0, 1], got "
            f"{rate}, {discount}, {epsilon}"
        )


def value_iteration(world: MDP, discount: float, tolerance: float = 1e-12) -> np.ndarray:
    """The table Q* (S, A) that Q-learning goes to, from the world's own tables:

    Q(s, a) = R(s, a) + discount sum_s' P(s' | s, a) max_b Q(s', b), repeated until nothing changes
    by more than `tolerance`. discount < 1. Sutton and Barto 2018, section 4.4.
    """
    if not 0 <= discount < 1:
        raise ConfigError(f"value_iteration: discount must be in [0, 1), got {discount}")
    q = np.zeros((world.states, world.actions))
    while True:
        following = world.rewards + discount * world.transitions @ q.max(axis=1)
        if np.abs(following - q).max() <= tolerance:
            return following
        q = following
