"""Softmax and cross-entropy: identities, extreme logits, errors."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor, ops
from tinydl.errors import DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")


def test_rows_sum_to_one_and_logs_agree():
    x = Tensor(np.random.default_rng(0).normal(size=(3, 4, 5)))
    for axis in (-1, 0, 1):
        p = ops.softmax(x, axis)
        assert_close(p.numpy().sum(axis), 1, 1e-5)
        assert_close(ops.exp(ops.log_softmax(x, axis)).numpy(), p.numpy(), 1e-5)


def test_gradient_of_cross_entropy_is_softmax_minus_one_hot():
    logits = Tensor(np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]]), requires_grad=True)
    labels = Tensor(np.array([1, 2]))
    ops.cross_entropy_per_row(logits, labels).sum().backward()
    want = ops.softmax(logits).numpy() - np.eye(3)[[1, 2]]
    assert_close(logits.grad.numpy(), want, 1e-5)


def test_extreme_logits():
    logits = Tensor(np.array([[1000.0, 0.0], [0.0, 1000.0]]), requires_grad=True)
    losses = ops.cross_entropy_per_row(logits, Tensor(np.array([0, 0])))
    assert losses.tolist() == [0, 1000]
    losses.sum().backward()
    assert logits.grad.tolist() == [[0, 0], [-1, 1]]


def test_an_empty_batch():
    logits = Tensor(np.ones((0, 3)), requires_grad=True)
    losses = ops.cross_entropy_per_row(logits, Tensor(np.zeros((0,), np.int64)))
    losses.sum().backward()
    assert losses.shape == (0,) and logits.grad.shape == (0, 3)


def test_errors():
    logits, labels = Tensor(np.ones((2, 3))), Tensor(np.array([0, 1]))
    with pytest.raises(ShapeError, match=r"logits must be \(N, C\) and labels \(N,\)"):
        ops.cross_entropy_per_row(logits, Tensor(np.array([0, 1, 2])))
    with pytest.raises(DTypeError, match="indices must be int32 or int64"):
        ops.cross_entropy_per_row(logits, logits)
    with pytest.raises(DTypeError, match="cross_entropy: needs a float tensor"):
        ops.cross_entropy_per_row(labels, labels)
    with pytest.raises(ShapeError, match=r"softmax: axis 1 of .* is empty"):
        ops.softmax(Tensor(np.ones((2, 0))))
    with pytest.raises(ShapeError, match="needs at least one axis"):
        ops.softmax(Tensor(1.0))
