"""Masks in batches: pictures hold different numbers of things, arrays do not.

Planes (N, K, H, W) uint8 hold in plane k of a picture 1 + the class of its thing k where that is
seen, 0 elsewhere; K is the largest number of things of a picture, planes not needed are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError
from .augment import Sample, Step, boxes_of_masks

if TYPE_CHECKING:
    from ..random import Generator

Batch = tuple[np.ndarray, ...]


def pad_planes(
    masks: Sequence[np.ndarray], labels: Sequence[np.ndarray], count: int | None = None
) -> np.ndarray:
    """Planes (N, K, H, W) of masks (K_i, H, W) bool and labels (K_i,) below 255; count: K, at least
    the largest K_i. ShapeError if a picture has more things, or the masks differ in size."""
    most = max((len(m) for m in masks), default=0)
    K = max(most, 1) if count is None else count
    sizes = {m.shape[1:] for m in masks}
    if most > K or len(sizes) != 1:
        raise ShapeError(
            f"pad_planes: needs masks of one size, at most {K} a picture, got sizes "
            f"{sorted(sizes)} and {most} masks"
        )
    planes = np.zeros((len(masks), K, *sizes.pop()), np.uint8)
    for own, m, label in zip(planes, masks, labels, strict=True):
        own[: len(m)] = m * (1 + label[:, None, None])
    return planes


def rows_of_planes(planes: np.ndarray) -> np.ndarray:
    """Rows (N, K, 5) float32 of planes (N, K, H, W), as `pad_rows` makes them, thing k in row k:
    the box that encloses what is seen, and the class; -1 for empty planes."""
    if planes.ndim != 4:
        raise ShapeError(f"rows_of_planes: planes must be (N, K, H, W), got {planes.shape}")
    N, K, H, W = planes.shape
    flat = planes.reshape(N * K, H, W)
    rows = np.full((N * K, 5), -1, np.float32)
    rows[:, 4] = flat.max(axis=(1, 2), initial=0) - 1.0
    kept = rows[:, 4] >= 0
    rows[kept, :4] = boxes_of_masks(flat[kept] > 0)
    return rows.reshape(N, K, 5)


@dataclass(frozen=True, slots=True)
class AugmentMasks:
    """A transform for `Batches` of (pictures, planes): `step` for each picture with its masks."""

    step: Step

    def __call__(self, batch: Batch, rng: Generator) -> Batch:
        x, planes = batch
        found = []
        for image, own, row in zip(x, planes, rows_of_planes(planes), strict=True):
            things = row[:, 4] >= 0
            labels = row[things, 4].astype(np.int64)
            sample = Sample(image, row[things, :4], labels, own[things] > 0)
            found.append(self.step(sample, rng))
        masks: list[Any] = [sample.masks for sample in found]
        labels_of: list[Any] = [sample.labels for sample in found]
        images = np.stack([sample.image for sample in found])
        return images, pad_planes(masks, labels_of, planes.shape[1])
