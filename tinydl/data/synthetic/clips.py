"""Made-up clips: a drawn digit that moves in one of eight directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...arguments import whole
from ...doors import checked
from ..types import Samples
from .digits import synthetic_digits

if TYPE_CHECKING:
    from ...random import Generator

DIRECTIONS = {
    "right": (0, 1), "down right": (1, 1), "down": (1, 0), "down left": (1, -1),
    "left": (0, -1), "up left": (-1, -1), "up": (-1, 0), "up right": (-1, 1),
}  # fmt: skip


@checked
def moving_digits(n: int, rng: Generator, frames: int = 6, size: int = 16) -> Samples:
    """n clips x (n, frames, size, size, 1) float32 in 0 ... 1 of a seven-segment digit, y (n,): its
    direction, of eight.

    It begins anywhere, moves one or two pixels a frame, and comes back on the other side where it
    leaves the picture: one frame says nothing about the direction, two do.
    """
    whole("moving_digits", "n", n, 1)
    whole("moving_digits", "frames", frames, 2)
    whole("moving_digits", "size", size, 8)
    digits = synthetic_digits(max(n, 10), rng, size=8).x[:n]  # of each class one at least
    y = rng.integers(0, len(DIRECTIONS), n)
    starts, speeds = rng.integers(0, size, (n, 2)), rng.integers(1, 3, n)
    x = np.zeros((n, frames, size, size, 1), np.float32)
    x[:, :, :8, :8, 0] = digits[:, None]
    steps = np.array(list(DIRECTIONS.values()))[y] * speeds[:, None]
    for k in range(n):
        for t in range(frames):
            x[k, t] = np.roll(x[k, t], tuple(starts[k] + t * steps[k]), axis=(0, 1))
    return Samples("moving_digits", x, y, tuple(DIRECTIONS))
