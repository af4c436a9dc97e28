"""Losses against PyTorch in float64, at extreme inputs, and their errors."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor, grad
from tinydl.errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from tinydl.nn import bce_with_logits, cross_entropy, mse

rng = np.random.default_rng(3)
X, T = rng.standard_normal((7, 5)) * 3, rng.random((7, 5))
LABELS = rng.integers(0, 5, 7)


def test_bce_is_stable_and_exact_at_zero():
    x = np.array([-1e4, -200.0, -30.0, 0.0, 30.0, 200.0, 1e4], np.float32)
    for t in (0.0, 0.25, 1.0):
        logits = Tensor(x, requires_grad=True)
        targets = Tensor(np.full_like(x, t))
        losses = bce_with_logits(logits, targets, "none")
        wide = x.astype(np.float64)
        expected = np.logaddexp(0, wide) - wide * t
        assert_close(losses.numpy(), expected, 1e-6)
        (first,) = grad(losses.sum(), logits, create_graph=True)
        sigmoid = 1 / (1 + np.exp(-np.clip(wide, -700, 700)))
        assert_close(first.numpy(), sigmoid - t, 1e-6)
        (second,) = grad(first.sum(), logits)
        assert_close(second.numpy()[2:5], (sigmoid * (1 - sigmoid))[2:5], 1e-7, atol=1e-7)


def test_cross_entropy_is_stable():
    x = Tensor(np.array([[1e4, 0, -1e4], [1e4, 0, -1e4]], np.float32), requires_grad=True)
    losses = cross_entropy(x, Tensor([0, 2]), "none")
    np.testing.assert_array_equal(losses.numpy(), [0, 2e4])
    losses.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[0, 0, 0], [1, 0, -1]])


def test_cross_entropy_errors():
    x = Tensor(X)
    with pytest.raises(ShapeError, match=r"must be \(N, ..., C\) and labels \(N, ...\), got"):
        cross_entropy(Tensor(np.zeros((2, 3, 4))), Tensor(np.zeros((2, 4), np.int64)))
    with pytest.raises(ShapeError, match="the classes are the last axis here"):
        cross_entropy(Tensor(np.zeros((2, 5, 8, 8))), Tensor(np.zeros((2, 8, 8), np.int64)))
    with pytest.raises(ShapeError, match=r"weight must be \(5,\), one for each class, got"):
        cross_entropy(x, Tensor(LABELS), weight=Tensor(np.ones(4)))
    with pytest.raises(ConfigError, match=r"label_smoothing must be in \[0, 1\], got 1.5"):
        cross_entropy(x, Tensor(LABELS), label_smoothing=1.5)
    with pytest.raises(ShapeError, match=r"got \(7, 5\) and \(6,\)"):
        cross_entropy(x, Tensor(LABELS[:6]))
    with pytest.raises(DTypeError, match=r"one-hot rows pass labels.argmax"):
        cross_entropy(x, Tensor(np.eye(5)[LABELS]))
    with pytest.raises(DTypeError, match="labels must be integers, got bool"):
        cross_entropy(x, Tensor(LABELS > 1))
    with pytest.raises(DTypeError):
        cross_entropy(Tensor(X.astype(np.int64)), Tensor(LABELS))
    with pytest.raises(IndexRangeError, match="5"):
        cross_entropy(x, Tensor(np.array([0, 1, 2, 3, 4, 5, 0]))).item()


@pytest.mark.parametrize("loss", [mse, bce_with_logits])
def test_pairs_do_not_broadcast(loss):
    with pytest.raises(
        ShapeError, match=r"one shape, got \(7, 1\) and \(7,\); .*\[..., None\] has"
    ):
        loss(Tensor(np.zeros((7, 1))), Tensor(np.zeros(7)))
    with pytest.raises(DTypeError, match="got float32 and float64"):
        loss(Tensor(np.zeros(7, np.float32)), Tensor(np.zeros(7)))
    with pytest.raises(DTypeError):
        loss(Tensor([1, 2]), Tensor([1, 2]))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_empty_batch_has_mean_nan_and_sum_zero():
    for loss, target in (
        (cross_entropy, np.zeros(0, np.int64)),
        (mse, np.zeros((0, 5))),
        (bce_with_logits, np.zeros((0, 5))),
    ):
        x, t = Tensor(np.zeros((0, 5))), Tensor(target)
        assert np.isnan(loss(x, t).item()) and loss(x, t, "sum").item() == 0
