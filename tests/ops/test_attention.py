"""Attention against PyTorch in float64; masked rows, causality, errors."""

import numpy as np
import pytest
from closeness import assert_close
from support import agree, oracle_module

from tinydl import Tensor, grad, ops
from tinydl.errors import DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")
rng = np.random.default_rng(14)
N, HEADS, L, S, E, V = 2, 3, 4, 5, 6, 2
Q, K, VALUES = (rng.normal(size=s) for s in ((N, HEADS, L, E), (N, HEADS, S, E), (N, HEADS, S, V)))
MASK = rng.random((N, 1, L, S)) < 0.6
MASK[..., 0] = True  # PyTorch before 2.5 has NaN for a row without a key


@pytest.mark.oracle
@pytest.mark.parametrize("kind", ["plain", "mask", "causal", "scale"])
def test_against_pytorch(kind):
    torch = oracle_module("torch")
    theirs = torch.nn.functional.scaled_dot_product_attention
    mine = {
        "plain": ({}, {}),
        "mask": ({"mask": Tensor(MASK)}, {"attn_mask": torch.tensor(MASK)}),
        "causal": ({"causal": True}, {"is_causal": True}),
        "scale": ({"scale": 0.3}, {"scale": 0.3}),
    }[kind]
    agree(
        lambda q, k, v: ops.scaled_dot_product_attention(q, k, v, **mine[0]),
        lambda q, k, v: theirs(q, k, v, **mine[1]),
        [Q, K, VALUES],
    )


def test_a_mask_equals_the_run_without_the_masked_keys():
    lengths = np.array([2, 4])
    mask = (np.arange(S) < lengths[:, None])[:, None, None]
    y = ops.scaled_dot_product_attention(*map(Tensor, (Q, K, VALUES)), Tensor(mask)).numpy()
    for n, length in enumerate(lengths):
        parts = Q[n], K[n, :, :length], VALUES[n, :, :length]
        one = ops.scaled_dot_product_attention(*map(Tensor, parts)).numpy()
        assert_close(y[n], one, 1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_fully_masked_row_is_zero_and_has_no_gradient(dtype):
    x = Tensor(np.array([[1.0, 2, 3], [1e30, -1e30, 0], [4, 5, 6]], dtype), requires_grad=True)
    mask = np.array([[True, False, True], [False] * 3, [False, False, True]])
    y = ops.masked_softmax(x, Tensor(mask))
    e = np.exp(np.array([-2.0, 0.0]))
    want = [[e[0] / e.sum(), 0, e[1] / e.sum()], [0, 0, 0], [0, 0, 1]]
    assert_close(y.numpy(), want, 1e-6)
    (first,) = grad((y * y).sum(), x, create_graph=True)
    first.sum().backward()
    assert np.isfinite(first.numpy()).all() and np.isfinite(x.grad.numpy()).all()
    assert not first.numpy()[~mask].any() and first.numpy()[0, 0] != 0


def test_causal_sees_itself_and_the_past():
    weights = ops.attention_weights(Tensor(Q), Tensor(K), causal=True).numpy()
    seen = np.tri(L, S, dtype=bool)
    assert (weights[..., seen] > 0).all() and not weights[..., ~seen].any()
    assert_close(weights.sum(-1), 1, 1e-7)
    both = ops.attention_weights(Tensor(Q), Tensor(K), Tensor(MASK), causal=True).numpy()
    one = ops.attention_weights(Tensor(Q), Tensor(K), Tensor(MASK & seen)).numpy()
    np.testing.assert_array_equal(both, one)
    np.testing.assert_array_equal(ops.causal_mask(Tensor(Q), L, S).numpy(), seen)


def test_errors():
    q, k, v = map(Tensor, (Q, K, VALUES))
    with pytest.raises(ShapeError, match=r"query must be \(..., L, E\) and key \(..., S, E\)"):
        ops.attention_weights(q, v)
    with pytest.raises(ShapeError, match=r"value must be \(..., S, V\) with S of key"):
        ops.scaled_dot_product_attention(q, k, q)
    with pytest.raises(DTypeError, match="mask must be bool, True where one may attend"):
        ops.scaled_dot_product_attention(q, k, v, Tensor(np.zeros((L, S))))
    with pytest.raises(ShapeError, match=r"\(2, 3, 4, 5\) and \(2, 5\) do not broadcast"):
        ops.attention_weights(q, k, Tensor(np.ones((2, S), bool)))
    with pytest.raises(ShapeError, match="does not broadcast to x"):
        ops.masked_softmax(Tensor(np.ones(3)), Tensor(np.ones((2, 3), bool)))
