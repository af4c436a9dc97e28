"""Boxes, anchors, suppression and matching against the slowest way to say what they mean."""

from math import log, sqrt

import numpy as np
import pytest
from cases.models_detection import some_boxes
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st

from tinydl import Generator
from tinydl.errors import ConfigError, ShapeError
from tinydl.metrics import box_iou
from tinydl.models.detection.anchors import default_boxes, grid_anchors, linear_scales
from tinydl.models.detection.boxes import (
    VARIANCES,
    check_boxes,
    clip_boxes,
    decode,
    encode,
    to_centre,
    to_corners,
)
from tinydl.models.detection.matching import label_anchors, match, sample_labels
from tinydl.models.detection.nms import nms, nms_per_class
from tinydl.models.detection.ssd300 import SSD300

SEEDS = st.integers(0, 2**32 - 1)


def coarse_boxes(rng, count):
    """Boxes on a coarse grid: equal overlaps, touching and equal boxes occur."""
    low = rng.integers(0, 6, (count, 2))
    return np.concatenate([low, low + rng.integers(1, 5, (count, 2))], axis=1).astype(np.float64)


def pixels(box):
    return {
        (x, y) for x in range(int(box[0]), int(box[2])) for y in range(int(box[1]), int(box[3]))
    }


@given(SEEDS)
def test_iou_counts_pixels(seed):
    rng = np.random.default_rng(seed)
    a, b = coarse_boxes(rng, 4), coarse_boxes(rng, 3)
    expected = [[len(pixels(p) & pixels(q)) / len(pixels(p) | pixels(q)) for q in b] for p in a]
    assert_close(box_iou(a, b), expected, 1e-15)


# -- coding ----------------------------------------------------------------------------------------


def test_encoding_by_hand():
    box, anchor = np.array([10.0, 20, 30, 60]), np.array([22.0, 36, 40, 20])
    expected = [(20 - 22) / 40 / 0.1, (40 - 36) / 20 / 0.1, log(20 / 40) / 0.2, log(40 / 20) / 0.2]
    assert_close(encode(box, anchor, VARIANCES), expected, 1e-15)


@given(SEEDS)
def test_decoding_undoes_encoding(seed):
    rng = np.random.default_rng(seed)
    boxes, anchors = some_boxes(rng, 5, 30, 40), to_centre(some_boxes(rng, 5, 30, 40))
    offsets = encode(boxes, anchors, VARIANCES)
    assert_close(decode(offsets, anchors, VARIANCES), boxes, 0, atol=1e-12)
    assert_close(to_corners(to_centre(boxes)), boxes, 0, atol=1e-13)


def test_decoding_stays_finite():
    wild, anchor = np.array([[0, 0, 1e9, -1e9]]), np.array([[5.0, 5, 2, 2]])
    assert np.isfinite(decode(wild, anchor)).all()
    sides = to_centre(decode(np.array([[0.0, 0, 7.9, 8.1]]), anchor))[0, 2:] / 2
    assert_close(sides, np.exp([7.9, 8.0]), 1e-7)


def test_boxes_that_make_no_sense_are_named():
    good = [1.0, 2, 5, 6]
    check_boxes("detect", np.array([good, [0, 0, 40, 30]]), 30, 40)
    cases = [
        ([3.0, 2, 3, 6], r"box 1 \(3, 2, 3, 6\) must have an area"),
        ([3.0, 6, 8, 2], "must have an area"),
        ([-1.0, 2, 5, 6], r"must lie in the picture .* 40 wide and 30 high"),
        ([30.0, 2, 41, 6], "must lie in the picture"),
        ([np.nan, 2, 3, 4], "must have an area"),
    ]
    for box, message in cases:
        with pytest.raises(ConfigError, match=message):
            check_boxes("detect", np.array([good, box]), 30, 40)
    with pytest.raises(ShapeError, match=r"boxes must be \(K, 4\)"):
        check_boxes("detect", np.zeros((2, 3)), 30, 40)
    assert clip_boxes(np.array([[-2.0, 3, 50, 31]]), 30, 40).tolist() == [[0, 3, 40, 30]]


# -- anchors ---------------------------------------------------------------------------------------


