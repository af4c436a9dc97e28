"""What is where in a picture, without a network: for segmentation and detection."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..metrics import Found, Truth, mean_average_precision, mean_iou
from ..programs.scores import MAP, MASK_MAP, MEAN_IOU, truths_of

AT_ONCE = 100  # pictures


def majority_of_pixels(training: Any, part: str) -> dict[str, float]:
    """Every pixel has the class that most pixels of the training part have."""
    _, planes = training.parts.train
    counts = np.bincount(planes.ravel())
    _, truth = getattr(training.parts, part)
    guess = np.full(truth.shape, counts.argmax())
    return {MEAN_IOU: mean_iou(truth, guess, len(training.parts.classes))}


def nearest_mean_colour(training: Any, part: str) -> dict[str, float]:
    """Every pixel has the class whose mean colour in the training part is nearest."""
    x, planes = training.parts.train
    classes = len(training.parts.classes)
    means = np.stack([x[planes == k].mean(axis=0, dtype=np.float64) for k in range(classes)])
    away = -0.5 * (means**2).sum(axis=1)
    found, truth = getattr(training.parts, part)
    guess = [
        (found[k : k + AT_ONCE] @ means.T.astype(x.dtype) + away).argmax(axis=-1)
        for k in range(0, len(found), AT_ONCE)
    ]
    return {MEAN_IOU: mean_iou(truth, np.concatenate(guess), classes)}


def mean_box(training: Any, part: str) -> dict[str, float]:
    """On every picture one box of each class, the mean of the training part's, and as sure as the
    class is frequent; where masks are judged, the whole box is one."""
    program, classes = training.program, len(training.parts.classes)
    x, targets = training.parts.train
    truths = truths_of(program, targets)
    boxes = np.concatenate([t.boxes for t in truths])
    labels = np.concatenate([t.labels for t in truths])
    there = [k for k in range(classes) if (labels == k).any()]
    means = np.stack([boxes[labels == k].mean(axis=0) for k in there])
    shares = np.array([np.mean([(t.labels == k).any() for t in truths]) for k in there])
    masks = _filled(means, *x.shape[1:3]) if program.score == MASK_MAP else None
    guess = Found(means, np.array(there), shares, masks)
    asked = truths_of(program, getattr(training.parts, part)[1])
    return judged_boxes(training, [guess] * len(asked), asked)


def judged_boxes(training: Any, found: list[Found], asked: list[Truth]) -> dict[str, float]:
    """The mean average precision at IoU 0.5 that detectors are judged by; of masks, where they are,
    beside that of boxes."""
    names = (MASK_MAP, MAP) if training.program.score == MASK_MAP else (MAP,)
    classes = len(training.parts.classes)
    return {
        name: mean_average_precision(found, asked, classes, masks=name == MASK_MAP).value
        for name in names
    }


def _filled(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Masks (K, height, width) of the pixels whose centres lie in the boxes (K, 4) of corners."""
    y, x = np.arange(height) + 0.5, np.arange(width) + 0.5
    left, top, right, bottom = (boxes[:, k, None] for k in range(4))
    rows, columns = (top <= y) & (y < bottom), (left <= x) & (x < right)
    return rows[:, :, None] & columns[:, None, :]
