"""A vision transformer: its squares, PyTorch's encoder with its weights, where it looks."""

import itertools

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

import tinydl
from tinydl import Tensor, no_grad
from tinydl.attribution import attention_rollout
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.models import ResNetCifar, VisionTransformer
from tinydl.nn import summary
from tinydl.programs.attended import AttentionPage, lit, looked_at
from tinydl.random import Generator
from tinydl.train import History, State


def small(dtype="float64", **sizes):
    sizes = {
        "picture": 6,
        "patch": 2,
        "classes": 3,
        "features": 8,
        "blocks": 2,
        "hidden": 12,
    } | sizes
    return VisionTransformer(heads=2, rng=Generator(4), **sizes).astype(dtype)


def pictures(n=2, size=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, size, size, 3))


def test_a_square_changes_its_own_row_alone():
    """Square (1, 2) of 3 x 3 is row 1 + 3 * 1 + 2 of what the blocks read."""
    model, x = small(), pictures(1)
    other = x.copy()
    other[0, 2:4, 4:6] += 1
    with no_grad():
        before, after = (model._rows(Tensor(a)).numpy()[0] for a in (x, other))
    changed = np.flatnonzero((before != after).any(axis=1))
    assert changed.tolist() == [6]


def test_the_row_of_a_square_is_its_pixels_times_the_weight():
    model, x = small(), pictures(1)
    w, b = model.embedding.weight.numpy(), model.embedding.bias.numpy()
    row = x[0, 2:4, 4:6].reshape(-1) @ w + b + model.positions.weight.numpy()[6]
    assert_close(model._rows(Tensor(x)).numpy()[0, 6], row, 1e-12)


def test_its_cost_is_that_of_its_products():
    """By hand: 64 squares of 48 numbers; per block 65 rows, four D x D and two D x H products, and
    65 x 65 x D for the scores and for the averages; the classifier."""
    D, H, T = 64, 128, 65
    model = VisionTransformer(features=D, blocks=6, hidden=H)
    block = T * (4 * D * D + 2 * D * H) + 2 * T * T * D
    found = summary(model, (32, 32, 3))
    assert found.multiply_adds == 64 * 48 * D + 6 * block + 10 * D
    assert found.multiply_adds < summary(ResNetCifar(20), (32, 32, 3)).multiply_adds / 2


def test_what_does_not_fit_is_one_sentence():
    with pytest.raises(ConfigError, match="patch must divide picture, got 4 and 6"):
        small(patch=4)
    with pytest.raises(ShapeError, match=r"x must be \(N, 6, 6, 3\), got \(1, 8, 8, 3\)"):
        small()(Tensor(pictures(1, 8)))


@pytest.mark.oracle
def test_pytorch_with_its_weights_says_the_same():
    torch = oracle_module("torch")
    model, x = small(), pictures(3)
    layer = torch.nn.TransformerEncoderLayer(
        8, 2, 12, 0.0, activation="gelu", norm_first=True, batch_first=True, dtype=torch.float64
    )
    encoder = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def put(theirs, ours):
        theirs.data = torch.tensor(ours.numpy())

    for theirs, ours in zip(encoder.layers, model.blocks, strict=True):
        parts = [ours.attention.query, ours.attention.key, ours.attention.value]
        rows = [p.weight.numpy().T for p in parts]
        theirs.self_attn.in_proj_weight.data = torch.tensor(np.concatenate(rows))
        biases = [p.bias.numpy() for p in parts]
        theirs.self_attn.in_proj_bias.data = torch.tensor(np.concatenate(biases))
        for linear, own in (
            (theirs.self_attn.out_proj, ours.attention.output),
            (theirs.linear1, ours.feed.first),
            (theirs.linear2, ours.feed.second),
        ):
            put(linear.weight, own.weight.transpose())
            put(linear.bias, own.bias)
        for norm, own in ((theirs.norm1, ours.attention_norm), (theirs.norm2, ours.feed_norm)):
            put(norm.weight, own.scale)
            put(norm.bias, own.shift)
    kernel = torch.tensor(model.embedding.weight.numpy().reshape(2, 2, 3, 8)).permute(3, 2, 0, 1)
    seen = torch.nn.functional.conv2d(
        torch.tensor(x).permute(0, 3, 1, 2), kernel, torch.tensor(model.embedding.bias.numpy()), 2
    )
    rows = seen.flatten(2).transpose(1, 2)
    first = torch.tensor(model.beginning.numpy()).expand(3, 1, 8)
    read = torch.cat([first, rows], 1) + torch.tensor(model.positions.weight.numpy())
    said = torch.nn.functional.layer_norm(
        encoder(read)[:, 0], (8,), torch.tensor(model.norm.scale.numpy()), None
    )
    logits = said @ torch.tensor(model.linear.weight.numpy())
    assert_close(model(Tensor(x)).numpy(), logits.detach().numpy(), 1e-9)


