"""Whether probabilities may be believed: calibration, and what rejecting the doubtful gains."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arguments import array
from ..arguments import labels as class_numbers
from ..doors import checked
from ..errors import ConfigError, IndexRangeError, ShapeError
from .ranking import trapezoid


class CalibrationCurve(NamedTuple):
    """By bin of the largest probability: its mean, the share that was right, how many there are;
    each (bins,). Mean and share of an empty bin are NaN."""

    confidence: np.ndarray
    accuracy: np.ndarray
    samples: np.ndarray


class RejectionCurve(NamedTuple):
    """rejected: shares 0 ... 1 - 1/N of the samples, the most doubtful first; accuracy: of those
    that are kept. Both (N,)."""

    rejected: np.ndarray
    accuracy: np.ndarray


@checked
def calibration_curve(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = 15
) -> CalibrationCurve:
    """The reliability diagram of a classifier: is what is said with 80 % right in 80 %?

    labels (N,) int, probabilities (N, C) whose largest is the prediction (the smaller class among
    equal ones) and its confidence. Bins are equal parts of (0, 1], the upper edge belongs to the
    bin. Raises ShapeError, IndexRangeError, ConfigError. Guo et al. 2017 (arXiv:1706.04599).
    """
    labels, p = _classified("calibration_curve", labels, probabilities)
    if bins < 1:
        raise ConfigError(f"calibration_curve: bins must be at least 1, got {bins}")
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, values, bins) for values in (confidence, right)]
    means = [np.where(count > 0, s / np.maximum(count, 1), np.nan) for s in sums]
    return CalibrationCurve(means[0], means[1], count)


@checked
def calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: sum over the bins of (share of the samples) |accuracy -
    confidence|. Arguments and errors of `calibration_curve`. 0 does not make a classifier good: one
    that says the frequencies of the classes has it. Naeini et al. 2015; Guo et al. 2017, eq. 3.
    """
    curve = calibration_curve(labels, probabilities, bins)
    there = curve.samples > 0
    apart = np.abs(curve.accuracy - curve.confidence)[there]
    return float((apart * curve.samples[there]).sum() / curve.samples.sum())


@checked
def rejection_curve(right: np.ndarray, doubt: np.ndarray) -> RejectionCurve:
    """Accuracy of what is kept when the most doubtful samples are rejected.

    right (N,) of 0 and 1, whether a prediction is; doubt (N,) float, larger for what is rejected
    first. Samples of equal doubt count as if they left in random order: each as much right as all
    of them are in the mean. ShapeError; ConfigError for other values and for NaN.
    """
    right, doubt = (
        array("rejection_curve", "right", right),
        array("rejection_curve", "doubt", doubt),
    )
    if right.ndim != 1 or right.shape != doubt.shape or right.size == 0:
        raise ShapeError(
            f"rejection_curve: needs right and doubt of one shape (N,), got {right.shape} and "
            f"{doubt.shape}"
        )
    if not np.isin(right, (0, 1)).all() or np.isnan(doubt).any():
        raise ConfigError("rejection_curve: right must be 0 and 1, doubt without NaN")
    _, group = np.unique(doubt, return_inverse=True)
    group = group.reshape(-1)
    mean = np.bincount(group, right.astype(np.float64)) / np.bincount(group)
    kept = np.cumsum(mean[np.sort(group)])  # the least doubtful first
    n = len(right)
    accuracy = kept / np.arange(1, n + 1)
    return RejectionCurve(np.arange(n) / n, accuracy[::-1])


@checked
def rejection_auc(right: np.ndarray, doubt: np.ndarray) -> float:
    """The area under the rejection curve (trapezoids), over the width that it has: the mean
    accuracy of what is kept. The accuracy itself for a doubt that knows nothing; one sample alone
    has its own. Arguments and errors of `rejection_curve`."""
    curve = rejection_curve(right, doubt)
    width = curve.rejected[-1]
    area = trapezoid(curve.rejected, curve.accuracy) / width if width else curve.accuracy[0]
    return float(area)


def _classified(
    op: str, labels: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    labels = class_numbers(op, "labels", labels)
    p = array(op, "probabilities", probabilities).astype(np.float64)
    if p.ndim != 2 or labels.shape != p.shape[:1] or p.size == 0:
        raise ShapeError(
            f"{op}: needs labels (N,) and probabilities (N, C), got {labels.shape} and {p.shape}"
        )
    if labels.min() < 0 or labels.max() >= p.shape[1]:
        raise IndexRangeError(
            f"{op}: labels {labels.min()} ... {labels.max()} do not fit {p.shape[1]} classes"
        )
    if not (p.min() >= 0 and p.max() <= 1 + 1e-6):
        raise ConfigError(f"{op}: probabilities must be in 0 ... 1, got {p.min()} ... {p.max()}")
    return labels, p
