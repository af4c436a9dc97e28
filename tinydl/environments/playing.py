"""Whole episodes: several environments side by side, one question to the policy for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import integers
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..quoting import quoted
from .environment import environment
from .spaces import features

#: (states (N, D), their observations) -> N actions.
Policy = Callable[[np.ndarray], Sequence[Any] | np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """One episode of T steps: states (T + 1, D) float64, the last one after the last action;
    actions (T, ...), rewards (T,) float64; terminated: the world ended, it was not only left."""

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: bool


@checked
def play_together(
    environments: Sequence[Any],
    policy: Callable[[np.ndarray], Sequence[Any] | np.ndarray],
    seeds: Sequence[int],
) -> list[Played]:
    """One whole episode in each environment, begun by its seed, an integer >= 0.

    policy(states (N, D)) -> N actions is asked once for all that still run, in their order.
    ShapeError for another number of seeds; ConfigError for what is no environment, and where the
    policy gives another number of actions.
    """
    numbers = integers("play_together", "seeds", seeds).reshape(-1)
    if len(numbers) != len(environments):
        raise ShapeError(f"play_together: {len(environments)} environments need as many seeds, "
                         f"got {len(numbers)}")  # fmt: skip
    worlds = [environment("play_together", world) for world in environments]
    states: list[list[np.ndarray]] = []
    for world, seed in zip(worlds, numbers.tolist(), strict=True):
        observation, _ = world.reset(seed=seed)
        states.append([features(world.observation_space, observation)])
    actions: list[list[Any]] = [[] for _ in worlds]
    rewards: list[list[float]] = [[] for _ in worlds]
    ends, running = [False] * len(worlds), list(range(len(worlds)))
    while running:
        chosen = policy(np.stack([states[k][-1] for k in running]))
        if not hasattr(chosen, "__len__") or len(chosen) != len(running):
            raise ConfigError(f"play_together: {len(running)} episodes run, the policy says "
                              f"{quoted(chosen)}")  # fmt: skip
        goes_on = []
        for k, action in zip(running, chosen, strict=True):
            seen, reward, terminated, truncated, _ = worlds[k].step(action)
            states[k].append(features(worlds[k].observation_space, seen))
            actions[k].append(action)
            rewards[k].append(float(reward))
            ends[k] = bool(terminated)
            if not (terminated or truncated):
                goes_on.append(k)
        running = goes_on
    return [
        Played(np.stack(s), np.array(a), np.array(r), end)
        for s, a, r, end in zip(states, actions, rewards, ends, strict=True)
    ]
