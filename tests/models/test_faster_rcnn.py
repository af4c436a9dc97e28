"""Faster R-CNN: both losses by plain loops, samples, proposals, and what the network finds."""

import numpy as np
import pytest
from cases.models_detection import some_boxes, tiny_faster_rcnn
from closeness import assert_close

from tinydl import Generator, Tensor, ops
from tinydl.data import pad_rows
from tinydl.errors import ConfigError, ShapeError
from tinydl.metrics import box_iou
from tinydl.models import SmallFasterRCNN
from tinydl.models.detection.boxes import decode, to_centre, to_corners
from tinydl.models.detection.fast_rcnn import (
    VARIANCES,
    AlignedHead,
    FastHead,
    fast_rcnn_loss,
    sample_proposals,
)
from tinydl.models.detection.faster_rcnn import Seen, faster_rcnn_loss, proposals, rpn_loss


def smooth(d):
    d = abs(d)
    return d * d / 2 if d < 1 else d - 0.5


def surprise(logits, label):
    powers = np.exp(logits)
    return -np.log(powers[label] / powers.sum())


def test_the_loss_of_the_region_proposal_network():
    rng = np.random.default_rng(0)
    outputs, offsets = rng.normal(size=(2, 7, 6)), 2 * rng.normal(size=(2, 7, 4))
    labels = rng.integers(-1, 2, (2, 7))
    places = [(n, a) for n in range(2) for a in range(7)]
    used = [p for p in places if labels[p] >= 0]
    classes = sum(surprise(outputs[p][:2], labels[p]) for p in used) / len(used)
    objects = [p for p in places if labels[p] == 1]
    boxes = sum(smooth(d) for p in objects for d in outputs[p][2:] - offsets[p])
    loss = rpn_loss(Tensor(outputs), labels, offsets, 5).item()
    assert objects and loss == pytest.approx(classes + 10 * boxes / (2 * 5), rel=1e-12)
    nothing = rpn_loss(Tensor(outputs, requires_grad=True), np.full((2, 7), -1), offsets, 5)
    nothing.backward()
    assert nothing.item() == 0


def test_the_loss_of_the_head():
    rng = np.random.default_rng(1)
    outputs, offsets = rng.normal(size=(6, 1 + 5 * 3)), 2 * rng.normal(size=(6, 4))
    labels = np.array([0, 3, 1, 0, 2, 3])
    total = 0.0
    for y, label, t in zip(outputs, labels, offsets, strict=True):
        total += surprise(y[:4], label)
        if label:
            total += sum(smooth(d) for d in y[4 * label : 4 * label + 4] - t)
    assert fast_rcnn_loss(Tensor(outputs), labels, offsets).item() == pytest.approx(total / 6)
    only = fast_rcnn_loss(Tensor(outputs), np.zeros(6, int), offsets).item()
    assert only == pytest.approx(np.mean([surprise(y[:4], 0) for y in outputs]))


def test_samples_of_regions():
    rng = np.random.default_rng(2)
    boxes, labels = some_boxes(rng, 2, 60, 80), np.array([4, 1])
    regions = np.concatenate([some_boxes(rng, 40, 60, 80), boxes + 1.5, boxes - 1.0])
    chosen, classes, offsets = sample_proposals(regions, boxes, labels, 16, Generator(0))
    overlap = box_iou(chosen, boxes)
    on = classes > 0
    assert len(chosen) == 16 and 1 <= on.sum() <= 4 and not offsets[~on].any()
    assert (overlap[on].max(axis=1) >= 0.5).all() and (overlap[~on].max(axis=1) < 0.5).all()
    assert np.array_equal(classes[on], labels[overlap[on].argmax(axis=1)] + 1)
    back = decode(offsets[on], to_centre(chosen[on]), VARIANCES)
    assert_close(back, boxes[overlap[on].argmax(axis=1)], 1e-7, atol=1e-9)
    half = np.array([[0.0, 0, 5, 10], [0, 0, 4.9, 10]])  # IoU with the box: 0.5, 0.49
    whole = np.array([[0.0, 0, 10, 10]])
    _, classes, _ = sample_proposals(half, whole, labels[:1], 16, Generator(0), share=1.0)
    assert sorted(classes.tolist()) == [0, 5, 5]
    none = sample_proposals(regions, np.zeros((0, 4)), labels[:0], 16, Generator(0))
    assert len(none[0]) == 16 and not none[1].any()


