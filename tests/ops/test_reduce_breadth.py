"""min, prod, std, norm, any, all: ties, zeros, empty axes, errors."""

import numpy as np
import pytest

from tinydl import Tensor, grad, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")


def gradient(function, values):
    x = Tensor(np.array(values, np.float64), requires_grad=True)
    function(x).sum().backward()
    return x.grad.tolist()


def test_min_shares_the_gradient_equally():
    assert gradient(ops.min, [1.0, 3.0, 1.0, 2.0]) == [0.5, 0, 0.5, 0]
    assert ops.argmin(Tensor([2.0, 1.0, 1.0])).item() == 1
    assert np.isnan(ops.min(Tensor([np.nan, 1.0])).item())
    assert ops.min(Tensor(np.array([3, 0, 255], np.uint8))).item() == 0


def test_a_minimum_over_nothing():
    for function in (ops.min, ops.argmin):
        with pytest.raises(ShapeError, match="an empty axis has no smallest element"):
            function(Tensor(np.zeros((2, 0))), 1)


def test_products_with_zeros():
    assert gradient(ops.prod, [2.0, 0.0, 3.0]) == [0, 6, 0]
    assert gradient(ops.prod, [2.0, 0.0, 0.0]) == [0, 0, 0]
    x = Tensor(np.array([2.0, 0.0, 0.0]), requires_grad=True)
    (first,) = grad(ops.prod(x), x, create_graph=True)
    (second,) = grad(first[1], x)
    assert second.tolist() == [0, 0, 2]  # d^2 (abc) / db dc = a


def test_empty_and_integer_products():
    assert ops.prod(Tensor(np.zeros((2, 0))), 1).tolist() == [1, 1]
    assert gradient(lambda x: ops.prod(x, 1), np.zeros((2, 0))) == [[], []]
    assert ops.prod(Tensor([2, 3, 4])).item() == 24
    assert ops.prod(Tensor([True, False])).dtype == np.int64


def test_the_zero_vector_has_the_gradient_zero():
    for p in (1, 2, 3, np.inf):
        assert gradient(lambda x, p=p: ops.norm(x, p), [0.0, 0.0]) == [0, 0]
    assert gradient(ops.std, [3.0, 3.0, 3.0]) == [0, 0, 0]
    assert gradient(lambda x: ops.norm(x, np.inf), [1.0, -1.0]) == [0.5, -0.5]


def test_norms():
    x = Tensor(np.array([[3.0, -4.0]]))
    assert ops.norm(x).item() == 5 and ops.norm(x, 1).item() == 7
    assert ops.norm(x, np.inf).item() == 4 and ops.norm(x, axis=0).tolist() == [3, 4]
    assert ops.norm(Tensor(np.zeros(0))).item() == 0


def test_any_and_all():
    x = Tensor([[True, False], [True, True]])
    assert x.any(1).tolist() == [True, True] and x.all(1).tolist() == [False, True]
    assert x.all(0, keepdims=True).tolist() == [[True, False]]
    nothing = Tensor(np.zeros(0, bool))
    assert nothing.any().item() is False and nothing.all().item() is True
    assert Tensor([0.0, np.nan]).any().item() is True and Tensor([1, 2]).all().item() is True


def test_errors():
    with pytest.raises(ConfigError, match=r"norm: p must be >= 1, got 0\.5"):
        ops.norm(Tensor([1.0]), 0.5)
    with pytest.raises(DTypeError, match="norm: needs a float tensor"):
        ops.norm(Tensor([1]))
