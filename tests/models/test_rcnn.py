"""R-CNN and the masks of Mask R-CNN: crops, masks there and back, losses by loops, finds."""

import numpy as np
import pytest
from cases.models_detection import masks_batch, some_boxes, tiny_mask_rcnn
from closeness import assert_close

import tinydl
from tinydl import Generator, Tensor
from tinydl.data import boxes_of_masks, pad_rows, shapes
from tinydl.errors import ConfigError, ShapeError
from tinydl.metrics import Truth, box_iou, mean_average_precision
from tinydl.models import RCNN, SVMRCNN
from tinydl.models.detection.boxes import decode, to_centre
from tinydl.models.detection.fast_rcnn import VARIANCES, fast_rcnn_loss
from tinydl.models.detection.faster_rcnn import two_stage_loss
from tinydl.models.detection.mask_rcnn import (
    mask_loss,
    mask_planes_loss,
    mask_rcnn_loss,
    mask_targets,
    paste_masks,
)
from tinydl.models.detection.rcnn_machines import linear_svm, ridge_regression
from tinydl.models.detection.selective_search import selective_search
from tinydl.models.detection.warp import warp
from tinydl.optim import Adam

# -- crops -----------------------------------------------------------------------------------------


def value_at(picture, y, x):
    """Linear interpolation between pixel centres at halves; the nearest pixel beyond the last."""
    total = 0.0
    for v, u in np.ndindex(picture.shape[:2]):
        near_y = min(max(y - 0.5, 0), picture.shape[0] - 1)
        near_x = min(max(x - 0.5, 0), picture.shape[1] - 1)
        total += max(0, 1 - abs(v - near_y)) * max(0, 1 - abs(u - near_x)) * picture[v, u]
    return total


@pytest.mark.parametrize("outside", [None, 0.25])
def test_a_warped_box_is_interpolated(outside):
    rng = np.random.default_rng(0)
    picture, boxes = rng.normal(size=(6, 7, 2)), np.array([[0.5, 1, 6.2, 4.5], [-2, 3, 3, 9]])
    found = warp(picture, boxes, (4, 5), outside)
    for r, (x1, y1, x2, y2) in enumerate(boxes):
        for i, j in np.ndindex(4, 5):
            y, x = y1 + (y2 - y1) * (i + 0.5) / 4, x1 + (x2 - x1) * (j + 0.5) / 5
            wanted = value_at(picture, y, x)
            if outside is not None and not (0 <= y <= 6 and 0 <= x <= 7):
                wanted = [outside] * 2
            assert_close(found[r, i, j], wanted, 1e-7, atol=1e-12)
    whole = warp(picture, np.array([[0.0, 0, 7, 6]]), (6, 7), outside)[0]
    np.testing.assert_array_equal(whole, picture)
    assert warp(picture, np.zeros((0, 4)), (4, 5)).shape == (0, 4, 5, 2)
    assert warp(picture.astype(np.float32), boxes, (2, 2)).dtype == np.float32
    with pytest.raises(ShapeError, match=r"warp: picture must be \(H, W, C\)"):
        warp(picture[..., 0], boxes, (4, 5))


def test_a_crop_has_its_context():
    model = RCNN(1, side=8, widths=(4, 4), hidden=4, context=2)
    image = np.random.default_rng(1).uniform(size=(10, 10, 3))
    # A box as large as the inner part: one pixel is one pixel, with two more at each edge.
    crops = model.cut(image, np.array([[3.0, 4, 7, 8], [0, 0, 4, 4]]))
    assert_close(crops[0], image[2:10, 1:9], 1e-7, atol=1e-12)
    assert_close(crops[1, 2:, 2:], image[:6, :6], 1e-7, atol=1e-12)
    mean = np.broadcast_to(image.mean(axis=(0, 1)), (2, 8, 3))
    assert_close(crops[1, :2], mean, 1e-7, atol=1e-12)


