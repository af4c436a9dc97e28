"""Attention layers: multi-head against PyTorch, the older forms from their formulas, masks."""

import numpy as np
import pytest
from closeness import assert_close
from support import check_module, oracle_module

from tinydl import Generator, Tensor
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.nn import (
    AdditiveAttention,
    DotAttention,
    GeneralAttention,
    MultiHeadAttention,
    PositionalEncoding,
    sinusoidal_positions,
)

rng = np.random.default_rng(15)
N, L, S, D, HEADS = 2, 4, 5, 6, 3
Q, K, V = (rng.normal(size=s) for s in ((N, L, D), (N, S, 4), (N, S, 5)))
KEEP = np.arange(S) < np.array([[3], [5]])
MASK = rng.random((N, L, S)) < 0.7
MASK[..., 0] = True


def pair(torch, **sizes):
    """The same multi-head attention here and there."""
    mine = MultiHeadAttention(D, HEADS, rng=Generator(1), **sizes).astype(np.float64)
    for p in mine.parameters():
        p.assign(rng.normal(size=p.shape) * 0.4)
    there = {"kdim": sizes.get("key_size"), "vdim": sizes.get("value_size")}
    theirs = torch.nn.MultiheadAttention(D, HEADS, batch_first=True, **there).double()
    names = ("query", "key", "value")
    state = {f"{n[0]}_proj_weight": getattr(mine, n).weight.numpy().T for n in names}
    if not sizes:
        state = {"in_proj_weight": np.concatenate(list(state.values()))}
    state["in_proj_bias"] = np.concatenate([getattr(mine, n).bias.numpy() for n in names])
    state |= {"out_proj.weight": mine.output.weight.numpy().T}
    state |= {"out_proj.bias": mine.output.bias.numpy()}
    theirs.load_state_dict({n: torch.tensor(a.copy()) for n, a in state.items()})
    return mine, theirs


def close(a, b):
    assert_close(a, b, 1e-9)


@pytest.mark.oracle
@pytest.mark.parametrize("kind", ["self", "cross", "causal"])
def test_multi_head_against_pytorch(kind):
    torch = oracle_module("torch")
    mine, theirs = pair(torch, **({"key_size": 4, "value_size": 5} if kind == "cross" else {}))
    arrays = [Q, K, V] if kind == "cross" else [Q]
    ours = [Tensor(a, requires_grad=True) for a in arrays]
    others = [torch.tensor(a, requires_grad=True) for a in arrays]
    if kind == "cross":
        y, w = mine(*ours, mask=Tensor(MASK), key_mask=Tensor(KEEP), return_weights=True)
        blocked = torch.tensor(~MASK).repeat_interleave(HEADS, 0)
        options = {"attn_mask": blocked, "key_padding_mask": torch.tensor(~KEEP)}
        z, u = theirs(*others, average_attn_weights=False, **options)
    else:
        causal = kind == "causal"
        y, w = mine(ours[0], causal=causal, return_weights=True)
        mask = torch.triu(torch.ones(L, L, dtype=torch.bool), 1) if causal else None
        z, u = theirs(*others * 3, attn_mask=mask, average_attn_weights=False)
    close(y.numpy(), z.detach().numpy())
    close(w.numpy(), u.detach().numpy())
    g = rng.normal(size=y.shape)
    (y * Tensor(g)).sum().backward()
    (z * torch.tensor(g)).sum().backward()
    for a, b in zip(ours, others, strict=True):
        close(a.grad.numpy(), b.grad.numpy())
    close(mine.output.weight.grad.numpy(), theirs.out_proj.weight.grad.numpy().T)
    close(
        np.concatenate([getattr(mine, n).bias.grad.numpy() for n in ("query", "key", "value")]),
        theirs.in_proj_bias.grad.numpy(),
    )


def layers():
    return [
        AdditiveAttention(D, 4, 3, rng=Generator(2)),
        GeneralAttention(D, 4, rng=Generator(3)),
        MultiHeadAttention(D, 2, key_size=4, value_size=4, rng=Generator(4)),
        DotAttention(D),
    ]


def keys_for(layer):
    return rng.normal(size=(N, S, D if isinstance(layer, DotAttention) else 4))


