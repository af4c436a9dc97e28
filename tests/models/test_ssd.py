"""SSD: its loss by plain loops, its targets and what it finds."""

import numpy as np
import pytest
from cases.models_detection import pictures, small_ssd, some_boxes
from closeness import assert_close

from tinydl import Tensor
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import SSD300, SmallSSD, SSDLite
from tinydl.models.detection.boxes import VARIANCES, encode
from tinydl.models.detection.ssd import multibox_loss


def slow_loss(outputs, targets):
    """Equations 1-3 of the paper, box by box."""
    total, matched = 0.0, 0
    for y, t in zip(outputs, targets, strict=True):
        powers = np.exp(y[:, 4:])
        losses = -np.log(powers[np.arange(len(t)), t[:, 0].astype(int)] / powers.sum(axis=1))
        own = np.flatnonzero(t[:, 0] > 0)
        background = sorted(np.flatnonzero(t[:, 0] == 0), key=lambda a: -losses[a])
        for a in own:
            for d in np.abs(y[a, :4] - t[a, 1:]):
                total += d * d / 2 if d < 1 else d - 0.5
        total += losses[own].sum() + losses[background[: 3 * len(own)]].sum()
        matched += len(own)
    return total / max(matched, 1)


@pytest.mark.parametrize("matched", [(2, 1), (0, 3), (5, 0), (9, 4)])
def test_the_loss_is_that_of_the_paper(matched):
    rng = np.random.default_rng(sum(matched))
    outputs, targets = rng.normal(size=(2, 12, 8)), np.zeros((2, 12, 5))
    for k, count in enumerate(matched):
        targets[k, rng.permutation(12)[:count]] = 3 * rng.normal(size=(count, 5))
        targets[k, :, 0] = np.where(targets[k, :, 1] != 0, rng.integers(1, 4, 12), 0)
    loss = multibox_loss(Tensor(outputs), Tensor(targets)).item()
    assert loss == pytest.approx(slow_loss(outputs, targets), rel=1e-12)


def test_without_boxes_the_loss_and_its_gradient_are_zero():
    outputs = Tensor(np.random.default_rng(0).normal(size=(2, 6, 7)), requires_grad=True)
    loss = multibox_loss(outputs, Tensor(np.zeros((2, 6, 5))))
    loss.backward()
    assert loss.item() == 0 and not outputs.grad.numpy().any()


def perfect(model, boxes, labels):
    """Outputs that say exactly what is there."""
    rows = model.targets(boxes, labels)
    outputs = np.zeros((1, len(rows), 5 + model.classes))
    outputs[0, :, :4] = rows[:, 1:]
    outputs[0, np.arange(len(rows)), 4 + rows[:, 0].astype(int)] = 20
    return outputs


def test_targets_decode_to_the_boxes_they_encode():
    model = SmallSSD((48, 64), 3, (2, 2, 2, 2), (8, 20, 36, 60))
    boxes = some_boxes(np.random.default_rng(5), 3, 48, 64, 0.2, 0.4).astype(np.float32)
    (found,) = model.found(perfect(model, boxes, np.array([2, 0, 1])), 0.5)
    order = np.argsort(found.labels)
    assert found.labels[order].tolist() == [0, 1, 2]
    assert_close(found.boxes[order], boxes[[1, 2, 0]], 1e-7, atol=1e-3)


def test_a_picture_without_boxes_has_background_everywhere():
    model = small_ssd()
    assert not model.targets(np.zeros((0, 4)), np.zeros(0, int)).any()


def test_of_boxes_that_overlap_by_half_one_stays():
    model = SmallSSD((48, 64), 3, (2, 2, 2, 2), (8, 20, 36, 60))
    outputs = np.zeros((1, len(model.defaults), 8))
    outputs[..., 4] = 20  # background everywhere but at two boxes
    outputs[0, :2, 4:] = [[0, 20, 0, 0], [0, 19, 0, 0]]
    outputs[0, :2, :4] = encode(
        np.array([[0.1, 0.1, 0.5, 0.5], [0.2, 0.1, 0.6, 0.5]]), model.defaults[:2], VARIANCES
    )  # IoU 0.6
    assert len(model.found(outputs)[0].boxes) == 1
    assert len(model.found(outputs, overlap=0.7)[0].boxes) == 2


def test_bad_input_is_refused():
    model = small_ssd()
    with pytest.raises(ConfigError, match=r"SSD: box 0 .* must have an area"):
        model.targets(np.array([[3.0, 3, 3, 9]]), np.array([0]))
    with pytest.raises(ConfigError, match="must lie in the picture"):
        model.targets(np.array([[3.0, 3, 33, 9]]), np.array([0]))
    with pytest.raises(ShapeError, match=r"x must be \(N, 24, 32, C\), got \(1, 32, 24, 3\)"):
        model(Tensor(np.zeros((1, 32, 24, 3), np.float32)))
    with pytest.raises(ShapeError, match="targets must be"):
        multibox_loss(Tensor(np.zeros((1, 4, 7))), Tensor(np.zeros((1, 5, 5))))
    with pytest.raises(ConfigError, match="at least four widths"):
        SmallSSD(widths=(4, 8, 8))


def test_ssd300_maps_have_the_sizes_of_the_paper():
    model = SSD300(2, (1, 1, 2, 2), 3)
    x = Tensor(pictures(np.random.default_rng(0), 1, 300, 300).astype(np.float32))
    maps = model.features(x)
    assert [m.shape[1:] for m in maps] == [
        *((38, 38, 2), (19, 19, 3), (10, 10, 2), (5, 5, 2), (3, 3, 2), (1, 1, 2)),
    ]
    assert model(x).shape == (1, 8732, 7)


def test_ssdlite_reads_the_expansion_at_stride_16():
    """With MobileNet v2's blocks at a quarter of the width: maps of the sizes of the paper."""
    model = SSDLite(classes=2, width=0.25, last=16, extra=(8, 8, 8, 6)).eval()
    x = Tensor(pictures(np.random.default_rng(0), 1, 300, 300).astype(np.float32))
    maps = model.features(x)
    assert [m.shape[1] for m in maps] == [19, 10, 5, 3, 2, 1]
    assert (
        model.features.split == 13
        and maps[0].shape[3] == 6 * model.features.blocks[12].norm3.features
    )
    assert len(model.defaults) == 1917 and model(x).shape == (1, 1917, 7)
    firsts = model.defaults[np.cumsum([0, 19 * 19 * 3, 600, 150, 54, 24])]
    assert_close(firsts[:, 2], [0.2, 0.35, 0.5, 0.65, 0.8, 0.95], 1e-7)
    few, many = model.defaults[:3], model.defaults[19 * 19 * 3 :][:6]
    assert_close(few[:, 2] / few[:, 3], [1, 1, 2], 1e-7)
    assert_close(many[:, 2] / many[:, 3], [1, 1, 2, 1 / 2, 3, 1 / 3], 1e-7)
    middle = model.features.blocks[13]
    before = model.features.stem(x)
    for block in model.features.blocks[:13]:
        before = block(before)
    after = middle(before)  # the block whole, as in the classifier
    for block in model.features.blocks[14:]:
        after = block(after)
    assert_close(model.features.last(after).numpy(), maps[1].numpy(), 1e-7, atol=1e-6)
    with pytest.raises(ConfigError, match="last block of stride 2 must have an expansion"):
        SSDLite(blocks=((1, 8, 1, 2),))
