"""What a network that was never attacked withstands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..random import drawing_nothing


@dataclass(frozen=True)
class PlainTraining:
    """The same network, trained for `epochs` on the pictures as they are, and measured alike."""

    epochs: int

    def __str__(self) -> str:
        return "plain training"

    def __call__(self, training: Any, part: str) -> dict[str, float]:
        recipe = training.recipe.replaced(attack=None, epochs=self.epochs)
        with drawing_nothing():
            other = recipe.program.begin(recipe, training.settings, training.parts)
            other.fit()
            found: dict[str, float] = other.measure(part)
        return found
