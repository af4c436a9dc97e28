"""Conventions of reductions: ties, empty axes, infinities."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor, ops
from tinydl.errors import DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")


def gradient(function, values):
    x = Tensor(np.array(values, np.float64), requires_grad=True)
    function(x).sum().backward()
    return x.grad.tolist()


def test_max_shares_the_gradient_equally():
    assert gradient(ops.max, [1.0, 3.0, 3.0, 2.0]) == [0, 0.5, 0.5, 0]
    third = 1 / 3
    assert gradient(lambda x: ops.max(x, 1), [[2.0, 2.0, 2.0], [0.0, 1.0, 0.0]]) == [
        [third] * 3,
        [0, 1, 0],
    ]


def test_argmax_takes_the_first():
    x = Tensor([[1.0, 3.0, 3.0], [3.0, 3.0, 3.0]])
    assert ops.argmax(x, 1).tolist() == [1, 0] and ops.argmax(x).item() == 1
    assert ops.argmax(x).dtype == np.int64


def test_sums_over_nothing():
    x = Tensor(np.zeros((2, 0)))
    assert ops.sum(x).item() == 0 and ops.sum(x, 1).tolist() == [0, 0]
    assert ops.sum(x, 0).shape == (0,) and np.isnan(ops.mean(x).item())
    assert gradient(lambda t: ops.sum(t, 1), np.zeros((2, 0))) == [[], []]


def test_a_maximum_over_nothing():
    for function in (ops.max, ops.argmax, ops.logsumexp):
        with pytest.raises(ShapeError, match="an empty axis has no largest element"):
            function(Tensor(np.zeros((2, 0))), 1)
    assert ops.max(Tensor(np.zeros((0, 2))), 1).shape == (0,)


def test_an_empty_tuple_of_axes_reduces_nothing():
    x = Tensor([[1.0, 2.0]])
    assert ops.sum(x, ()).tolist() == [[1, 2]] and ops.max(x, ()).tolist() == [[1, 2]]


def test_bool_counts_as_int64():
    total = ops.sum(Tensor([True, True, False]))
    assert total.item() == 2 and total.dtype == np.int64


def test_logsumexp_of_large_and_infinite_values():
    x = Tensor(np.array([[1000.0, 1000.0], [-np.inf, -np.inf], [np.inf, 0.0], [-np.inf, 1.0]]))
    got = ops.logsumexp(x, 1).numpy()
    assert got[0] == pytest.approx(1000 + np.log(2)) and got[3] == pytest.approx(1.0)
    assert got[1] == -np.inf and got[2] == np.inf


def test_logsumexp_gradient_is_softmax():
    x = np.array([1.0, 2.0, 4.0])
    want = np.exp(x) / np.exp(x).sum()
    assert_close(gradient(ops.logsumexp, x), want, 1e-5)


def test_variance():
    x = Tensor(np.array([1.0, 2.0, 3.0, 4.0]))
    assert ops.var(x).item() == 1.25 and ops.var(x, correction=1).item() == pytest.approx(5 / 3)


@pytest.mark.parametrize("axis", [2, -3, (0, 0), (0, -2), 1.5])
def test_axes_that_do_not_exist(axis):
    with pytest.raises(ShapeError, match="sum: axis"):
        ops.sum(Tensor(np.zeros((2, 3))), axis)


def test_means_of_integers():
    with pytest.raises(DTypeError, match="mean: needs a float tensor, got int64"):
        ops.mean(Tensor([1, 2]))
