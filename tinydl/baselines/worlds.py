"""Agents that have learnt nothing."""

from __future__ import annotations

from typing import Any

from ..random import Generator


def table_of_zeros(training: Any, part: str) -> dict[str, float]:
    """The table before the first episode, with its error."""
    return {"error": training.error_of(training.program.build())}


def even_chance(training: Any, part: str) -> dict[str, float]:
    """Every action with the same probability."""
    chance = Generator(1)
    return {"reward": training.mean_reward(lambda s: chance.integers(0, training.world.actions))}
