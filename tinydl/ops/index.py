"""Reading rows by index (embedding lookup) and its adjoint. Indices are int32 or int64 and in 0 <=
i < rows."""

from __future__ import annotations

import numpy as np

from ..errors import DTypeError, ShapeError
from ..function import Function


class Gather(Function):
    name = "gather"
    saves = (1,)

    def forward(self, x, indices):
        self.rows = x.shape[0]
        return self.backend.gather(x, indices)

    def backward(self, grad):
        return ScatterAdd(self.rows).apply(grad, self.saved[0]), None


class ScatterAdd(Function):
    name = "scatter_add"
    saves = (1,)

    def __init__(self, rows):
        self.rows = rows

    def forward(self, x, indices):
        return self.backend.scatter_add(x, indices, self.rows)

    def backward(self, grad):
        return Gather().apply(grad, self.saved[0]), None


class OneHot(Function):
    name = "one_hot"
    differentiable = False

    def __init__(self, depth, dtype):
        self.depth, self.target = depth, dtype

    def forward(self, indices):
        return self.backend.one_hot(indices, self.depth, self.target)


def check_indices(op, indices):
    if indices.dtype not in (np.int32, np.int64):
        raise DTypeError(
            f"{op}: indices must be int32 or int64, got {indices.dtype} {indices.shape}"
        )


def gather(x, indices):
    """Rows x[indices]: x (V, ...), indices of any shape S -> S + x.shape[1:].

    Raises IndexRangeError for an index below 0 or not below V (on OpenCL: when a result is next
    read).
    """
    check_indices("gather", indices)
    if x.ndim < 1:
        raise ShapeError("gather: x needs at least one axis")
    return Gather().apply(x, indices)


def embedding(weight, indices):
    """Rows of an embedding table weight (V, D) for integer `indices` of shape S: S + (D,).

    The gradient of a row that occurs several times is the sum over its occurrences, in index order.
    """
    if weight.ndim != 2:
        raise ShapeError(f"embedding: weight must be (V, D), got {weight.shape}")
    return gather(weight, indices)


def scatter_add(x, indices, rows):
    """Zeros (rows, ...) with x[s] added at row indices[s], in index order: the adjoint of
    gather."""
    check_indices("scatter_add", indices)
    if x.shape[: indices.ndim] != indices.shape:
        raise ShapeError(
            f"scatter_add: x {x.shape} must start with the shape of indices {indices.shape}"
        )
    return ScatterAdd(rows).apply(x, indices)


def one_hot(indices, depth, dtype=np.float32):
    """1 at the index, 0 elsewhere: indices S -> S + (depth,)."""
    check_indices("one_hot", indices)
    if depth < 1:
        raise ShapeError(f"one_hot: depth must be >= 1, got {depth}")
    return OneHot(depth, np.dtype(dtype)).apply(indices)
