"""NumPy's functions on tensors: the same values as on arrays, with the gradient, or an error that
names the tinydl function. Nothing is detached without a word."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Tensor, no_grad
from tinydl.errors import ConfigError, GraphError
from tinydl.numpy_calls import FUNCTIONS, INSTEAD, UFUNCS

pytestmark = pytest.mark.usefixtures("on_numpy")
X = np.array([[0.3, -1.2, 0.7], [2.0, 0.1, -0.4]])
SQUARE = X @ X.T
FLAGS = X > 0


def leaf(values=X):
    return Tensor(np.array(values), requires_grad=True)


#: function: the arguments that stand before and after the tensor, one call or several.
CALLS = {
    np.sum: [(), (0,), {"axis": (0, 1), "keepdims": True}], np.mean: [(), (1,)],
    np.prod: [(), (0,)], np.max: [(), (1,)], np.min: [(), (0,)], np.any: [()], np.all: [(0,)],
    np.argmax: [(), (1,)], np.argmin: [(0,)], np.var: [(), {"ddof": 1}], np.std: [(0,)],
    np.cumsum: [(), (1,)], np.argsort: [()], np.sort: [(), (0,)], np.clip: [(-0.5, 0.5)],
    np.round: [()], np.reshape: [((3, 2),)], np.ravel: [()], np.transpose: [(), ((1, 0),)],
    np.swapaxes: [(0, 1)], np.squeeze: [()], np.expand_dims: [(1,)],
    np.broadcast_to: [((4, 2, 3),)], np.flip: [(), (1,)], np.roll: [(1,), (1, 0)],
    np.tile: [((2, 1),)], np.repeat: [(2,), (2, 1)], np.take: [([0, 2],), ([1, 0], 1)],
    np.diagonal: [(), (1,)], np.trace: [(), (-1, 1, 0)], np.diag: [(), (1,)],
    np.tril: [()], np.triu: [(1,)], np.copy: [()],
    np.linalg.norm: [(), (None, 1), (1, 0)], np.cumprod: [(), (1,)], np.median: [(), (1,)],
    np.quantile: [(0.3,), (0.9, 1)], np.nan_to_num: [()],
}  # fmt: skip
OF_SQUARES = {np.diagonal, np.trace}
OF_SEVERAL = {
    np.concatenate: lambda x: np.concatenate([x, X], 1),
    np.stack: lambda x: np.stack([x, x, X]),
    np.where: lambda x: np.where(FLAGS, x, 0.0),
    np.dot: lambda x: np.dot(SQUARE, x),
    np.kron: lambda x: np.kron(SQUARE, x),
    np.cross: lambda x: np.cross(x, X[::-1].copy()),
    np.meshgrid: lambda x: np.meshgrid(x[0], X[:, 1], X[0])[0],
    np.einsum: lambda x: np.einsum("ij,kj->ik", x, X),
}
NO_GRADIENT = {np.any, np.all, np.argmax, np.argmin, np.argsort, np.round}
BY_POSITION = [(f, number, call) for f, calls in CALLS.items() for number, call in enumerate(calls)]


def check(function, x, has_gradient):
    """function(x) as NumPy computes it, and recorded."""
    t = leaf(x)
    got, want = function(t), function(x)
    assert isinstance(got, Tensor) and got.shape == want.shape
    assert_close(got.numpy(), want, 1e-12)
    assert got.requires_grad == has_gradient
    if has_gradient:
        got.sum().backward()
        assert t.grad is not None


@pytest.mark.parametrize(
    ("f", "number", "call"), BY_POSITION, ids=lambda part: getattr(part, "__name__", str(part))
)
def test_functions(f, number, call):
    x = SQUARE if f in OF_SQUARES else X

    def function(t):
        return f(t, **call) if isinstance(call, dict) else f(t, *call)

    check(function, x, f not in NO_GRADIENT)


@pytest.mark.parametrize("f", OF_SEVERAL, ids=lambda f: f.__name__)
def test_functions_of_several(f):
    check(OF_SEVERAL[f], X, True)


def test_every_function_of_the_table_has_a_row():
    assert set(FUNCTIONS) == set(CALLS) | set(OF_SEVERAL)


LOGICAL = {np.logical_and, np.logical_or, np.logical_xor, np.logical_not}
PIECEWISE = {np.sign, np.rint, np.floor, np.ceil, np.isnan, np.isinf, np.isfinite} | {
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
}  # fmt: skip


@pytest.mark.parametrize("f", UFUNCS, ids=lambda f: f.__name__)
def test_ufuncs(f):
    if f in LOGICAL:
        others = [] if f.nin == 1 else [~FLAGS]
        assert np.array_equal(f(Tensor(FLAGS), *others).numpy(), f(FLAGS, *others))
        return
    positive = np.abs(X)
    if f.nin == 1:
        check(f, positive, f not in PIECEWISE)
        return
    other = np.array([1.5, 0.3, 2.0]) if f is not np.matmul else X.T
    check(lambda x: f(x, other), positive, f not in PIECEWISE)
    if f is not np.matmul:
        check(lambda x: f(other, x), positive, f not in PIECEWISE)
        check(lambda x: f(x, 2.0), positive, f not in PIECEWISE)
        check(lambda x: f(np.float64(2.0), x), positive, f not in PIECEWISE)


DETACHING = {
    "array of a list": lambda t: np.array([t, t]),
    "tensor of a list": lambda t: Tensor([t.sum(), t.sum()]),
    "tensor of nested lists": lambda t: tinydl.tensor([[1.0, t.sum()], [t.sum(), 2.0]]),
    "tensor of a tensor": lambda t: tinydl.tensor(t * 2.0),
    "asarray": np.asarray,
    "float array": lambda t: np.asarray(t, np.float32),
    "assigned into an array": lambda t: np.zeros((4, *X.shape)).__setitem__(0, t),
    "filled": lambda t: np.full(3, t.sum()),
    "mean of a list": lambda t: np.mean([t, t]),
    "stack of a nested list": lambda t: np.stack([[t, t]]),
    "hstack": lambda t: np.hstack([t, t]),
    "svd": np.linalg.svd,
    "percentile": lambda t: np.percentile(t, 30),
    "fft": np.fft.fft,
    "interp": lambda t: np.interp(t, [0.0, 1.0], [0.0, 2.0]),
    "cbrt": np.cbrt,
    "reduce": np.add.reduce,
    "outer": lambda t: np.multiply.outer(t, t),
    "out": lambda t: np.add(t, t, out=np.zeros(X.shape)),
    "in place": lambda t: np.zeros(X.shape).__iadd__(t),
    "sum with out": lambda t: np.sum(t, out=np.zeros(())),
    "where with lists": lambda t: np.where([[True] * 3] * 2, [t, t], 0.0),
    "pad": lambda t: np.pad(t, 1),
    "apply_along_axis": lambda t: np.apply_along_axis(np.sum, 0, t),
}


@pytest.mark.parametrize("name", DETACHING)
def test_what_would_drop_a_gradient_is_an_error(name):
    with pytest.raises((GraphError, ConfigError), match=r"tinydl|t\.numpy\(\)|t\.detach\(\)"):
        DETACHING[name](leaf())


@pytest.mark.parametrize("name", sorted(set(DETACHING) - {"where with lists", "sum with out"}))
def test_values_that_need_no_gradient_are_arrays(name):
    """The same call of a detached tensor, and of any while nothing is recorded."""
    found = [DETACHING[name](Tensor(X))]
    with no_grad():
        found.append(DETACHING[name](leaf()))
    assert all(not isinstance(y, Tensor) or not y.requires_grad for y in found)


def test_an_array_of_a_detached_tensor():
    t = leaf()
    for array in (t.numpy(), np.asarray(t.detach()), np.array(t.detach()), np.array(t.tolist())):
        assert type(array) is np.ndarray and np.array_equal(array, X)
    assert np.asarray(t.detach(), np.float32).dtype == np.float32
    assert np.stack([t.numpy(), t.numpy()]).shape == (2, *X.shape)


def test_questions_without_a_derivative_are_answered():
    t = leaf()
    assert not np.isnan(t).any() and np.shape(t) == (2, 3) and np.ndim(t) == 2
    assert np.allclose(t, X) and np.array_equal(t, X) and np.isfinite(t).all()
    assert np.zeros_like(t).shape == X.shape and np.array2string(t).startswith("[[")


def test_errors_name_the_function():
    with pytest.raises(GraphError, match=r"np\.hstack: .*tinydl\.concat"):
        np.hstack([leaf(), leaf()])
    with pytest.raises(GraphError, match=r"np\.linalg\.svd: .*use t\.numpy\(\)"):
        np.linalg.svd(leaf())
    with pytest.raises(GraphError, match=r"tinydl\.stack"):
        tinydl.tensor([leaf().sum(), leaf().sum()])
    with pytest.raises(ConfigError, match=r"np\.sum: .*dtype"):
        np.sum(leaf(), dtype=np.float32)
    with pytest.raises(ConfigError, match=r"np\.sort: .*kind"):
        np.sort(leaf(), kind="stable")
    for hint in INSTEAD.values():
        assert hasattr(tinydl.ops, hint.split()[0]), hint


def test_operators_with_numpys_numbers_keep_the_graph():
    t = leaf(np.ones(2))
    for number in (np.float64(2.0), np.array(2.0), np.array([2.0, 2.0])):
        for y in (number * t, t * number, number - t, number / t, number**t, number + t):
            assert isinstance(y, Tensor) and y.node is not None and y.shape == (2,)
