"""Boxes of detectors."""

from __future__ import annotations

import numpy as np

from .table import row, scalar


def non_max_suppression(node, boxes, scores, most=None, overlap=None, least=None):
    """Rows (image, class, box): for each class the boxes by falling score, without those that
    overlap a kept one by more than `overlap` (intersection over union)."""
    most = 0 if most is None else int(scalar(most))
    overlap = 0.0 if overlap is None else float(scalar(overlap))
    floor = -np.inf if least is None else float(scalar(least))
    if node.get("center_point_box", 0):
        centre, size = boxes[..., :2], boxes[..., 2:]
        boxes = np.concatenate([centre - size / 2, centre + size / 2], -1)
    low, high = (
        np.minimum(boxes[..., :2], boxes[..., 2:]),
        np.maximum(boxes[..., :2], boxes[..., 2:]),
    )
    found = []
    for n, classes in enumerate(scores):
        for c, score in enumerate(classes):
            kept: list[int] = []
            for i in np.argsort(-score, kind="stable"):
                if len(kept) == most or not score[i] > floor:
                    break
                if all(_iou(low[n], high[n], i, j) <= overlap for j in kept):
                    kept.append(int(i))
            found += [(n, c, i) for i in kept]
    return np.array(found, np.int64).reshape(-1, 3)


def _iou(low, high, i, j):
    common = np.prod(np.maximum(np.minimum(high[i], high[j]) - np.maximum(low[i], low[j]), 0))
    both = np.prod(high[i] - low[i]) + np.prod(high[j] - low[j]) - common
    return common / both if both > 0 else 0.0


OPERATORS = {"NonMaxSuppression": row(non_max_suppression, host=(0, 1, 2, 3, 4))}
