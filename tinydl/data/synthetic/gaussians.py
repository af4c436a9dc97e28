"""Pairs of Gaussian vectors whose mutual information is known."""

from __future__ import annotations

from dataclasses import dataclass
from math import log1p
from typing import TYPE_CHECKING

import numpy as np

from ...arguments import number, whole
from ...doors import checked
from ...errors import ConfigError

if TYPE_CHECKING:
    from ...random import Generator


@dataclass(frozen=True)
class CorrelatedGaussians:
    """x and y of `dimension` standard normal numbers each; the k-th of x and of y have the
    correlation rho, all others none.

    information: I(x; y) = -dimension / 2 log(1 - rho^2) nats. ConfigError for dimension < 1 or
    a rho outside -1 < rho < 1.
    """

    dimension: int = 1
    rho: float = 0.5

    def __post_init__(self) -> None:
        whole("CorrelatedGaussians", "dimension", self.dimension)
        number("CorrelatedGaussians", "rho", self.rho)
        if self.dimension < 1 or not -1 < self.rho < 1:
            raise ConfigError(
                "CorrelatedGaussians: needs dimension >= 1 and -1 < rho < 1, got "
                f"{self.dimension} and {self.rho}"
            )

    @property
    def information(self) -> float:
        return -0.5 * self.dimension * log1p(-(self.rho**2))

    @checked
    def draw(self, n: int, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
        """n pairs, two arrays (n, dimension) float32."""
        if n < 1:
            raise ConfigError(f"CorrelatedGaussians.draw: needs n >= 1, got {n}")
        x, z = (rng.normal((n, self.dimension), dtype=np.float64) for _ in range(2))
        y = self.rho * x + np.sqrt(1 - self.rho**2) * z
        return x.astype(np.float32), y.astype(np.float32)
