"""YOLO v1: its loss on a grid computed by hand, its targets, and what it finds."""

from math import sqrt

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import SmallYOLO
from tinydl.models.detection.yolo import Leaky, cell_iou, yolo_loss


def grid_by_hand():
    """A 2x2 grid, B = 2, C = 2; one box of class 1, 0.5 wide and 0.4 high, in the middle of the
    cell in row 0, column 1: from x = 0.5 to 1 and y = 0.05 to 0.45 of the picture."""
    outputs, targets = np.zeros((1, 2, 2, 12)), np.zeros((1, 2, 2, 6))
    targets[0, 0, 1] = (1, 0.5, 0.5, 0.5, 0.4, 1)
    # Predictor 0: centre 0.1 cells to the left (0.05 of the picture), right size.
    # Inside 0.45 x 0.4 = 0.18, union 2 * 0.2 - 0.18 = 0.22, IoU 9/11.
    outputs[0, 0, 1, :5] = (0.4, 0.5, sqrt(0.5), sqrt(0.4), 0.7)
    # Predictor 1: right place, half as wide: IoU 1/2.
    outputs[0, 0, 1, 5:10] = (0.5, 0.5, 0.5, sqrt(0.4), 0.9)
    outputs[0, 0, 1, 10:] = (0.3, 0.8)
    # A cell with nothing in it, whose first predictor is sure and which has class scores.
    outputs[0, 1, 0, 4], outputs[0, 1, 0, 10] = 0.2, 5.0
    return outputs, targets


def test_the_loss_of_a_grid_by_hand():
    outputs, targets = grid_by_hand()
    overlap = cell_iou(Tensor(outputs[..., :10].reshape(1, 2, 2, 2, 5)), Tensor(targets), 2).numpy()
    assert_close(overlap[0, 0, 1], [9 / 11, 0.5], 1e-12)
    assert overlap.sum() == pytest.approx(9 / 11 + 0.5)
    apart = np.zeros((1, 2, 2, 2, 5)) + (3, 3, 0.1, 0.1, 0)  # beyond the true box on both axes
    assert not cell_iou(Tensor(apart), Tensor(targets), 2).numpy().any()
    where, size = 5 * 0.1**2, 0.0  # predictor 0 is responsible, its size is right
    sure = (0.7 - 9 / 11) ** 2
    unsure = 0.5 * (0.9**2 + 0.2**2)  # predictor 1 of the cell, and the empty cell
    what = 0.3**2 + (0.8 - 1) ** 2
    loss = yolo_loss(Tensor(outputs), Tensor(targets)).item()
    assert loss == pytest.approx(where + size + sure + unsure + what, rel=1e-12)
    flat = yolo_loss(Tensor(outputs), Tensor(targets), rescore=False).item()
    assert flat - loss == pytest.approx((0.7 - 1) ** 2 - sure, rel=1e-10)


def test_the_better_predictor_is_responsible():
    """With predictor 0 moved away, the size of predictor 1 counts: (0.5 - sqrt 0.5)^2, times 5."""
    outputs, targets = grid_by_hand()
    outputs[0, 0, 1, 0] = 1.5
    loss = yolo_loss(Tensor(outputs), Tensor(targets)).item()
    expected = 5 * (0.5 - sqrt(0.5)) ** 2 + (0.9 - 0.5) ** 2
    expected += 0.5 * (0.7**2 + 0.2**2) + 0.3**2 + 0.2**2
    assert loss == pytest.approx(expected, rel=1e-12)


def test_two_pictures_count_as_their_mean():
    outputs, targets = grid_by_hand()
    both = [np.concatenate([a, np.zeros_like(a)]) for a in (outputs, targets)]
    one = yolo_loss(Tensor(outputs), Tensor(targets)).item()
    assert yolo_loss(*map(Tensor, both)).item() == pytest.approx(one / 2)


