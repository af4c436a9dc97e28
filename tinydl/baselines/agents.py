"""Policies that have learnt nothing, or that somebody wrote down who knows the world."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..environments import Walk
from ..environments.tic_tac_toe import best_moves
from ..errors import ConfigError
from ..models.reinforcement.q_table import value_iteration


def random_actions(training: Any, part: str) -> dict[str, float]:
    """Every action with the same probability."""
    return _told(training, training.random_policy())


def push_below_the_pole(training: Any, part: str) -> dict[str, float]:
    """Push right where 3 th + th' > 0: a line by somebody who knows what the numbers mean."""
    return _told(training, lambda states: (3 * states[:, 2] + states[:, 3] > 0).astype(np.int64))


def nothing_done(training: Any, part: str) -> dict[str, float]:
    """Every number of every action 0."""
    shape = training.environment.action_space.shape
    return _told(training, lambda states: np.zeros((len(states), *shape)))


def push_with_the_motion(training: Any, part: str) -> dict[str, float]:
    """Full force in the direction of the speed, the last of a state's numbers: a swing."""
    return _told(training, lambda states: np.where(states[:, -1:] >= 0, 1.0, -1.0))


def random_search(training: Any, part: str) -> dict[str, float]:
    """The best of 100 episodes of random actions, to be kept where a world always answers alike."""
    returns, _ = training.returns(training.random_policy())
    return {"return": float(returns.max())}


def perfect_player(training: Any, part: str) -> dict[str, float]:
    """Tic-tac-toe by minimax: the first of the best moves."""
    boards = lambda states: (tuple(map(int, state)) for state in states)  # noqa: E731
    return _told(training, lambda states: [best_moves(board)[0] for board in boards(states)])


def value_iteration_policy(training: Any, part: str) -> dict[str, float]:
    """The best action by the world's own tables, which the agent does not see."""
    walk = training.environment
    if not isinstance(walk, Walk):
        raise ConfigError(f"value iteration: {training.recipe.dataset} is no table")
    best = value_iteration(walk.world, training.model.discount).argmax(axis=1)
    return _told(training, lambda states: best[states.argmax(axis=1)])


def _told(training: Any, policy: Any) -> dict[str, float]:
    returns, _ = training.returns(policy)
    return {"return": float(returns.mean()), "worst": float(returns.min())}
