"""Made-up pictures of one shape each, in which everything that varies is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...doors import checked
from ...errors import ConfigError
from .shapes import CLASSES, _mask

NAMES = ("column", "row", "size", "shape")


@dataclass(frozen=True, slots=True, eq=False)
class FactorPictures:
    """x (N, H, W, 1) float32 of 0 and 1, factors (N, 4) int64: which column, row, size and shape
    ("square", "disk", "triangle"), counted from 0."""

    x: np.ndarray
    factors: np.ndarray
    names: tuple[str, ...] = NAMES


@checked
def factor_pictures(size: int = 16, places: int = 7, radii: int = 3) -> FactorPictures:
    """All places x places x radii x 3 pictures, one of each, in the order of their factors.

    Radii go evenly from size / 8 to size / 4, middles from size / 4 to 3 size / 4, in both
    directions. Nothing is drawn by chance. After the set of sprites of Higgins et al. 2017
    (beta-VAE), smaller. ConfigError for less than 8 pixels, or for a factor without two values.
    """
    if size < 8 or places < 2 or radii < 2:
        raise ConfigError(
            f"factor_pictures: needs size >= 8, places >= 2 and radii >= 2, got {size}, {places} "
            f"and {radii}"
        )
    middles = np.linspace(size / 4, size * 3 / 4, places)
    lengths = np.linspace(size / 8, size / 4, radii)
    counts = (places, places, radii, len(CLASSES))
    factors = np.indices(counts).reshape(len(counts), -1).T
    pictures = [
        _mask(shape, np.array([middles[column], middles[row]]), lengths[radius], size)
        for column, row, radius, shape in factors
    ]
    return FactorPictures(
        np.stack(pictures)[..., None].astype(np.float32), factors.astype(np.int64)
    )
