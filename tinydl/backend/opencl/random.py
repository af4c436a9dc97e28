"""Counter-based random numbers on OpenCL: the same words as backend/reference/random.py."""

from __future__ import annotations

from math import pi
from struct import Struct

import numpy as np

from ..reference.random import bernoulli_threshold, blocks_needed
from .array import ClArray
from .arrays import Arrays

_BOOL, _FLOAT32 = np.dtype(np.bool_), np.dtype(np.float32)
_pack_ulong = Struct("Q").pack


def _stream(key: int, offset: int) -> tuple[bytes, bytes]:
    """Kernel arguments `ulong key, ulong offset`."""
    return _pack_ulong(key & (2**64 - 1)), _pack_ulong(offset & (2**64 - 1))


class Random(Arrays):
    def _items(self, elements: int, dtype: np.dtype) -> int:
        """Work-items for a draw: each computes one block per vector lane."""
        return -(-blocks_needed(elements, dtype) // self.runtime.vector_width(dtype))

    def uniform(self, key: int, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> ClArray:
        y = self.empty(shape, dtype)
        kernel = self.runtime.kernel("random", y.dtype, "uniform_numbers")
        items = self._items(y.size, y.dtype)
        self.runtime.light(kernel, items, y.buffer, *_stream(key, offset), y.size)
        return y

    def normal(self, key: int, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> ClArray:
        y = self.empty(shape, dtype)
        kernel = self.runtime.kernel("random", y.dtype, "normal_numbers")
        items = self._items(y.size, y.dtype)
        self.runtime.light(kernel, items, y.buffer, *_stream(key, offset), y.size, 2 * pi)
        return y

    def bernoulli(
        self, key: int, offset: int, probability: float, shape: tuple[int, ...]
    ) -> ClArray:
        y = self.empty(shape, _BOOL)
        kernel = self.runtime.kernel("random", _FLOAT32, "bernoulli")
        threshold = bernoulli_threshold(probability)
        items = self._items(y.size, _FLOAT32)
        self.runtime.light(kernel, items, y.buffer, *_stream(key, offset), y.size, threshold)
        return y

    def dropout(self, x: ClArray, key: int, offset: int, rate: float) -> ClArray:
        self._require_float("dropout", x)
        x = self._contiguous(x)
        y = self.empty(x.shape, x.dtype)
        kernel = self.runtime.kernel("random", x.dtype, "dropout")
        sizes = (x.size, bernoulli_threshold(1 - rate), 1 / (1 - rate))
        items = -(-blocks_needed(x.size, _FLOAT32) // self.runtime.vector_width(x.dtype))
        self.runtime.light(kernel, items, x, y.buffer, *_stream(key, offset), *sizes)
        return y
