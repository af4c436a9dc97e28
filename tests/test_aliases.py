"""Second names mean what the first ones mean; creation takes sizes as the field types them, and
everything else by keyword."""

import inspect
from pathlib import Path

import numpy as np
import pytest

import tinydl as td
from tinydl import nn
from tinydl.errors import ConfigError, DTypeError, ShapeError

ROOT = Path(__file__).resolve().parents[1]
X = np.linspace(-2, 2, 24).reshape(2, 3, 4)


def drawn(make):
    td.seed(5)
    return make()


#: Second name: (its call, the first name's call), of a tensor x.
ALIASES = {
    "td.cat": (lambda x: td.cat([x, x], 1), lambda x: td.concat([x, x], 1)),
    "td.unsqueeze": (lambda x: td.unsqueeze(x, 1), lambda x: td.expand_dims(x, 1)),
    "td.clamp": (lambda x: td.clamp(x, min=-1.0, max=1.0), lambda x: td.clip(x, -1.0, 1.0)),
    "td.rand": (
        lambda x: drawn(lambda: td.rand(2, 3, dtype="float64")),
        lambda x: drawn(lambda: td.uniform((2, 3), dtype="float64")),
    ),
    "td.randn": (
        lambda x: drawn(lambda: td.randn(2, 3)),
        lambda x: drawn(lambda: td.normal((2, 3))),
    ),
    "td.manual_seed": (
        lambda x: (td.manual_seed(7), td.uniform(3))[1],
        lambda x: (td.seed(7), td.uniform(3))[1],
    ),
    "nn.SiLU": (lambda x: nn.SiLU()(x), lambda x: nn.Swish()(x)),
    "Tensor.view": (lambda x: x.view(6, -1), lambda x: x.reshape(6, -1)),
    "Tensor.permute": (lambda x: x.permute(2, 0, 1), lambda x: x.transpose((2, 0, 1))),
    "Tensor.unsqueeze": (lambda x: x.unsqueeze(0), lambda x: x.expand_dims(0)),
    "Tensor.clamp": (lambda x: x.clamp(max=1.0), lambda x: x.clip(high=1.0)),
    "Tensor.clone": (lambda x: x.clone(), lambda x: x.copy()),
    "Tensor.pow": (lambda x: x.pow(2), lambda x: x**2),
    "Tensor.numel": (lambda x: td.tensor(x.numel()), lambda x: td.tensor(x.size)),
}


def of(name):
    owner, _, last = name.partition(".")
    return getattr({"td": td, "nn": nn, "Tensor": td.Tensor}[owner], last)


@pytest.mark.parametrize("name", ALIASES)
def test_a_second_name_means_the_first(name):
    second, first = ALIASES[name]
    a, b = td.tensor(X, requires_grad=True), td.tensor(X, requires_grad=True)
    y, want = second(a), first(b)
    assert y.dtype == want.dtype and np.array_equal(y.numpy(), want.numpy())
    if want.requires_grad:
        y.sum().backward()
        want.sum().backward()
        assert np.array_equal(a.grad.numpy(), b.grad.numpy())


@pytest.mark.parametrize("name", ALIASES)
def test_a_second_name_has_a_signature_and_one_line(name):
    there = of(name)
    if inspect.isfunction(there):
        parameters = inspect.signature(there).parameters.values()
        assert all(p.kind != p.VAR_KEYWORD or p.annotation == "Never" for p in parameters)
        assert "\n" not in inspect.getdoc(there)
    assert "`" in inspect.getdoc(there)


def test_the_list_of_second_names_is_closed():
    """docs/conventions.md has one row per name, and no first name has two."""
    text = (ROOT / "docs" / "conventions.md").read_text()
    rows = text.partition("## Second names\n")[2].partition("\n## ")[0].splitlines()
    cells = [[c.strip() for c in r.strip("|").split("|")] for r in rows if r.startswith("| `")]
    assert [c[0].strip("`") for c in cells] == list(ALIASES)
    firsts = [(c[0].strip("`").partition(".")[0], c[1]) for c in cells]
    assert len(firsts) == len(set(firsts))


# -- creation --------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [td.zeros, td.ones, td.rand, td.randn], ids=lambda f: f.__name__)
def test_sizes_are_separate_or_one_tuple(make):
    for given in ((2, 3), ((2, 3),), ([2, 3],), (np.int64(2), 3)):
        assert make(*given).shape == (2, 3)
    assert make(4).shape == (4,) and make(()).shape == ()
    x = make(2, 3, dtype="float64", backend="numpy", requires_grad=True)
    assert x.dtype == np.float64 and x.backend.name == "numpy" and x.requires_grad
    with pytest.raises(ShapeError, match=r"needs sizes: .*\(2, 3\)"):
        make()


