"""x[i, j], masks, take and take_along_axis: NumPy's rules, repeated indices, range errors."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import DTypeError, IndexRangeError, ShapeError

GRID = np.arange(60.0).reshape(3, 4, 5)
I, J = np.array([[0], [-1]]), np.array([1, 2, 1])


@pytest.mark.parametrize(
    "key",
    [
        (I, J),
        (slice(None), I, J),
        (I, slice(1, 3), J),
        (I, None, J),
        (slice(None), I, None, J),
        (0, slice(None), J),
        (slice(None), 2, J),
        (..., J),
        (I, ..., 0),
        (None, I, slice(None, None, -1)),
        [2, 0],
        ([0, 1], [1, 2]),
        (np.zeros((0,), np.int64), 1),
        GRID > 30,
        (GRID[:, :, 0] > 20, [0, 1, 2, 3, 4, 0, 1]),
        (slice(None), np.array([True, False, True, False])),
    ],
    ids=repr,
)
def test_as_numpy_on_every_backend(backend, key):
    x = Tensor(GRID, backend=backend)
    assert np.array_equal(x[key].numpy(), GRID[key])


def test_tensors_as_indices(backend):
    x = Tensor(GRID, backend=backend)
    i, j = Tensor(np.abs(I), backend=backend), Tensor(J.astype(np.int32), backend=backend)
    assert np.array_equal(x[i, :, j].numpy(), GRID[np.abs(I), :, J])
    assert np.array_equal(x[:, j].numpy(), GRID[:, J])
    assert np.array_equal(x[i, J].numpy(), GRID[np.abs(I), J])
    assert np.array_equal(x[x > 30.0].numpy(), GRID[GRID > 30])
    assert np.array_equal(ops.take(x, j, 2).numpy(), np.take(GRID, J, 2))


def test_repeated_places_add_their_gradients(on_numpy):
    x = Tensor(np.zeros((2, 2)), requires_grad=True)
    x[[0, 0, 1], [1, 1, 0]].sum().backward()
    assert x.grad.tolist() == [[0, 2], [1, 0]]


@pytest.mark.parametrize("bad", [4, -1, 77])
def test_an_index_tensor_out_of_range(backend, bad):
    """It must not read the neighbouring row; the host backends name the axis."""
    x, wrong = Tensor(GRID, backend=backend), np.zeros((3, 1, 5), np.int64)
    wrong[1, 0, 2] = bad
    for call in (
        lambda: ops.take_along_axis(x, Tensor(wrong, backend=backend), 1).numpy(),
        lambda: x[:, Tensor(np.array([0, bad]), backend=backend)].numpy(),
        lambda: x[Tensor([0], backend=backend), Tensor(np.array([bad]), backend=backend)].numpy(),
    ):
        with pytest.raises(IndexRangeError, match="out of range"):
            call()
    x.numpy()  # the error is gone afterwards
    if not backend.name.startswith("opencl"):
        with pytest.raises(
            IndexRangeError, match=f"index {bad} is out of range for axis 1 of size 4"
        ):
            ops.take_along_axis(x, Tensor(wrong, backend=backend), 1)
        with pytest.raises(
            IndexRangeError, match=f"index {bad} is out of range for axis 0 of size 4"
        ):
            ops.scatter_add_along_axis(
                x[:, :1], Tensor(wrong, backend=backend)[:, :1] * 0 + bad, 0, 4
            )


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x: x[[0, 3]], IndexRangeError, "index 3 is out of range for axis 0 of size 3"),
        (lambda x: x[None, 0, [-5]], IndexRangeError, "index -5 is out of range for axis 1"),
        (lambda x: x[[0.5]], DTypeError, "getitem: indices must be integers, got float64"),
        (lambda x: x[[0, 1], [0, 1, 2]], ShapeError, "do not broadcast"),
        (lambda x: x[np.ones((4, 3), bool)], ShapeError, r"mask \(4, 3\) at axis 0 does not fit"),
        (lambda x: x[[0], 0, 0, 0], ShapeError, "4 indices for 3 axes"),
        (lambda x: x["a"], ShapeError, "cannot index with str"),
        (lambda x: ops.take(x, [9], 2), IndexRangeError, "take: index 9 .* axis 2 of size 5"),
        (lambda x: ops.take_along_axis(x, Tensor([0]), 0), ShapeError, "except along axis 0"),
        (lambda x: ops.take_along_axis(x, x, 0), DTypeError, "indices must be int32 or int64"),
        (
            lambda x: ops.scatter_add_along_axis(x, Tensor(np.zeros((2, 4, 5), np.int64)), 0, 3),
            ShapeError, "differ",
        ),
    ],
)  # fmt: skip
def test_errors(on_numpy, call, error, words):
    with pytest.raises(error, match=words):
        call(Tensor(GRID))
