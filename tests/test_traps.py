"""What another library reads differently: refused with both spellings, or documented.

The refused forms would run and mean something else; their message says what to type for either
meaning. What stays is the closed list "Same text, another meaning" of docs/conventions.md.
"""

import ast
from pathlib import Path

import numpy as np
import pytest
from closeness import assert_close

import tinydl as td
from tinydl import nn
from tinydl.errors import ArgumentsError, ConfigError, ShapeError
from tinydl.train import save_weights

ROOT = Path(__file__).resolve().parents[1]
X = np.arange(24.0).reshape(4, 6)
IMAGES = np.arange(16.0).reshape(1, 4, 4, 1)
#: What is typed: {a spelling that the message gives: what it must compute}.
REFUSED = {
    "td.split(x, 2, 1)": {
        "split(x, sections=2, axis=1)": np.split(X, 2, 1),
        "split(x, sections=(2, 2, 2), axis=1)": np.split(X, 3, 1),
    },
    "td.split(x, 3)": {
        "split(x, sections=3, axis=0)": ShapeError,
        "split(x, sections=(3, 1), axis=0)": [X[:3], X[3:]],
    },
    "td.split(x, [1, 3])": {"split(x, sections=[1, 3], axis=0)": [X[:1], X[1:]]},
    "x.repeat(2, 1)": {
        "repeat(x, repeats=2, axis=1)": np.repeat(X, 2, 1),
        "tile(x, (2, 1))": np.tile(X, (2, 1)),
    },
    "x.repeat((2, 1))": {"tile(x, (2, 1))": np.tile(X, (2, 1))},
    "td.repeat(x, 2)": {
        "repeat(x, repeats=2, axis=None)": np.repeat(X, 2),
        "tile(x, (2,))": np.tile(X, 2),
    },
    "x.cumsum()": {
        "cumsum(x, axis=0)": X.cumsum(0),
        "cumsum(reshape(x, (-1,)), axis=0)": X.cumsum(),
    },
    "td.take(x, [1, 2])": {
        "take(x, indices, axis=0)": X[[1, 2]],
        "take(reshape(x, (-1,)), indices)": X.take([1, 2]),
    },
    "td.batch_norm(x, mean, variance, scale, shift)": {
        "batch_norm(x, scale, shift, mean=mean, variance=variance)": X / np.sqrt(4.001) * 3 + 5
    },
    "x.transpose(0, 1)": {"x.swapaxes(0, 1)": X.T, "x.permute(0, 1)": X, "x.T": X.T},
    "x.transpose(dim0=0, dim1=1)": {"x.swapaxes(0, 1)": X.T},
    "td.transpose(x, 1, 0)": {"x.swapaxes(1, 0)": X.T, "x.permute(1, 0)": X.T},
    "td.resize(images, 2)": {
        "size=(2, 2)": IMAGES[:, 1::2, 1::2],
        "scale_factor=2": IMAGES.repeat(2, 1).repeat(2, 2),
    },
    "nn.BatchNorm(6, momentum=0.1)": {"momentum=0.9": 0.9 + 0.1 * X.mean(0)},
}
OWN = {"td": td, "nn": nn, "split": td.split, "repeat": td.repeat, "tile": td.tile}
OWN |= {"cumsum": td.cumsum, "reshape": td.reshape, "take": td.take, "indices": [1, 2]}
OWN |= {"batch_norm": td.batch_norm, "mean": td.tensor(np.zeros(6))}
OWN |= {
    name: td.tensor(np.full(6, value))
    for name, value in (("variance", 4.0), ("scale", 3.0), ("shift", 5.0))
}


def typed(text):
    return eval(text, OWN | {"x": td.tensor(X), "images": td.tensor(IMAGES)})


def meaning(spelling):
    """What a spelling of the messages computes; arguments alone go to the function they are of."""
    if spelling.startswith(("size=", "scale_factor=")):
        return typed(f"td.resize(images, {spelling})")
    if spelling.startswith("momentum="):
        layer = typed(f"nn.BatchNorm(6, {spelling})").astype("float64")
        layer.running_mean.update(td.ones(6, dtype="float64"))
        layer(td.tensor(X))
        return layer.running_mean
    return typed(spelling)


@pytest.mark.parametrize("text", REFUSED)
def test_a_form_with_two_meanings_is_refused_with_both_spellings(text):
    with pytest.raises(ConfigError) as caught:
        typed(text)
    for spelling, want in REFUSED[text].items():
        assert spelling in str(caught.value)
        if isinstance(want, type):
            with pytest.raises(want):
                meaning(spelling)
            continue
        got = meaning(spelling)
        for g, w in zip(got, want, strict=True):
            assert_close(g.numpy(), w, 1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "td.swapaxes(x, 0, 1, dim=2)", "x.swapaxes(0, 1, dim=2)", "x.swapaxes(dim0=0, dim1=1)",
        "td.expand_dims(x, 0, dim=0)", "td.unsqueeze(x, dim=0)",
        "x.unsqueeze(0, dim=0)", "x.unsqueeze(dim=0)", "x.repeat(dim=1, repeats=2)",
        "td.split(x, dim=1)", "td.take(x, dim=1)",
    ],
)  # fmt: skip
def test_no_keyword_is_swallowed(text):
    with pytest.raises(ArgumentsError, match="axis"):
        typed(text)


