"""Gather, scatter-add and one-hot on OpenCL. Contract: backend/reference/index.py.

A kernel cannot raise: it records the first wrong index and writes NaN where it would have had an
effect, and reading any result back raises IndexRangeError. Indices whose result cannot be NaN are
read back and checked before the launch.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ..reference.index import check_range
from .array import ClArray
from .arrays import Arrays

#: Runs of rows that scatter_add hands to different work-items when rows are short.
SCATTER_ITEMS = {"cpu": 8, "gpu": 4096}


class Index(Arrays):
    def gather(self, x: ClArray, indices: ClArray) -> ClArray:
        x, indices = self._contiguous(x), self._contiguous(indices)
        rows, D = x.shape[0], prod(x.shape[1:])
        y = self.empty(indices.shape + x.shape[1:], x.dtype)
        self._check_first("gather", indices, rows, x.dtype)
        kernel = self.runtime.kernel("index", x.dtype, f"gather_{indices.dtype.name}")
        span, spans = self._spans(D)
        items = indices.size * spans
        self._mark_pending(y.size)
        self.runtime.light(
            kernel, items, x, indices, y.buffer, self.runtime.error, rows, D, items, spans, span
        )
        return y

    def scatter_add(self, x: ClArray, indices: ClArray, rows: int) -> ClArray:
        x, indices = self._contiguous(x), self._contiguous(indices)
        row_shape = x.shape[indices.ndim :]
        D = prod(row_shape)
        y = self.zeros((rows,) + row_shape, x.dtype)
        self._check_first("scatter_add", indices, rows, x.dtype)
        kernel = self.runtime.kernel("index", x.dtype, f"scatter_add_{indices.dtype.name}")
        tiles = -(-D // self.runtime.vector_width(x.dtype))
        parts = max(1, min(rows, SCATTER_ITEMS[self.runtime.kind] // max(tiles, 1)))
        self._mark_pending(x.size)
        if x.size:
            sizes = (rows, D, indices.size, parts)
            self.runtime.heavy(
                kernel, tiles, parts, 1, x, indices, y.buffer, self.runtime.error, *sizes
            )
        return y

    def one_hot(self, indices: ClArray, depth: int, dtype: np.dtype) -> ClArray:
        indices = self._contiguous(indices)
        y = self.empty(indices.shape + (depth,), dtype)
        self._check_first("one_hot", indices, depth, y.dtype)
        kernel = self.runtime.kernel("index", y.dtype, f"one_hot_{indices.dtype.name}")
        span, spans = self._spans(depth)
        items = indices.size * spans
        self._mark_pending(y.size)
        self.runtime.light(
            kernel, items, indices, y.buffer, self.runtime.error, depth, items, spans, span
        )
        return y

    def _mark_pending(self, size: int) -> None:
        if size:
            self.runtime.index_check_pending = True

    def _check_first(self, op: str, indices: ClArray, rows: int, dtype: np.dtype) -> None:
        """Raise at once where a kernel has no cell to read instead (without rows every index is
        wrong), or no NaN to write."""
        if (rows == 0 or dtype.kind != "f") and indices.size:
            check_range(op, self.to_numpy(indices), rows)