def test_true_boxes_are_proposals_too():
    boxes = np.array([[3.0, 4, 20, 30]])
    chosen, classes, offsets = sample_proposals(
        np.zeros((0, 4)), boxes, np.array([2]), 8, Generator(0)
    )
    assert np.array_equal(chosen, boxes) and classes.tolist() == [3] and not offsets.any()


def test_proposals_are_the_surest_of_what_does_not_overlap():
    anchors = np.array([[10.0, 10, 8, 8], [11, 10, 8, 8], [30, 30, 8, 8], [50, 9, 2, 8]])
    outputs = np.zeros((4, 6))
    outputs[:, 1] = [1, 3, 2, 9]  # the last is less than four pixels wide
    found = proposals(outputs, anchors, (40, 60), 5)
    assert_close(found, to_corners(anchors[[1, 2]]), 1e-7)
    assert len(proposals(outputs, anchors, (40, 60), 1)) == 1
    outputs[2, 2:] = (1.0, 0, 0, 0)  # one width to the right, and cut there
    assert_close(proposals(outputs, anchors, (40, 40), 5)[1], [34, 26, 40, 34], 1e-7)


def test_proposals_are_ranked_by_the_difference_of_their_scores():
    anchors = np.array([[10.0, 10, 8, 8], [30, 30, 4, 8]])  # the second just wide enough
    outputs = np.zeros((2, 6))
    outputs[:, :2] = [[9, 10], [1, 3]]  # background, object
    assert_close(proposals(outputs, anchors, (40, 60), 5), to_corners(anchors[::-1]), 1e-7)
    assert len(proposals(outputs, anchors, (40, 60), 5, candidates=1)) == 1


def test_half_of_256_anchors_are_objects_at_most():
    model = SmallFasterRCNN((256, 256))
    corners = to_corners(model.anchors)
    inside = (corners[:, :2] >= 0).all(axis=1) & (corners[:, 2:] <= 256).all(axis=1)
    labels, _ = model.rpn_targets(corners[inside][::7][:200], Generator(0))
    assert (labels == 1).sum() == 128 and (labels >= 0).sum() == 256


def test_regions_are_cut_from_the_maps_at_their_stride():
    rng = np.random.default_rng(0)
    maps = Tensor(rng.normal(size=(2, 8, 8, 3)))
    boxes, index = np.array([[8.0, 4, 24, 28], [0, 0, 32, 16]]), np.array([1, 0])
    for head, cut in ((FastHead, ops.roi_pool), (AlignedHead, ops.roi_align)):
        mine = head(3, 2, stride=4, bins=2, hidden=4).cut(maps, boxes, index)
        assert np.array_equal(mine.numpy(), cut(maps, boxes / 4, index, 2, 1.0).numpy())


