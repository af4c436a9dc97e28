"""Making arrays and moving them between host and device: the part of a backend that is not a
kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = (
    Any  # np.ndarray on "numpy" and "cpu", ClArray on "opencl": shape, dtype, ndim, size, strides
)


class Arrays:
    """Host arrays are `np.ndarray`; here host and device are the same memory."""

    def asarray(self, host: np.ndarray) -> Array:
        """An array of this backend with the values of `host`; `host` is not written to
        afterwards."""
        return host

    def to_numpy(self, x: Array) -> np.ndarray:
        """The values on the host; the caller must not write to the result."""
        return x

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        return np.empty(shape, dtype)

    def zeros(self, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        return np.zeros(shape, dtype)

    def full(self, shape: tuple[int, ...], value: float, dtype: np.dtype) -> Array:
        return np.full(shape, value, dtype)

    def scalar(self, value: float, dtype: np.dtype) -> Array:
        """A 0-d array: what a Python number becomes beside a tensor."""
        return np.array(value, dtype)

    def copy(self, x: Array) -> Array:
        """A fresh C-contiguous array with the same values."""
        return np.array(x, order="C", copy=True)

    def copy_into(self, destination: Array, source: Array) -> None:
        """destination[...] = source, in place; equal shapes and dtypes."""
        np.copyto(destination, source)

    def synchronize(self) -> None:
        """Wait until every queued kernel has run. Nothing is queued on the host."""
