"""Non-maximum suppression: of boxes that lie on each other, the best stays."""

from __future__ import annotations

import numpy as np

from ...errors import ConfigError, ShapeError
from ...metrics import Found, box_iou


def nms(boxes: np.ndarray, scores: np.ndarray, threshold: float, limit: int = 0) -> np.ndarray:
    """Positions (int64) of the boxes that stay, best first.

    Greedy: the best box stays and removes every other whose IoU with it is above `threshold` (equal
    stays), then the best of the rest, and so on. boxes (K, 4) corners, scores (K,); of equal scores
    the first wins. limit: stop after so many, 0 for all. (Removed is the lower scored of two boxes
    that overlap, not a box "over a score".) Raises ShapeError, ConfigError.
    """
    if boxes.shape != (len(scores), 4):
        raise ShapeError(
            f"nms: boxes must be (K, 4) with K scores, got {boxes.shape} and {scores.shape}"
        )
    if not 0 <= threshold <= 1:
        raise ConfigError(f"nms: threshold must be in [0, 1], got {threshold}")
    rest = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while rest.size and (not limit or len(kept) < limit):
        best, rest = rest[0], rest[1:]
        kept.append(int(best))
        rest = rest[box_iou(boxes[best : best + 1], boxes[rest])[0] <= threshold]
    return np.array(kept, np.int64)


def nms_per_class(
    boxes: np.ndarray,
    scores: np.ndarray,
    score: float = 0.01,
    threshold: float = 0.45,
    candidates: int = 400,
    limit: int = 200,
) -> Found:
    """Suppression within each class: boxes (A, 4), or (A, C, 4) where each class has its own;
    scores (A, C), background left out.

    Of each class the best `candidates` with a score of at least `score` take part; of what stays,
    the best `limit` of the picture are returned, best first.
    """
    parts = []
    for label in range(scores.shape[1]):
        own = boxes[:, label] if boxes.ndim == 3 else boxes
        taken = np.flatnonzero(scores[:, label] >= score)
        order = np.argsort(-scores[taken, label], kind="stable")[:candidates]
        taken = taken[order]
        taken = taken[nms(own[taken], scores[taken, label], threshold)]
        parts.append((own[taken], np.full(len(taken), label, np.int64), scores[taken, label]))
    found, labels, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    best = np.argsort(-values, kind="stable")[:limit]
    return Found(found[best], labels[best], values[best])