def test_the_same_deviation_costs_less_for_a_large_box():
    """Why the sizes are compared as roots."""

    def cost(width):
        targets = np.zeros((1, 1, 1, 6))
        targets[0, 0, 0] = (1, 0.5, 0.5, width, width, 0)
        outputs = np.zeros((1, 1, 1, 6))
        outputs[0, 0, 0] = (0.5, 0.5, sqrt(width + 0.05), sqrt(width), 1, 1)
        t = Tensor(targets)
        return yolo_loss(Tensor(outputs), t, boxes=1, rescore=False, noobj=0).item()

    assert cost(0.1) > 4 * cost(0.6)


def test_targets_and_what_is_found():
    model = SmallYOLO((40, 80), 3, 4, 2, ((3, 2, 2),), 4)
    boxes = np.array([[4.0, 4, 24, 16], [50, 30, 78, 38], [8, 8, 20, 12]])
    cells = model.targets(boxes, np.array([2, 0, 1]))
    # The first and third centre, (14, 10), are in row 1, column 0: the third is lost.
    assert np.argwhere(cells[..., 0]).tolist() == [[1, 0], [3, 3]]
    assert_close(cells[1, 0], [1, 14 / 20, 0, 20 / 80, 12 / 40, 2], 1e-6)
    outputs = np.zeros((1, 4, 4, 13))
    outputs[0, ..., :2] = cells[..., 1:3]
    outputs[0, ..., 2:4] = np.sqrt(cells[..., 3:5])
    outputs[0, ..., 4] = cells[..., 0]
    outputs[0, 1, 0, 12], outputs[0, 3, 3, 10] = 0.9, 0.8
    (found,) = model.found(outputs, 0.5)
    assert found.labels.tolist() == [2, 0] and found.scores == pytest.approx([0.9, 0.8])
    assert_close(found.boxes, boxes[:2], 1e-7, atol=1e-4)


def test_confidence_moves_no_box():
    """The overlap that it is compared with is a constant; its own gradient is 2 (c - IoU)."""
    outputs, targets = grid_by_hand()
    x = Tensor(outputs, requires_grad=True)
    yolo_loss(x, Tensor(targets), coord=0, noobj=0).backward()
    slope = x.grad.numpy()[0, 0, 1]
    assert not slope[[0, 1, 2, 3, 5, 6, 7, 8, 9]].any()
    assert slope[4] == pytest.approx(2 * (0.7 - 9 / 11))


def test_of_boxes_that_overlap_one_stays_and_negatives_leak_a_tenth():
    model = SmallYOLO((40, 80), 1, 1, 2, ((3, 2, 2),), 4)
    outputs = np.zeros((1, 1, 1, 11))
    outputs[0, 0, 0, :5] = (0.5, 0.5, sqrt(0.5), sqrt(0.5), 0.9)
    outputs[0, 0, 0, 5:10] = (0.6, 0.5, sqrt(0.5), sqrt(0.5), 0.8)  # IoU 2/3
    outputs[0, 0, 0, 10] = 1
    assert len(model.found(outputs)[0].boxes) == 1
    assert len(model.found(outputs, overlap=0.7)[0].boxes) == 2
    assert_close(Leaky()(Tensor([-2.0, 3.0])).numpy(), [-0.2, 3.0], 1e-6)


def test_bad_input_is_refused():
    model = SmallYOLO((40, 80), 3, 4, 2, ((3, 2, 2),), 4)
    with pytest.raises(ConfigError, match=r"YOLO: box 0 .* must have an area"):
        model.targets(np.array([[3.0, 3, 3, 9]]), np.array([0]))
    with pytest.raises(ShapeError, match=r"YOLO: x must be \(N, 40, 80, 3\)"):
        model(Tensor(np.zeros((1, 80, 40, 3), np.float32)))
    with pytest.raises(ShapeError, match="targets must be"):
        yolo_loss(Tensor(np.zeros((1, 2, 2, 12))), Tensor(np.zeros((1, 2, 3, 6))))
    with pytest.raises(ConfigError, match="must be >= 1"):
        SmallYOLO(boxes=0)
