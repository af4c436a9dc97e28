"""Small Markov decision processes as tables, for reinforcement learning whose answer is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...doors import checked
from ...errors import ConfigError, ShapeError
from ...quoting import quoted
from ...random import by_shares

if TYPE_CHECKING:
    from ...random import Generator

MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left


@dataclass(frozen=True, slots=True, eq=False)
class MDP:
    """S states, A actions: transitions (S, A, S) float64 is P(next | state, action), its last axis
    sums to 1; rewards (S, A) float64 is the expected reward of the action; terminal (S,) bool.

    An episode ends when a terminal state is entered; a terminal state leads to itself with reward
    0, so its value is 0 in every dynamic programme. start: where episodes begin.
    """

    name: str
    transitions: np.ndarray
    rewards: np.ndarray
    terminal: np.ndarray
    start: int

    @property
    def states(self) -> int:
        return self.transitions.shape[0]

    @property
    def actions(self) -> int:
        return self.transitions.shape[1]

    def step(self, state: int, action: int, rng: Generator) -> tuple[int, float, bool]:
        """(next state, expected reward, done) of one action, drawn from the table."""
        if not 0 <= state < self.states or not 0 <= action < self.actions:
            raise ShapeError(
                f"MDP.step: state {state} and action {action} of {self.states} and {self.actions}"
            )
        sums = np.cumsum(self.transitions[state, action])
        following = int(by_shares(sums, rng.uniform(1, dtype=np.float64))[0])
        reward = float(self.rewards[state, action])
        return following, reward, bool(self.terminal[following])


@checked
def grid_world(
    rows: str = "S...\n.#.-\n...+", slip: float = 0.2, step_reward: float = -0.04
) -> MDP:
    """A grid in which up, right, down, left (0 ... 3) move by one cell unless a wall is there.

    rows: one line per row; S the start, . free, # wall, + and - terminal with reward 1 and -1 for
    entering. With probability `slip` the move goes to one of the two sides instead, half each; into
    a wall or out of the grid means staying. Every action costs `step_reward`. States are the cells
    that are no wall, row by row. ConfigError for other characters or uneven lines.
    """
    lines = rows.split("\n")
    if len({len(line) for line in lines}) != 1 or set(rows) - set("S.#+-\n") or "+" not in rows:
        raise ConfigError(
            f"grid_world: rows must be even lines of S . # + - with a +, got {quoted(rows)}"
        )
    if rows.count("S") != 1 or not 0 <= slip <= 1:
        raise ConfigError(
            f"grid_world: needs one S and slip in [0, 1], got {quoted(rows)} and {slip}"
        )
    cells = [(r, c) for r, line in enumerate(lines) for c, mark in enumerate(line) if mark != "#"]
    place = {cell: k for k, cell in enumerate(cells)}
    marks = [lines[r][c] for r, c in cells]
    entering = np.array([{"+": 1.0, "-": -1.0}.get(mark, 0.0) for mark in marks])
    terminal = np.array([mark in "+-" for mark in marks])
    transitions = np.zeros((len(cells), 4, len(cells)))
    for state, (r, c) in enumerate(cells):
        for action in range(4):
            for turn, share in ((0, 1 - slip), (1, slip / 2), (3, slip / 2)):
                down, right = MOVES[(action + turn) % 4]
                following = place.get((r + down, c + right), state)
                transitions[state, action, state if terminal[state] else following] += share
    rewards = transitions @ entering + step_reward
    rewards[terminal] = 0
    return MDP("grid_world", transitions, rewards, terminal, marks.index("S"))


@checked
def chain_world(length: int = 5, slip: float = 0.2) -> MDP:
    """Strens' chain (2000): action 0 goes on, action 1 back to the start; with probability `slip`
    the other one happens.

    Going on from the last state stays there and earns 10, going back earns 2. Nothing is terminal,
    so values need a discount below 1.
    """
    if length < 2 or not 0 <= slip <= 1:
        raise ConfigError(
            f"chain_world: needs length >= 2 and slip in [0, 1], got {length}, {slip}"
        )
    transitions, rewards = np.zeros((length, 2, length)), np.zeros((length, 2))
    for state in range(length):
        for action in range(2):
            for actual, share in ((action, 1 - slip), (1 - action, slip)):
                following = min(state + 1, length - 1) if actual == 0 else 0
                transitions[state, action, following] += share
                earned = 2.0 if actual == 1 else 10.0 * (state == length - 1)
                rewards[state, action] += share * earned
    return MDP("chain_world", transitions, rewards, np.zeros(length, bool), 0)


@checked
def random_mdp(states: int, actions: int, rng: Generator, branches: int = 3) -> MDP:
    """Each action leads to `branches` random states with random probabilities; rewards are standard
    normal; nothing is terminal."""
    if states < 1 or actions < 1 or not 1 <= branches <= states:
        raise ConfigError(
            f"random_mdp: needs states, actions >= 1 and branches in 1 ... states, got "
            f"{states}, {actions}, {branches}"
        )
    transitions = np.zeros((states, actions, states))
    for state in range(states):
        for action in range(actions):
            targets = rng.permutation(states)[:branches]
            shares = rng.uniform(branches, low=0.1, high=1.0, dtype=np.float64)
            transitions[state, action, targets] = shares / shares.sum()
    rewards = rng.normal((states, actions), dtype=np.float64)
    return MDP("random_mdp", transitions, rewards, np.zeros(states, bool), 0)
