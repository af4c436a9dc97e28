"""Views and shape-changing copies on OpenCL. Contract: backend/reference/shape.py."""

from __future__ import annotations

from .array import ClArray, c_strides, reshaped_strides
from .arrays import Arrays


class Shape(Arrays):
    def reshape(self, x: ClArray, shape: tuple[int, ...]) -> ClArray:
        if x.contiguous:
            return ClArray(x.buffer, x.offset, shape, c_strides(shape), x.dtype)
        strides = reshaped_strides(x.shape, x.strides, shape)
        if strides is None:
            return self._flat(self._contiguous(x), shape)
        return ClArray(x.buffer, x.offset, shape, strides, x.dtype)

    def transpose(self, x: ClArray, axes: tuple[int, ...]) -> ClArray:
        shape = tuple(x.shape[axis] for axis in axes)
        strides = tuple(x.strides[axis] for axis in axes)
        return ClArray(x.buffer, x.offset, shape, strides, x.dtype)

    def broadcast_to(self, x: ClArray, shape: tuple[int, ...]) -> ClArray:
        lead = len(shape) - x.ndim
        strides = (0,) * lead + tuple(
            0 if n == 1 and m != 1 else s
            for n, m, s in zip(x.shape, shape[lead:], x.strides, strict=True)
        )
        return ClArray(x.buffer, x.offset, shape, strides, x.dtype)

    def slice(
        self,
        x: ClArray,
        starts: tuple[int, ...],
        steps: tuple[int, ...],
        counts: tuple[int, ...],
    ) -> ClArray:
        offset = x.offset
        if 0 not in counts:
            offset += sum(start * s for start, s in zip(starts, x.strides, strict=True))
        strides = tuple(step * s for step, s in zip(steps, x.strides, strict=True))
        return ClArray(x.buffer, offset, tuple(counts), strides, x.dtype)

    def pad(
        self,
        x: ClArray,
        starts: tuple[int, ...],
        steps: tuple[int, ...],
        shape: tuple[int, ...],
        value: float,
    ) -> ClArray:
        y = self.full(shape, value, x.dtype)
        if x.size:
            cells = self.slice(y, starts, steps, x.shape)
            self._write(y, x.shape, cells.offset, cells.strides, x)
        return y

    def concat(self, arrays: list[ClArray], axis: int) -> ClArray:
        first = arrays[0]
        axis %= first.ndim
        total = sum(x.shape[axis] for x in arrays)
        y = self.empty(first.shape[:axis] + (total,) + first.shape[axis + 1 :], first.dtype)
        start = 0
        for x in arrays:
            self._write(y, x.shape, start * y.strides[axis], y.strides, x)
            start += x.shape[axis]
        return y
