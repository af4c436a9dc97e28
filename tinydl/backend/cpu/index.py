"""Rows by index: csrc/index.c for float32 and float64 rows with int32 or int64 indices.

Other types, and tables without rows, go to the reference.
"""

from __future__ import annotations

import numpy as np

from ..reference.arrays import Array
from ..reference.index import Index as Reference
from ..reference.index import check_range
from . import _index as compiled
from .reduce import FLOATS
from .shape import contiguous

INTEGERS = frozenset((np.dtype(np.int32), np.dtype(np.int64)))


class Index(Reference):
    def gather(self, x: Array, indices: Array) -> Array:
        if x.dtype not in FLOATS or indices.dtype not in INTEGERS or x.shape[0] == 0:
            return Reference.gather(self, x, indices)
        indices = contiguous(indices)
        y = np.empty(indices.shape + x.shape[1:], x.dtype)
        if compiled.gather(contiguous(x), indices, y) >= 0:
            check_range("gather", indices, x.shape[0])
        return y

    def scatter_add(self, x: Array, indices: Array, rows: int) -> Array:
        if x.dtype not in FLOATS or indices.dtype not in INTEGERS or rows == 0:
            return Reference.scatter_add(self, x, indices, rows)
        indices = contiguous(indices)
        y = np.zeros((rows,) + x.shape[indices.ndim :], x.dtype)
        if compiled.scatter_add(contiguous(x), indices, y) >= 0:
            check_range("scatter_add", indices, rows)
        return y

    def one_hot(self, indices: Array, depth: int, dtype: np.dtype) -> Array:
        if np.dtype(dtype) not in FLOATS or indices.dtype not in INTEGERS:
            return Reference.one_hot(self, indices, depth, dtype)
        indices = contiguous(indices)
        y = np.zeros((*indices.shape, depth), dtype)
        if compiled.one_hot(indices, y, depth) >= 0:
            check_range("one_hot", indices, depth)
        return y
