"""Sorting and running sums: stability, NaN, ties, empty axes."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError

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


def test_the_best_so_far_and_its_place(backend):
    """The later of equal ones, which takes the gradient; NaN from the first one on."""
    x = Tensor(np.array([[1.0, 3.0, 3.0, 2.0], [0.0, np.nan, 5.0, np.nan]]), backend=backend)
    x.requires_grad = True
    values, places = ops.cummax(x, axis=1)
    assert places.tolist() == [[0, 1, 2, 2], [0, 1, 1, 3]] and places.dtype == np.int64
    assert values.tolist()[0] == [1, 3, 3, 3] and np.isnan(values.numpy()[1, 1:]).all()
    values.sum().backward()
    assert x.grad.tolist() == [[1, 1, 2, 0], [1, 2, 0, 1]]
    values, places = ops.cummin(Tensor([[4, 2, 2, 3]], backend=backend), axis=-1)
    assert values.tolist() == [[4, 2, 2, 2]] and places.tolist() == [[0, 1, 2, 2]]
    assert [t.shape for t in ops.cummax(x[:, :0], axis=1)] == [(2, 0), (2, 0)]


def test_running_sums_of_powers_that_leave_the_range():
    x = Tensor(np.array([-1000.0, -1000.0, 1000.0, -np.inf, np.inf]))
    found = ops.logcumsumexp(x, axis=0).tolist()
    assert found == [-1000, pytest.approx(-1000 + np.log(2)), 1000, 1000, np.inf]


@pytest.mark.parametrize("op", [ops.cummax, ops.cummin, ops.logcumsumexp])
def test_what_runs_along_an_axis_needs_one(op):
    with pytest.raises(ConfigError, match=f"{op.__name__}: needs an axis"):
        op(Tensor(np.ones((2, 2))))
    with pytest.raises(ShapeError, match=f"{op.__name__}: axis 2 is out of range"):
        op(Tensor(np.ones((2, 2))), 2)
    with pytest.raises(DTypeError, match=f"{op.__name__}: "):
        op(Tensor([True]), 0)