def test_the_whole_loss_is_that_of_both_stages():
    """Sampled again with the same generator: 64 regions of each picture, all cells counted."""
    model, rng = tiny_faster_rcnn(SmallFasterRCNN), np.random.default_rng(3)
    boxes = [some_boxes(rng, 2, 24, 32).astype(np.float32) for _ in range(2)]
    labels = [np.array([1, 0]), np.array([0, 1])]
    given = [some_boxes(rng, 100, 24, 32) for _ in range(2)]
    seen = model(Tensor(rng.uniform(size=(2, 24, 32, 3)).astype(np.float32)))
    model.rng = Generator(1)
    loss = faster_rcnn_loss(seen, pad_rows(boxes, labels), given).item()
    again = Generator(1)
    columns = zip(*[model.rpn_targets(b, again) for b in boxes], strict=True)
    first = rpn_loss(seen.regions, *map(np.stack, columns), cells=3 * 4)
    parts = [
        sample_proposals(*row, 64, again, 0.25) for row in zip(given, boxes, labels, strict=True)
    ]
    assert [len(part[0]) for part in parts] == [64, 64]
    regions, classes, offsets = (np.concatenate(column) for column in zip(*parts, strict=True))
    outputs = model.head(seen.maps, regions, np.repeat([0, 1], 64))
    second = fast_rcnn_loss(outputs, classes, offsets)
    assert loss == pytest.approx(first.item() + second.item(), rel=1e-6)


def test_targets_of_the_region_proposal_network():
    model = SmallFasterRCNN(limit=20)
    boxes = np.array([[8.0, 8, 22, 22], [30, 34, 60, 62]])
    labels, offsets = model.rpn_targets(boxes, Generator(0))
    assert labels.shape == (8 * 8 * 3,) and 2 <= (labels == 1).sum() <= 128
    on = labels == 1
    back = decode(offsets[on], model.anchors[on])
    assert box_iou(back, boxes).max(axis=1) == pytest.approx(1.0)
    assert not offsets[~on].any()
    crossing = to_corners(model.anchors)
    outside = (crossing[:, :2] < 0).any(axis=1) | (crossing[:, 2:] > 64).any(axis=1)
    assert outside.any() and (labels[outside] == -1).all()


def test_what_is_found_is_what_the_head_says(monkeypatch):
    model = tiny_faster_rcnn(SmallFasterRCNN)
    regions = np.array([[2.0, 2, 12, 12], [14, 4, 30, 22]])
    outputs = np.zeros((2, 11), np.float32)
    outputs[0, 2], outputs[1, 1] = 9, 8  # class 1, class 0
    outputs[1, 3:7] = (1, 0, 0, 0)  # a tenth of its width to the right
    (found,) = [model.head.found(outputs, regions, (24, 32), 0.5, 0.3)]
    assert found.labels.tolist() == [1, 0]
    assert_close(found.boxes, [[2, 2, 12, 12], [15.6, 4, 31.6, 22]], 1e-7, atol=1e-5)
    x = np.random.default_rng(0).uniform(size=(2, 24, 32, 3)).astype(np.float32)
    several = model.detect(x, score=0.0)
    assert len(several) == 2 and len(several[0].boxes) and model.training


def test_a_step_with_its_own_proposals():
    """As trained: sampled from what the network proposes, pictures without boxes included."""
    model = tiny_faster_rcnn(SmallFasterRCNN)
    rows = np.full((2, 3, 5), -1, np.float32)
    rows[0, 0] = (4, 4, 20, 18, 1)
    seen = model(Tensor(np.random.default_rng(0).uniform(size=(2, 24, 32, 3)).astype(np.float32)))
    assert isinstance(seen, Seen)
    loss = faster_rcnn_loss(seen, Tensor(rows))
    loss.backward()
    assert np.isfinite(loss.item()) and all(p.grad is not None for p in model.parameters())


def test_bad_input_is_refused():
    model = tiny_faster_rcnn(SmallFasterRCNN)
    with pytest.raises(ConfigError, match=r"SmallFasterRCNN: box 0 .* must have an area"):
        model.targets(np.array([[3.0, 3, 3, 9]]), np.array([0]))
    with pytest.raises(ShapeError, match=r"x must be \(N, 24, 32, 3\)"):
        model(Tensor(np.zeros((1, 32, 24, 3), np.float32)))
    with pytest.raises(ShapeError, match="has 65 boxes, more than 64"):
        model.targets(np.tile([[1.0, 1, 5, 5]], (65, 1)), np.zeros(65, int))
