"""Diagonals, grids, Kronecker and cross products: against NumPy, views, errors."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")
GRID = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "ours, numpys",
    [
        (lambda x: ops.diagonal(x), np.diagonal),  # of the first two axes, in both
        (lambda x: ops.diagonal(x, -1, 2, 0), lambda x: np.diagonal(x, -1, 2, 0)),
        (lambda x: ops.diagonal(x, 9), lambda x: np.diagonal(x, 9)),
        (lambda x: ops.diagonal(x, -9, 1, 2), lambda x: np.diagonal(x, -9, 1, 2)),
        (lambda x: ops.trace(x, 1, -1, 1), lambda x: np.trace(x, 1, -1, 1)),
        (lambda x: ops.diag(x[0, 0], -2), lambda x: np.diag(x[0, 0], -2)),
        (lambda x: ops.diag(x[0, 0, :0], 2), lambda x: np.diag(x[0, 0, :0], 2)),
        (lambda x: ops.diag(x[0], 1), lambda x: np.diag(x[0], 1)),
        (
            lambda x: ops.meshgrid(x[0, 0], x[0, :, 0], indexing="xy")[0],
            lambda x: np.meshgrid(x[0, 0], x[0, :, 0])[0],
        ),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
def test_as_numpy(ours, numpys, dtype):
    x = GRID.astype(dtype)
    if dtype == "bool" and np.asarray(numpys(x)).dtype != np.bool_:
        pytest.skip("a sum of bools")
    got, want = ours(Tensor(x)).numpy(), numpys(x)
    assert got.dtype == want.dtype and np.array_equal(got, want)


@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8"])
def test_products_as_numpy(dtype):
    a, b = GRID[0].astype(dtype), GRID[:, 0, :3].astype(dtype)
    for left, right in ((a, b), (b, GRID.astype(dtype)), (a[0], b)):
        got, want = ops.kron(Tensor(left), Tensor(right)).numpy(), np.kron(left, right)
        assert got.dtype == want.dtype and np.array_equal(got, want)
    if dtype != "uint8":  # differences
        got, want = ops.cross(Tensor(b), Tensor(b[0] + 2)).numpy(), np.cross(b, b[0] + 2)
        assert got.dtype == want.dtype and np.array_equal(got, want)


def test_views_share_storage():
    x = Tensor(GRID)
    for view in (ops.diagonal(x), ops.diagonal(x, 1, 1, 2), ops.diag(x[0])):
        assert np.shares_memory(view.data, x.data)
    for grid in ops.meshgrid(x[0, 0], x[0, :, 0], indexing="ij"):
        assert np.shares_memory(grid.data, x.data)


def test_a_matrix_off_the_diagonal_is_zero_whatever_is_on_it():
    assert ops.diag(Tensor([np.nan, np.inf])).tolist()[1] == [0, np.inf]


def test_a_grid_says_which_way_it_runs():
    x = Tensor(GRID[0, 0])
    with pytest.raises(ConfigError, match=r'NumPy.*indexing="xy".*PyTorch.*indexing="ij"'):
        ops.meshgrid(x, x)


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x: ops.diagonal(x[0, 0]), ShapeError, "diagonal: needs at least two axes"),
        (lambda x: ops.diagonal(x, 0, 1, -2), ShapeError, "axis1 and axis2 are both axis 1"),
        (lambda x: ops.diagonal(x, 0, 3), ShapeError, "diagonal: axis 3 is out of range"),
        (lambda x: ops.diagonal(x, 0.5), ShapeError, "offset must be an integer, got 0.5"),
        (lambda x: ops.trace(x[0, 0]), ShapeError, "trace: needs at least two axes"),
        (lambda x: ops.diag(x), ShapeError, r"needs a vector or a matrix, got \(2, 3, 4\)"),
        (lambda x: ops.diag(x[0, 0], 2**40), ShapeError, "diag: .* larger than any memory"),
        (lambda x: ops.meshgrid(x[0], indexing="ij"), ShapeError, "number 0 must be a vector"),
        (lambda x: ops.meshgrid(x[0, 0], indexing="yx"), ConfigError, "must be 'ij' or 'xy'"),
        (lambda x: ops.meshgrid(x[0, 0], order="ij"), ConfigError, "no argument 'order'"),
        (lambda x: ops.meshgrid(indexing="ij"), ShapeError, "at least one tensor"),
        (lambda x: ops.kron(x, x > 0), DTypeError, "operands are float64"),
        (lambda x: ops.kron(x > 0, x > 0), DTypeError, "no meaning for a bool tensor"),
        (lambda x: ops.cross(x, x), ShapeError, r"3 components along axis 2, got \(2, 3, 4\)"),
        (lambda x: ops.cross(x[:, :, 0], x[:, :1, 0]), ShapeError, "3 components along axis 1"),
        (lambda x: ops.cross(x.sum(), x.sum()), ShapeError, "got numbers"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(Tensor(GRID))
