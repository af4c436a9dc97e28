"""Many small tasks of one kind: sines, each to be learnt from a few points."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING

import numpy as np

from ...doors import checked
from ...errors import ConfigError, ShapeError

if TYPE_CHECKING:
    from ...random import Generator


@dataclass(frozen=True, eq=False)
class Sinusoids:
    """y = amplitude sin(x + phase), one task for each entry of the two arrays (T,).

    Finn et al. 2017 (arXiv:1703.03400), section 5.1. ShapeError for other arrays.
    """

    amplitude: np.ndarray
    phase: np.ndarray

    def __post_init__(self) -> None:
        both = (self.amplitude, self.phase)
        rows = [v.shape for v in both if isinstance(v, np.ndarray) and v.ndim == 1 and v.size]
        if len(rows) < 2 or rows[0] != rows[1]:
            found = [getattr(v, "shape", type(v).__name__) for v in both]
            raise ShapeError(
                f"Sinusoids: needs arrays amplitude and phase (T,), got {found[0]} and {found[1]}"
            )

    def at(self, x: np.ndarray) -> np.ndarray:
        """The values of all tasks at x (T, K, 1), like x."""
        a, b = (np.asarray(v)[:, None, None] for v in (self.amplitude, self.phase))
        return (a * np.sin(x + b)).astype(x.dtype)

    @checked
    def points(self, count: int, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
        """`count` points of every task, x evenly drawn from -5 ... 5: two arrays (T, count, 1)
        float32."""
        if count < 1:
            raise ConfigError(f"Sinusoids.points: needs count >= 1, got {count}")
        x = rng.uniform((len(self.phase), count, 1), low=-5.0, high=5.0)
        return x, self.at(x)


@checked
def sinusoids(tasks: int, rng: Generator) -> Sinusoids:
    """Tasks with amplitudes from 0.1 ... 5 and phases from 0 ... pi, evenly drawn. ConfigError for
    tasks < 1."""
    if tasks < 1:
        raise ConfigError(f"sinusoids: needs tasks >= 1, got {tasks!r}")
    amplitude = rng.uniform(tasks, low=0.1, high=5.0, dtype=np.float64)
    return Sinusoids(amplitude, rng.uniform(tasks, low=0.0, high=pi, dtype=np.float64))
