"""Gather and scatter: repeated indices, order of summation, range errors."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import DTypeError, IndexRangeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")


def test_repeated_rows_add_their_gradients():
    weight = Tensor(np.zeros((4, 2)), requires_grad=True)
    rows = ops.embedding(weight, Tensor(np.array([[3, 1], [3, 3]])))
    (rows * Tensor(np.arange(8.0).reshape(2, 2, 2))).sum().backward()
    assert weight.grad.tolist() == [[0, 0], [2, 3], [0, 0], [0 + 4 + 6, 1 + 5 + 7]]


def test_repeated_rows_are_summed_in_index_order():
    """In float32 the order shows: (1e8 + 1) - 1e8 = 0, but (1e8 - 1e8) + 1 = 1."""
    indices = Tensor(np.array([0, 0, 0, 1, 1, 1]))
    values = np.array([1e8, 1.0, -1e8, 1e8, -1e8, 1.0], np.float32)
    assert ops.scatter_add(Tensor(values), indices, 2).tolist() == [0.0, 1.0]


def test_rows_that_nobody_names_are_zero():
    y = ops.scatter_add(Tensor(np.ones((2, 3))), Tensor(np.array([2, 2])), 4)
    assert y.numpy().sum(axis=1).tolist() == [0, 0, 6, 0]


def test_empty_indices():
    weight = Tensor(np.ones((3, 2)), requires_grad=True)
    y = ops.gather(weight, Tensor(np.zeros((0,), np.int64)))
    y.sum().backward()
    assert y.shape == (0, 2) and weight.grad.tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("index", [-1, 3])
def test_out_of_range(index):
    bad = Tensor(np.array([0, index]))
    with pytest.raises(IndexRangeError, match=f"gather: index {index} is out of range for 3 rows"):
        ops.gather(Tensor(np.ones((3, 2))), bad)
    with pytest.raises(IndexRangeError, match=f"one_hot: index {index}"):
        ops.one_hot(bad, 3)
    with pytest.raises(IndexRangeError, match=f"cross_entropy: index {index}"):
        ops.cross_entropy_per_row(Tensor(np.ones((2, 3))), bad)


def test_one_hot():
    y = ops.one_hot(Tensor(np.array([2, 0])), 3)
    assert y.tolist() == [[0, 0, 1], [1, 0, 0]] and y.dtype == np.float32


def test_errors():
    x = Tensor(np.ones((3, 2)))
    with pytest.raises(DTypeError, match="gather: indices must be int32 or int64, got float64"):
        ops.gather(x, x)
    with pytest.raises(ShapeError, match=r"embedding: weight must be \(V, D\)"):
        ops.embedding(Tensor(np.ones(3)), Tensor([0]))
    with pytest.raises(ShapeError, match=r"scatter_add: x .* must start with the shape of indices"):
        ops.scatter_add(x, Tensor([0, 1]), 3)
    with pytest.raises(ShapeError, match="one_hot: depth must be an integer >= 1, got 0"):
        ops.one_hot(Tensor([0]), 0)
