"""Masks in batches: pictures hold different numbers of things, arrays do not.

Planes (N, K, H, W) uint8 hold in plane k of a picture 1 + the class of its thing k where that is
seen, 0 elsewhere; K is the largest number of things of a picture, planes not needed are 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..doors import checked
from ..errors import ShapeError


@checked
def pad_planes(
    masks: Sequence[np.ndarray], labels: Sequence[np.ndarray], count: int | None = None
) -> np.ndarray:
    """Planes (N, K, H, W) of masks (K_i, H, W) bool and labels (K_i,) below 255; count: K, at least
    the largest K_i. ShapeError if a picture has more things, or the masks differ in size."""
    wrong = [m.shape for m, own in zip(masks, labels, strict=False) if own.shape != m.shape[:1]]
    if len(masks) != len(labels) or any(m.ndim != 3 for m in masks) or wrong:
        raise ShapeError(
            "pad_planes: needs masks (K_i, H, W) and labels (K_i,) of as many pictures, got "
            f"{[m.shape for m in masks]} and {[own.shape for own in labels]}"
        )
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


@checked
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


@checked
def boxes_of_masks(masks: np.ndarray) -> np.ndarray:
    """(K, 4) float32, the smallest boxes around masks (K, H, W); zeros for an empty mask."""
    if masks.ndim != 3:
        raise ShapeError(f"boxes_of_masks: masks must be (K, H, W), got {masks.shape}")
    boxes = np.zeros((len(masks), 4), np.float32)
    for box, mask in zip(boxes, masks, strict=True):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if rows.size:
            box[:] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return boxes
