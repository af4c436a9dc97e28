"""Cross-entropy over many classes: beside the logits there is their gradient, and nothing else."""

import tracemalloc

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor, nn

ROWS, CLASSES = 64, 20_000


@pytest.fixture
def given():
    rng = np.random.default_rng(0)
    logits = Tensor(rng.standard_normal((ROWS, CLASSES), np.float32), requires_grad=True)
    return logits, Tensor(rng.integers(0, CLASSES, ROWS))


def most(function):
    """(what it returns, the bytes that it had at most beyond those before)."""
    tracemalloc.start()
    try:
        result = function()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_no_second_copy_of_the_logits(given):
    logits, labels = given
    copy = logits.numpy().nbytes
    loss, forward = most(lambda: nn.cross_entropy(logits, labels))
    _, backward = most(loss.backward)
    assert forward < 0.05 * copy and 1.0 <= backward / copy < 1.05


@pytest.mark.parametrize("shift", [0.0, 3e4, -3e4])
def test_the_gradient_is_right_far_from_zero(given, shift):
    """Where a row's log of the sum has lost the digits that its largest value has not."""
    logits, labels = given
    far = Tensor(np.round(logits.numpy() * 8) / 8 + np.float32(shift), requires_grad=True)
    nn.cross_entropy(far, labels, "sum").backward()
    exact = far.numpy().astype(np.float64)
    p = np.exp(exact - exact.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(ROWS), labels.numpy()] -= 1
    assert_close(far.grad.numpy().astype(np.float64), p, 1e-6)
    others = np.abs(p) < 0.5  # the labels' slopes near 1 would hide them
    assert_close(far.grad.numpy().astype(np.float64) * others, p * others, 2e-6)
