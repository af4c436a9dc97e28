"""Boxes in batches: pictures hold different numbers of them, arrays do not.

Rows (N, K, 5) float32 hold x_min, y_min, x_max, y_max in pixels and the class, K the largest number
of boxes of a picture; rows that are not needed have the class -1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..doors import checked
from ..errors import ShapeError
from .types import Detections


@checked
def pad_rows(
    boxes: Sequence[np.ndarray], labels: Sequence[np.ndarray], count: int | None = None
) -> np.ndarray:
    """Rows (N, K, 5) of boxes (K_i, 4) and labels (K_i,); count: K, at least the largest K_i."""
    wrong = [b.shape for b, own in zip(boxes, labels, strict=False) if own.shape != b.shape[:1]]
    if len(boxes) != len(labels) or any(b.ndim != 2 or b.shape[1] != 4 for b in boxes) or wrong:
        raise ShapeError(
            "pad_rows: needs boxes (K_i, 4) and labels (K_i,) of as many pictures, got "
            f"{[b.shape for b in boxes]} and {[own.shape for own in labels]}"
        )
    most = max((len(b) for b in boxes), default=0)
    K = max(most, 1) if count is None else count
    if most > K:
        raise ShapeError(f"pad_rows: a picture has {most} boxes, more than {K}")
    rows = np.full((len(boxes), K, 5), -1, np.float32)
    for row, b, label in zip(rows, boxes, labels, strict=True):
        row[: len(b), :4], row[: len(b), 4] = b, label
    return rows


@checked
def unpad_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(boxes (G, 4) float32, labels (G,) int64) of one picture's rows (K, 5)."""
    if rows.ndim != 2 or rows.shape[1] != 5:
        raise ShapeError(f"unpad_rows: rows must be (K, 5), got {rows.shape}")
    kept = rows[rows[:, 4] >= 0]
    return np.ascontiguousarray(kept[:, :4]), kept[:, 4].astype(np.int64)


def halved(image: np.ndarray) -> np.ndarray:
    """uint8 (H, W, C) -> (H // 2, W // 2, C): means of 2 x 2 pixels, halves rounded up."""
    height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    wide = image[:height, :width].astype(np.uint16)
    total = wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2]
    return ((total + 2) >> 2).astype(np.uint8)


def half_size_rows(detections: Detections) -> tuple[np.ndarray, np.ndarray]:
    """(pictures (N, H // 2, W // 2, 3) uint8, rows (N, K, 5)) of pictures of one size."""
    if len({tuple(size) for size in detections.sizes.tolist()}) != 1:
        raise ShapeError(f"half_size_rows: the pictures of {detections.name} have several sizes")
    x = np.stack([halved(detections.image(k)) for k in range(len(detections))])
    return x, pad_rows([boxes / 2 for boxes in detections.boxes], detections.labels)
