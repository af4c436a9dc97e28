"""Pictures changed together with their boxes or masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...doors import checked, checked_fields
from ...errors import ShapeError
from ..box_rows import pad_rows, unpad_rows
from ..mask_planes import pad_planes, rows_of_planes
from .steps import Sample, Step, stacked, stepped

if TYPE_CHECKING:
    from ...random import Generator


Batch = tuple[np.ndarray, ...]


@checked_fields
@dataclass(frozen=True, slots=True)
class AugmentBoxes:
    """A transform for `Batches` of (pictures, rows): `step` for each picture with its boxes."""

    step: Step

    @checked
    def __call__(self, batch: Batch, rng: Generator) -> Batch:
        if len(batch) != 2 or min(a.ndim for a in batch) < 3 or len(batch[0]) != len(batch[1]):
            raise ShapeError("AugmentBoxes: a batch is as many pictures and rows (N, K, 5)")
        x, rows = batch
        samples = [Sample(i, *unpad_rows(r)) for i, r in zip(x, rows, strict=True)]
        found = [stepped("AugmentBoxes", self.step, sample, rng) for sample in samples]
        images = stacked("AugmentBoxes", found)
        boxes: list[Any] = [sample.boxes for sample in found]
        labels: list[Any] = [sample.labels for sample in found]
        return images, pad_rows(boxes, labels, rows.shape[1])


@checked_fields
@dataclass(frozen=True, slots=True)
class AugmentMasks:
    """A transform for `Batches` of (pictures, planes): `step` for each picture with its masks."""

    step: Step

    @checked
    def __call__(self, batch: Batch, rng: Generator) -> Batch:
        if len(batch) != 2 or batch[0].ndim < 3 or len(batch[0]) != len(batch[1]):
            raise ShapeError("AugmentMasks: a batch is as many pictures and planes (N, K, H, W)")
        x, planes = batch
        found = []
        for image, own, row in zip(x, planes, rows_of_planes(planes), strict=True):
            things = row[:, 4] >= 0
            labels = row[things, 4].astype(np.int64)
            sample = Sample(image, row[things, :4], labels, own[things] > 0)
            found.append(stepped("AugmentMasks", self.step, sample, rng))
        masks: list[Any] = [sample.masks for sample in found]
        labels_of: list[Any] = [sample.labels for sample in found]
        images = stacked("AugmentMasks", found)
        return images, pad_planes(masks, labels_of, planes.shape[1])
