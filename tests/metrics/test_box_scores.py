"""IoU and mean average precision: cases by hand, and values that pycocotools gave."""

import numpy as np
import pytest
from cases.metrics import filled, pictures
from closeness import assert_close

from tinydl.errors import ConfigError, ShapeError
from tinydl.metrics import (
    COCO_THRESHOLDS,
    Found,
    Truth,
    box_iou,
    coco_average_precision,
    mask_iou,
    mean_average_precision,
    voc07_average_precision,
    voc_average_precision,
)


def boxes_of(rows):
    return np.array(rows, np.float64).reshape(-1, 4)


def test_iou_by_hand():
    a, b = boxes_of([[0, 0, 2, 2]]), boxes_of([[1, 1, 3, 3], [2, 0, 4, 2], [0, 0, 2, 2]])
    assert_close(box_iou(a, b), [[1 / 7, 0, 1]], 1e-5)
    with pytest.raises(ShapeError, match=r"\(N, 4\)"):
        box_iou(a[0], b)


# -- areas under the curve -------------------------------------------------------------------------


def test_areas_by_hand():
    """Hits at ranks 1, 2, 4, 7 of 7 detections, 5 true boxes."""
    hit = np.array([1, 1, 0, 1, 0, 0, 1])
    recall, precision = hit.cumsum() / 5, hit.cumsum() / np.arange(1, 8)
    # Largest precision at a recall of at least 0.2, 0.4, 0.6, 0.8, 1: 1, 1, 3/4, 4/7, 0.
    assert voc_average_precision(recall, precision) == pytest.approx(0.2 * (1 + 1 + 3 / 4 + 4 / 7))
    # r = 0 ... 0.4 give 1, 0.5 and 0.6 give 3/4, 0.7 and 0.8 give 4/7, 0.9 and 1 give 0.
    assert voc07_average_precision(recall, precision) == pytest.approx(
        (5 + 2 * 3 / 4 + 2 * 4 / 7) / 11
    )
    # Of the 101 points, 41 give 1, 20 give 3/4, 20 give 4/7, 20 give 0.
    assert coco_average_precision(recall, precision) == pytest.approx(
        (41 + 20 * 3 / 4 + 20 * 4 / 7) / 101
    )


def test_no_detection_at_all():
    empty = np.zeros(0)
    for area in (voc07_average_precision, voc_average_precision, coco_average_precision):
        assert area(empty, empty) == 0


# -- matching --------------------------------------------------------------------------------------


def found(*rows, label=0):
    """(box, score) rows."""
    labels = np.full(len(rows), label)
    return Found(boxes_of([b for b, _ in rows]), labels, np.array([s for _, s in rows], float))


def truth(*rows, label=0, ignore=None):
    return Truth(boxes_of(rows), np.full(len(rows), label), ignore and np.array(ignore))


A, B, FAR = (0, 0, 10, 10), (20, 0, 30, 10), (50, 50, 60, 60)
NEAR_A = (0, 0, 10, 8)  # IoU 0.8


@pytest.mark.parametrize("method", ["voc2007", "voc", "coco"])
def test_perfect_and_useless_detectors(method):
    truths = [truth(A, B), truth(FAR)]
    perfect = [found((A, 0.9), (B, 0.4)), found((FAR, 0.7))]
    assert mean_average_precision(perfect, truths, 1, method).value == 1
    useless = [found((FAR, 0.9)), found((A, 0.9))]
    assert mean_average_precision(useless, truths, 1, method).value == 0
    assert mean_average_precision([found(), found()], truths, 1, method).value == 0
    # False detections below all right ones cost nothing, above them they do.
    low = [found((A, 0.9), (B, 0.4), (FAR, 0.1)), found((FAR, 0.7))]
    assert mean_average_precision(low, truths, 1, method).value == 1
    high = [found((A, 0.9), (B, 0.4), (FAR, 0.95)), found((FAR, 0.7))]
    assert mean_average_precision(high, truths, 1, method).value == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("method", ["voc", "coco"])
def test_a_second_detection_of_the_same_thing_is_false(method):
    twice = [found((A, 0.9), (NEAR_A, 0.8), (B, 0.7))]
    value = mean_average_precision(twice, [truth(A, B)], 1, method, (0.5,)).value
    assert value == pytest.approx((1 + 2 / 3) / 2, abs=0.01)


def test_voc_and_coco_differ_where_the_best_box_is_taken():
    """Two true boxes overlap; both detections are nearest to the first of them."""
    first, second = (0, 0, 10, 10), (0, 2, 10, 12)
    pair = [found(((0, 0, 10, 10), 0.9), ((0, 0.5, 10, 10.5), 0.8))]
    truths = [truth(first, second)]
    assert mean_average_precision(pair, truths, 1, "voc").value == 0.5
    assert mean_average_precision(pair, truths, 1, "coco", (0.5,)).value == 1


def test_of_equal_overlaps_coco_takes_the_last():
    """The first detection lies between two true boxes, the second is one of them."""
    left, right, between = (0, 0, 10, 10), (4, 0, 14, 10), (2, 0, 12, 10)
    pair = [found((between, 0.9), (left, 0.8))]
    assert mean_average_precision(pair, [truth(left, right)], 1, "coco", (0.5,)).value == 1
    one = mean_average_precision(pair, [truth(right, left)], 1, "coco", (0.5,)).value
    assert one == pytest.approx(51 / 101)


