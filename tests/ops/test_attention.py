"""Attention against PyTorch in float64; masked rows, causality, errors."""

import subprocess
import sys

import numpy as np
import pytest
from closeness import assert_close
from support import agree, oracle_module

from tinydl import Generator, Tensor, grad, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.ops.attention import attend, attention_composed

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
        ops.scaled_dot_product_attention(q, k, v, Tensor(np.zeros((L, S), np.int64)))
    with pytest.raises(DTypeError, match="in their type float64; got float32"):
        ops.scaled_dot_product_attention(q, k, v, Tensor(np.zeros((L, S), np.float32)))
    with pytest.raises(DTypeError, match="need one float type, got float64, float64 and float32"):
        ops.scaled_dot_product_attention(q, k, v.astype("float32"))
    with pytest.raises(ShapeError, match="G dividing H, got"):
        ops.scaled_dot_product_attention(q, k[:, :2], v[:, :2], grouped=True)
    with pytest.raises(ConfigError, match="grouped must be True or False"):
        ops.scaled_dot_product_attention(q, k, v, grouped=np.zeros(0))
    with pytest.raises(ConfigError, match="dropout must be"):
        ops.scaled_dot_product_attention(q, k, v, dropout=1.5)
    with pytest.raises(ShapeError, match=r"\(2, 3, 4, 5\) and \(2, 5\) do not broadcast"):
        ops.attention_weights(q, k, Tensor(np.ones((2, S), bool)))
    with pytest.raises(ShapeError, match="does not broadcast to x"):
        ops.masked_softmax(Tensor(np.ones(3)), Tensor(np.ones((2, 3), bool)))


# -- the fused operation beside the composition ----------------------------------------------------


def masks(kind, shape):
    """(mask, first, rate) for a map (N, H, L, S)."""
    draw = np.random.default_rng(5)
    N, H, L, S = shape
    hidden = draw.random((N, 1, L, S)) < 0.7
    hidden[:, :, 1] = False  # a query that sees nothing
    added = draw.normal(size=(1, H, L, S))
    added[..., 2] = -np.inf
    return {
        "plain": (None, None, 0.0),
        "causal": (None, 0, 0.0),
        "after a cache": (None, 3, 0.0),
        "mask": (np.broadcast_to(hidden, shape), None, 0.0),
        "masks of heads": (draw.random(shape) < 0.5, 0, 0.0),
        "added": (np.broadcast_to(added, shape), None, 0.0),
        "dropout": (None, 0, 0.4),
        "everything dropped": (None, None, 1.0),
    }[kind]


def attended(form, arrays, kind, dtype, backend):
    """Result and gradients of q, k and v; form: the fused operation or the composition."""
    q, k, v = [Tensor(a.astype(dtype), backend=backend, requires_grad=True) for a in arrays]
    N, L, H, _ = q.shape
    mask, first, rate = masks(kind, (N, H, L, k.shape[1]))
    if mask is not None:
        mask = Tensor(mask if mask.dtype == bool else mask.astype(dtype), backend=backend)
    y = form(q, k, v, mask, first, rate)
    incoming = Tensor(np.random.default_rng(6).normal(size=y.shape).astype(dtype), backend=backend)
    return [y.numpy(), *[g.numpy() for g in grad(y, (q, k, v), incoming)]]


def fused(q, k, v, mask, first, rate):
    return attend(q, k, v, mask, first, None, rate, Generator(9))


def composed(q, k, v, mask, first, rate):
    return attention_composed(q, k, v, mask, first, q.shape[3] ** -0.5, (9, 0, rate))


def heads(L, S, H=4, G=2, E=5, V=6):
    draw = np.random.default_rng(3)
    return [draw.normal(size=s) for s in ((2, L, H, E), (2, S, G, E), (2, S, G, V))]


KINDS = ("plain", "causal", "after a cache", "mask", "masks of heads", "added", "dropout",
         "everything dropped")  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_fused_equals_composed(backend, kind):
    for dtype, tol in ((np.float32, 1e-5), (np.float64, 1e-12)):
        for L, S in ((7, 7), (70, 139)):
            found, want = [
                attended(f, heads(L, S), kind, dtype, backend) for f in (fused, composed)
            ]
            for a, b in zip(found, want, strict=True):
                assert_close(a, b, tol)


@pytest.mark.parametrize("kind", ["causal", "mask", "added", "dropout"])
def test_second_derivatives_are_those_of_the_composition(kind):
    def second(form):
        q, k, v = [Tensor(a, requires_grad=True) for a in heads(4, 5)]
        mask, first, rate = masks(kind, (2, 4, 4, 5))
        y = form(q, k, v, None if mask is None else Tensor(mask), first, rate)
        first_order = grad((y * y * y).sum(), (q, k, v), create_graph=True)
        total = sum((g * g).sum() for g in first_order)
        return [g.numpy() for g in (*first_order, *grad(total, (q, k, v)))]

    for a, b in zip(second(fused), second(composed), strict=True):
        assert_close(a, b, 1e-11)


