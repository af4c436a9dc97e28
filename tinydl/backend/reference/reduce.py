"""Reductions, running sums and sorting in plain NumPy. `axes` is a sorted tuple of non-negative
axes; () reduces nothing."""

from __future__ import annotations

import numpy as np

from .arrays import Array


def sum_dtype(dtype: np.dtype) -> np.dtype:
    """What sums of numbers of `dtype` are kept in: itself for floats, else int64, as many small
    numbers make a large one."""
    return dtype if dtype.kind == "f" else np.dtype(np.int64)


class Reduce:
    def sum(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        """Sum over `axes`, of integers and bool in int64; an empty sum is 0."""
        dtype = sum_dtype(x.dtype)
        with np.errstate(all="ignore"):
            return np.asarray(np.sum(x, axis=axes, keepdims=keepdims, dtype=dtype), order="C")

    def max(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        """Largest value over `axes`, none of them empty; NaN wins."""
        with np.errstate(all="ignore"):
            return np.asarray(np.max(x, axis=axes, keepdims=keepdims), order="C")

    def min(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        """Smallest value over `axes`, none of them empty; NaN wins."""
        with np.errstate(all="ignore"):
            return np.asarray(np.min(x, axis=axes, keepdims=keepdims), order="C")

    def argmax(self, x: Array, axis: int, keepdims: bool) -> Array:
        """int64 index of the largest value along `axis`; the first one at a tie; the first NaN
        wins."""
        return np.asarray(np.argmax(x, axis=axis, keepdims=keepdims), order="C")

    def argmin(self, x: Array, axis: int, keepdims: bool) -> Array:
        """int64 index of the smallest value along `axis`; the first one at a tie; the first NaN
        wins."""
        return np.asarray(np.argmin(x, axis=axis, keepdims=keepdims), order="C")

    def cumsum(self, x: Array, axis: int, reverse: bool) -> Array:
        """y_i = sum of x_j over j <= i along `axis` (reverse: j >= i), of integers and bool in
        int64."""
        dtype = sum_dtype(x.dtype)
        with np.errstate(all="ignore"):
            if reverse:
                running = np.flip(np.cumsum(np.flip(x, axis), axis, dtype), axis)
            else:
                running = np.cumsum(x, axis, dtype)
            return np.asarray(running, order="C")

    def argsort(self, x: Array, axis: int, descending: bool) -> Array:
        """int64 order along `axis`: x[order[0]] is smallest (largest if `descending`).

        Equal elements keep their order either way; NaN counts as larger than everything.
        """
        if descending:  # the stable order of the reversed array, read backwards
            order = np.argsort(np.flip(x, axis), axis, kind="stable")
            return np.asarray(x.shape[axis] - 1 - np.flip(order, axis), order="C")
        return np.asarray(np.argsort(x, axis, kind="stable"), order="C")
