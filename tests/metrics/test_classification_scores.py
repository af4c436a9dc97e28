"""Accuracy, top-k, confusion, precision, recall, F1, ROC and precision-recall areas.

Conventions at ties and empty classes, and errors; cases/metrics.py compares with scikit-learn.
"""

import numpy as np
import pytest
from closeness import assert_close

from tinydl.errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from tinydl.metrics import (
    accuracy,
    average_precision,
    class_iou,
    confusion_matrix,
    mean_iou,
    pr_auc,
    precision_recall_curve,
    precision_recall_f1,
    r2_score,
    roc_auc,
    roc_curve,
    top_k_accuracy,
)


def test_confusion_matrix_by_hand():
    table = confusion_matrix(np.array([0, 2, 2, 1]), np.array([0, 1, 2, 1]))
    assert table.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]] and table.dtype == np.int64
    assert confusion_matrix(np.array([0]), np.array([3])).shape == (4, 4)


def test_precision_recall_f1_by_hand():
    labels, predictions = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 0])
    scores = precision_recall_f1(labels, predictions, 4)
    assert_close(scores.precision, [2 / 4, 1 / 2, 0, 0], 1e-5)  # 2 and 3 are never predicted
    assert_close(scores.recall, [2 / 3, 1 / 2, 0, 0], 1e-5)  # 3 never occurs
    assert_close(scores.f1, [4 / 7, 1 / 2, 0, 0], 1e-5)
    macro = precision_recall_f1(labels, predictions, 4, "macro")
    assert macro.f1 == pytest.approx((4 / 7 + 1 / 2) / 4)  # empty classes count
    assert isinstance(macro.f1, float) and isinstance(scores.f1, np.ndarray)
    micro = precision_recall_f1(labels, predictions, 4, "micro")
    assert micro == pytest.approx((0.5, 0.5, 0.5)) and accuracy(labels, predictions) == 0.5


def test_nan_scores_come_last():
    scores = np.array([[np.nan, 1.0, 2.0]])
    assert top_k_accuracy(np.array([0]), scores, 2) == 0
    assert top_k_accuracy(np.array([1]), scores, 2) == 1


def test_how_the_two_areas_differ():
    labels, scores = np.array([1, 0, 0, 0]), np.zeros(4)
    assert average_precision(labels, scores) == 0.25
    assert pr_auc(labels, scores) == (1 + 0.25) / 2
    assert roc_auc(labels, scores) == 0.5


def test_the_threshold_belongs_to_its_point():
    """The confusion that the curve says is the one at its threshold."""
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 50), rng.integers(0, 9, 50) / 3
    curve = precision_recall_curve(labels, scores)
    for k, threshold in enumerate(curve.thresholds):
        predicted = (scores >= threshold).astype(int)
        expected = precision_recall_f1(labels, predicted, 2)
        assert curve.precision[k] == pytest.approx(expected.precision[1])
        assert curve.recall[k] == pytest.approx(expected.recall[1])
    roc = roc_curve(labels, scores)
    for k, threshold in enumerate(roc.thresholds):
        assert roc.true_positive_rate[k] == (scores >= threshold)[labels == 1].mean()
        assert roc.false_positive_rate[k] == (scores >= threshold)[labels == 0].mean()


def test_perfect_reversed_and_infinite_scores():
    labels = np.array([0, 0, 1, 1])
    assert roc_auc(labels, np.array([-np.inf, 0, 1, np.inf])) == 1
    assert roc_auc(labels, np.array([3, 2, 1, 0.0])) == 0
    assert average_precision(labels, np.arange(4)) == pr_auc(labels, np.arange(4)) == 1
    assert roc_auc(labels.astype(bool), np.arange(4)) == 1


# -- class maps and R^2 ----------------------------------------------------------------------------


def test_mean_iou_counts_a_class_that_is_only_predicted():
    labels, predictions = np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1])
    assert class_iou(labels, predictions, 2).tolist() == [0.75, 0]
    assert mean_iou(labels, predictions, 2) == 0.375
    with pytest.raises(ShapeError):
        mean_iou(labels, predictions, 2, ignore_label=0)
    with pytest.raises(ShapeError, match=r"\(4,\) labels and \(3,\)"):
        mean_iou(labels, predictions[:3], 2)
    with pytest.raises(IndexRangeError, match="do not fit 1 classes"):
        mean_iou(labels, predictions, 1)


def test_r2_by_hand():
    targets = np.array([1.0, 2, 3, 6])
    assert r2_score(targets, targets) == 1 and r2_score(targets, np.full(4, 3.0)) == 0
    assert r2_score(targets, targets + 1) == pytest.approx(1 - 4 / 14)
    assert r2_score(np.ones(3), np.ones(3)) == 1 and r2_score(np.ones(3), np.arange(3)) == 0
    with pytest.raises(ShapeError, match="N >= 2"):
        r2_score(targets[:1], targets[:1])
    with pytest.raises(ShapeError):
        r2_score(targets, targets[:, None])


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: accuracy([], []), ShapeError),
        (lambda: accuracy([0, 1], [0]), ShapeError),
        (lambda: accuracy([[0]], [[0]]), ShapeError),
        (lambda: accuracy([0.5], [0]), DTypeError),
        (lambda: confusion_matrix([0, 3], [0, 1], 3), IndexRangeError),
        (lambda: confusion_matrix([0, -1], [0, 1]), IndexRangeError),
        (lambda: precision_recall_f1([0], [0], average="mean"), ConfigError),
        (lambda: top_k_accuracy([0], [[0.1, 0.2]], 3), ConfigError),
        (lambda: top_k_accuracy([0], [[0.1, 0.2]], 0), ConfigError),
        (lambda: top_k_accuracy([2], [[0.1, 0.2]], 1), IndexRangeError),
        (lambda: top_k_accuracy([0.0], [[0.1, 0.2]], 1), DTypeError),
        (lambda: top_k_accuracy([0, 1], [[0.1, 0.2]], 1), ShapeError),
        (lambda: roc_auc([1, 1], [0.1, 0.2]), ConfigError),
        (lambda: roc_auc([0, 0], [0.1, 0.2]), ConfigError),
        (lambda: roc_auc([0, 2], [0.1, 0.2]), ConfigError),
        (lambda: roc_auc([0, 1], [0.1, np.nan]), ConfigError),
        (lambda: pr_auc([0, 1], [0.1]), ShapeError),
        (lambda: average_precision([], []), ShapeError),
    ],
)
def test_refusals(call, error):
    with pytest.raises(error):
        call()