def test_scores_are_the_papers():
    additive, general, _, dot = [layer.astype(np.float64) for layer in layers()]
    w, u, v = (p.numpy() for p in additive.parameters())
    want = np.tanh((Q @ w)[:, :, None] + (K @ u)[:, None]) @ v[:, 0]
    assert_close(additive.scores(Tensor(Q), Tensor(K)).numpy(), want, 1e-12)
    want = np.einsum("nld,de,nse->nls", Q, general.weight.weight.numpy(), K)
    assert_close(general.scores(Tensor(Q), Tensor(K)).numpy(), want, 1e-12)
    keys = keys_for(dot)
    scores = np.exp(Q @ keys.transpose(0, 2, 1))
    weights = scores / scores.sum(-1, keepdims=True)
    y, w = dot(Tensor(Q), Tensor(keys), Tensor(V), return_weights=True)
    assert_close(w.numpy(), weights, 1e-12)
    assert_close(y.numpy(), weights @ V, 1e-12)


@pytest.mark.parametrize("layer", layers(), ids=lambda x: type(x).__name__)
def test_a_key_mask_equals_the_unpadded_run(layer):
    layer = layer.astype(np.float64)
    keys = keys_for(layer)
    y = layer(Tensor(Q), Tensor(keys), key_mask=Tensor(KEEP)).numpy()
    for n, length in enumerate(KEEP.sum(1)):
        one = layer(Tensor(Q[n : n + 1]), Tensor(keys[n : n + 1, :length])).numpy()
        assert_close(y[n], one[0], 1e-12)
    nothing = Tensor(np.zeros((N, S), bool))
    blind = layer(Tensor(Q), Tensor(keys), key_mask=nothing).numpy()
    np.testing.assert_array_equal(blind, 0)  # the output's bias is still 0


@pytest.mark.parametrize("layer", layers(), ids=lambda x: type(x).__name__)
def test_gradients(layer):
    layer = layer.astype(np.float64)
    x = Tensor(Q), Tensor(keys_for(layer))
    check_module(layer, *x, order=2, call=lambda *t: layer(*t, mask=Tensor(MASK)))


def test_dropout_acts_in_training_only_and_not_on_the_returned_map():
    layer = MultiHeadAttention(D, 2, dropout=0.5, rng=Generator(5)).astype(np.float64)
    x = Tensor(Q)
    a, w = layer(x, return_weights=True)
    b, u = layer.eval()(x, return_weights=True)
    np.testing.assert_array_equal(w.numpy(), u.numpy())
    assert abs(a.numpy() - b.numpy()).max() > 1e-3
    assert_close(layer(x).numpy(), b.numpy(), 1e-12)  # fused
    assert "6, 2, dropout=0.5" in repr(layer)


def test_positions_are_sines_and_turn_by_a_fixed_angle():
    table = sinusoidal_positions(50, 8)
    assert table.shape == (50, 8) and table[3, 2] == np.sin(3 / 10000**0.25)
    for i in range(4):  # position t + 5 is position t turned: the reason for this choice
        angle = 5 / 10000 ** (2 * i / 8)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        pairs = table[:, 2 * i : 2 * i + 2]
        assert_close(pairs[5:], pairs[:-5] @ turn.T, 1e-7, atol=1e-12)
    np.testing.assert_array_equal(
        PositionalEncoding(6)(Tensor(Q)).numpy(), Q + sinusoidal_positions(L, 6)
    )


def test_errors():
    layer, x = MultiHeadAttention(D, 2), Tensor(np.ones((N, L, D), np.float32))
    with pytest.raises(ConfigError, match="heads must divide features, got 4 and 6"):
        MultiHeadAttention(6, 4)
    with pytest.raises(ConfigError, match=r"dropout must be in \[0, 1\]"):
        MultiHeadAttention(6, 2, dropout=1.5)
    with pytest.raises(ShapeError, match=r"query must be \(N, steps, 6\), got \(2, 6\)"):
        layer(x[:, 0])
    with pytest.raises(ShapeError, match=r"key_mask must be \(2, 4\), got \(4, 4\)"):
        layer(x, key_mask=Tensor(np.ones((L, L), bool)))
    with pytest.raises(ShapeError, match=r"mask must be \(4, 4\) or \(2, 4, 4\), got \(4,\)"):
        layer(x, mask=Tensor(np.ones(L, bool)))
    with pytest.raises(DTypeError, match="mask must be bool, True where one may attend"):
        layer(x, mask=x[0])
    with pytest.raises(ShapeError, match="do not fit"):
        DotAttention(D)(x, x[:1])
    with pytest.raises(ShapeError, match="do not fit"):
        layer(x, x[:1])
    with pytest.raises(ShapeError, match=r"PositionalEncoding: x must be \(N, steps, 5\)"):
        PositionalEncoding(5)(x)
