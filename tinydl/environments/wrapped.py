"""Environments around another: actions cut to what it takes, actions held, numbers scaled."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import array, whole
from ..errors import ConfigError, ShapeError
from .environment import environment
from .spaces import Box


class Wrapped:
    """Another environment, ours or gymnasium's, of which a subclass changes `step`."""

    def __init__(self, world: Any) -> None:
        self.world = environment(type(self).__name__, world)
        self.observation_space, self.action_space = world.observation_space, world.action_space

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        return self.world.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self.world.step(action)

    def render(self) -> np.ndarray:
        return self.world.render()

    def close(self) -> None:
        self.world.close()


class Clipped(Wrapped):
    """Every entry of an action beyond the bounds of the `Box` is set to the bound.

    A Gaussian policy draws any number; what it drew, not what was done, is what it learns from.
    """

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        asked, space = array("Clipped.step", "action", action), self.action_space
        if asked.shape != space.shape:
            raise ShapeError(f"Clipped.step: an action has shape {space.shape}, got {asked.shape}")
        return self.world.step(np.clip(asked, space.low, space.high))


class Scaled(Wrapped):
    """Observations of a `Box` with finite bounds, moved to -1 ... 1, float64.

    A network learns slowly from numbers of which some are a hundred times smaller than others.
    ConfigError for bounds that are none.
    """

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        space = self.observation_space
        if not hasattr(space, "low") or not np.isfinite([space.low, space.high]).all():
            raise ConfigError("Scaled: observations need finite bounds, and have none")
        self.middle = (np.asarray(space.high, np.float64) + space.low) / 2
        self.half = (np.asarray(space.high, np.float64) - space.low) / 2
        self.observation_space = Box(-1.0, 1.0, space.shape)

    def _seen(self, observation: Any) -> np.ndarray:
        return ((observation - self.middle) / self.half).clip(-1.0, 1.0)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        observation, info = super().reset(seed=seed, options=options)
        return self._seen(observation), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, *rest = super().step(action)
        return self._seen(observation), *rest  # type: ignore[return-value]


class Held(Wrapped):
    """An action is taken `times` times, or until the episode is over; the rewards are added up.

    The agent is asked less often, so its chance goes one way for longer: steps that are each drawn
    anew lead nowhere together. Mnih et al. 2015 (Nature 518) hold actions for four frames.
    times >= 1; ConfigError otherwise.
    """

    def __init__(self, world: Any, times: int) -> None:
        super().__init__(world)
        self.times = whole("Held", "times", times, 1)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        collected = 0.0
        for _ in range(self.times):
            seen, reward, terminated, truncated, info = self.world.step(action)
            collected += float(reward)
            if terminated or truncated:
                break
        return seen, collected, terminated, truncated, info
