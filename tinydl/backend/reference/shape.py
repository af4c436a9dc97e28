"""Views and copies that change only the shape. A view shares memory and is never written to.

`slice` and `pad` are each other's adjoint: `pad` writes x into a constant array at exactly the
cells (starts[i] + k * steps[i]) that `slice` reads.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array


def strided_key(
    starts: tuple[int, ...], steps: tuple[int, ...], counts: tuple[int, ...]
) -> tuple[slice, ...]:
    """Index reading `count` cells from `start` in strides of `step` (negative allowed) on each
    axis."""
    key = []
    for start, step, count in zip(starts, steps, counts, strict=True):
        stop = start + step * count
        key.append(slice(start, stop if stop >= 0 else None, step) if count else slice(0, 0))
    return tuple(key)


class Shape:
    def reshape(self, x: Array, shape: tuple[int, ...]) -> Array:
        """Same elements in C order: a view where strides allow it, else a copy."""
        return x.reshape(shape)

    def transpose(self, x: Array, axes: tuple[int, ...]) -> Array:
        """View whose axis i is x's axis axes[i]."""
        return x.transpose(axes)

    def broadcast_to(self, x: Array, shape: tuple[int, ...]) -> Array:
        """View with stride 0 along the repeated axes: no memory."""
        lead = len(shape) - x.ndim
        if not (x.size and x.flags.c_contiguous):  # the quick way below needs one block of memory
            return np.broadcast_to(x, shape)
        strides = x.strides
        if x.shape != shape[lead:]:
            strides = tuple(
                0 if n == 1 and m != 1 else s
                for n, m, s in zip(x.shape, shape[lead:], strides, strict=True)
            )
        return np.ndarray(shape, x.dtype, x, 0, (0,) * lead + strides)

    def slice(
        self,
        x: Array,
        starts: tuple[int, ...],
        steps: tuple[int, ...],
        counts: tuple[int, ...],
    ) -> Array:
        """View of x at starts[i] + k * steps[i], k < counts[i], for every axis i; steps may be
        negative."""
        return x[(*strided_key(starts, steps, counts), ...)]  # ... keeps a 0-d array an array

    def pad(
        self,
        x: Array,
        starts: tuple[int, ...],
        steps: tuple[int, ...],
        shape: tuple[int, ...],
        value: float,
    ) -> Array:
        """Array of `shape` filled with `value`, x written at starts[i] + k * steps[i]."""
        y = np.full(shape, value, x.dtype)
        y[strided_key(starts, steps, x.shape)] = x
        return y

    def concat(self, arrays: list[Array], axis: int) -> Array:
        """Arrays one after the other along `axis`; they agree in every other size."""
        return np.asarray(np.concatenate(arrays, axis=axis), order="C")
