"""Made-up faces with known keypoints, for networks that find them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...doors import checked
from ...errors import ConfigError
from ..types import Regression

if TYPE_CHECKING:
    from ...random import Generator

KEYPOINTS = ("left eye", "right eye", "nose", "left mouth", "right mouth")
# Where they are in a face of unit radius, x to the right and y down.
_PLACES = np.array([(-0.4, -0.3), (0.4, -0.3), (0.0, 0.1), (-0.35, 0.45), (0.35, 0.45)])


@checked
def drawn_faces(n: int, rng: Generator, size: int = 32) -> Regression:
    """Faces: x (n, size, size, 1) float32 in [0, 1], y (n, 10) float32, columns per keypoint.

    y holds x and y of each of `KEYPOINTS` as fractions of the picture, 0 its left or upper edge.
    Faces are discs, tilted, moved and scaled by chance on a background of noise, with eyes, a nose
    and a mouth whose distances vary a little: easier than photographs. Raises ConfigError.
    """
    if n < 1 or size < 16:
        raise ConfigError(f"drawn_faces: needs n >= 1 and size >= 16, got {n} and {size}")
    radius = size * (0.25 + 0.15 * rng.uniform(n))
    middle = size / 2 + (size / 2 - radius)[:, None] * (1.6 * rng.uniform((n, 2)) - 0.8)
    angle = 0.5 * (2 * rng.uniform(n) - 1)
    places = _PLACES + 0.05 * (2 * rng.uniform((n, 5, 2)) - 1)
    turn = np.stack(
        [np.stack([np.cos(angle), -np.sin(angle)], 1), np.stack([np.sin(angle), np.cos(angle)], 1)],
        axis=1,
    )  # (n, 2, 2)
    points = middle[:, None] + radius[:, None, None] * np.einsum("nij,nkj->nki", turn, places)
    skin, ground = 0.55 + 0.35 * rng.uniform(n), 0.1 + 0.3 * rng.uniform(n)
    centre = np.arange(size) + 0.5
    across, down = np.meshgrid(centre, centre)
    x = np.empty((n, size, size, 1), np.float32)
    for i in range(n):
        picture = np.full((size, size), ground[i])
        distance = np.hypot(across - middle[i, 0], down - middle[i, 1])
        picture = _painted(picture, radius[i] - distance, skin[i])
        for k, dot in ((0, 0.14), (1, 0.14), (2, 0.09)):
            away = np.hypot(across - points[i, k, 0], down - points[i, k, 1])
            picture = _painted(picture, dot * radius[i] - away, 0.1)
        left, right = points[i, 3], points[i, 4]
        along = right - left
        t = ((across - left[0]) * along[0] + (down - left[1]) * along[1]) / (along @ along)
        t = np.clip(t, 0, 1)
        away = np.hypot(across - left[0] - t * along[0], down - left[1] - t * along[1])
        x[i, :, :, 0] = _painted(picture, 0.07 * radius[i] - away, 0.2)
    x += 0.05 * rng.normal(x.shape)
    columns = tuple(f"{name} {axis}" for name in KEYPOINTS for axis in "xy")
    y = (points / size).reshape(n, 10).astype(np.float32)
    return Regression("drawn_faces", columns, np.clip(x, 0, 1, out=x), y)


def _painted(picture: np.ndarray, inside: np.ndarray, value: float) -> np.ndarray:
    """`value` where `inside` (pixels from the edge) is above 0.5, blended over one pixel."""
    share = np.clip(inside + 0.5, 0, 1)
    return picture * (1 - share) + value * share
