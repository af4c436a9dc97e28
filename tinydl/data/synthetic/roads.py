"""Made-up roads as a car's camera sees them, with the curvature that was drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...doors import checked
from ...errors import ConfigError
from ..types import Regression

if TYPE_CHECKING:
    from ...random import Generator

CAMERA_HEIGHT, LANE, LINE = 1.4, 3.6, 0.15  # metres
_GROUND = np.array([[0.5, 0.7, 1.0], [0.2, 0.5, 0.2]])  # sky, grass
_PAINT = np.full(3, 0.95)
SHARPEST = 0.04  # 1 / metres: a turning radius of 25 m


@checked
def roads(n: int, rng: Generator, height: int = 66, width: int = 200) -> Regression:
    """Roads of curvature k: x (n, height, width, 3) float32 in [0, 1], y (n,) float32.

    y is k in 1 / metres, uniform on [-0.04, 0.04], positive to the right: the inverse turning
    radius that PilotNet steers by. At distance d the middle of the road lies
    offset + heading d + k d^2 / 2 to the right; a pixel at row v below the horizon shows the ground
    at d = focal length * camera height / (v - horizon). Colours, brightness, the car's offset and
    heading, and noise are drawn as well and say nothing of k. Raises ConfigError.
    """
    if n < 1 or height < 8 or width < 8:
        raise ConfigError(f"roads: needs n >= 1 and 8 pixels, got {n}, {height} and {width}")
    curvature, offset, heading, light, shade, phase = (
        low + (high - low) * rng.uniform(n)
        for low, high in (
            *((-SHARPEST, SHARPEST), (-0.6, 0.6), (-0.04, 0.04)),
            *((0.6, 1.0), (0.3, 0.5), (0.0, 6.0)),
        )
    )
    x = np.empty((n, height, width, 3), np.float32)
    focal, horizon = 0.6 * width, 0.3 * height
    row, column = np.arange(height) + 0.5, np.arange(width) + 0.5 - width / 2
    distance = focal * CAMERA_HEIGHT / np.maximum(row - horizon, 0.25)[:, None]
    right = column[None, :] * distance / focal
    below = np.broadcast_to((row > horizon)[:, None], right.shape)
    for i in range(n):
        middle = offset[i] + heading[i] * distance + curvature[i] * distance**2 / 2
        aside = np.abs(right - middle)
        pixel = 0.6 * distance / focal  # a line is never thinner than a pixel
        edge = np.abs(aside - LANE) < LINE / 2 + pixel
        dashes = (aside < LINE / 2 + pixel) & ((distance + phase[i]) % 6 < 3)
        asphalt = np.full(3, shade[i])
        colours = np.stack([*_GROUND, asphalt, _PAINT]) * light[i]
        road, paint = below & (aside < LANE), below & (edge | dashes)
        x[i] = colours.astype(np.float32)[np.where(paint, 3, np.where(road, 2, below))]
    x += 0.03 * rng.normal(x.shape)
    return Regression("roads", (), np.clip(x, 0, 1, out=x), curvature.astype(np.float32))