@pytest.mark.parametrize("method", ["voc2007", "voc", "coco"])
def test_ignored_boxes_count_neither_way(method):
    truths = [truth(A, B, ignore=[False, True])]
    for rows in ([(A, 0.5)], [(B, 0.9), (A, 0.5)], [(B, 0.9), (B, 0.8), (A, 0.5)]):
        assert mean_average_precision([found(*rows)], truths, 1, method).value == 1
    only = [truth(B, ignore=[True])]
    assert np.isnan(mean_average_precision([found((B, 0.9))], only, 1, method).value)


def test_a_crowd_swallows_what_lies_within_it():
    crowd = [truth((0, 0, 40, 40), FAR, ignore=[True, False])]
    inside = [found(((1, 1, 5, 5), 0.9), (FAR, 0.5))]
    assert mean_average_precision(inside, crowd, 1, "coco").value == 1
    assert mean_average_precision(inside, crowd, 1, "voc").value == 0.5  # IoU 1/100: false


def test_thresholds():
    near = [found((NEAR_A, 0.9))]
    assert mean_average_precision(near, [truth(A)], 1, "voc").value == 1
    assert (
        mean_average_precision(near, [truth(A)], 1, "voc", (0.8,)).value == 1
    )  # reached is enough
    assert mean_average_precision(near, [truth(A)], 1, "voc", (0.81,)).value == 0
    # IoU 0.8 passes 0.5, 0.55, ..., 0.8: seven of ten.
    assert mean_average_precision(near, [truth(A)], 1, "coco").value == pytest.approx(0.7)
    assert len(COCO_THRESHOLDS) == 10 and COCO_THRESHOLDS[-1] == 0.95


def test_classes_are_kept_apart_and_empty_ones_left_out():
    truths = [Truth(boxes_of([A, B]), np.array([0, 2]))]
    guess = [Found(boxes_of([A, B, A]), np.array([0, 1, 2]), np.array([0.9, 0.8, 0.7]))]
    result = mean_average_precision(guess, truths, 4, "voc")
    assert result.value == 0.5
    assert np.array_equal(result.per_class, [1, np.nan, 0, np.nan], equal_nan=True)


def test_only_the_best_hundred_of_a_picture_count_for_coco():
    rows = [(FAR, 0.9 - k / 1000) for k in range(100)] + [(A, 0.1)]
    assert mean_average_precision([found(*rows)], [truth(A)], 1, "coco").value == 0
    assert mean_average_precision([found(*rows)], [truth(A)], 1, "voc").value > 0
    assert mean_average_precision([found(*rows[1:])], [truth(A)], 1, "coco").value > 0


# pycocotools 2.0.11 on pictures of that seed: bbox, area "all", 100 detections, recalls k / 100
PYCOCOTOOLS = {
    0: [0.0, 0.03985148514851485, 0.02838283828382838],
    1: [0.02574257425742574, 0.03793236466503794, 0.20673267326732672],
    2: [0.0844059405940594, 0.07584158415841584, 0.14215686274509803],
    3: [0.0883074021687883, 0.017008486562942012, 0.0],
}


@pytest.mark.parametrize("seed", PYCOCOTOOLS)
def test_coco_as_pycocotools(seed):
    ours = mean_average_precision(*pictures(np.random.default_rng(seed)), 3, "coco").per_class
    assert_close(ours, PYCOCOTOOLS[seed], 1e-5, atol=1e-12)


def test_refusals():
    with pytest.raises(ConfigError, match="method must be one of voc2007, voc, coco"):
        mean_average_precision([found()], [truth(A)], 1, "mean")
    with pytest.raises(ShapeError, match="1 pictures of detections, 2 of true boxes"):
        mean_average_precision([found()], [truth(A), truth(B)], 1)
    with pytest.raises(ShapeError):
        mean_average_precision([], [], 1)
    with pytest.raises(ConfigError, match="picture 0 has no masks"):
        mean_average_precision([found((A, 0.5))], [truth(A)], 1, masks=True)
    with pytest.raises(ShapeError, match="picture 0 has boxes, labels, scores of different"):
        short = Truth(boxes_of([A, B]), np.zeros(2, int), None, np.zeros((1, 4, 4), bool))
        mean_average_precision([found()], [short], 1)
    with pytest.raises(ShapeError, match=r"masks must be \(N, H, W\), .* \(1, 4, 5\), \(1, 5, 4\)"):
        mask_iou(np.zeros((1, 4, 5), bool), np.zeros((1, 5, 4), bool))


@pytest.mark.parametrize("seed", PYCOCOTOOLS)
def test_coco_on_masks_that_fill_their_boxes(seed):
    guesses, truths = pictures(np.random.default_rng(seed))
    guesses = [Found(0 * f.boxes, f.labels, f.scores, filled(f.boxes)) for f in guesses]
    truths = [Truth(0 * t.boxes, t.labels, t.ignore, filled(t.boxes)) for t in truths]
    ours = mean_average_precision(guesses, truths, 3, "coco", masks=True).per_class
    assert_close(ours, PYCOCOTOOLS[seed], 1e-5, atol=1e-12)
