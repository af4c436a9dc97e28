"""Regions of interest: brute force from the papers' definitions, ONNX, errors."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from closeness import assert_close
from hypothesis import given
from support import oracle_module

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from tinydl.testing import CASES
from tinydl.testing.strategies import examples

pytestmark = pytest.mark.usefixtures("on_numpy")


def bins_of(low, high, scale, bins):
    """Cells of each bin of one axis in exact arithmetic, not cut."""
    first, last = (floor(abs(v) * scale + 0.5) * (1 if v >= 0 else -1) for v in (low, high))
    length = Fraction(max(last - first + 1, 1), bins)
    return [range(first + floor(o * length), first + ceil((o + 1) * length)) for o in range(bins)]


@given(example=examples(CASES["roi_pool"]))
def test_roi_pool_against_the_definition(example):
    x, o = example.inputs[0], example.options
    y = ops.roi_pool(Tensor(x), **o).numpy()
    for r, (box, n) in enumerate(zip(o["boxes"], o["batch_index"], strict=True)):
        rows = bins_of(box[1], box[3], o["scale"], o["size"][0])
        columns = bins_of(box[0], box[2], o["scale"], o["size"][1])
        for oh, ow, c in np.ndindex(y.shape[1:]):
            cells = [
                x[n, h, w, c]
                for h in rows[oh]
                for w in columns[ow]
                if 0 <= h < x.shape[1] and 0 <= w < x.shape[2]
            ]
            assert y[r, oh, ow, c] == max(cells, default=0)


def sample(plane, y, x):
    """Bilinear interpolation of plane (H, W, C) at (y, x): edges reach one cell further."""
    H, W = plane.shape[:2]
    if not (-1 <= y <= H and -1 <= x <= W):
        return np.zeros(plane.shape[2])
    y, x = min(max(y, 0), H - 1), min(max(x, 0), W - 1)
    value = np.zeros(plane.shape[2])
    for h in range(H):
        for w in range(W):
            value += max(0, 1 - abs(h - y)) * max(0, 1 - abs(w - x)) * plane[h, w]
    return value


def aligned_by_hand(x, boxes, batch_index, size, scale, sampling_ratio, aligned):
    """Every sample of every bin, one at a time."""
    result = np.zeros((len(boxes), *size, x.shape[3]))
    for r, (box, n) in enumerate(zip(boxes * scale, batch_index, strict=True)):
        start = (box[:2] - 0.5 * aligned)[::-1]
        length = (box[2:] - box[:2])[::-1]
        length = length if aligned else np.maximum(length, 1)
        step = length / size
        grid = [sampling_ratio or max(ceil(s), 0) for s in step]
        for oh, ow in np.ndindex(*size):
            points = [
                [start[a] + o * step[a] + (i + 0.5) * step[a] / grid[a] for i in range(grid[a])]
                for a, o in ((0, oh), (1, ow))
            ]
            samples = [sample(x[n], y, v) for y in points[0] for v in points[1]]
            result[r, oh, ow] = np.sum(samples, 0) / max(len(samples), 1)
    return result


@given(example=examples(CASES["roi_align"]))
def test_roi_align_against_the_definition(example):
    x, o = example.inputs[0], example.options
    want = aligned_by_hand(x, **o)
    assert_close(ops.roi_align(Tensor(x), **o).numpy(), want, 1e-12)


@pytest.mark.oracle
@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("sampling_ratio", [0, 1, 2, 3])
def test_roi_align_against_onnx(aligned, sampling_ratio):
    oracle_module("onnx")
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    mode = "half_pixel" if aligned else "output_half_pixel"
    sizes = {"output_height": 3, "output_width": 4, "sampling_ratio": sampling_ratio}
    names = ["x", "boxes", "image"]
    node = helper.make_node(
        "RoiAlign", names, ["y"], mode="avg", spatial_scale=0.5,
        coordinate_transformation_mode=mode, **sizes,
    )  # fmt: skip
    kinds = (TensorProto.DOUBLE, TensorProto.DOUBLE, TensorProto.INT64)
    inputs = [helper.make_tensor_value_info(n, k, None) for n, k in zip(names, kinds, strict=True)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)]
    model = helper.make_model(
        helper.make_graph([node], "roi", inputs, outputs),
        opset_imports=[helper.make_opsetid("", 16)],
    )
    rng = np.random.default_rng(sampling_ratio)
    x = rng.normal(size=(2, 3, 8, 9))
    corner, extent = rng.uniform(-4, 16, (12, 2)), rng.uniform(-2, 12, (12, 2))
    extent[:2] = 0  # without extent
    boxes, image = np.concatenate([corner, corner + extent], 1), rng.integers(0, 2, 12)
    feeds = {"x": x, "boxes": boxes, "image": image}
    (want,) = ReferenceEvaluator(model).run(None, feeds)
    got = ops.roi_align(
        Tensor(x.transpose(0, 2, 3, 1)), boxes, image, (3, 4), 0.5, sampling_ratio, aligned
    )
    assert_close(got.numpy().transpose(0, 3, 1, 2), want, 1e-9)


def test_a_box_of_the_whole_image_is_adaptive_pooling():
    x = Tensor(np.random.default_rng(1).normal(size=(2, 7, 5, 3)))
    y = ops.roi_pool(x, [[0, 0, 4, 6]] * 2, [0, 1], (3, 2))
    assert np.array_equal(y.numpy(), ops.adaptive_max_pool2d(x, (3, 2)).numpy())
    # and one whose bins are whole cells, sampled in their centres, is average pooling
    x = Tensor(np.random.default_rng(1).normal(size=(2, 6, 4, 3)))
    y = ops.roi_align(x, [[0, 0, 4, 6]] * 2, [0, 1], (3, 2))
    assert_close(y.numpy(), ops.avg_pool2d(x, 2).numpy(), 1e-14)


def test_boxes_are_read_wherever_they_live_and_get_no_gradient():
    x = Tensor(np.random.default_rng(2).normal(size=(2, 5, 5, 2)), requires_grad=True)
    host, image = np.array([[0.5, 1, 3, 4], [1, 1, 2, 2]]), np.array([1, 0])
    boxes = Tensor(host, backend="cpu", requires_grad=True)
    for op in (ops.roi_pool, ops.roi_align):
        y = op(x, boxes, Tensor(image, backend="cpu"), 2)
        assert np.array_equal(y.numpy(), op(x, host.tolist(), image.tolist(), 2).numpy())
        y.sum().backward()
        assert boxes.grad is None and x.grad is not None


def test_no_boxes():
    x = Tensor(np.ones((1, 4, 4, 2)), requires_grad=True)
    for op in (ops.roi_pool, ops.roi_align):
        y = op(x, np.zeros((0, 4)), [], 2)
        y.sum().backward()
        assert y.shape == (0, 2, 2, 2) and not x.grad.numpy().any()


@pytest.mark.parametrize("op", [ops.roi_pool, ops.roi_align], ids=lambda op: op.__name__)
def test_boxes_without_extent_or_far_outside(op):
    """Reversed and empty boxes have a meaning, see the docstrings; distant ones see nothing."""
    x = Tensor(1 + np.arange(16.0).reshape(1, 4, 4, 1))
    one = op(x, [[2, 1, 2, 1], [2, 1, 0, 0], [100, 100, 104, 104], [-9e8, 0, -9e8, 1]], [0] * 4, 1)
    first = 7 if op is ops.roi_pool else 0
    assert one.numpy().ravel().tolist() == [first, first, 0, 0]
    old = ops.roi_align(x, [[2, 1, 2, 1], [2, 1, 0, 0]], [0, 0], 1, aligned=False)
    assert old.numpy().ravel().tolist() == [9.5, 9.5]  # one cell, sampled between four


BOX = [[0.0, 0.0, 2.0, 2.0]]


@pytest.mark.parametrize("op", [ops.roi_pool, ops.roi_align], ids=lambda op: op.__name__)
@pytest.mark.parametrize("error, arguments, words", [
    (ShapeError, {"x": np.ones((4, 4, 1))}, r"x must be \(N, H, W, C\) with pixels"),
    (ShapeError, {"x": np.ones((1, 0, 4, 1))}, r"x must be \(N, H, W, C\) with pixels"),
    (ShapeError, {"boxes": [[0.0] * 5]}, r"boxes must be \(R, 4\)"),
    (ShapeError, {"batch_index": [0, 0]}, r"batch_index \(R,\), got shapes \(1, 4\) and \(2,\)"),
    (ShapeError, {"size": 0}, "size must be an integer >= 1"),
    (DTypeError, {"x": np.ones((1, 4, 4, 1), int)}, "needs a float tensor"),
    (DTypeError, {"batch_index": [0.0]}, "batch_index integers, got float64 and float64"),
    (DTypeError, {"boxes": [["a"] * 4]}, "boxes must be an array of numbers"),
    (IndexRangeError, {"batch_index": [1]}, "box 0 lies on image 1 of a batch of 1"),
    (IndexRangeError, {"batch_index": [-1]}, "box 0 lies on image -1"),
    (ConfigError, {"boxes": [[0, 0, np.nan, 1]]}, r"box 0 is \[0.0, 0.0, nan, 1.0\], not finite"),
    (ConfigError, {"boxes": [[0, 0, np.inf, 1]]}, "not finite"),
    (ConfigError, {"scale": 0}, "scale must be a number > 0, got 0"),
    (ConfigError, {"scale": float("inf")}, "scale must be a finite number"),
])  # fmt: skip
def test_every_argument_is_checked(op, error, arguments, words):
    given = {"x": np.ones((1, 4, 4, 1)), "boxes": BOX, "batch_index": [0], "size": 2, **arguments}
    with pytest.raises(error, match=f"{op.__name__}: .*{words}"):
        op(Tensor(given.pop("x")), **given)


@pytest.mark.parametrize("options, words", [
    ({"sampling_ratio": -1}, "sampling_ratio must be >= 0, got -1"),
    ({"sampling_ratio": 1.5}, "sampling_ratio must be an integer"),
    ({"boxes": [[0, 0, 1e7, 1]]}, "box 0 is 1e[+]07 cells long, more than 1000 samples"),
])  # fmt: skip
def test_sampling_is_checked(options, words):
    given = {"boxes": BOX, "batch_index": [0], "size": 2, **options}
    with pytest.raises(ConfigError, match=f"roi_align: {words}"):
        ops.roi_align(Tensor(np.ones((1, 4, 4, 1))), **given)


def test_a_wrong_table_never_reaches_the_memory():
    """The compiled module checks what it is given: its kernels index with it."""
    from tinydl.backend import get

    cpu, x, image = get("cpu"), np.ones((1, 4, 4, 1)), np.zeros(1, np.int32)
    two, half = np.zeros((1, 1, 2), np.int32), np.full((1, 1, 2), 0.5)
    with pytest.raises(ValueError, match="a table holds 1, outside 0"):
        cpu.roi_pool(x, image + 1, two, two)
    with pytest.raises(ValueError, match="a table holds 5, outside 0"):
        cpu.roi_pool(x, image, two + 5, two)
    with pytest.raises(ValueError, match="a table holds 3, outside 0"):
        cpu.roi_align(x, image, two[..., 0] + 3, half, two[..., 0], half)
    with pytest.raises(ValueError, match="a table holds 16, outside -1"):
        cpu.roi_pool_gather(x, np.full((1, 1, 1, 1), 16, np.int32), image)
