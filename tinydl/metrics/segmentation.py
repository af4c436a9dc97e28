"""Overlap of class maps."""

from __future__ import annotations

import numpy as np

from ..arguments import labels as class_numbers
from ..doors import checked
from ..errors import ShapeError
from .classification import confusion_matrix, divided


@checked
def class_iou(
    labels: np.ndarray, predictions: np.ndarray, classes: int, ignore_label: int | None = None
) -> np.ndarray:
    """(C,) float64, per class tp / (tp + fp + fn) over all pixels; NaN for a class that is in
    neither.

    labels, predictions: int arrays of one shape with values 0 ... C - 1. Pixels with the true label
    `ignore_label` do not count, whatever was predicted there. ShapeError if none is left.
    """
    labels = class_numbers("mean_iou", "labels", labels)
    predictions = class_numbers("mean_iou", "predictions", predictions)
    if labels.shape != predictions.shape:
        raise ShapeError(f"mean_iou: {labels.shape} labels and {predictions.shape} predictions")
    labels, predictions = labels.ravel(), predictions.ravel()
    if ignore_label is not None:
        counted = labels != ignore_label
        labels, predictions = labels[counted], predictions[counted]
    table = confusion_matrix(labels, predictions, classes)
    union = table.sum(axis=0) + table.sum(axis=1) - table.diagonal()
    return divided(table.diagonal(), union, empty=np.nan)


@checked
def mean_iou(
    labels: np.ndarray, predictions: np.ndarray, classes: int, ignore_label: int | None = None
) -> float:
    """The mean of `class_iou` over the classes that occur in labels or predictions."""
    return float(np.nanmean(class_iou(labels, predictions, classes, ignore_label)))
