"""Made-up pictures of squares, disks and triangles, with boxes and masks that are exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...arguments import sizes
from ...doors import checked
from ...errors import ConfigError
from ..augment.steps import Sample
from ..mask_planes import boxes_of_masks

if TYPE_CHECKING:
    from ...random import Generator

CLASSES = ("square", "disk", "triangle")


@dataclass(frozen=True, slots=True, eq=False)
class Scenes:
    """N pictures: x (N, H, W, 3) float32 in [0, 1]; per picture, of its K things, boxes (K, 4)
    float32 (x_min, y_min, x_max, y_max), labels (K,) int64 into `classes`, masks (K, H, W) bool.

    semantic (N, H, W) int64: 0 for the background, else 1 + the class of the thing in front.
    """

    x: np.ndarray
    boxes: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray, ...]
    semantic: np.ndarray
    classes: tuple[str, ...] = CLASSES

    def __len__(self) -> int:
        return len(self.x)

    def sample(self, index: int) -> Sample:
        """Picture `index` with its things, ready for augmentation."""
        return Sample(self.x[index], self.boxes[index], self.labels[index], self.masks[index])


@checked
def shapes(
    n: int, rng: Generator, size: int = 64, max_things: int = 3, noise: float = 0.05
) -> Scenes:
    """n pictures of size x size with 1 to max_things squares, disks and upright triangles.

    Radii are size / 10 to size / 4; later things cover earlier ones. Masks hold the visible pixels,
    boxes enclose them exactly, and a thing of which less than a quarter stays visible is left out
    of both. noise: standard deviation per channel, before clipping to [0, 1].
    """
    if n < 1 or size < 16 or max_things < 1:
        raise ConfigError(
            f"shapes: needs n >= 1, size >= 16, max_things >= 1, got {n}, {size}, {max_things}"
        )
    x = np.empty(sizes("shapes", (n, size, size, 3), 8), np.float32)
    semantic = np.zeros((n, size, size), np.int64)
    columns = []
    for k in range(n):
        labels, masks, colours = _things(rng, size, max_things)
        x[k] = rng.uniform(3) * np.float32(0.5)
        for label, mask, colour in zip(labels, masks, colours, strict=True):
            x[k][mask] = colour
            semantic[k][mask] = 1 + label
        columns.append((boxes_of_masks(masks), labels, masks))
    x += np.float32(noise) * rng.normal(x.shape)
    boxes, labels, masks = zip(*columns, strict=True)
    return Scenes(np.clip(x, 0, 1, out=x), boxes, labels, masks, semantic)


def _things(
    rng: Generator, size: int, max_things: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(labels (K,), visible masks (K, size, size), colours (K, 3)) of one picture."""
    count = int(rng.integers(1, max_things + 1, 1)[0])
    labels = rng.integers(0, len(CLASSES), count)
    radius = rng.uniform(count, low=size / 10, high=size / 4, dtype=np.float64)
    middle = radius[:, None] + (size - 2 * radius[:, None]) * rng.uniform((count, 2))
    colours = 0.5 + 0.5 * rng.uniform((count, 3))
    whole = np.stack([_mask(*thing, size) for thing in zip(labels, middle, radius, strict=True)])
    hidden = whole & ~_visible(whole)
    kept = hidden.sum((1, 2)) * 4 <= whole.sum((1, 2)) * 3
    # What is left out is not painted either, so what it covered comes back.
    return labels[kept], _visible(whole[kept]), colours[kept]


def _visible(whole: np.ndarray) -> np.ndarray:
    """The part of each mask that no later one covers."""
    later = np.zeros_like(whole)
    for k in range(len(whole) - 2, -1, -1):
        later[k] = later[k + 1] | whole[k + 1]
    return whole & ~later


def _mask(label: int, middle: np.ndarray, radius: float, size: int) -> np.ndarray:
    """bool (size, size): the pixels whose centre lies within the shape."""
    centre = np.arange(size) + 0.5
    x, y = centre[None, :] - middle[0], centre[:, None] - middle[1]
    if label == 0:
        return (abs(x) <= radius) & (abs(y) <= radius)
    if label == 1:
        return x * x + y * y <= radius * radius
    # The tip is above, y points down; the width grows from 0 to 2 radius.
    return (abs(y) <= radius) & (2 * abs(x) <= y + radius)