def test_every_unknown_keyword_is_looked_at():
    """What ends in `**unknown` says what is wrong with them."""
    for path in (ROOT / "tinydl").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.args.kwarg:
                name = node.args.kwarg.arg
                read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                assert name in read, f"{path.name}: {node.name} swallows **{name}"


@pytest.mark.parametrize("momentum", [0.0, 0.49])
def test_a_momentum_below_one_half(momentum):
    with pytest.raises(ConfigError, match="share of the old value"):
        nn.BatchNorm(6, momentum=momentum)
    assert nn.BatchNorm(6, momentum=0.5).momentum == 0.5


def test_numpys_own_functions_keep_numpys_meaning():
    """np.repeat(t, 2, 1) can only mean one thing."""
    x = td.tensor(X)
    assert np.array_equal(np.repeat(x, 2, 1).numpy(), np.repeat(X, 2, 1))
    assert np.array_equal(np.cumsum(x).numpy(), np.cumsum(X))
    assert np.array_equal(np.transpose(x, (1, 0)).numpy(), X.T)


def test_resize_takes_one_of_size_and_factor():
    images = td.tensor(IMAGES)
    for options in ({}, {"size": (2, 2), "scale_factor": 2}):
        with pytest.raises(ConfigError, match="one of them"):
            td.resize(images, **options)
    assert td.resize(images, scale_factor=(0.5, 1.7)).shape == (1, 2, 6, 1)
    for wrong in (0, -1, float("inf"), (1, 2, 3), "2"):
        with pytest.raises(ConfigError, match="scale_factor must be"):
            td.resize(images, scale_factor=wrong)
    with pytest.raises(ShapeError, match="larger than any memory"):
        td.resize(images, scale_factor=1e308)
    with pytest.raises(ShapeError, match="leaves no pixels"):
        td.resize(images, scale_factor=0.2)


@pytest.mark.parametrize("name", ["w.npz", "w.pt", "w.h5", "w", "w.safetensors.bak"])
def test_weights_are_saved_under_the_name_of_their_format(tmp_path, name):
    with pytest.raises(ConfigError, match=r"safetensors files, got the name .*w.*\.safetensors"):
        save_weights(nn.Linear(2, 2), tmp_path / name)
    assert not list(tmp_path.iterdir())


# -- the closed list -------------------------------------------------------------------------------


def spread_by_n():
    assert_close(td.tensor(X).std().item(), X.std(), 1e-12)
    assert_close(td.tensor(X).var(correction=1).item(), X.var(ddof=1), 1e-12)


def slope_of_gans():
    assert td.leaky_relu(td.tensor([-1.0])).item() == nn.LeakyReLU()(td.tensor([-1.0])).item()
    assert nn.LeakyReLU().slope == 0.2


def values_alone():
    ordered = td.sort(td.tensor([3.0, 1.0]))
    assert isinstance(ordered, td.Tensor) and ordered.tolist() == [1.0, 3.0]
    x = td.tensor([[3.0, 1.0], [0.0, 7.0]])
    assert td.max(x, 1).tolist() == [3.0, 7.0] and x.min(1).tolist() == [1.0, 0.0]
    assert x.argmax(1).tolist() == [0, 1]


def the_rows_of_the_batch():
    layer, x = nn.GRU(3, 4), td.normal((2, 5, 3))
    first, second = layer(x)
    assert np.array_equal(np.stack([first.numpy(), second.numpy()]), layer(x).numpy())
    states, last = layer.run(x)
    assert states.shape == (2, 5, 4) and np.array_equal(last.numpy(), layer(x).numpy())


DOCUMENTED = {
    "`x.var()`, `x.std()`": spread_by_n,
    "`LeakyReLU()`, `leaky_relu(x)`": slope_of_gans,
    "`sort(x)`, `x.max(1)`, `x.min(1)`": values_alone,
    "`out, h = GRU(3, 4)(x)`, LSTM likewise, of a batch of 2": the_rows_of_the_batch,
}


def section(title):
    text = (ROOT / "docs" / "conventions.md").read_text()
    rows = text.partition(f"## {title}\n")[2].partition("\n## ")[0].splitlines()
    return [r.strip("|").split("|")[0].strip() for r in rows if r.startswith("| ")][1:]


def test_the_documented_differences_are_a_closed_list():
    assert section("Same text, another meaning") == list(DOCUMENTED)


@pytest.mark.parametrize("what", DOCUMENTED)
def test_a_documented_difference(what):
    DOCUMENTED[what]()
