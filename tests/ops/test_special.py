"""Conventions of trigonometry, rounding, clipping and logic at kinks, ties and special values."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")
PI = np.pi


def gradients(function, *arrays):
    leaves = [Tensor(np.array(a, np.float64), requires_grad=True) for a in arrays]
    function(*leaves).sum().backward()
    return [leaf.grad.tolist() for leaf in leaves]


def test_minimum_shares_a_tie():
    assert gradients(ops.minimum, [1.0, 2.0, 3.0], [2.0, 2.0, 2.0]) == [[1, 0.5, 0], [0, 0.5, 1]]
    assert np.isnan(ops.minimum(Tensor([np.nan, 1.0]), Tensor([0.0, np.nan])).numpy()).all()


def test_small_arguments_keep_their_digits():
    x = Tensor(np.array([1e-20, -1e-20, 0.0]))
    assert ops.log1p(x).tolist() == [1e-20, -1e-20, 0] == ops.expm1(x).tolist()


def test_log1p_and_expm1_at_the_ends():
    assert ops.log1p(Tensor([-1.0, np.inf])).tolist() == [-np.inf, np.inf]
    assert ops.expm1(Tensor([-np.inf, np.inf])).tolist() == [-1, np.inf]


def test_atan2_quadrants_and_the_origin():
    a, b = [0.0, 1.0, 0.0, -1.0, 0.0], [1.0, 0.0, -1.0, 0.0, 0.0]
    angles = ops.atan2(Tensor(np.array(a)), Tensor(np.array(b))).numpy()
    assert angles.tolist() == [0, PI / 2, PI, -PI / 2, 0]
    assert gradients(ops.atan2, [0.0, 3.0], [0.0, 4.0]) == [[0, 4 / 25], [0, -3 / 25]]


def test_rounding():
    halves = Tensor(np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]))
    assert ops.round(halves).tolist() == [-2, -2, 0, 0, 2, 2]
    assert ops.floor(halves).tolist() == [-3, -2, -1, 0, 1, 2]


def test_clip_passes_the_gradient_at_its_ends():
    x = [-2.0, -1.0, 0.0, 1.0, 2.0]
    assert gradients(lambda t: ops.clip(t, -1, 1), x) == [[0, 1, 1, 1, 0]]
    assert gradients(lambda t: ops.clip(t, low=0), x) == [[0, 0, 1, 1, 1]]
    assert gradients(lambda t: ops.clip(t, high=0), x) == [[1, 1, 1, 0, 0]]
    assert np.isnan(ops.clip(Tensor(np.nan), 0.0, 1.0).item())
    assert ops.clip(Tensor([-3, 5]), 0, 4).tolist() == [0, 4]


def test_masked_fill_stops_the_gradient():
    mask = Tensor([True, False])
    assert gradients(lambda t: ops.masked_fill(t, mask, 7.0), [[1.0, 2.0], [3.0, 4.0]]) == [
        [[0, 1], [0, 1]]
    ]
    assert ops.masked_fill(Tensor([1.0, np.nan]), Tensor([False, True]), 0.0).tolist() == [1, 0]


@pytest.mark.parametrize(
    "operation, want",
    [
        (ops.logical_and, [False, False, False, True]),
        (ops.logical_or, [False, True, True, True]),
        (ops.logical_xor, [False, True, True, False]),
    ],
)
def test_truth_tables(operation, want):
    a, b = Tensor([False, False, True, True]), Tensor([False, True, False, True])
    assert operation(a, b).tolist() == want and operation(a, b).dtype == np.bool_


def test_operators_of_bool_tensors():
    a, b = Tensor([True, True]), Tensor([True, False])
    assert (a & b).tolist() == [True, False] and (a ^ b).tolist() == [False, True]
    assert (a | b).tolist() == [True, True] and (b | True).tolist() == [True, True]


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x: ops.sin(x.astype("int64")), DTypeError, "sin: needs a float tensor, got int64"),
        (lambda x: ops.clip(x), ConfigError, "clip: needs low, high or both"),
        (lambda x: ops.clip(x, 2, 1), ConfigError, "low must not be above high, got 2 and 1"),
        (lambda x: ops.clip(x, np.nan, 1.0), ConfigError, "low must not be above high"),
        (lambda x: ops.clip(x.astype("int64"), 0.5), DTypeError, "int64 tensor with the bounds"),
        (lambda x: ops.masked_fill(x, x > 0, 1) + ops.masked_fill(x[0], x > 0, 1), ShapeError,
         r"mask \(2, 3\) does not broadcast to x \(3,\)"),
        (lambda x: ops.logical_and(x, x > 0), DTypeError, "logical_and: needs bool tensors, got"),
        (lambda x: ops.minimum(x, x.astype("float64")), DTypeError, "minimum: operands are"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(Tensor(np.zeros((2, 3), np.float32)))
