"""Which anchor is responsible for which true box, and which say that there is none."""

from __future__ import annotations

import numpy as np

from ...metrics import box_iou
from ...random import Generator


def match(anchors: np.ndarray, boxes: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Per anchor the position of its true box, or -1 for background: int64 (A,).

    First every true box gets an anchor of its own, however small the overlap: the pair with the
    largest IoU is joined, then the largest of the remaining anchors and boxes, and so on (of equal
    ones the first anchor, then the first box). Every other anchor then belongs to the box with
    which it overlaps most (the first of equal ones), if that IoU is above `threshold`. anchors
    (A, 4) and boxes (G, 4) are corners. With G > A, the last boxes get none. Liu et al. 2016 (arXiv
    1512.02325), section 2.2.
    """
    matched = np.full(len(anchors), -1, np.int64)
    if len(boxes) == 0 or len(anchors) == 0:
        return matched
    overlap = box_iou(anchors, boxes)
    best = overlap.argmax(axis=1)
    over = overlap[np.arange(len(anchors)), best] > threshold
    matched[over] = best[over]
    for _ in range(min(overlap.shape)):
        a, g = np.unravel_index(int(overlap.argmax()), overlap.shape)
        matched[a] = g
        overlap[a], overlap[:, g] = -1, -1
    return matched


def label_anchors(
    anchors: np.ndarray,
    boxes: np.ndarray,
    positive: float = 0.7,
    negative: float = 0.3,
    image: tuple[int, int] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(labels (A,): 1 object, 0 background, -1 neither; matched (A,): the box with the largest
    IoU).

    1: IoU above `positive` with any box, or no other anchor has a larger one with some box that it
    overlaps (all of them, if several are equal). 0: below `negative` with every box, and not 1.
    image (height, width): anchors that cross its border are -1 (None: all count). Without boxes all
    are background and `matched` is 0. Ren et al. 2015 (arXiv 1506.01497), section 3.1.2.
    """
    labels = np.full(len(anchors), -1, np.int64)
    matched = np.zeros(len(anchors), np.int64)
    inside = np.ones(len(anchors), bool)
    if image is not None:
        inside &= (anchors[:, :2] >= 0).all(axis=1)
        inside &= (anchors[:, 2:] <= image[::-1]).all(axis=1)
    if len(boxes) == 0:
        labels[inside] = 0
        return labels, matched
    overlap = box_iou(anchors, boxes)
    overlap[~inside] = -1
    matched, best = overlap.argmax(axis=1), overlap.max(axis=1)
    labels[inside & (best < negative)] = 0
    largest = overlap.max(axis=0)
    labels[((overlap == largest) & (largest > 0)).any(axis=1)] = 1
    labels[best > positive] = 1
    labels[~inside] = -1
    return labels, matched


def sample_labels(labels: np.ndarray, count: int, share: float, rng: Generator) -> np.ndarray:
    """Positions of `count` random anchors: at most the fraction `share` with label 1, the rest
    with label 0 (fewer if there are not enough)."""
    ones, zeros = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    ones = ones[rng.permutation(len(ones))[: int(count * share)]]
    zeros = zeros[rng.permutation(len(zeros))[: count - len(ones)]]
    return np.concatenate([ones, zeros])
