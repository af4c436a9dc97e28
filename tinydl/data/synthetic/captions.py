"""Made-up pictures of two things, and a sentence that describes each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ... import random
from ...arguments import whole
from ...doors import checked
from .shapes import CLASSES as KINDS
from .shapes import _mask

if TYPE_CHECKING:
    from ...random import Generator

COLOURS = {
    "red": (0.9, 0.15, 0.15),
    "green": (0.15, 0.75, 0.2),
    "blue": (0.2, 0.3, 0.95),
    "yellow": (0.95, 0.9, 0.2),
    "white": (0.95, 0.95, 0.95),
}
SIDE = 32
SIZES = {"small": 5.0, "large": 7.5}  # radii
PAIRS = list(product(product(SIZES, COLOURS, KINDS), repeat=2))
HELD = 180  # of these 900 pairs


@dataclass(frozen=True, slots=True, eq=False)
class CaptionedScenes:
    """N pictures x (N, 32, 32, 3) float32 in [0, 1], a caption each, and boxes (N, 2, 4) float32 of
    the thing that is named first and of the other: x_min, y_min, x_max, y_max."""

    x: np.ndarray
    captions: tuple[str, ...]
    boxes: np.ndarray

    def __len__(self) -> int:
        return len(self.captions)


@checked
def captioned_scenes(n: int, rng: Generator, held_out: bool = False) -> CaptionedScenes:
    """n pictures of a thing on the left and one on the right, and "a large red disk and a small
    blue square", the left one first.

    Squares, disks and triangles in five colours and two sizes, before a dark grey with some noise.
    Of the 900 pairs of (size, colour, kind) 180 are drawn with held_out=True alone, the others
    without it: the same ones each time, chosen by chance.
    """
    whole("captioned_scenes", "n", n, 1)
    order = random.Generator(HELD).permutation(len(PAIRS)).tolist()
    allowed = order[:HELD] if held_out else order[HELD:]
    pairs = [PAIRS[allowed[k]] for k in rng.integers(0, len(allowed), n).tolist()]
    places = rng.uniform((n, 2, 2), dtype=np.float64)
    x = np.full((n, SIDE, SIDE, 3), 0.1, np.float32) + np.float32(0.1) * rng.uniform((n, 1, 1, 1))
    boxes, captions = np.empty((n, 2, 4), np.float32), []
    for k, pair in enumerate(pairs):
        for side, (size, colour, kind) in enumerate(pair):
            radius = SIZES[size]
            room = np.array([SIDE / 2, SIDE]) - 2 * radius  # half of the picture each
            middle = radius + room * places[k, side] + (side * SIDE / 2, 0)
            x[k][_mask(KINDS.index(kind), middle, radius, SIDE)] = COLOURS[colour]
            boxes[k, side] = np.concatenate([middle - radius, middle + radius])
        captions.append(" and ".join(f"a {' '.join(thing)}" for thing in pair))
    x += np.float32(0.03) * rng.normal(x.shape)
    return CaptionedScenes(np.clip(x, 0, 1, out=x), tuple(captions), boxes)