def test_ssd300_has_8732_default_boxes():
    boxes = SSD300(1, (1, 1, 1, 1), 1).defaults
    assert boxes.shape == (8732, 4)
    counts = [38 * 38 * 4, 19 * 19 * 6, 10 * 10 * 6, 5 * 5 * 6, 3 * 3 * 4, 4]
    assert sum(counts) == 8732
    firsts = boxes[np.cumsum([0, *counts[:-1]])]
    assert_close(firsts[:, 2], [0.2, 0.34, 0.48, 0.62, 0.76, 0.9], 1e-12)
    assert_close(firsts[:, 0], [0.5 / 38, 0.5 / 19, 0.05, 0.1, 1 / 6, 0.5], 1e-7)


def test_default_boxes_by_hand():
    boxes = default_boxes([(1, 2), (1, 1)], [10, 40, 90], [(2.0,), ()], (50, 100))
    one = [[0.1, 0.2], [0.2, 0.4], [10 * sqrt(2) / 100, 10 / sqrt(2) / 50]]
    expected = [[x, 0.5, *size] for x in (0.25, 0.75) for size in one]
    expected += [[0.5, 0.5, 0.4, 0.8], [0.5, 0.5, 0.6, 1.2]]
    assert_close(boxes, expected, 1e-14)
    assert linear_scales(6) == pytest.approx([0.2, 0.34, 0.48, 0.62, 0.76, 0.9, 1.04])
    with pytest.raises(ConfigError, match="2 maps need as many lists of ratios and one more size"):
        default_boxes([(1, 2), (1, 1)], [10, 40], [(), ()], (50, 100))
    with pytest.raises(ConfigError, match="at least two"):
        linear_scales(1)


def test_grid_anchors_have_the_area_and_the_ratio():
    anchors = grid_anchors(2, 3, 16, (32, 64), (0.5, 1, 2)).reshape(2, 3, 6, 4)
    assert anchors[1, 2, 0, :2].tolist() == [40, 24]
    assert_close(anchors[..., 2] * anchors[..., 3], [[[32.0**2] * 3 + [64.0**2] * 3] * 3] * 2, 1e-7)
    assert_close(anchors[0, 0, :, 2] / anchors[0, 0, :, 3], [0.5, 1, 2] * 2, 1e-7)


# -- suppression -----------------------------------------------------------------------------------


def slow_nms(boxes, scores, threshold):
    """A box stays if no better box that stays overlaps it by more than the threshold."""
    order = sorted(range(len(scores)), key=lambda k: (-scores[k], k))
    kept = []
    for k in order:
        overlaps = [box_iou(boxes[k][None], boxes[j][None])[0, 0] for j in kept]
        if all(v <= threshold for v in overlaps):
            kept.append(k)
    return kept


@given(SEEDS, st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 1.0]))
def test_suppression(seed, threshold):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 12))
    boxes, scores = coarse_boxes(rng, count), rng.integers(0, 4, count) / 4
    expected = slow_nms(boxes, scores, threshold)
    assert nms(boxes, scores, threshold).tolist() == expected
    assert nms(boxes, scores, threshold, limit=2).tolist() == expected[:2]


def test_suppression_is_per_class():
    boxes = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]])
    scores = np.array([[0.9, 0.1], [0.8, 0.7], [0.005, 0.6]])
    found = nms_per_class(boxes, scores, score=0.05, threshold=0.5)
    assert found.labels.tolist() == [0, 1, 1] and found.scores.tolist() == [0.9, 0.7, 0.6]
    assert found.boxes.tolist() == boxes[[0, 1, 2]].tolist()
    assert nms_per_class(boxes, scores, 0.05, 0.5, limit=1).scores.tolist() == [0.9]
    best = nms_per_class(boxes, scores, 0.05, 1.0, candidates=1)
    assert best.scores.tolist() == [0.9, 0.7]
    own = np.stack([boxes, boxes + 100], axis=1)
    assert nms_per_class(own, scores, 0.65, 0.5).boxes[-1].tolist() == [101, 100, 111, 110]
    assert len(nms_per_class(boxes, scores, score=0.95).boxes) == 0
    assert nms_per_class(boxes, scores, score=0.9).scores.tolist() == [0.9]  # at least
    with pytest.raises(ConfigError, match="threshold must be in"):
        nms(boxes, scores[:, 0], 1.5)
    with pytest.raises(ShapeError, match="boxes must be"):
        nms(boxes, scores[:2, 0], 0.5)


# -- matching --------------------------------------------------------------------------------------


