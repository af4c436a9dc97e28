"""Reductions in plain NumPy. `axes` is a sorted tuple of non-negative axes; () reduces nothing."""

from __future__ import annotations

import numpy as np

from .arrays import Array


class Reduce:
    def sum(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        """Sum over `axes` in x's dtype (int64 for bool); an empty sum is 0."""
        dtype = np.int64 if x.dtype == np.bool_ else x.dtype
        with np.errstate(all="ignore"):
            return np.asarray(np.sum(x, axis=axes, keepdims=keepdims, dtype=dtype), order="C")

    def max(self, x: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
        """Largest value over `axes`, none of them empty; NaN wins."""
        with np.errstate(all="ignore"):
            return np.asarray(np.max(x, axis=axes, keepdims=keepdims), order="C")

    def argmax(self, x: Array, axis: int, keepdims: bool) -> Array:
        """int64 index of the largest value along `axis`; the first one at a tie; the first NaN
        wins."""
        return np.asarray(np.argmax(x, axis=axis, keepdims=keepdims), order="C")
