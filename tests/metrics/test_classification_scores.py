"""Accuracy, top-k, confusion, precision, recall, F1, ROC and precision-recall areas.

scikit-learn is the oracle where it has them; conventions at ties and empty classes are exact tests.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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

oracle = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn (the extra `data`)")

pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)
# Few distinct scores, so that ties are frequent.
scored = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([-1.5, -0.25, 0.0, 0.5, 0.75, 3.0])),
    min_size=2,
    max_size=60,
).filter(lambda rows: len({label for label, _ in rows}) == 2)


def columns(rows):
    a, b = zip(*rows, strict=True)
    return np.array(a), np.array(b)


@given(pairs)
def test_accuracy_and_confusion(rows):
    labels, predictions = columns(rows)
    assert accuracy(labels, predictions) == pytest.approx(
        oracle.accuracy_score(labels, predictions)
    )
    table = confusion_matrix(labels, predictions, 5)
    assert np.array_equal(table, oracle.confusion_matrix(labels, predictions, labels=np.arange(5)))
    assert table.dtype == np.int64
    assert len(confusion_matrix(labels, predictions)) == max(labels.max(), predictions.max()) + 1


@given(pairs, st.sampled_from([None, "macro", "micro", "weighted"]))
def test_precision_recall_f1(rows, average):
    labels, predictions = columns(rows)
    ours = precision_recall_f1(labels, predictions, 5, average)
    theirs = oracle.precision_recall_fscore_support(
        labels, predictions, labels=np.arange(5), average=average, zero_division=0
    )
    for mine, other in zip(ours, theirs[:3], strict=True):
        assert np.allclose(mine, other, atol=1e-12)
        assert isinstance(mine, float) == (average is not None)


def test_precision_recall_f1_by_hand():
    labels, predictions = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 0])
    scores = precision_recall_f1(labels, predictions, 4)
    assert np.allclose(scores.precision, [2 / 4, 1 / 2, 0, 0])  # 2 and 3 are never predicted
    assert np.allclose(scores.recall, [2 / 3, 1 / 2, 0, 0])  # 3 never occurs
    assert np.allclose(scores.f1, [4 / 7, 1 / 2, 0, 0])
    macro = precision_recall_f1(labels, predictions, 4, "macro")
    assert macro.f1 == pytest.approx((4 / 7 + 1 / 2) / 4)  # empty classes count
    micro = precision_recall_f1(labels, predictions, 4, "micro")
    assert micro == pytest.approx((0.5, 0.5, 0.5)) and accuracy(labels, predictions) == 0.5


@given(st.integers(0, 1000), st.integers(1, 6))
def test_top_k_without_ties(seed, k):
    rng = np.random.default_rng(seed)
    scores, labels = rng.permutation(180).reshape(30, 6) / 7, rng.integers(0, 6, 30)
    expected = oracle.top_k_accuracy_score(labels, scores, k=k, labels=np.arange(6)) if k < 6 else 1
    assert top_k_accuracy(labels, scores, k) == pytest.approx(expected)


@given(st.integers(0, 1000), st.integers(1, 4))
def test_top_k_with_ties_goes_to_the_smaller_class(seed, k):
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, 3, (40, 4)).astype(float), rng.integers(0, 4, 40)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    assert top_k_accuracy(labels, scores, k) == (best == labels[:, None]).any(1).mean()
    assert top_k_accuracy(labels, scores, 1) == accuracy(labels, scores.argmax(1))


def test_nan_scores_come_last():
    scores = np.array([[np.nan, 1.0, 2.0]])
    assert top_k_accuracy(np.array([0]), scores, 2) == 0
    assert top_k_accuracy(np.array([1]), scores, 2) == 1


@given(scored)
def test_roc(rows):
    labels, scores = columns(rows)
    ours = roc_curve(labels, scores)
    theirs = oracle.roc_curve(labels, scores, drop_intermediate=False)
    for mine, other in zip(ours, theirs, strict=True):
        assert np.allclose(mine, other, atol=1e-12)
    assert roc_auc(labels, scores) == pytest.approx(oracle.roc_auc_score(labels, scores))
    # The probability that a positive is ahead of a negative, ties counting half.
    ahead = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    assert roc_auc(labels, scores) == pytest.approx((np.sign(ahead) + 1).mean() / 2)


@given(scored)
def test_precision_recall_areas(rows):
    labels, scores = columns(rows)
    ours = precision_recall_curve(labels, scores)
    theirs = oracle.precision_recall_curve(labels, scores)
    for mine, other in zip(ours, theirs, strict=True):
        assert np.allclose(mine, other, atol=1e-12)
    area = oracle.auc(theirs[1], theirs[0])
    assert pr_auc(labels, scores) == pytest.approx(area)
    assert average_precision(labels, scores) == pytest.approx(
        oracle.average_precision_score(labels, scores)
    )


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


@given(st.integers(0, 1000), st.booleans())
def test_mean_iou(seed, ignoring):
    rng = np.random.default_rng(seed)
    labels, predictions = rng.integers(0, 3, (2, 5, 6)), rng.integers(0, 3, (2, 5, 6))
    if ignoring:
        labels[rng.random(labels.shape) < 0.2] = 255
    counted = labels != 255
    expected = oracle.jaccard_score(
        *(labels[counted], predictions[counted]), labels=np.arange(3), average=None
    )
    ours = class_iou(labels, predictions, 4, ignore_label=255 if ignoring else None)
    assert np.allclose(ours[:3], expected) and np.isnan(ours[3])
    assert mean_iou(labels, predictions, 4, 255 if ignoring else None) == pytest.approx(
        expected.mean()
    )


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


@given(st.integers(0, 1000), st.sampled_from([(20,), (20, 1), (20, 3)]))
def test_r2(seed, shape):
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=shape) * 5
    predictions = targets + rng.normal(size=shape)
    if seed % 3 == 0 and len(shape) == 2:
        targets[:, 0] = 2  # does not vary
        predictions[:, 0] = 2 if seed % 2 else predictions[:, 0]
    assert r2_score(targets, predictions) == pytest.approx(oracle.r2_score(targets, predictions))


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