def slow_match(anchors, boxes, threshold):
    overlap = [[box_iou(a[None], b[None])[0, 0] for b in boxes] for a in anchors]
    result = [-1] * len(anchors)
    for a, row in enumerate(overlap):
        best = max(range(len(boxes)), key=lambda g: (row[g], -g))
        if row[best] > threshold:
            result[a] = best
    free_anchors, free_boxes = set(range(len(anchors))), set(range(len(boxes)))
    while free_anchors and free_boxes:
        pairs = [(overlap[a][g], -a, -g) for a in free_anchors for g in free_boxes]
        _, a, g = max(pairs)
        result[-a] = -g
        free_anchors.remove(-a)
        free_boxes.remove(-g)
    return result


@given(SEEDS)
def test_matching(seed):
    rng = np.random.default_rng(seed)
    anchors = coarse_boxes(rng, int(rng.integers(1, 12)))
    boxes = coarse_boxes(rng, int(rng.integers(1, 4)))
    result = match(anchors, boxes, 0.5)
    assert result.tolist() == slow_match(anchors, boxes, 0.5)
    if len(boxes) <= len(anchors):
        assert set(range(len(boxes))) <= set(result.tolist())  # every box is somebody's


def test_matching_without_boxes():
    assert match(np.ones((3, 4)), np.zeros((0, 4))).tolist() == [-1, -1, -1]
    labels, _ = label_anchors(np.array([[0.0, 0, 2, 2]]), np.zeros((0, 4)))
    assert labels.tolist() == [0]


def slow_labels(anchors, boxes, positive, negative, image):
    overlap = [[box_iou(a[None], b[None])[0, 0] for b in boxes] for a in anchors]
    inside = [
        image is None or (a[0] >= 0 and a[1] >= 0 and a[2] <= image[1] and a[3] <= image[0])
        for a in anchors
    ]
    labels = []
    for a, row in enumerate(overlap):
        rivals = [
            [overlap[k][g] for k in range(len(anchors)) if inside[k]] for g in range(len(boxes))
        ]
        best_of_one = any(
            row[g] > 0 and row[g] == max(rivals[g]) for g in range(len(boxes)) if rivals[g]
        )
        if not inside[a]:
            labels.append(-1)
        elif max(row) > positive or best_of_one:
            labels.append(1)
        else:
            labels.append(0 if max(row) < negative else -1)
    return labels


@given(SEEDS, st.sampled_from([None, (7, 8)]))
def test_anchor_labels(seed, image):
    rng = np.random.default_rng(seed)
    anchors = coarse_boxes(rng, int(rng.integers(1, 12)))
    boxes = coarse_boxes(rng, int(rng.integers(1, 4)))
    labels, matched = label_anchors(anchors, boxes, 0.7, 0.3, image)
    assert labels.tolist() == slow_labels(anchors, boxes, 0.7, 0.3, image)
    best = box_iou(anchors, boxes).max(axis=1)
    on = labels == 1
    assert np.array_equal(box_iou(anchors, boxes)[np.arange(len(anchors)), matched][on], best[on])


def test_thresholds_are_passed_or_not_reached():
    """Overlaps of exactly a threshold: a default box is background, an anchor does not count."""
    box, shares = np.array([[0.0, 0, 10, 1]]), np.array([10, 8, 7, 5, 3, 2])
    anchors = np.array([[0.0, 0, width, 1] for width in shares])
    assert box_iou(anchors, box)[:, 0].tolist() == (shares / 10).tolist()
    assert match(anchors, box).tolist() == [0, 0, 0, -1, -1, -1]
    assert label_anchors(anchors, box)[0].tolist() == [1, 1, -1, -1, -1, 0]
    between = np.array([[0.0, 0, 100, 1], [0, 0, 65, 1], [0, 0, 35, 1]])
    assert label_anchors(between, np.array([[0.0, 0, 100, 1]]))[0].tolist() == [1, -1, -1]


def test_the_best_anchor_is_the_best_of_those_inside():
    anchors, box = np.array([[-1.0, 0, 9, 10], [0, 0, 5, 10]]), np.array([[0.0, 0, 10, 10]])
    assert label_anchors(anchors, box, image=(20, 20))[0].tolist() == [-1, 1]
    assert label_anchors(anchors, box)[0].tolist() == [1, -1]


def test_sampling_keeps_the_share():
    labels = np.array([1] * 10 + [0] * 50 + [-1] * 5)
    chosen = sample_labels(labels, 16, 0.25, Generator(3))
    assert (labels[chosen] == 1).sum() == 4 and (labels[chosen] == 0).sum() == 12
    assert len(set(chosen.tolist())) == 16
    few = sample_labels(np.array([1, 0, 0, -1]), 8, 0.5, Generator(3))
    assert sorted(few.tolist()) == [0, 1, 2]
