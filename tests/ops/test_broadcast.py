"""Repeating is a view, and its adjoint a sum; the other way round for sums."""

import numpy as np
import pytest

from tinydl import Tensor, ops

pytestmark = pytest.mark.usefixtures("on_numpy")


def test_broadcast_takes_no_memory_and_sums_back():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = ops.broadcast_to(x, (1000, 3, 2))
    assert y.data.strides[:2] == (0, 0)
    y.sum().backward()
    assert x.grad.tolist() == [3000, 3000]


def test_an_axis_of_size_one_that_stays_one():
    x = Tensor(np.ones((1, 2)), requires_grad=True)
    y = ops.broadcast_to(x, (1, 1, 2))
    (y * 3.0).sum().backward()
    assert x.grad.tolist() == [[3, 3]]


def test_broadcasting_an_empty_axis():
    x = Tensor(np.ones((1, 2)), requires_grad=True)
    y = ops.broadcast_to(x, (0, 2))
    y.sum().backward()
    assert y.shape == (0, 2) and x.grad.tolist() == [[0, 0]]
