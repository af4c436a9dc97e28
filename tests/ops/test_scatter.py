"""Writing by index: against NumPy, several at one place, gradients, errors, on every backend."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, IndexRangeError, ShapeError

DTYPES = ["float32", "float64", "int32", "int64", "uint8", "bool"]
rng = np.random.default_rng(3)
X, V = rng.integers(0, 200, (3, 5, 4)), rng.integers(0, 200, (3, 7, 4))
PLACES = rng.integers(0, 5, (3, 7, 4))  # each more than once


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_last_of_several_stays_as_in_numpy(backend, dtype):
    x, v = X.astype(dtype), V.astype(dtype)
    want = x.copy()
    np.put_along_axis(want, PLACES, v, 1)
    t, places = Tensor(x, backend=backend), Tensor(PLACES, backend=backend)
    got = ops.put_along_axis(t, places, Tensor(v, backend=backend), 1)
    assert got.dtype == dtype and np.array_equal(got.numpy(), want)
    assert np.array_equal(t.numpy(), x)  # a new tensor
    number = ops.put_along_axis(t, places[:, :2], False if dtype == "bool" else 0, 1).numpy()
    np.put_along_axis(x, PLACES[:, :2], 0, 1)
    assert np.array_equal(number, x)


@pytest.mark.parametrize(
    "key",
    [1, (slice(None), [0, 2, 2]), ([0, -1, 0], [1, 1, 1]), X > 50, (Ellipsis, -1), (0, None)],
    ids=str,
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_keys_of_every_kind_as_in_numpy(backend, dtype, key):
    x = X.astype(dtype)
    values = rng.integers(0, 200, x[key].shape).astype(dtype)
    t, v = Tensor(x, backend=backend), Tensor(values, backend=backend)
    want = x.copy()
    want[key] = values
    assert np.array_equal(ops.index_put(t, key, v).numpy(), want)
    if dtype != "bool":
        want = x.copy()
        np.add.at(want, key, values)
        assert np.array_equal(ops.index_put(t, key, v, accumulate=True).numpy(), want)


def test_a_mask_and_places_in_tensors(backend):
    x = Tensor(X.astype("float32"), backend=backend)
    assert (ops.index_put(x, x > 50.0, 0.0).numpy() == np.where(X > 50, 0, X)).all()
    rows = Tensor(np.array([2, 0]), backend=backend)
    assert (ops.index_put(x, rows, -1.0).numpy()[[0, 2]] == -1).all()


def test_what_is_overwritten_has_no_gradient_and_nothing_of_nan(backend):
    x = Tensor(np.array([1.0, np.nan, 3.0]), backend=backend, requires_grad=True)
    v = Tensor(np.array([np.nan, 5.0]), backend=backend, requires_grad=True)
    y = ops.index_put(x, [1, 1], v)
    assert y.tolist() == [1, 5, 3]
    (y * y).sum().backward()
    assert x.grad.tolist() == [2, 0, 6] and v.grad.tolist() == [0, 10]


def reduced(name, x, places, values, include_self):
    """Place by place."""
    y = x.copy()
    for at in np.ndindex(x.shape):
        arrived = values[at[0], places[at[0], :, at[2]] == at[1], at[2]].tolist()
        group = arrived + [x[at]] * (include_self or not arrived)
        y[at] = getattr(np, name)(np.array(group, x.dtype))
    return y


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "max", "min"])
@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_several_come_to_one(backend, dtype, reduce, include_self):
    x, v = (np.asarray(a % 5 - 2, dtype) for a in (X, V))
    t, i, values = (Tensor(a, backend=backend) for a in (x, PLACES, v))
    if reduce == "mean" and dtype != "float32":
        with pytest.raises(DTypeError, match="scatter_reduce: needs a float tensor"):
            ops.scatter_reduce(t, i, values, 1, reduce=reduce)
        return
    got = ops.scatter_reduce(t, i, values, 1, reduce=reduce, include_self=include_self)
    want = reduced(reduce, x, PLACES, v, include_self)
    assert got.dtype == dtype
    assert_close(got.numpy(), want, 1e-6)


def test_the_first_of_the_largest_takes_the_gradient_and_nan_wins(backend):
    x = Tensor(np.array([2.0, 1.0, 7.0]), backend=backend, requires_grad=True)
    v = Tensor(np.array([2.0, 3.0, 3.0, np.nan]), backend=backend, requires_grad=True)
    places = Tensor(np.array([0, 1, 1, 1]), backend=backend)
    y = ops.scatter_reduce(x, places[:3], v[:3], reduce="max")
    assert y.tolist() == [2, 3, 7]
    y.sum().backward()
    assert x.grad.tolist() == [1, 0, 1] and v.grad.tolist() == [0, 1, 0, 0]
    for reduce in ("max", "min"):
        found = ops.scatter_reduce(x, places, v, reduce=reduce, include_self=False).tolist()
        assert np.isnan(found[1]) and [found[0], found[2]] == [2, 7]


def test_products_with_zeros_have_their_gradients(backend):
    x = Tensor(np.array([1.0, 4.0]), backend=backend, requires_grad=True)
    v = Tensor(np.array([0.0, 3.0, 2.0, 0.0]), backend=backend, requires_grad=True)
    places = Tensor(np.array([0, 0, 0, 1]), backend=backend)
    ops.scatter_reduce(x, places, v, reduce="prod").sum().backward()
    assert v.grad.tolist() == [6, 0, 0, 4] and x.grad.tolist() == [0, 0]


ROW, TWO = np.arange(4.0), np.array([0, 1])


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x, i: ops.put_along_axis(x, i + 3, 0.0), IndexRangeError, "index 4 is out"),
        (lambda x, i: ops.put_along_axis(x, i - 1, 0.0), IndexRangeError, "index -1 is out of"),
        (lambda x, i: ops.put_along_axis(x, i, x), ShapeError, r"\(4,\) .* \(2,\)"),
        (lambda x, i: ops.put_along_axis(x, i[None], 1.0), ShapeError, "must have the shape of x"),
        (lambda x, i: ops.put_along_axis(x, x, 1.0), DTypeError, "indices must be int32 or int64"),
        (lambda x, i: ops.put_along_axis(x, i, i), DTypeError, "x is float64, values int64"),
        (lambda x, i: ops.index_put(x, i, "a"), DTypeError, "expects tensors, or numbers"),
        (lambda x, i: ops.index_put(x, 4, 1.0), IndexRangeError, "index 4 is out of range"),
        (lambda x, i: ops.index_put(x > 0, 0, True, accumulate=True), DTypeError, "bool tensor"),
        (lambda x, i: ops.index_put(x, 0, 1.0, accumulate=2), ConfigError, "accumulate must be"),
        (lambda x, i: ops.scatter_reduce(x, i, 1.0, reduce="amax"), ConfigError, "'max' here"),
        (lambda x, i: ops.scatter_reduce(x, i, 1.0, reduce="any"), ConfigError, "must be one of"),
        (lambda x, i: ops.scatter_reduce(x, i + 3, 1.0, reduce="max"), IndexRangeError, "index 4"),
        (lambda x, i: ops.scatter_reduce(x, i + 3, 1.0, reduce="sum"), IndexRangeError, "index 4"),
        (lambda x, i: ops.scatter_reduce(x, i + 3, 1.0, reduce="prod"), IndexRangeError, "index 4"),
        (lambda x, i: ops.scatter_reduce(x > 0, i, True, reduce="max"), DTypeError, "bool tensor"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("on_numpy")
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(Tensor(ROW), Tensor(TWO))


@pytest.mark.usefixtures("on_numpy")
def test_nothing_to_write():
    x, none = Tensor(np.ones((2, 0))), Tensor(np.zeros((2, 0), int))
    assert ops.put_along_axis(x, none, 1.0, 1).shape == (2, 0)
    for reduce in ("sum", "prod", "mean", "max"):
        assert ops.scatter_reduce(Tensor(ROW), none[0], 1.0, reduce=reduce).tolist() == ROW.tolist()
