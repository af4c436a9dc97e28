"""How well a score separates two classes: ROC and precision-recall curves and their areas."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arguments import array
from ..doors import checked
from ..errors import ConfigError, ShapeError


class RocCurve(NamedTuple):
    """Per threshold: samples with score >= threshold count as positive. The first point is (0, 0)
    with threshold infinity."""

    false_positive_rate: np.ndarray
    true_positive_rate: np.ndarray
    thresholds: np.ndarray


class PrecisionRecallCurve(NamedTuple):
    """Per threshold, ascending; precision and recall have one point more, (1, 0) at the end."""

    precision: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray


@checked
def roc_curve(labels: np.ndarray, scores: np.ndarray) -> RocCurve:
    """The rates fp / (fp + tn) and tp / (tp + fn) for every distinct score as threshold,
    descending.

    labels (N,) of 0 and 1, scores (N,) float, larger for 1. Equal scores are one point. ConfigError
    unless both classes occur, and for NaN.
    """
    hits, alarms, thresholds = _counts("roc_curve", labels, scores)
    tpr = np.concatenate([[0.0], hits / hits[-1]])
    fpr = np.concatenate([[0.0], alarms / alarms[-1]])
    return RocCurve(fpr, tpr, np.concatenate([[np.inf], thresholds]))


@checked
def roc_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """The area under the ROC curve (trapezoids): the probability that a positive has a larger score
    than a negative, ties counting half. 0.5 for a score that knows nothing, whatever the balance of
    the classes. Arguments and errors of `roc_curve`."""
    curve = roc_curve(labels, scores)
    return trapezoid(curve.false_positive_rate, curve.true_positive_rate)


@checked
def precision_recall_curve(labels: np.ndarray, scores: np.ndarray) -> PrecisionRecallCurve:
    """precision tp / (tp + fp) and recall tp / (tp + fn) for every distinct score as threshold.

    labels (N,) of 0 and 1, scores (N,) float. precision[i], recall[i] belong to thresholds[i];
    plotted against the thresholds, drop the last point, not the first. Errors of `roc_curve`.
    """
    hits, alarms, thresholds = _counts("precision_recall_curve", labels, scores)
    precision, recall = hits / (hits + alarms), hits / hits[-1]
    return PrecisionRecallCurve(
        np.concatenate([precision[::-1], [1.0]]),
        np.concatenate([recall[::-1], [0.0]]),
        thresholds[::-1],
    )


@checked
def pr_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """The area under the precision-recall curve with straight lines between its points
    (trapezoids), as the books print it.

    Between two points precision does not really change linearly (Davis and Goadrich 2006,
    doi:10.1145/1143844.1143874), so this is usually too large, visibly so for few distinct scores:
    with one score for all it is (1 + p) / 2 where `average_precision` is p, the share of positives.
    It also begins at the made-up point (recall 0, precision 1). Report `average_precision` beside
    it. Arguments and errors of `roc_curve`.
    """
    curve = precision_recall_curve(labels, scores)
    return trapezoid(curve.recall[::-1], curve.precision[::-1])


@checked
def average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """sum over thresholds of (recall_n - recall_(n-1)) precision_n: the same area in steps instead
    of straight lines, without interpolation. Arguments and errors of `roc_curve`."""
    curve = precision_recall_curve(labels, scores)
    return float(-(np.diff(curve.recall) * curve.precision[:-1]).sum())


def trapezoid(x: np.ndarray, y: np.ndarray) -> float:
    """sum of (x_(i+1) - x_i) (y_i + y_(i+1)) / 2."""
    return float((np.diff(x) * (y[1:] + y[:-1])).sum() / 2)


def _counts(
    op: str, labels: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(true positives, false positives, threshold) at each distinct score, descending."""
    labels, scores = array(op, "labels", labels), array(op, "scores", scores).astype(np.float64)
    if labels.ndim != 1 or labels.shape != scores.shape or labels.size == 0:
        raise ShapeError(
            f"{op}: needs labels and scores of one shape (N,), got {labels.shape} and "
            f"{scores.shape}"
        )
    if not np.isin(labels, (0, 1)).all() or labels.min() == labels.max():
        raise ConfigError(f"{op}: labels must be 0 and 1, and both must occur")
    if np.isnan(scores).any():
        raise ConfigError(f"{op}: {int(np.isnan(scores).sum())} scores are NaN")
    order = np.argsort(-scores, kind="stable")
    ordered, positive = scores[order], labels[order].astype(np.int64)
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    hits = np.cumsum(positive)[last]
    return hits, last + 1 - hits, ordered[last]