def test_samples_are_crops_of_regions_with_their_offsets():
    model, scene = RCNN(side=8, widths=(4, 4), hidden=4), shapes(1, Generator(2), size=32)
    image, boxes, labels = scene.x[0], scene.boxes[0], scene.labels[0]
    proposals = selective_search(image)
    crops, classes, offsets = model.sample(image, proposals, boxes, labels, 12, Generator(0))
    assert crops.shape[1:] == (8, 8, 3) and crops.dtype == np.float32
    assert 1 <= (classes > 0).sum() <= 3 and len(crops) == len(classes) == len(offsets) <= 12
    regions = np.concatenate([boxes, proposals])
    every = model.cut(image, regions)
    for crop, label, offset in zip(crops, classes, offsets, strict=True):
        ((k, *_),) = np.nonzero((every == crop).all(axis=(1, 2, 3)))
        overlap = box_iou(regions[k][None].astype(np.float64), boxes)[0]
        assert (overlap.max() >= 0.5) == (label > 0)
        if label:
            back = decode(offset, to_centre(regions[k]), VARIANCES)
            assert label == 1 + labels[overlap.argmax()]
            assert_close(back, boxes[overlap.argmax()], 1e-7, atol=1e-4)
    with pytest.raises(ConfigError, match=r"RCNN: box 0 .* must have an area"):
        model.sample(image, proposals, np.array([[3.0, 3, 3, 9]]), labels[:1], 8, Generator(0))


