"""Copies are csrc/shape.c, for float32, float64, int32 and int64; views are NumPy's own.

The other types (bool, uint8) are copied by NumPy.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ... import instruments
from ..reference.arrays import Array
from ..reference.shape import Shape as Reference
from ..reference.shape import strided_key
from . import _shape as compiled

COPIED = frozenset(np.dtype(t) for t in (np.float32, np.float64, np.int32, np.int64))


def contiguous(x: Array) -> Array:
    """x itself where it is C-contiguous, else a copy: what kernels without strides are given."""
    if x.flags.c_contiguous:
        return x
    return instruments.copied(_copy, x, None) if instruments.active else _copy(x)


def _copy(x: Array) -> Array:
    y = np.empty(x.shape, x.dtype)
    if x.dtype in COPIED:
        compiled.copy_into(x, y)
    else:
        np.copyto(y, x)
    return y


def aligned(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """An empty C-contiguous array that starts with a cache line, as NumPy's own do not."""
    size, line = prod(shape), 64 // dtype.itemsize
    wider = np.empty(size + line, dtype)
    start = -wider.ctypes.data % 64 // dtype.itemsize
    return wider[start : start + size].reshape(shape)


class Shape(Reference):
    def copy(self, x: Array) -> Array:
        """A fresh C-contiguous array with the same values."""
        if x.dtype not in COPIED:
            return np.array(x, order="C", copy=True)
        y = np.empty(x.shape, x.dtype)
        compiled.copy_into(x, y)
        return y

    def copy_into(self, destination: Array, source: Array) -> None:
        """destination[...] = source, in place; equal shapes and dtypes."""
        if source.dtype != destination.dtype or source.dtype not in COPIED:
            np.copyto(destination, source)
        else:
            compiled.copy_into(source, destination)

    def pad(
        self,
        x: Array,
        starts: tuple[int, ...],
        steps: tuple[int, ...],
        shape: tuple[int, ...],
        value: float,
    ) -> Array:
        if x.dtype not in COPIED or x.ndim == 0:
            return Reference.pad(self, x, starts, steps, shape, value)
        y = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
        compiled.copy_into(x, y[strided_key(starts, steps, x.shape)])
        return y

    def concat(self, arrays: list[Array], axis: int) -> Array:
        first = arrays[0]
        if first.dtype not in COPIED or any(x.dtype != first.dtype for x in arrays):
            return Reference.concat(self, arrays, axis)
        shape = list(first.shape)
        shape[axis] = sum(x.shape[axis] for x in arrays)
        y = np.empty(shape, first.dtype)
        start = 0
        before = (slice(None),) * (axis % first.ndim)
        for x in arrays:
            stop = start + x.shape[axis]
            compiled.copy_into(x, y[(*before, slice(start, stop))])
            start = stop
        return y
