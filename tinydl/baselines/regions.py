"""Things found without a network: regions of even colour, named by their outlines."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..metrics import Found, Truth, box_iou
from ..models.detection.selective_search import segment
from ..programs.scores import truths_of
from .labels import logistic, softmax
from .pictures import judged_boxes

PICTURES, CELLS = 150, 6  # of the training part; of a box, along each side
SCALE, SIGMA = 1.0, 0.5  # the best of four pairs on 100 other training pictures of the shapes


def even_regions(training: Any, part: str) -> dict[str, float]:
    """Every region of even colour (Felzenszwalb and Huttenlocher 2004, as R-CNN's search begins) is
    a thing or none by a logistic regression of which of 6 x 6 cells of its box it fills, of the
    box's sides and of the picture's sides that it touches, fitted on 150 training pictures."""
    x, targets = training.parts.train
    features, names = [], []
    for picture, truth in zip(
        x[:PICTURES], truths_of(training.program, targets[:PICTURES]), strict=True
    ):
        boxes, masks = regions(picture)
        features.append(outlines(boxes, masks))
        names.append(named(boxes, truth))
    scores = logistic(np.concatenate(features), np.concatenate(names))

    def found(picture: np.ndarray) -> Found:
        boxes, masks = regions(picture)
        shares = softmax(scores(outlines(boxes, masks)))[:, 1:]
        region, label = np.indices(shares.shape).reshape(2, -1)
        return Found(boxes[region], label, shares.ravel(), masks[region])

    pictures, asked = getattr(training.parts, part)
    return judged_boxes(training, [found(p) for p in pictures], truths_of(training.program, asked))


def regions(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (R, 4), corners, and masks (R, H, W) bool of a picture's regions."""
    labels = segment(picture, SCALE, SIGMA)
    masks = labels == np.arange(labels.max() + 1)[:, None, None]
    spans = []
    for axis in (1, 2):  # columns that it is in, then rows
        there = masks.any(axis=axis)
        spans.append((there.argmax(axis=1), there.shape[1] - there[:, ::-1].argmax(axis=1)))
    (left, right), (top, bottom) = spans
    return np.stack([left, top, right, bottom], axis=1).astype(np.float64), masks


def outlines(boxes: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """(R, CELLS^2 + 6): the middle of each cell of the box is in the region or not; width and
    height as shares of the picture's; the region touches its left, upper, right, lower side."""
    height, width = masks.shape[1:]
    sides = boxes[:, 2:] - boxes[:, :2]
    middles = (np.arange(CELLS) + 0.5) / CELLS
    columns = (boxes[:, :1] + middles * sides[:, :1]).astype(np.int64)
    rows = (boxes[:, 1:2] + middles * sides[:, 1:]).astype(np.int64)
    region = np.arange(len(boxes))[:, None, None]
    cells = masks[region, rows[:, :, None], columns[:, None, :]].reshape(len(boxes), -1)
    touches = boxes == [0, 0, width, height]
    return np.concatenate([cells, sides / [width, height], touches], axis=1).astype(np.float64)


def named(boxes: np.ndarray, truth: Truth) -> np.ndarray:
    """(R,): 1 + the class of the thing whose box a region's overlaps most, at least by half; 0."""
    if not len(truth.boxes):
        return np.zeros(len(boxes), np.int64)
    overlap = box_iou(boxes, truth.boxes)
    return np.where(overlap.max(axis=1) >= 0.5, 1 + truth.labels[overlap.argmax(axis=1)], 0)