# -- where it looks --------------------------------------------------------------------------------


def test_rollout_is_the_sum_over_all_ways():
    """Three blocks, three places: every way 0 -> a -> b -> k, half of each step staying."""
    rng = np.random.default_rng(1)
    maps = [rng.dirichlet(np.ones(3), (1, 2, 3)) for _ in range(3)]
    step = [(m[0].mean(axis=0) + np.eye(3)) / 2 for m in maps]
    wanted = np.zeros((3, 3))
    for last, b, a, first in itertools.product(range(3), repeat=4):
        wanted[last, first] += step[2][last, b] * step[1][b, a] * step[0][a, first]
    found = attention_rollout(maps)
    assert_close(found[0], wanted, 1e-12)
    assert_close(found.sum(axis=2), np.ones((1, 3)), 1e-12)


@pytest.mark.parametrize(
    "maps, kind, words",
    [
        ([], ConfigError, "a list of arrays, one for each block"),
        ([np.ones((1, 2, 3, 4))], ShapeError, r"map 0 is \(1, 2, 3, 4\)"),
        ([np.ones((1, 2, 3, 3)), np.ones((1, 2, 4, 4))], ShapeError, r"map 1 is \(1, 2, 4, 4\)"),
        ([np.ones((1, 2, 3, 3), int)], DTypeError, "map 0 must hold floats"),
    ],
)
def test_maps_that_are_none(maps, kind, words):
    with pytest.raises(kind, match=words):
        attention_rollout(maps)


def test_maps_are_those_that_the_answer_came_from():
    """Rows sum to 1, and the last block's map times its values is what that block fetched."""
    model, x = small(), Tensor(pictures())
    with no_grad():
        maps = model.attention_maps(x)
        h = model.blocks[0](model._rows(x))
        block = model.blocks[1]
        normed = block.attention_norm(h)
        values = block.attention.value(normed).reshape(2, 10, 2, 4).transpose((0, 2, 1, 3))
        fetched = (maps[1] @ values).transpose((0, 2, 1, 3)).reshape(2, 10, 8)
        assert_close(
            block.attention.output(fetched).numpy(), block.attention(normed).numpy(), 1e-12
        )
    assert [m.shape for m in maps] == [(2, 2, 10, 10)] * 2
    assert_close(maps[0].numpy().sum(axis=3), np.ones((2, 2, 10)), 1e-12)


def test_a_square_is_as_bright_as_what_looked_at_it():
    x, shares = np.ones((1, 4, 4, 3)), np.array([[[0.4, 0.1], [0.0, 0.2]]])
    found = lit(x, shares)
    assert_close(found[0, ::2, ::2, 0], np.array([[1.0, 0.3625], [0.15, 0.575]]), 1e-12)
    assert (found[0, :2, :2] == 1).all() and found.dtype == x.dtype


def test_the_page_is_drawn_after_the_last_epoch(tmp_path):
    pytest.importorskip("matplotlib")
    tinydl.seed(0)
    model, x = small("float32"), np.random.default_rng(0).random((12, 6, 6, 3), np.float32)
    last, rolled = looked_at(model, x[:2])
    assert last.shape == rolled.shape == (2, 3, 3) and (last != rolled).any()
    page = AttentionPage(tmp_path / "attention.png", x)
    nothing = None
    page.on_epoch_done(State(model, nothing, nothing, History(), 1, 2))
    assert not list(tmp_path.iterdir())
    page.on_epoch_done(State(model, nothing, nothing, History(), 2, 2))
    assert (tmp_path / "attention.png").read_bytes().startswith(b"\x89PNG")
