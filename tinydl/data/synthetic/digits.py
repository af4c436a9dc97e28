"""Drawn digits: the segments of a pocket calculator, moved, turned, with noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...doors import checked
from ...errors import ConfigError
from ..sets.bundled import DIGITS
from ..types import Samples
from .points import check_classes

if TYPE_CHECKING:
    from ...random import Generator


# The seven segments of a pocket calculator's display as (x0, y0, x1, y1), y pointing down:
# top, upper right, lower right, bottom, lower left, upper left, middle.
_SEGMENTS = np.array(
    [
        (-0.5, -1.0, 0.5, -1.0),
        (0.5, -1.0, 0.5, 0.0),
        (0.5, 0.0, 0.5, 1.0),
        (-0.5, 1.0, 0.5, 1.0),
        (-0.5, 0.0, -0.5, 1.0),
        (-0.5, -1.0, -0.5, 0.0),
        (-0.5, 0.0, 0.5, 0.0),
    ],
    dtype=np.float32,
)

# Which segments are lit, in the same order, for 0 ... 9.
_LIT = np.array(
    [
        [c == "1" for c in row]
        for row in (
            "1111110",
            "0110000",
            "1101101",
            "1111001",
            "0110011",
            "1011011",
            "1011111",
            "1110000",
            "1111111",
            "1111011",
        )
    ]
)

_BLOCK = 256  # images rendered at a time, which bounds the memory


@checked
def synthetic_digits(n: int, rng: Generator, size: int = 8, noise: float = 0.05) -> Samples:
    """Seven-segment digits in varying pose: x (n, size, size) float32 in [0, 1], ink high.

    Shifted, scaled and slanted, with strokes of varying width. A stand-in for `digits` (size 8) and
    `mnist` (size 28): easier than either, results do not carry over. Every class has floor(n / 10)
    samples or one more, in random order; y (n,) int64.
    noise: standard deviation of the normal noise per pixel, before clipping to [0, 1].
    """
    check_classes(n, 10, "synthetic_digits")
    if size < 8:
        raise ConfigError(f"synthetic_digits: size must be >= 8 to tell digits apart, got {size}")
    y = (np.arange(n, dtype=np.int64) % 10)[rng.permutation(n)]
    # Per image: shift x, shift y, scale x, scale y, slant, half the stroke width (in glyph units).
    low = np.array([-0.15, -0.15, 0.9, 0.9, -0.15, 0.10], dtype=np.float32)
    high = np.array([0.15, 0.15, 1.1, 1.1, 0.25, 0.22], dtype=np.float32)
    pose = low + (high - low) * rng.uniform((n, 6))
    x = np.empty((n, size, size), dtype=np.float32)
    for start in range(0, n, _BLOCK):
        block = slice(start, start + _BLOCK)
        x[block] = _render(y[block], pose[block], size)
    x += noise * rng.normal(x.shape)
    return Samples("synthetic_digits", np.clip(x, 0, 1, out=x), y, DIGITS.classes)


def _render(y: np.ndarray, pose: np.ndarray, size: int) -> np.ndarray:
    """Ink (B, size, size) in [0, 1]: 1 within the stroke, falling to 0 over one pixel."""
    # A glyph is 1 x 2 units; the image shows 2.2 x 2.8, so that 8 pixels are enough across.
    middle = ((np.arange(size, dtype=np.float32) + 0.5) / size - 0.5).astype(np.float32)
    across, down, pixel = middle * np.float32(2.2), middle * np.float32(2.8), 2.5 / size
    shift_x, shift_y, scale_x, scale_y, slant, stroke = (p[:, None, None] for p in pose.T)
    # Where each pixel lies in the frame of the upright glyph: undo shift, slant and scale.
    v = (down[None, :, None] - shift_y) / scale_y
    u = (across[None, None, :] - shift_x) / scale_x + slant * v
    distance = np.full(u.shape, np.inf, dtype=np.float32)
    for k, (x0, y0, x1, y1) in enumerate(_SEGMENTS):
        # Segments have length 1 and are parallel to an axis, so t is a plain projection.
        t = np.clip((u - x0) * (x1 - x0) + (v - y0) * (y1 - y0), 0, 1)
        d = np.hypot(u - x0 - t * (x1 - x0), v - y0 - t * (y1 - y0))
        lit = _LIT[y, k][:, None, None]
        distance = np.where(lit, np.minimum(distance, d), distance)
    return np.clip((stroke - distance) / pixel + 0.5, 0, 1)
