"""SARSA with a table: the value of what the agent really does, exploring included."""

from __future__ import annotations

import numpy as np

from ...data import MDP
from ...random import Generator
from .q_table import QTable, checked_rates


class SARSA(QTable):
    """Q(s, a) <- Q(s, a) + rate (r + discount Q(s', a') - Q(s, a)),  a' what is done in s'.

    Where Q-learning takes the best following action, SARSA takes the one that follows: with a fixed
    epsilon its table goes to the value of the epsilon-greedy policy itself, so beside a cliff it
    learns the path that survives a slip of its own. Rummery and Niranjan 1994; Sutton and Barto
    2018, section 6.4.
    """

    def exact(self, world: MDP, discount: float, epsilon: float) -> np.ndarray:
        """The values (S, A) of the epsilon-greedy policy of the table as it stands."""
        return epsilon_greedy_values(world, self.values(), discount, epsilon)

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
        """As `QTable.episode`."""
        checked_rates("SARSA.episode", rate, discount, epsilon)
        q, state, collected = self.values(), world.start, 0.0
        visits = np.array(self.visits.numpy(), np.float64)

        def chosen(state: int) -> int:
            explores = float(rng.uniform(1, dtype=np.float64)[0]) < epsilon
            return int(rng.integers(0, world.actions)) if explores else int(q[state].argmax())

        action = chosen(state)
        for _ in range(steps):
            following, reward, done = world.step(state, action, rng)
            next_action = chosen(following)
            target = reward + (0.0 if done else discount * q[following, next_action])
            visits[state, action] += 1
            own_rate = rate / visits[state, action] ** decay
            q[state, action] += own_rate * (target - q[state, action])
            collected, state, action = collected + reward, following, next_action
            if done:
                break
        self.table.replace(q)
        self.visits.replace(visits)
        return collected


def epsilon_greedy_values(world: MDP, q: np.ndarray, discount: float, epsilon: float) -> np.ndarray:
    """The values (S, A) of acting epsilon-greedily by the table q, a linear system:

    Q(s, a) = R(s, a) + discount sum_s' P(s' | s, a) sum_b pi(b | s') Q(s', b). discount < 1.
    """
    policy = np.full(q.shape, epsilon / world.actions)
    policy[np.arange(len(q)), q.argmax(axis=1)] += 1 - epsilon
    step = np.einsum("sat,tb->satb", world.transitions, policy).reshape(q.size, q.size)
    return np.linalg.solve(np.eye(q.size) - discount * step, world.rewards.reshape(-1)).reshape(
        q.shape
    )
