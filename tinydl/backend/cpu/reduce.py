"""Reductions of float32 and float64: csrc/reduce.c. Other types, and max or min of nothing:
NumPy."""

from __future__ import annotations

import numpy as np

from ..reference.arrays import Array
from ..reference.reduce import Reduce as Reference
from . import _reduce as compiled
from .shape import contiguous

FLOATS = frozenset((np.dtype(np.float32), np.dtype(np.float64)))


class Reduce(Reference):
    def sum(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        if x.dtype not in FLOATS:
            return Reference.sum(self, x, axes, keepdims)
        return compiled.sum(x, axes, keepdims)

    def max(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        # NumPy raises its own error where there is nothing to choose from.
        if x.dtype not in FLOATS or x.size == 0:
            return Reference.max(self, x, axes, keepdims)
        return compiled.max(x, axes, keepdims)

    def min(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        if x.dtype not in FLOATS or x.size == 0:
            return Reference.min(self, x, axes, keepdims)
        return compiled.min(x, axes, keepdims)

    def argmax(self, x: Array, axis: int, keepdims: bool) -> Array:
        if x.dtype not in FLOATS or x.size == 0:
            return Reference.argmax(self, x, axis, keepdims)
        return compiled.argmax(x, axis, keepdims)

    def argmin(self, x: Array, axis: int, keepdims: bool) -> Array:
        if x.dtype not in FLOATS or x.size == 0:
            return Reference.argmin(self, x, axis, keepdims)
        return compiled.argmin(x, axis, keepdims)

    def cumsum(self, x: Array, axis: int, reverse: bool) -> Array:
        if x.dtype not in FLOATS:
            return Reference.cumsum(self, x, axis, reverse)
        y = np.empty(x.shape, x.dtype)
        compiled.cumsum(contiguous(x), y, axis, reverse)
        return y