#: What is typed: what the message says to type.
BY_KEYWORD = {
    "td.zeros((2, 3), 'float64')": "zeros((2, 3), dtype='float64')",
    "td.zeros(2, 3, 'float64')": "zeros((2, 3), dtype='float64')",
    "td.ones((2, 3), np.int64)": "ones((2, 3), dtype='int64')",
    "td.full((2,), 1.0, 'float64')": "full((2,), 1.0, dtype='float64')",
    "td.full(2, 3, 1.0)": "full((2, 3), 1.0)",
    "td.arange(0, 10, 2, 'float32')": "arange(0, 10, 2, dtype='float32')",
    "td.bernoulli((2,), 0.5, rng)": "bernoulli((2,), 0.5, rng=rng)",
    "td.normal((2, 3), 0.0, 0.02)": "normal((2, 3), mean=0.0, std=0.02)",
    "td.normal(0.0, 0.02, (2, 3))": "normal((2, 3), mean=0.0, std=0.02)",
    "td.normal(0, 1)": "normal((), mean=0, std=1)",
    "td.normal(2, 3, 4)": "normal((2, 3, 4))",
    "td.uniform(2, 3)": "uniform((2, 3))",
    "td.uniform((3,), -1, 1)": "uniform((3,), low=-1, high=1)",
    "td.tensor([1.0], 'float64')": "dtype='float64'",
    "td.tensor([1.0], 'cpu')": "backend='cpu'",
    "td.tensor([1.0], True)": "requires_grad=True",
    "nn.Parameter([1.0], 'float64')": "Parameter(data, dtype='float64')",
    "rng.normal(0, 1)": "normal((), mean=0, std=1)",
    "rng.normal(0.0, 1.0, (2, 3))": "normal((2, 3), mean=0.0, std=1.0)",
    "rng.uniform(5, 0.0, 1.0)": "uniform(5, low=0.0, high=1.0)",
}


@pytest.mark.parametrize("text", BY_KEYWORD)
def test_what_is_no_size_is_given_by_keyword(text):
    names = {"td": td, "nn": nn, "np": np, "rng": td.Generator(0)}
    with pytest.raises(ConfigError) as caught:
        eval(text, names)
    said = BY_KEYWORD[text]
    assert said in str(caught.value)
    if "(" in said:  # it can be typed
        owner = "nn" if "Parameter" in said else "rng" if text.startswith("rng") else "td"
        eval(f"{owner}.{said}", names | {"data": [1.0]})


def test_zeros_and_ones_like():
    x = td.tensor(X, backend="numpy", requires_grad=True)
    for make, value in ((td.zeros_like, 0), (td.ones_like, 1)):
        y = make(x)
        assert y.shape == x.shape and y.dtype == x.dtype and y.backend is x.backend
        assert (y.numpy() == value).all() and not y.requires_grad
        assert make(x, dtype="int64").dtype == np.int64
        assert make(x, backend="cpu", requires_grad=True).requires_grad
        with pytest.raises(DTypeError, match=f"{make.__name__}: x must be a tensor"):
            make(X)


def test_eye_and_linspace():
    assert np.array_equal(td.eye(3).numpy(), np.eye(3, dtype=np.float32))
    assert np.array_equal(td.eye(2, 3, dtype="int64").numpy(), np.eye(2, 3, dtype=np.int64))
    for args in ((0, 1, 5), (3.0, -1.0, 4), (2, 2, 3), (1, 2, 1), (1, 2, 0)):
        got = td.linspace(*args, dtype="float64").numpy()
        assert np.array_equal(got, np.linspace(*args))
    assert td.linspace(0, 1, 3).dtype == np.float32
    with pytest.raises(DTypeError, match="linspace: makes float tensors"):
        td.linspace(0, 1, 3, dtype="int64")
    for wrong, error in (((0, float("inf"), 3), ConfigError), ((0, 1, -1), ShapeError)):
        with pytest.raises(error, match="linspace"):
            td.linspace(*wrong)
    with pytest.raises(ShapeError, match="eye: sizes must be >= 0"):
        td.eye(-1)


def test_allclose_answers_in_python():
    x = td.tensor(X, requires_grad=True)
    assert td.allclose(x, X) is True and td.allclose(x, X + 1e-3) is False
    assert td.allclose(x, x * 1.001, rtol=0.01) and td.allclose(X, X + 1e-3, atol=0.01)
    assert td.allclose(x, x, atol=2**64)
    nan = td.tensor([float("nan")])
    assert not td.allclose(nan, nan) and td.allclose(nan, nan, equal_nan=True)
    with pytest.raises(ShapeError, match="allclose: shapes"):
        td.allclose(x, td.zeros(3))
    for wrong in ({"rtol": "a"}, {"atol": None}, {"equal_nan": 2}):
        with pytest.raises(ConfigError, match="allclose"):
            td.allclose(x, x, **wrong)
