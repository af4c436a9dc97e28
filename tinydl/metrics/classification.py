"""Accuracy, confusion, precision, recall, F1. Host arrays; the true labels come first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arguments import labels as class_numbers
from ..doors import checked
from ..errors import ConfigError, IndexRangeError, ShapeError


class Scores(NamedTuple):
    """Precision, recall and F1: per class (C,) float64, or one number each after averaging."""

    precision: np.ndarray | float
    recall: np.ndarray | float
    f1: np.ndarray | float


@checked
def accuracy(labels: np.ndarray, predictions: np.ndarray) -> float:
    """The fraction of equal pairs: labels, predictions (N,) int. ShapeError if N is 0."""
    labels, predictions = checked_labels("accuracy", labels, predictions)
    return float((labels == predictions).mean())


@checked
def top_k_accuracy(labels: np.ndarray, scores: np.ndarray, k: int = 5) -> float:
    """The fraction of samples whose label is among the k classes with the largest scores.

    labels (N,) int in 0 ... C - 1, scores (N, C) float. Among equal scores the smaller class comes
    first, as in `argmax`, so k = 1 is the accuracy of scores.argmax(1). (scikit-learn lets the
    larger class come first.) NaN counts as the smallest score.
    """
    labels, scores = class_numbers("top_k_accuracy", "labels", labels), scores.astype(np.float64)
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or scores.size == 0:
        raise ShapeError(
            f"top_k_accuracy: needs labels (N,) and scores (N, C), got {labels.shape} and "
            f"{scores.shape}"
        )
    _check_range("top_k_accuracy", labels, scores.shape[1])
    if not 1 <= k <= scores.shape[1]:
        raise ConfigError(f"top_k_accuracy: k must be in 1 ... {scores.shape[1]}, got {k}")
    scores = np.where(np.isnan(scores), -np.inf, scores)
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    earlier = np.arange(scores.shape[1]) < labels[:, None]
    rank = (scores > own).sum(axis=1) + ((scores == own) & earlier).sum(axis=1)
    return float((rank < k).mean())


@checked
def confusion_matrix(
    labels: np.ndarray, predictions: np.ndarray, classes: int | None = None
) -> np.ndarray:
    """(C, C) int64: entry [i, j] counts the samples of class i that were predicted as j.

    labels, predictions (N,) int in 0 ... C - 1; C is `classes`, or one more than the largest value.
    IndexRangeError outside that.
    """
    labels, predictions = checked_labels("confusion_matrix", labels, predictions)
    largest = int(max(labels.max(), predictions.max()))
    classes = largest + 1 if classes is None else classes
    if classes * classes > 1 << 31:
        raise ConfigError(f"confusion_matrix: a table of {classes} x {classes} is too large")
    _check_range("confusion_matrix", labels, classes)
    _check_range("confusion_matrix", predictions, classes)
    pairs = labels * classes + predictions
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


@checked
def precision_recall_f1(
    labels: np.ndarray,
    predictions: np.ndarray,
    classes: int | None = None,
    average: str | None = None,
) -> Scores:
    """With tp, fp, fn of a class: precision tp / (tp + fp), recall tp / (tp + fn), F1 2 tp / (2 tp
    + fp + fn).

    labels, predictions (N,) int; classes as in `confusion_matrix`. average: None gives (C,) each;
    "macro" the plain mean over the classes, "weighted" the mean weighted by how many samples a
    class has, "micro" the formulas with tp, fp, fn summed over the classes (all three then equal
    the accuracy). 0 / 0, a class that is never predicted or never occurs, is 0, and counts in the
    mean.
    """
    if average not in (None, "macro", "micro", "weighted"):
        raise ConfigError(
            f"precision_recall_f1: average must be None, 'macro', 'micro' or 'weighted', got "
            f"{average!r}"
        )
    table = confusion_matrix(labels, predictions, classes)
    hits, predicted, actual = table.diagonal(), table.sum(axis=0), table.sum(axis=1)
    if average == "micro":
        hits, predicted, actual = (np.array([part.sum()]) for part in (hits, predicted, actual))
    scores = (
        divided(hits, predicted),
        divided(hits, actual),
        divided(2 * hits, predicted + actual),
    )
    if average is None:
        return Scores(*scores)
    weights = actual if average == "weighted" else np.ones_like(actual)
    return Scores(*(float((score * weights).sum() / weights.sum()) for score in scores))


def divided(above: np.ndarray, below: np.ndarray, empty: float = 0.0) -> np.ndarray:
    """above / below in float64, `empty` where below is 0."""
    result = np.full(np.shape(below), empty, dtype=np.float64)
    return np.divide(above, below, out=result, where=np.asarray(below) != 0)


def checked_labels(
    op: str, labels: np.ndarray, predictions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Both as int64 arrays (N,) of whatever integer type they were, N >= 1."""
    labels = class_numbers(op, "labels", labels)
    predictions = class_numbers(op, "predictions", predictions)
    if labels.ndim != 1 or labels.shape != predictions.shape or labels.size == 0:
        raise ShapeError(
            f"{op}: needs labels and predictions of one shape (N,), got {labels.shape} and "
            f"{predictions.shape}"
        )
    return labels, predictions


def _check_range(op: str, labels: np.ndarray, classes: int) -> None:
    if labels.min() < 0 or labels.max() >= classes:
        raise IndexRangeError(
            f"{op}: labels {labels.min()} ... {labels.max()} do not fit {classes} classes"
        )
