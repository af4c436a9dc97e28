"""Mixtures of Gaussians in the plane whose modes are known: where a generator's collapse shows."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import numpy as np

from ...doors import checked
from ...errors import ConfigError, ShapeError

if TYPE_CHECKING:
    from ...random import Generator


@checked
def ring_modes(modes: int, radius: float = 1.0) -> np.ndarray:
    """The means (modes, 2) float64, at equal angles on a circle, the first at angle 0."""
    if modes < 1 or not radius > 0:
        raise ConfigError(f"ring_modes: needs modes >= 1 and radius > 0, got {modes} and {radius}")
    angle = 2 * pi * np.arange(modes) / modes
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


@checked
def gaussian_ring(
    n: int, rng: Generator, modes: int = 8, radius: float = 1.0, sigma: float = 0.02
) -> np.ndarray:
    """n points (n, 2) float32 of an even mixture of round Gaussians on a circle, each with standard
    deviation `sigma`. Metz et al. 2017 (arXiv:1611.02163), section 3.1, uses eight.

    ConfigError for n < 1, modes < 1, or a radius or sigma that is not above 0.
    """
    if n < 1 or not sigma > 0:
        raise ConfigError(f"gaussian_ring: needs n >= 1 and sigma > 0, got {n} and {sigma}")
    means = ring_modes(modes, radius)
    which = rng.integers(0, modes, n)
    points = means[which] + sigma * rng.normal((n, 2), dtype=np.float64)
    return points.astype(np.float32)


@checked
def covered_modes(
    points: np.ndarray, means: np.ndarray, sigma: float, least: float = 0.01
) -> tuple[int, float]:
    """(modes covered, share of good points) of points (n, 2) for the means (modes, 2).

    A point is good if it lies within 3 sigma of its nearest mean; a mode is covered if at least
    `least` of all points are good ones of it. Srivastava et al. 2017 (arXiv:1705.07761), section 4.
    ShapeError for other forms, or nothing of one; ConfigError for a sigma that is not above 0.
    """
    for name, array in (("points (n, 2)", points), ("means (modes, 2)", means)):
        if array.ndim != 2 or array.shape[1] != 2 or len(array) == 0:
            raise ShapeError(f"covered_modes: needs {name}, at least one, got {array.shape}")
    if not sigma > 0:
        raise ConfigError(f"covered_modes: needs sigma > 0, got {sigma}")
    distance = np.linalg.norm(points[:, None] - means[None], axis=2)
    nearest = distance.argmin(axis=1)
    good = distance.min(axis=1) <= 3 * sigma
    counts = np.bincount(nearest[good], minlength=len(means))
    return int((counts >= least * len(points)).sum()), float(good.mean())
