"""The recurrent sequence: equal to its cells, and to the formula; errors."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")


def arrays(N=2, T=4, D=3, H=5, dtype=np.float64):
    rng = np.random.default_rng(0)
    shapes = (N, T, D), (N, H), (D, H), (H, H), (H,)
    return [rng.normal(size=s).astype(dtype) for s in shapes]


def test_the_formula():
    x, h, weight_x, weight_h, bias = arrays()
    got = ops.rnn_sequence(*[Tensor(a) for a in (x, h, weight_x, weight_h, bias)]).numpy()
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ weight_x + h @ weight_h + bias)
        assert np.allclose(got[:, t], h)


def test_first_order_gradients_equal_those_of_the_cells(backend):
    found = []
    for function in (ops.rnn_sequence, ops.rnn_sequence_by_cells):
        leaves = [Tensor(a, backend, requires_grad=True) for a in arrays()]
        states = function(*leaves)
        (states * states).sum().backward()
        found.append([states.numpy(), *[t.grad.numpy() for t in leaves]])
    for a, b in zip(*found, strict=True):
        assert np.allclose(a, b, rtol=1e-11, atol=1e-11)


def test_one_step_and_an_empty_batch():
    assert ops.rnn_sequence(*[Tensor(a) for a in arrays(T=1)]).shape == (2, 1, 5)
    leaves = [Tensor(a, requires_grad=True) for a in arrays(N=0)]
    ops.rnn_sequence(*leaves).sum().backward()
    assert not leaves[2].grad.numpy().any()


def test_errors():
    x, h0, weight_x, weight_h, bias = [Tensor(a) for a in arrays()]
    with pytest.raises(ShapeError, match=r"x must be \(N, T, D\) with T >= 1"):
        ops.rnn_sequence(x[:, :0], h0, weight_x, weight_h, bias)
    with pytest.raises(ShapeError, match=r"weight_x must be \(3, 5\), got \(5, 5\)"):
        ops.rnn_sequence(x, h0, weight_h, weight_h, bias)
    with pytest.raises(ShapeError, match="h0 must be"):
        ops.rnn_sequence(x, bias, weight_x, weight_h, bias)
    with pytest.raises(DTypeError, match="x is float64 but bias is float32"):
        ops.rnn_sequence(x, h0, weight_x, weight_h, bias.astype("float32"))
