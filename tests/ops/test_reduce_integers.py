"""Sums and products of integers: in int64 on every backend, whatever the type of the numbers."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor, ops
from tinydl.errors import DTypeError

#: Numbers whose sums and products leave their own type; int64 itself only has to stay exact.
EXTREMES = {
    "bool": np.ones(600, bool),
    "uint8": np.full(600, 255, np.uint8),
    "int32": np.full(600, -(2**31), np.int32),
    "int64": np.full(600, 2**40, np.int64),
}
#: name -> (ours, NumPy's with the sums kept in int64)
REDUCTIONS = {
    "sum": (ops.sum, lambda x: x.sum(dtype=np.int64)),
    "sum of columns": (
        lambda t: ops.sum(ops.reshape(t, (300, 2)), 0),
        lambda x: x.reshape(300, 2).sum(0, dtype=np.int64),
    ),
    "sum over no axis": (lambda t: ops.sum(t, ()), lambda x: x.astype(np.int64)),
    "cumsum": (lambda t: ops.cumsum(t, 0), lambda x: x.cumsum(dtype=np.int64)),
    "cumsum back": (
        lambda t: ops.cumsum(t, 0, reverse=True),
        lambda x: x[::-1].cumsum(dtype=np.int64)[::-1],
    ),
    "prod": (lambda t: ops.prod(t[:2]), lambda x: x[:2].astype(object).prod() % 2**64),
    "trace": (
        lambda t: ops.trace(ops.reshape(t, (20, 30))),
        lambda x: np.trace(x.reshape(20, 30), dtype=np.int64),
    ),
    "einsum": (
        lambda t: ops.einsum("i->", t),
        lambda x: x.sum(dtype=np.int64),
    ),
}


@pytest.mark.parametrize("dtype", EXTREMES)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_integers_are_summed_in_int64(backend, name, dtype):
    ours, numpys = REDUCTIONS[name]
    x = EXTREMES[dtype]
    y = ours(Tensor(x, backend=backend.name))
    assert y.dtype == np.int64
    assert np.array_equal(y.numpy(), np.asarray(numpys(x)).astype(np.int64))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64"])
def test_any_and_all_count_past_the_type(backend, dtype):
    """256 ones of uint8 are no zero."""
    x = Tensor(np.ones(256, dtype), backend=backend.name)
    assert ops.any(x).item() is True and ops.all(x).item() is True
    assert ops.any(x - x if dtype != "bool" else ~x).item() is False


@pytest.mark.parametrize("reduction", [ops.mean, ops.var, ops.std, ops.norm])
@pytest.mark.parametrize("dtype", EXTREMES)
def test_means_of_integers_ask_for_floats(reduction, dtype):
    with pytest.raises(DTypeError, match="astype"):
        reduction(Tensor(EXTREMES[dtype]))


@pytest.mark.parametrize("correction", [0, 1, 2, 3, 10])
@pytest.mark.parametrize("x", [[], [1.5], [1.0, 2.0], [2.0, 2.0, 2.0]])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_variance_without_enough_numbers(backend, x, correction):
    """NumPy's and PyTorch's rule: divided by 0, not by a negative number."""
    x = np.array(x, np.float64)
    t = Tensor(x, backend=backend.name)
    got = ops.var(t, correction=correction).item(), ops.std(t, correction=correction).item()
    want = np.var(x, ddof=correction), np.std(x, ddof=correction)
    assert_close(got, want, 1e-12)
