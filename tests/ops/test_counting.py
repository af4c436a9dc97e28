"""Where, which and how many: as NumPy, on every backend, and errors."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, GraphError, IndexRangeError, ShapeError

DTYPES = ["float32", "float64", "int32", "int64", "uint8", "bool"]
X = np.random.default_rng(4).integers(0, 3, (4, 5))


def same(tensors, arrays):
    assert len(tensors) == len(arrays)
    for t, a in zip(tensors, arrays, strict=True):
        assert t.dtype == a.dtype and t.shape == a.shape and np.array_equal(t.numpy(), a)


@pytest.mark.parametrize("dtype", DTYPES)
def test_as_numpy(backend, dtype):
    x = X.astype(dtype)
    t = Tensor(x, backend=backend)
    same(ops.nonzero(t, as_tuple=True), np.nonzero(x))
    same([ops.argwhere(t), ops.nonzero(t, as_tuple=False)], [np.argwhere(x)] * 2)
    assert np.array_equal(t[ops.nonzero(t, as_tuple=True)].numpy(), x[np.nonzero(x)])
    same([ops.unique(t)], [np.unique(x)])
    for axis in (None, 0, -1):
        everything = dict.fromkeys(("return_index", "return_inverse", "return_counts"), True)
        same(ops.unique(t, axis=axis, **everything), np.unique(x, axis=axis, **everything))
    same(ops.unique(t, return_counts=True), np.unique(x, return_counts=True))
    ordered = np.sort(x[0])
    for side in ("left", "right"):
        found = ops.searchsorted(Tensor(ordered, backend=backend), t, side)
        same([found], [np.searchsorted(ordered, x, side)])


def test_counts(backend):
    x = Tensor(np.array([1, 3, 1], np.int32), backend=backend)
    weights = Tensor(np.array([0.5, 2.0, 1.0]), backend=backend, requires_grad=True)
    assert ops.bincount(x).tolist() == [0, 2, 0, 1] and ops.bincount(x).dtype == np.int64
    assert ops.bincount(x, minlength=6).tolist() == [0, 2, 0, 1, 0, 0]
    y = ops.bincount(x, weights)
    assert y.tolist() == [0, 1.5, 0, 2]
    (y * y).sum().backward()
    assert weights.grad.tolist() == [3, 4, 3]
    assert ops.bincount(x[:0]).shape == (0,) and ops.bincount(x[:0], weights[:0]).shape == (0,)


def test_a_number_among_others_and_nan():
    ordered = Tensor([0.0, 1.0, 1.0, 2.0])
    assert ops.searchsorted(ordered, 1.0).item() == 1
    assert ops.searchsorted(ordered, 1.0, "right").item() == 3
    assert ops.unique(Tensor([np.nan, 1.0, np.nan])).tolist()[0] == 1
    assert ops.unique(Tensor([np.nan, 1.0, np.nan])).size == 2
    assert ops.argwhere(Tensor([0.0, np.nan, -0.0])).tolist() == [[1]]
    assert ops.argwhere(Tensor(3.0)).shape == (1, 0)


def test_places_say_which_kind_they_are():
    with pytest.raises(ConfigError, match=r"NumPy's .* as_tuple=True\), PyTorch's is .* argwhere"):
        ops.nonzero(Tensor(X))


def test_places_have_no_gradient():
    with pytest.raises(GraphError, match=r"without a derivative .* was unique"):
        (ops.unique(Tensor(np.ones(3), requires_grad=True)) * 2.0).sum().backward()


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x: ops.nonzero(x[0, 0], as_tuple=True), ShapeError, "needs at least one axis"),
        (lambda x: ops.nonzero(x, as_tuple=2), ConfigError, "as_tuple must be"),
        (lambda x: ops.unique(x, return_index=2), ConfigError, "unique: return_index must be"),
        (lambda x: ops.unique(x, axis=2), ShapeError, "unique: axis 2 is out of range"),
        (lambda x: ops.bincount(x), ShapeError, r"x must be \(N,\), got \(4, 5\)"),
        (lambda x: ops.bincount(x[0] - 5), IndexRangeError, "integers must be >= 0, got -5"),
        (lambda x: ops.bincount(x[0] > 0), DTypeError, "indices must be int32 or int64"),
        (lambda x: ops.bincount(x[0] + 2**50), ShapeError, "larger than any memory"),
        (lambda x: ops.bincount(x[0], x[0]), DTypeError, "weights must be floats, got int64"),
        (lambda x: ops.bincount(x[0], x), ShapeError, r"weights must be \(5,\)"),
        (lambda x: ops.bincount(x[0], minlength=-1), ShapeError, "minlength must be"),
        (lambda x: ops.searchsorted(x, x), ShapeError, r"ordered must be \(N,\), got \(4, 5\)"),
        (lambda x: ops.searchsorted(x[0], x, "middle"), ConfigError, "side must be 'left' or"),
        (lambda x: ops.searchsorted(x[0], x > 0), DTypeError, "ordered is int64, values bool"),
    ],
)
def test_errors(call, error, words):
    X0 = np.zeros((4, 5), int)
    with pytest.raises(error, match=words):
        call(Tensor(X0))
