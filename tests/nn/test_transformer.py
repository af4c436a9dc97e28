"""Blocks of transformers against PyTorch, the cache against the whole sequence, errors."""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Generator, Tensor, nn, ops
from tinydl.errors import ConfigError, ShapeError

X = np.random.default_rng(3).normal(size=(2, 5, 8))
MEMORY = np.random.default_rng(4).normal(size=(2, 4, 8))


def given(mine, theirs):
    """PyTorch's weights of an attention, norms and linear layers."""
    torch = oracle_module("torch")
    attentions = [(mine.attention, theirs.self_attn)]
    norms = [(mine.attention_norm, theirs.norm1)]
    if hasattr(mine, "reading"):
        attentions.append((mine.reading, theirs.multihead_attn))
        norms += [(mine.reading_norm, theirs.norm2), (mine.feed_norm, theirs.norm3)]
    else:
        norms.append((mine.feed_norm, theirs.norm2))
    pairs = [(mine.feed.first, theirs.linear1), (mine.feed.second, theirs.linear2)]
    with torch.no_grad():
        for ours, other in attentions:
            projections = (ours.query, ours.key, ours.value)
            weights = [layer.weight.numpy().T for layer in projections]
            other.in_proj_weight.copy_(torch.tensor(np.concatenate(weights)))
            biases = [layer.bias.numpy() for layer in projections]
            other.in_proj_bias.copy_(torch.tensor(np.concatenate(biases)))
            pairs.append((ours.output, other.out_proj))
        for ours, other in pairs:
            other.weight.copy_(torch.tensor(ours.weight.numpy().T.copy()))
            other.bias.copy_(torch.tensor(ours.bias.numpy().copy()))
        for ours, other in norms:
            other.weight.copy_(torch.tensor(ours.scale.numpy().copy()))
            other.bias.copy_(torch.tensor(ours.shift.numpy().copy()))


@pytest.mark.oracle
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("kind", ["Encoder", "Decoder"])
def test_blocks_against_pytorch(kind, first):
    torch = oracle_module("torch")
    name = f"Transformer{kind}Layer"
    mine = getattr(nn, name)(8, 2, 12, norm_first=first, rng=Generator(2)).astype(np.float64)
    options = {"dropout": 0.0, "batch_first": True, "norm_first": first}
    theirs = getattr(torch.nn, name)(8, 2, 12, **options).double()
    given(mine, theirs)
    hidden = torch.nn.Transformer.generate_square_subsequent_mask(5).double()
    x, memory = torch.tensor(X), torch.tensor(MEMORY)
    if kind == "Encoder":
        found, want = mine(Tensor(X), causal=True), theirs(x, src_mask=hidden)
    else:
        found, want = mine(Tensor(X), Tensor(MEMORY)), theirs(x, memory, tgt_mask=hidden)
    assert_close(found.numpy(), want.detach().numpy(), 1e-9)


@pytest.mark.parametrize("rotary", [False, True])
def test_a_cache_gives_what_the_whole_sequence_does(backend, rotary):
    positions = nn.RotaryPositions() if rotary else None
    layer = nn.MultiHeadAttention(8, 4, kv_heads=2, positions=positions, rng=Generator(1))
    layer.to(backend.name)
    x = Tensor(X.astype(np.float32), backend=backend)
    whole, cache = layer(x, causal=True).numpy(), nn.KeyValueCache()
    parts = [layer(x[:, a:b], causal=True, cache=cache) for a, b in ((0, 2), (2, 3), (3, 5))]
    assert cache.steps == 5
    assert_close(np.concatenate([p.numpy() for p in parts], 1), whole, 1e-5)


def test_shared_heads_give_the_same_with_and_without_weights():
    layer = nn.MultiHeadAttention(8, 4, kv_heads=2, rng=Generator(1)).astype(np.float64)
    y, weights = layer(Tensor(X), causal=True, return_weights=True)
    assert weights.shape == (2, 4, 5, 5)
    assert_close(y.numpy(), layer(Tensor(X), causal=True).numpy(), 1e-12)


def test_layers_from_their_formulas():
    x = Tensor(X)
    swiglu = nn.SwiGLU(8, 5, rng=Generator(1)).astype(np.float64)
    gate, up, down = [layer.weight.numpy() for layer in (swiglu.gate, swiglu.up, swiglu.down)]
    opened = X @ gate
    want = (opened / (1 + np.exp(-opened)) * (X @ up)) @ down
    assert_close(swiglu(x).numpy(), want, 1e-12)
    halves = X[..., :4] / (1 + np.exp(-X[..., 4:]))
    assert_close(nn.GLU()(x).numpy(), halves, 1e-12)
    norm = nn.RMSNorm(8, 0.01).astype(np.float64)
    want = X / np.sqrt((X * X).mean(-1, keepdims=True) + 0.01)
    assert_close(norm(x).numpy(), want, 1e-12)
    places = nn.LearnedPositions(7, 8, rng=Generator(1)).astype(np.float64)
    assert_close(places(x, 2).numpy(), X + places.weight.numpy()[2:], 1e-12)


def test_rms_norm_of_numbers_whose_squares_overflow(backend):
    x = Tensor(np.array([[3e30, -4e30]], np.float32), backend=backend)
    assert_close(ops.rms_norm(x).numpy(), np.array([[3.0, -4.0]]) / 12.5**0.5, 1e-6)


def test_errors():
    x = Tensor(X.astype(np.float32))
    with pytest.raises(ConfigError, match="kv_heads must divide heads, got 3 and 4"):
        nn.MultiHeadAttention(8, 4, kv_heads=3)
    with pytest.raises(ConfigError, match="a cache goes with neither mask"):
        nn.MultiHeadAttention(8, 4)(x, return_weights=True, cache=nn.KeyValueCache())
    with pytest.raises(ShapeError, match="at most 4 positions, got"):
        nn.LearnedPositions(4, 8)(x)
    with pytest.raises(ShapeError, match=r"RMSNorm: x must be \(..., 3\)"):
        nn.RMSNorm(3)(x)
