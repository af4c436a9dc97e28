"""Reading and adding rows by integer index. An index outside 0 <= i < size raises
IndexRangeError."""

from __future__ import annotations

import numpy as np

from ...errors import IndexRangeError
from .arrays import Array


def check_range(op: str, indices: np.ndarray, size: int) -> None:
    bad = (indices < 0) | (indices >= size)
    if bad.any():
        raise IndexRangeError(
            f"{op}: index {int(indices[bad][0])} is out of range for {size} rows (0 to {size - 1})"
        )


class Index:
    def gather(self, x: Array, indices: Array) -> Array:
        """Rows of x (V, ...) at int32/int64 `indices` of any shape S: result S + x.shape[1:]."""
        check_range("gather", indices, x.shape[0])
        return np.asarray(x[indices], order="C")

    def scatter_add(self, x: Array, indices: Array, rows: int) -> Array:
        """Adjoint of gather: zeros (rows, ...) to which row x[s] is added at indices[s], in index
        order."""
        check_range("scatter_add", indices, rows)
        y = np.zeros((rows,) + x.shape[indices.ndim :], x.dtype)
        np.add.at(y, indices, x)
        return y

    def one_hot(self, indices: Array, depth: int, dtype: np.dtype) -> Array:
        """1 at [s, indices[s]], 0 elsewhere: shape S + (depth,)."""
        check_range("one_hot", indices, depth)
        return (indices[..., None] == np.arange(depth)).astype(dtype, order="C")
