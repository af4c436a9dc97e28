"""Rearrangements: against NumPy, views, empty parts, errors."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")
GRID = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "ours, numpys",
    [
        (lambda x: ops.stack([x, x], -1), lambda x: np.stack([x, x], -1)),
        (lambda x: ops.split(x, sections=2, axis=2)[1], lambda x: np.split(x, 2, 2)[1]),
        (lambda x: ops.tile(x, (2, 1, 1, 3)), lambda x: np.tile(x, (2, 1, 1, 3))),
        (lambda x: ops.tile(x, 0), lambda x: np.tile(x, 0)),
        (lambda x: ops.repeat(x, repeats=[1, 0, 2], axis=1), lambda x: np.repeat(x, [1, 0, 2], 1)),
        (lambda x: x.repeat(repeats=2), lambda x: x.repeat(2)),
        (lambda x: ops.flip(x), lambda x: np.flip(x)),
        (lambda x: ops.flip(x, (0, -1)), lambda x: np.flip(x, (0, -1))),
        (lambda x: ops.roll(x, 5), lambda x: np.roll(x, 5)),
        (lambda x: ops.roll(x, (-1, 7), (1, 1)), lambda x: np.roll(x, (-1, 7), (1, 1))),
        (lambda x: ops.triu(x, 1), lambda x: np.triu(x, 1)),
        (lambda x: ops.tril(x, -1), lambda x: np.tril(x, -1)),
        (lambda x: ops.take(x, [[0, -1]], 1), lambda x: np.take(x, [[0, -1]], 1)),
        (
            lambda x: ops.pad(x, ((2, 1), (3, 0), (0, 4)), mode="circular"),
            lambda x: np.pad(x, ((2, 1), (3, 0), (0, 4)), "wrap"),
        ),
        (
            lambda x: ops.pad(x, ((1, 1), (2, 0), (0, 3)), mode="reflect"),
            lambda x: np.pad(x, ((1, 1), (2, 0), (0, 3)), "reflect"),
        ),
        (
            lambda x: ops.pad(x, ((1, 3), (5, 0), (0, 3)), mode="replicate"),
            lambda x: np.pad(x, ((1, 3), (5, 0), (0, 3)), "edge"),
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


def test_views_share_storage():
    x = Tensor(GRID)
    for view in (ops.flip(x, 1), *ops.split(x, sections=3, axis=1)):
        assert np.shares_memory(view.data, x.data)


def test_triangles_of_nan_are_zero():
    """A mask, not a product with 0."""
    assert ops.tril(Tensor([[1.0, np.nan], [2.0, 3.0]])).tolist() == [[1, 0], [2, 3]]


def test_blocks_and_their_inverse():
    x = Tensor(np.arange(4.0).reshape(1, 2, 2, 1))
    assert ops.space_to_depth(x, 2).tolist() == [[[[0, 1, 2, 3]]]]
    wide = Tensor(np.random.default_rng(0).normal(size=(2, 6, 4, 3)))
    there_and_back = ops.depth_to_space(ops.space_to_depth(wide, 2), 2)
    assert np.array_equal(there_and_back.numpy(), wide.numpy())


def test_split_by_sizes():
    parts = ops.split(Tensor(GRID), sections=[1, 0, 3], axis=-1)
    assert [p.shape for p in parts] == [(2, 3, 1), (2, 3, 0), (2, 3, 3)]


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x: ops.stack([]), ShapeError, "at least one tensor"),
        (lambda x: ops.stack([x, x[0]]), ShapeError, r"tensor 1 has shape \(3, 4\)"),
        (lambda x: ops.stack([x, x.astype("float32")]), DTypeError, "tensor 1 is float32"),
        (lambda x: ops.split(x, sections=2, axis=1), ShapeError, "2 equal parts of axis 1"),
        (lambda x: ops.split(x, sections=[1, 1], axis=1), ShapeError, "do not add up to axis 1"),
        (lambda x: ops.split(x, sections=[4, -1], axis=1), ShapeError, "do not add up"),
        (lambda x: ops.tile(x, -1), ShapeError, "integers >= 0, got -1"),
        (lambda x: ops.repeat(x, repeats=[1, 2], axis=1), ShapeError, "integer >= 0 or 3 of them"),
        (lambda x: ops.repeat(x, repeats=1.5, axis=1), ShapeError, "got 1.5"),
        (lambda x: ops.roll(x, (1, 2), 0), ShapeError, "2 shifts for 1 axes"),
        (lambda x: ops.roll(x, (1, 2)), ShapeError, "without an axis"),
        (lambda x: ops.flip(x, 3), ShapeError, "flip: axis 3 is out of range"),
        (lambda x: ops.triu(x[0, 0]), ShapeError, "triu: needs at least two axes"),
        (lambda x: ops.space_to_depth(x, 2), ShapeError, r"x must be \(N, H, W, C\)"),
        (lambda x: ops.space_to_depth(x[None], 2), ShapeError, "block 2 does not divide"),
        (lambda x: ops.depth_to_space(x[None], 3), ShapeError, "3.2 does not divide the 4"),
        (lambda x: ops.depth_to_space(x[None], 0), ShapeError, "block must be an integer >= 1"),
        (lambda x: ops.pad(x, ((2, 0),) * 3, mode="reflect"), ShapeError, r"\(2, 0\) for axis 0"),
        (lambda x: ops.pad(x[:0], ((2, 0),) * 3, mode="replicate"), ShapeError, "empty axis 0"),
        (lambda x: ops.pad(x, ((3, 0),) * 3, mode="circular"), ShapeError, "up to the size of the"),
        (lambda x: ops.pad(x, ((0, 0),) * 3, mode="wrap"), ConfigError, "replicate or circular"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(Tensor(GRID))