def trained(kind=RCNN):
    """(Four pictures, the network that has learnt their regions.)"""
    tinydl.seed(0)
    scenes, rng = shapes(4, Generator(4), size=48, max_things=2), Generator(1)
    model = kind(side=16, widths=(8, 16), hidden=32)
    columns = [
        model.sample(x, selective_search(x), boxes, labels, 48, rng)
        for x, boxes, labels in zip(scenes.x, scenes.boxes, scenes.labels, strict=True)
    ]
    crops, classes, offsets = (np.concatenate(column) for column in zip(*columns, strict=True))
    optimizer = Adam(model.parameters(), lr=0.01)
    for _ in range(40):
        loss = fast_rcnn_loss(model(Tensor(crops)), classes, offsets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return scenes, model


def test_a_trained_rcnn_finds_what_it_has_seen():
    """Proposals, crops, classes and offsets together, on the pictures that it learned."""
    scenes, model = trained()
    truth = [Truth(b, c) for b, c in zip(scenes.boxes, scenes.labels, strict=True)]
    found = model.detect(scenes.x)
    assert mean_average_precision(found, truth, 3).value > 0.8 and model.training
    model.score.bias.assign(np.zeros(4, np.float32))
    model.score.weight.assign(np.zeros((32, 4), np.float32))  # a quarter for everything: enough
    assert {0, 1, 2} == set(model.detect(scenes.x[:1])[0].labels.tolist())


def test_machines_and_ridge_find_what_they_were_fitted_to():
    scenes, model = trained(SVMRCNN)
    model.cost, model.ridge = 1.0, 1.0  # four pictures are few
    truth = [Truth(b, c) for b, c in zip(scenes.boxes, scenes.labels, strict=True)]
    by_softmax = model.detect(scenes.x)
    model.settle(scenes.x, list(zip(scenes.boxes, scenes.labels, strict=True)))
    found = model.detect(scenes.x)
    assert mean_average_precision(found, truth, 3).value > 0.9
    assert any(not np.array_equal(a.boxes, b.boxes) for a, b in zip(found, by_softmax, strict=True))
    again = SVMRCNN(side=16, widths=(8, 16), hidden=32)
    again.load_state_dict(model.state_dict())
    assert np.array_equal(again.detect(scenes.x)[0].scores, found[0].scores)
    with pytest.raises(ConfigError, match="cost and ridge must be > 0, got 0"):
        SVMRCNN(cost=0)


def test_the_machine_and_the_ridge_are_those_of_the_formulas():
    """The objectives cannot be made smaller in any direction tried, and one machine is known."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(1, 1, (40, 3)), rng.normal(-1, 1, (60, 3))])
    signs, y = np.repeat([1.0, -1.0], [40, 60]), rng.normal(size=(100, 2))

    def hinge(w):
        return w @ w / 2 + 0.1 * np.maximum(0, 1 - signs * (x @ w[:3] + w[3])).sum()

    def squares(W):
        return ((x @ W[:3] + W[3] - y) ** 2).sum() + 7 * (W[:3] ** 2).sum()

    for found, cost in (
        (linear_svm(x, signs, 0.1, 500), hinge),
        (ridge_regression(x, y, 7.0), squares),
    ):
        for _ in range(200):
            away = rng.normal(size=found.shape) * 10.0 ** rng.uniform(-3, 0)
            assert cost(found + away) > cost(found) * (1 - 1e-5)
    wide = linear_svm(np.array([[1.0], [-1.0]]), np.array([1.0, -1.0]), 10.0)
    assert_close(wide, np.array([1.0, 0.0]), 1e-6, atol=1e-6)  # the margins are 1
    assert not ridge_regression(np.zeros((0, 3)), np.zeros((0, 4)), 1.0).any()


def test_rcnn_refuses_what_does_not_fit():
    with pytest.raises(ConfigError, match=r"side must be a multiple of 8, .* got side 20"):
        RCNN(side=20)
    with pytest.raises(ConfigError, match="larger than twice the context"):
        RCNN(side=8, context=4)
    with pytest.raises(ShapeError, match=r"crops must be \(R, 32, 32, 3\), got \(1, 16, 16, 3\)"):
        RCNN()(Tensor(np.zeros((1, 16, 16, 3), np.float32)))


# -- masks -----------------------------------------------------------------------------------------


def test_the_loss_of_masks_looks_at_the_true_class_only():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(3, 4, 4, 5)), np.array([2, 0, 4])
    targets = rng.uniform(size=(3, 4, 4)) < 0.5
    total = 0.0
    for r, i, j in np.ndindex(3, 4, 4):
        share = 1 / (1 + np.exp(-logits[r, i, j, labels[r]]))
        total -= np.log(share if targets[r, i, j] else 1 - share)
    loss = mask_loss(Tensor(logits), labels, targets)
    assert loss.item() == pytest.approx(total / 48, rel=1e-12)
    with pytest.raises(ShapeError, match=r"need labels \(3,\) and targets \(3, 4, 4\)"):
        mask_loss(Tensor(logits), labels, targets[:, :2])


def test_targets_of_masks():
    mask = np.zeros((8, 8), bool)
    mask[2:6, 3:5] = True
    boxes = np.array([[3.0, 2, 5, 6], [1, 2, 5, 6], [1, 0, 5, 4]])
    found = mask_targets(np.array([mask] * 3), boxes, 4)
    assert found[0].all()
    assert np.array_equal(found[1], np.array([[0, 0, 1, 1]] * 4))
    assert np.array_equal(found[2], np.array([[0] * 4, [0] * 4, [0, 0, 1, 1], [0, 0, 1, 1]]))
    edge = np.zeros((1, 2, 4), bool)
    edge[..., 2:] = True  # between the centres of pixels 1 and 2 a mask of 0.4, then of 0.6
    assert not mask_targets(edge, np.array([[1.4, 0, 2.4, 2]]), 1).any()
    assert mask_targets(edge, np.array([[1.6, 0, 2.6, 2]]), 1).all()


def test_a_mask_comes_back_where_it_was():
    scenes = shapes(6, Generator(5), size=40)
    for boxes, masks in zip(scenes.boxes, scenes.masks, strict=True):
        own = mask_targets(masks, boxes.astype(np.float64), 28)
        back = paste_masks(np.where(own, 30.0, -30.0), boxes, (40, 40))
        both = (back & masks).sum((1, 2)) / (back | masks).sum((1, 2))
        assert both.min() > 0.9
        for (x1, y1, x2, y2), one in zip(boxes.astype(int), back, strict=True):
            one[y1:y2, x1:x2] = False
            assert not one.any()
    nothing = paste_masks(np.zeros((1, 4, 4)), np.array([[3.0, 3, 3, 5]]), (8, 8))
    assert not nothing.any()


def test_the_whole_loss_is_the_boxes_and_the_masks_of_things():
    x, rows, masks = masks_batch(np.random.default_rng(0), 2)
    rows[0, 1:] = -1
    # A padded row in front: masks belong to the rows that are boxes.
    rows, masks = np.roll(rows, 1, axis=1), np.roll(masks, 1, axis=1)
    model = tiny_mask_rcnn().astype("float64").eval()
    given = [some_boxes(np.random.default_rng(k), 6, 24, 32) for k in range(2)]
    model.rng = Generator(1)
    seen = model(Tensor(x))
    boxes_only, samples = two_stage_loss(seen, rows, given)
    on = samples.labels > 0
    owners = []
    for region, k in zip(samples.regions[on], samples.index[on], strict=True):
        overlaps = [box_iou(region[None], row[None, :4])[0, 0] if row[4] >= 0 else -1
                    for row in rows[k]]  # fmt: skip
        owners.append(masks[k, int(np.argmax(overlaps))])
    targets = mask_targets(np.array(owners), samples.regions[on], 6)
    logits = model.mask(seen.maps, samples.regions[on], samples.index[on])
    wanted = boxes_only.item() + mask_loss(logits, samples.labels[on] - 1, targets).item()
    model.rng = Generator(1)
    assert mask_rcnn_loss(seen, rows, Tensor(masks), given).item() == pytest.approx(wanted)
    assert on.any() and targets.any()
    with pytest.raises(ShapeError, match=r"masks must be \(2, 4, 24, 32\)"):
        mask_rcnn_loss(seen, rows, masks[:, :, :12], given)
    empty = np.full_like(rows, -1)
    assert np.isfinite(mask_rcnn_loss(seen, empty, masks, given).item())


def test_the_loss_of_planes_is_that_of_the_masks_and_the_boxes_around_them():
    x, rows, masks = masks_batch(np.random.default_rng(0), 2)
    model = tiny_mask_rcnn().astype("float64").eval()
    planes = (masks * (1 + rows[:, :, 4, None, None])).astype(np.uint8)
    enclosing = pad_rows([boxes_of_masks(m > 0) for m in masks], rows[:, :, 4], 4)
    enclosing[rows[:, :, 4] < 0] = -1
    losses = []
    for loss, targets in ((mask_planes_loss, (Tensor(planes),)),
                          (mask_rcnn_loss, (enclosing, masks))):  # fmt: skip
        model.rng = Generator(1)
        losses.append(loss(model(Tensor(x)), *targets).item())
    assert losses[0] == losses[1] > 0


def test_the_mask_head_reads_regions_by_interpolation():
    model = tiny_mask_rcnn().eval()
    maps = Tensor(np.random.default_rng(0).normal(size=(1, 3, 4, 6)).astype(np.float32))
    boxes, index = np.array([[2.0, 3, 20, 18], [2.7, 3.6, 20.4, 18.8]]), np.array([0, 0])
    logits = model.mask(maps, boxes, index).numpy()
    assert logits.shape == (2, 6, 6, 2) and not np.array_equal(logits[0], logits[1])
    outputs = model.head(maps, boxes, index).numpy()  # rounded, both boxes are the same cells
    assert not np.array_equal(outputs[0], outputs[1])


def test_found_things_have_masks_within_their_boxes():
    model = tiny_mask_rcnn()
    x = np.random.default_rng(0).uniform(size=(2, 24, 32, 3)).astype(np.float32)
    for found, alone in zip(model.detect_masks(x, score=0.0), model.detect(x, 0.0), strict=True):
        masks = found.masks
        np.testing.assert_array_equal(found.boxes, alone.boxes)
        assert masks.shape == (len(found.boxes), 24, 32) and masks.dtype == bool
        v, u = np.mgrid[:24, :32] + 0.5
        for (x1, y1, x2, y2), mask in zip(found.boxes, masks, strict=True):
            inside = (u >= x1) & (u <= x2) & (v >= y1) & (v <= y2)
            assert not mask[~inside].any()
    assert len(found.boxes) and model.training
    nothing = model.detect_masks(x, score=1.1)
    assert [found.masks.shape for found in nothing] == [(0, 24, 32)] * 2
