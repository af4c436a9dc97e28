"""Matrix products: ranks, empty sizes, errors."""

import importlib

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor, ops
from tinydl.errors import DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")

SHAPES = (
    *(((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4))),
    *(((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((4, 1, 2, 3), (5, 3, 2)), ((3,), (5, 3, 2))),
    *(((5, 2, 3), (3,)), ((0, 3), (3, 4)), ((2, 0), (0, 4)), ((2, 3), (3, 0)), ((0, 2, 3), (3, 4))),
)


@pytest.mark.parametrize("left, right", SHAPES, ids=str)
def test_ranks_as_numpy(left, right):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=left), rng.normal(size=right)
    x, y = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
    product = x @ y
    assert product.shape == (a @ b).shape
    assert_close(product.numpy(), a @ b, 1e-5)
    product.sum().backward()
    assert x.grad.shape == left and y.grad.shape == right


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_integers_are_exact_and_wrap_as_numpys(backend, dtype):
    """Of all sizes, also where the product leaves float64's 53 bits, or the type."""
    rng, limits = np.random.default_rng(1), np.iinfo(dtype)
    for left, right in SHAPES:
        a, b = (rng.integers(limits.min, limits.max, s, dtype, True) for s in (left, right))
        got = Tensor(a, backend=backend) @ Tensor(b, backend=backend)
        assert got.dtype == dtype and np.array_equal(got.numpy(), a @ b)


def test_more_terms_than_a_float_counts_are_summed_in_parts(monkeypatch):
    monkeypatch.setattr(importlib.import_module("tinydl.ops.matmul"), "MOST_TERMS", 3)
    a = np.random.default_rng(2).integers(-(2**62), 2**62, (2, 4, 8))
    assert np.array_equal((Tensor(a) @ Tensor(a[0].T)).numpy(), a @ a[0].T)


def test_linear_is_matmul_plus_bias():
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(2, 5, 3)), rng.normal(size=(3, 4)), rng.normal(size=4)
    assert_close(ops.linear(Tensor(x), Tensor(w), Tensor(b)).numpy(), x @ w + b, 1e-5)
    assert_close(ops.linear(Tensor(x[0, 0]), Tensor(w)).numpy(), x[0, 0] @ w, 1e-5)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda t: ops.matmul(t(2, 3), t(2, 3)), r"inner sizes differ: \(2, 3\) @ \(2, 3\)"),
        (lambda t: ops.matmul(t(), t(2)), "at least one axis"),
        (
            lambda t: ops.matmul(t(2, 2, 3), t(3, 3, 2)),
            r"shapes \(2,\) and \(3,\) do not broadcast",
        ),
        (lambda t: ops.linear(t(2, 3), t(4, 2)), "x has 3 features but weight expects 4"),
        (lambda t: ops.linear(t(2, 3), t(3, 2), t(3)), r"bias must be \(2,\)"),
        (lambda t: ops.linear(t(2, 3), t(3)), "linear: x has 3 features"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ShapeError, match=words):
        call(lambda *shape: Tensor(np.ones(shape)))


def test_dtypes_must_agree():
    with pytest.raises(DTypeError, match="matmul: needs two tensors of one float type"):
        Tensor(np.ones((2, 2))) @ Tensor(np.ones((2, 2), np.float32))
    for wrong in (np.ones((2, 2), bool), np.ones((2, 2), np.int32)):
        with pytest.raises(DTypeError, match="or of one integer type, got "):
            Tensor(wrong) @ Tensor(np.ones((2, 2), bool))