def test_grouped_heads_equal_repeated_ones():
    q, k, v = [a.transpose(0, 2, 1, 3) for a in heads(4, 5)]
    once = ops.scaled_dot_product_attention(*map(Tensor, (q, k, v)), grouped=True).numpy()
    k, v = [np.repeat(a, 2, axis=1) for a in (k, v)]
    assert_close(once, ops.scaled_dot_product_attention(*map(Tensor, (q, k, v))).numpy(), 1e-12)
    alone = ops.scaled_dot_product_attention(*map(Tensor, (q, k[:, :1], v[:, :1]))).numpy()
    k, v = [np.repeat(a[:, :1], 4, axis=1) for a in (k, v)]
    assert_close(alone, ops.scaled_dot_product_attention(*map(Tensor, (q, k, v))).numpy(), 1e-12)


def test_an_added_mask_is_learned():
    q, k, v = map(Tensor, (Q, K, VALUES))
    added = np.random.default_rng(1).normal(size=(HEADS, L, S))
    mask = Tensor(added, requires_grad=True)
    y = ops.scaled_dot_product_attention(q, k, v, mask)
    assert_close(y.numpy(), ops.scaled_dot_product_attention(q, k, v, Tensor(added)).numpy(), 1e-12)
    (found,) = grad((y * y).sum(), mask)
    step = np.zeros_like(added)
    step[1, 2, 3] = 1e-6
    moved = [ops.scaled_dot_product_attention(q, k, v, Tensor(added + s)) for s in (step, -step)]
    want = np.diff([float((m * m).sum().item()) for m in moved][::-1])[0] / 2e-6
    assert_close(found.numpy()[1, 2, 3], want, 1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_what_a_query_does_not_see_does_not_reach_it(backend, bad, which):
    """Under causality: NaN at the last position (query, key or value), and everybody before it."""
    clean, arrays = heads(40, 40), heads(40, 40)
    arrays[which][:, -1, 0, 0] = bad
    for a, b in zip(*[attended_before(x, backend) for x in (arrays, clean)], strict=True):
        np.testing.assert_array_equal(a, b)


def attended_before(arrays, backend):
    """Results and gradients of all positions but the last, which has the incoming gradient 0."""
    q, k, v = [Tensor(a.astype("f"), backend=backend, requires_grad=True) for a in arrays]
    y = attend(q, k, v, None, 0)
    incoming = np.random.default_rng(4).normal(size=y.shape).astype("f")
    incoming[:, -1] = 0
    found = grad(y, (q, k, v), Tensor(incoming, backend=backend))
    return [t.numpy()[:, :-1, 1:] if i else t.numpy()[:, :-1] for i, t in enumerate((y, *found))]


def test_weights_are_dropped_as_dropout_drops(backend):
    """Values that are the identity show the weights: the same elements on every backend."""
    draw = np.random.default_rng(2)
    q, k = [Tensor(draw.normal(size=(2, 3, 70, 4)).astype("f"), backend=backend) for _ in "qk"]
    eye = Tensor(np.broadcast_to(np.eye(70, dtype="f"), (2, 3, 70, 70)).copy(), backend=backend)
    kept = ops.scaled_dot_product_attention(q, k, eye, dropout=0.3, rng=Generator(8)).numpy()
    ones = Tensor(np.ones((2, 3, 70, 70), "f"), backend=backend)
    want = ops.dropout(ones, 0.3, rng=Generator(8)).numpy()
    np.testing.assert_array_equal(kept != 0, want != 0)
    weights = ops.attention_weights(q, k).numpy()
    assert_close(kept, weights * want, 1e-5)


MEMORY = """
import resource, sys
import numpy as np
from tinydl import Tensor, grad, ops
draw = np.random.default_rng(0)
def peak(steps):
    arrays = [draw.normal(size=(1, 1, steps, 8)).astype("f") for _ in "qkv"]
    q, k, v = [Tensor(a, requires_grad=True) for a in arrays]
    grad(ops.scaled_dot_product_attention(q, k, v, causal=True).sum(), (q, k, v))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak(256)
print((peak(8192) - before) / 1024)
"""


def test_memory_grows_with_the_length_only(tmp_path):
    """The map of 8,192 positions has 256 MB."""
    found = subprocess.run(  # the installed package, not what lies in the current folder
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert float(found.stdout) < 40


def test_any_number_of_threads_gives_the_same():
    from tinydl.backend.cpu import _runtime

    before, found = _runtime.threads(), []
    try:
        for threads in (1, 2, 5):
            _runtime.set_threads(threads)
            found.append(attended(fused, heads(300, 290), "dropout", np.float32, "cpu"))
    finally:
        _runtime.set_threads(before)
    for other in found[1:]:
        for a, b in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(a, b)
