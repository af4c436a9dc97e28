"""Sorting and running sums: stability, NaN, ties, empty axes."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")


def test_equal_elements_keep_their_order():
    x = Tensor([1.0, 0.0, 1.0, 0.0])
    assert ops.argsort(x).tolist() == [1, 3, 0, 2]
    assert ops.argsort(x, descending=True).tolist() == [0, 2, 1, 3]
    values, indices = ops.topk(x, 3)
    assert values.tolist() == [1, 1, 0] and indices.tolist() == [0, 2, 1]


def test_nan_is_the_largest():
    x = Tensor([np.nan, 1.0, 2.0])
    assert ops.argsort(x).tolist() == [1, 2, 0]
    assert ops.argsort(x, descending=True).tolist() == [0, 2, 1]
    assert ops.topk(x, 1, largest=False)[0].tolist() == [1]


def test_gradient_of_tied_elements_goes_to_those_that_were_taken():
    x = Tensor(np.array([2.0, 2.0, 2.0]), requires_grad=True)
    ops.topk(x, 2)[0].sum().backward()
    assert x.grad.tolist() == [1, 1, 0]


def test_axes():
    x = Tensor(np.array([[3.0, 1.0], [2.0, 4.0]]))
    assert ops.sort(x, 0).tolist() == [[2, 1], [3, 4]]
    assert ops.sort(x, None, descending=True).tolist() == [4, 3, 2, 1]
    assert ops.cumsum(x.ravel(), 0).tolist() == [3, 4, 6, 10]
    assert ops.cumsum(x, 0).tolist() == [[3, 1], [5, 5]]
    assert ops.cumsum(x, 1, reverse=True).tolist() == [[4, 1], [6, 4]]
    assert ops.cumsum(Tensor([True, True]), 0).dtype == np.int64


def test_empty_axes():
    x = Tensor(np.zeros((2, 0)), requires_grad=True)
    assert ops.cumsum(x, 1).shape == ops.sort(x, 1).shape == ops.argsort(x, 1).shape == (2, 0)
    values, indices = ops.topk(x, 0, 1)
    assert values.shape == indices.shape == (2, 0)
    (ops.sort(x, 1).sum() + ops.cumsum(x, 0).sum()).backward()
    assert x.grad.shape == (2, 0)


@pytest.mark.parametrize("k", [-1, 4])
def test_k_out_of_range(k):
    with pytest.raises(ShapeError, match=rf"topk: k must be in 0 ... 3 .* got {k}"):
        ops.topk(Tensor([1.0, 2.0, 3.0]), k)


@pytest.mark.parametrize("operation", [ops.cumsum, ops.argsort, ops.sort])
def test_axes_that_do_not_exist(operation):
    with pytest.raises(ShapeError, match="axis 2 is out of range"):
        operation(Tensor(np.zeros((2, 3))), 2)
