"""Adversarial training on points of the plane: what collapses can be counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..data import covered_modes, gaussian_ring, ring_modes
from ..experiment.program import Card, Settings
from ..random import Generator
from ..tensor import Tensor
from .two_players import SHOWN, TwoPlayers, TwoPlayersTraining


@dataclass(frozen=True)
class Adversarial(TwoPlayers):
    """A GAN on points of the plane.

    An epoch is `updates` times `critic_steps` batches of `batch_size` points, drawn anew from a
    ring of `modes` Gaussians with deviation `sigma`. The score is how many modes are covered: at
    least 1 % of the samples lie within 3 sigma of it. Beside it: "good", the share of samples
    within 3 sigma of any mode.
    """

    batch_size: int = 256
    lr: float = 0.001
    updates: int = 100
    modes: int = 8
    sigma: float = 0.02
    score: str = "modes"

    kind: ClassVar[str] = "adversarial"
    what: ClassVar[str] = "a generator with a critic"

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Of a latent vector."""
        return (self.architecture.get("latent", 2),)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> AdversarialTraining:
        return AdversarialTraining(recipe, settings)

    def is_share(self, measure: str) -> bool:
        return measure.endswith("good")

    def sample(self, model: Any, count: int, rng: Generator) -> np.ndarray:
        return model.sample(count, rng).numpy()

    def draw(self, model: Any, path: Path, rng: Generator) -> None:
        """Samples beside the modes, as a picture; ConfigError without matplotlib."""
        from ..viz import plot_points

        plot_points(self.sample(model, SHOWN, rng), ring_modes(self.modes), path=path)


class AdversarialTraining(TwoPlayersTraining):
    """One stream of random numbers for the points."""

    def data_streams(self) -> dict[str, Any]:
        return {"points": self.generator.spawn()}

    def batches(self) -> Iterator[tuple[Tensor]]:
        program = self.program
        for _ in range(program.updates * program.critic_steps):
            points = gaussian_ring(
                program.batch_size, self.streams["points"], program.modes, sigma=program.sigma
            )
            yield (Tensor(points.astype(self.settings.dtype), backend=self.model.backend),)

    def looked_at(self) -> dict[str, float]:
        covered, good = self._covered(Generator(self.state.epoch))
        return {"modes": float(covered), "good": good}

    def _covered(self, rng: Generator) -> tuple[int, float]:
        points = self.program.sample(self.model, SHOWN, rng)
        return covered_modes(points, ring_modes(self.program.modes), self.program.sigma)

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        covered, good = self._covered(Generator(0))
        return {"modes": float(covered), "good": good}

    def split(self) -> str:
        return f"{SHOWN:,} samples against the {self.program.modes} modes"
