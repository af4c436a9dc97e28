"""The interface of an environment: gymnasium's, so that either side can be exchanged."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import whole
from ..errors import ConfigError
from ..quoting import quoted
from ..random import Generator
from .spaces import Box, Discrete


def environment(op: str, value: Any) -> Any:
    """value itself if it has what an environment has, ours or gymnasium's; ConfigError else."""
    names = ("reset", "step", "observation_space", "action_space")
    if isinstance(value, type) or not all(hasattr(value, name) for name in names):
        raise ConfigError(f"{op}: an environment has {', '.join(names)}, got {quoted(value)}")
    return value


class Environment:
    """A world that an agent acts in, one step at a time.

    `reset(seed=...)` -> (observation, info) begins an episode; the same seed, the same episode.
    `step(action)` -> (observation, reward, terminated, truncated, info): terminated, the world has
    ended and nothing follows; truncated, it was left after `steps` steps and would have gone on.
    `render()` -> picture (H, W, 3) uint8. `action_space`, `observation_space`: what is taken and
    given. This is the interface of gymnasium 1.0, whose environments are taken wherever these are.

    A subclass says `_begin()` -> observation, `_move(action)` -> (observation, reward,
    terminated), and `render`; what is random in it comes from `self.rng`. steps >= 1.
    """

    observation_space: Discrete | Box
    action_space: Discrete | Box

    def __init__(self, steps: int) -> None:
        self.steps = whole(type(self).__name__, "steps", steps, 1)
        self.rng = Generator(0)
        self.running, self.taken = False, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; without a seed the stream of random numbers goes on."""
        if seed is not None:
            self.rng = Generator(seed)
        self.running, self.taken = True, 0
        return self._begin(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One step. ConfigError for an action that is none, and outside an episode."""
        name = type(self).__name__
        if not self.running:
            raise ConfigError(f"{name}.step: the episode is over; begin another by reset()")
        if not self.action_space.contains(action):
            raise ConfigError(f"{name}.step: an action is of {self.action_space}, "
                              f"got {quoted(action)}")  # fmt: skip
        observation, reward, terminated = self._move(action)
        self.taken += 1
        truncated = not terminated and self.taken >= self.steps
        self.running = not (terminated or truncated)
        return observation, float(reward), bool(terminated), truncated, {}

    def render(self) -> np.ndarray:
        """What there is to see, (H, W, 3) uint8."""
        raise NotImplementedError(f"{type(self).__name__} draws nothing")

    def close(self) -> None:
        """Nothing is held open; gymnasium's callers ask for it."""

    def _begin(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} begins nowhere")

    def _move(self, action: Any) -> tuple[Any, float, bool]:
        raise NotImplementedError(f"{type(self).__name__} does not move")
