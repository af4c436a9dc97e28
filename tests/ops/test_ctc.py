"""The fused CTC against the composition that it replaces; what its derivative means; long rows."""

import numpy as np
import pytest
from closeness import assert_close
from support import load_backend

from tinydl import Tensor, grad, ops
from tinydl.errors import IndexRangeError, ShapeError
from tinydl.ops.ctc import ctc_by_steps

rng = np.random.default_rng(11)


def problem(N=4, T=7, C=5, L=3, dtype=np.float64):
    logits = rng.normal(size=(N, T, C)) * 2
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    labels = rng.integers(1, min(C, 3), (N, L))
    steps, counts = rng.integers(T // 2, T + 1, N), rng.integers(0, L + 1, N)
    return log_p.astype(dtype), labels, steps, counts


@pytest.mark.parametrize("name", ["numpy", "cpu", "opencl"])
def test_the_fused_operation_is_its_composition(name):
    where = load_backend(name)
    log_p, labels, steps, counts = problem()
    x, plain = (Tensor(log_p, backend=home, requires_grad=True) for home in (where, "numpy"))
    fused = ops.ctc_log_likelihood(x, Tensor(labels, backend=where), steps, counts)
    composed = ctc_by_steps(plain, labels, steps, counts, 0)
    assert_close(fused.numpy(), composed.numpy(), 1e-13)
    incoming = rng.normal(size=4)
    (a,) = grad(fused, [x], Tensor(incoming, backend=where))
    (b,) = grad(composed, [plain], Tensor(incoming, backend="numpy"))
    assert_close(a.numpy(), b.numpy(), 1e-12)


def test_the_derivative_is_how_likely_a_step_is_in_a_class():
    log_p, labels, steps, counts = problem(T=9)
    x = Tensor(log_p, requires_grad=True)
    (y,) = grad(ops.ctc_log_likelihood(x, Tensor(labels), steps, counts).sum(), [x])
    inside = np.arange(9) < steps[:, None]
    assert_close(y.numpy().sum(-1), inside.astype(float), 1e-12)
    assert (y.numpy() >= 0).all()


@pytest.mark.parametrize("name", ["numpy", "cpu", "opencl"])
def test_long_rows_keep_their_digits_in_float32(name):
    """Log-probabilities of some thousands, of which float32 keeps three digits behind the point."""
    where = load_backend(name)
    log_p, labels, _, _ = problem(2, 1000, 20, 60)
    found = []
    for dtype, home in ((np.float32, where), (np.float64, load_backend("numpy"))):
        x = Tensor(log_p.astype(dtype), backend=home, requires_grad=True)
        total = ops.ctc_log_likelihood(x, Tensor(labels, backend=home))
        (y,) = grad(total.sum(), [x])
        found.append((total.numpy(), y.numpy()))
    assert (found[1][0] < -1000).all()
    assert_close(found[0][0], found[1][0], 1e-5)
    assert_close(found[0][1], found[1][1], 1e-4)


def test_bad_arguments():
    x = Tensor(np.zeros((2, 3, 4)))
    with pytest.raises(ShapeError, match="ctc: 2 rows of logits but 1 of labels"):
        ops.ctc_log_likelihood(x, Tensor(np.array([[1]])))
    with pytest.raises(ShapeError, match=r"input_lengths must lie in 1..3, got \[4, 1\]"):
        ops.ctc_log_likelihood(x, Tensor(np.array([[1], [2]])), [4, 1])
    with pytest.raises(IndexRangeError, match=r"must lie in 0..3 and not be the blank 0, got 4"):
        ops.ctc_log_likelihood(x, Tensor(np.array([[1], [4]])))
