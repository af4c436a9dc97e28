"""Augmentation of whole batches at once: the quick form for pictures without boxes or masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...doors import checked, checked_fields
from ...errors import ConfigError, ShapeError

if TYPE_CHECKING:
    from ...random import Generator


@checked_fields
@dataclass(frozen=True, slots=True)
class ShiftFlip:
    """A transform for `Batches`: every image of the first array moved by up to `pixels` rows and
    columns, what comes in being 0, and mirrored left and right with probability `flip`.

    That is a border of `pixels` zeros and a random crop of the old size: He et al. 2015 (arXiv
    1512.03385), section 4.2, with 4 pixels. x (N, H, W, C) -> the same shape and type. Equal in
    distribution to Each(Compose(Pad(pixels), Crop(H, W), Flip(flip))), some twenty times quicker.
    """

    pixels: int = 4
    flip: float = 0.5

    def __post_init__(self) -> None:
        whole = isinstance(self.pixels, int)
        if not whole or self.pixels < 0 or not 0 <= self.flip <= 1:
            raise ConfigError(
                f"ShiftFlip: needs pixels >= 0 and a probability, got {self.pixels}, {self.flip}"
            )

    @checked
    def __call__(self, batch: tuple[np.ndarray, ...], rng: Generator) -> tuple[np.ndarray, ...]:
        if not batch or batch[0].ndim != 4:
            raise ShapeError("ShiftFlip: images must be (N, H, W, C), the first array of a batch")
        x = batch[0]
        n, height, width, _ = x.shape
        p = self.pixels
        padded = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
        corners = rng.integers(0, 2 * p + 1, (n, 2)).tolist()
        mirrored = rng.uniform(n) < self.flip
        moved = np.empty_like(x)
        for i, (top, left) in enumerate(corners):
            crop = padded[i, top : top + height, left : left + width]
            moved[i] = crop[:, ::-1] if mirrored[i] else crop
        return (moved, *batch[1:])
