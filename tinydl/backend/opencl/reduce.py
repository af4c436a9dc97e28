"""Reductions on OpenCL. Contract: backend/reference/reduce.py. Neighbouring axes are reduced in one
launch."""

from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np

from ...geometry import reduced_shape
from ..reference.reduce import Reduce as Reference
from ..reference.reduce import sum_dtype
from .array import ClArray, Shape, merge_axes
from .arrays import Arrays

_INT64 = np.dtype(np.int64)
#: Chunks of the reduced axis, where few rows would not occupy the device: shape-dependent only.
MAX_CHUNKS = 64
ENOUGH_ITEMS = {"cpu": 64, "gpu": 16384}
CHUNK = {"cpu": 1024, "gpu": 64}
#: Floats that one running sum takes in; LONGEST_ROW of a row, which has 4 vectors of them.
LONGEST, LONGEST_ROW = 2048, 8192


class Reduce(Arrays):
    def sum(self, x: ClArray, axes: tuple[int, ...], keepdims: bool) -> ClArray:
        return self._reduce("sum", self._summable(x), axes, keepdims)

    def max(self, x: ClArray, axes: tuple[int, ...], keepdims: bool) -> ClArray:
        return self._reduce("max", x, axes, keepdims)

    def min(self, x: ClArray, axes: tuple[int, ...], keepdims: bool) -> ClArray:
        return self._reduce("min", x, axes, keepdims)

    def argmax(self, x: ClArray, axis: int, keepdims: bool) -> ClArray:
        return self._arg_reduce("argmax", x, axis, keepdims)

    def argmin(self, x: ClArray, axis: int, keepdims: bool) -> ClArray:
        return self._arg_reduce("argmin", x, axis, keepdims)

    def cumsum(self, x: ClArray, axis: int, reverse: bool) -> ClArray:
        x = self._contiguous(self._summable(x))
        (A, R, B), _ = _three_axes(x.shape, x.strides, axis, axis + 1)
        y = self.empty(x.shape, x.dtype)
        kernel = self.runtime.kernel("reduce", x.dtype, "cumsum")
        if y.size:
            self.runtime.light(kernel, A * B, x, y.buffer, A * B, R, B, int(reverse))
        return y

    def argsort(self, x: ClArray, axis: int, descending: bool) -> ClArray:
        return self.asarray(Reference().argsort(self.to_numpy(x), axis, descending))

    def _arg_reduce(self, op: str, x: ClArray, axis: int, keepdims: bool) -> ClArray:
        axis %= max(x.ndim, 1)
        if x.ndim == 0:
            return self.full((), 0, _INT64)
        (A, R, B), _ = _three_axes(x.shape, x.strides, axis, axis + 1)
        x = self._contiguous(x)
        y = self.empty(reduced_shape(x.shape, (axis,), keepdims), _INT64)
        kernel = self.runtime.kernel("reduce", x.dtype, op)
        self.runtime.light(kernel, A * B, x, y.buffer, A * B, R, B, R * B, B, 1)
        return y

    def _summable(self, x: ClArray) -> ClArray:
        """x in the type of its sums."""
        if sum_dtype(x.dtype) == x.dtype:
            return x
        y = self.empty(x.shape, _INT64)
        kernel = self.runtime.kernel("elementwise", x.dtype, "to_int64")
        self._launch_strided(kernel, x.shape, (x.strides,), x, y.buffer)
        return y

    def _reduce(self, op: str, x: ClArray, axes: tuple[int, ...], keepdims: bool) -> ClArray:
        """One launch per run of neighbouring axes, the last run first; sizes become 1 and vanish at
        the end."""
        if not axes:
            return self.copy(x)
        y = x
        for start, stop in reversed(_runs(axes)):
            y = self._reduce_run(op, y, start, stop)
        return self._flat(y, reduced_shape(x.shape, axes, keepdims))

    def _reduce_run(self, op: str, x: ClArray, start: int, stop: int) -> ClArray:
        """Reduce axes start ... stop - 1 of x to size 1."""
        (A, R, B), steps = _three_axes(x.shape, x.strides, start, stop)
        if steps is None:
            x = self._contiguous(x)
            steps = (R * B, B, 1)
        y_shape = x.shape[:start] + (1,) * (stop - start) + x.shape[stop:]
        y = self.empty(y_shape, x.dtype)
        if y.size == 0:
            return y
        kernel_name, per_item = self._kernel_for(op, x.dtype, B, steps)
        tiles = -(-B // per_item)
        chunks = self._chunks(A * tiles, R)
        if op == "sum" and x.dtype.kind == "f":
            longest = LONGEST_ROW if kernel_name == "sum_rows" else LONGEST
            chunks = max(chunks, -(-R // longest))
        length = -(-R // chunks)
        if chunks == 1:
            self._launch_reduce(kernel_name, x, y, (A, 1, R, R, B), steps, tiles)
            return y
        chunks = -(-R // length)  # none of them empty
        partial = self.empty((A, chunks, B), x.dtype)
        self._launch_reduce(kernel_name, x, partial, (A, chunks, length, R, B), steps, tiles)
        if chunks > LONGEST:
            return self._flat(self._reduce_run(op, partial, 1, 2), y_shape)
        steps = (chunks * B, B, 1)
        kernel_name, per_item = self._kernel_for(op, x.dtype, B, steps)
        sizes = (A, 1, chunks, chunks, B)
        self._launch_reduce(kernel_name, partial, y, sizes, steps, -(-B // per_item))
        return y

    def _kernel_for(
        self, op: str, dtype: np.dtype, B: int, steps: tuple[int, int, int]
    ) -> tuple[str, int]:
        """Name of the kernel for these steps, and how many of the B columns one work-item takes."""
        width = self.runtime.vector_width(dtype)
        if B == 1:
            return (f"{op}_rows" if steps[1] == 1 else f"{op}_strided"), 1
        if steps[2] == 1 and width // 2 <= B:
            wide = 4 if 4 * width <= B and not self.runtime.is_gpu else 1
            return f"{op}_columns{wide}", wide * width
        return f"{op}_strided", 1

    def _chunks(self, items: int, R: int) -> int:
        kind = self.runtime.kind
        if items >= ENOUGH_ITEMS[kind]:
            return 1
        return max(1, min(MAX_CHUNKS, R // CHUNK[kind]))

    def _launch_reduce(
        self,
        name: str,
        x: ClArray,
        y: ClArray,
        sizes: tuple[int, int, int, int, int],
        steps: tuple[int, int, int],
        tiles: int,
    ) -> None:
        A, chunks, length, R, B = sizes
        runtime = self.runtime
        kernel = runtime.kernel("reduce", x.dtype, name)
        items = A * chunks * tiles
        arguments = [x, y.buffer, items, chunks, length, R]
        if name.endswith("rows"):
            arguments += [steps[0]]
        elif name.endswith("strided"):
            arguments += [B, *steps]
        else:
            arguments += [B, *steps[:2]]
        # Work-groups of 64 short rows, or of one item when each has much to do.
        if items >= 4096 or runtime.is_gpu:
            runtime.light(kernel, items, *arguments)
        else:
            runtime.heavy(kernel, items, 1, 1, *arguments)


@lru_cache(maxsize=1024)
def _runs(axes: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """(0, 1, 3) -> ((0, 2), (3, 4)): runs of neighbouring axes."""
    runs: list[tuple[int, int]] = []
    for axis in axes:
        if runs and runs[-1][1] == axis:
            runs[-1] = (runs[-1][0], axis + 1)
        else:
            runs.append((axis, axis + 1))
    return tuple(runs)


@lru_cache(maxsize=4096)
def _three_axes(
    shape: Shape, strides: Shape, start: int, stop: int
) -> tuple[tuple[int, int, int], tuple[int, int, int] | None]:
    """Sizes and steps of the axes before, inside and after the run; no steps if one is uneven."""
    sizes, steps = [], []
    for part in (slice(0, start), slice(start, stop), slice(stop, None)):
        _, (merged,) = merge_axes(shape[part], strides[part])
        sizes.append(prod(shape[part]))
        steps.append((merged[0] if merged else 1) if len(merged) < 2 else None)
    three = (sizes[0], sizes[1], sizes[2])
    if None in steps:
        return three, None
    return three, (steps[0], steps[1], steps[2])  # type: ignore[return-value]
