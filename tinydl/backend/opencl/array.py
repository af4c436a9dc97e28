"""ClArray: a strided window on an OpenCL buffer, and the integer arithmetic of strides. No OpenCL
calls here."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from struct import pack
from typing import Any

import numpy as np

from ...errors import DeviceError, ShapeError

Shape = tuple[int, ...]
#: Kernels describe strided arrays by 8 axes, after neighbouring axes have been merged.
MAX_RANK = 8
#: Indices inside kernels are 32-bit integers.
MAX_ELEMENTS = 2**31 - 1


class ClArray:
    """buffer[offset + sum(index * strides)]; offset and strides count elements, and strides may be
    0 or negative.

    Results of kernels are C-contiguous and start at offset 0; views are never written to.
    """

    __slots__ = ("buffer", "contiguous", "dtype", "offset", "shape", "size", "strides")

    def __init__(
        self, buffer: Any, offset: int, shape: Shape, strides: Shape, dtype: np.dtype
    ) -> None:
        self.buffer = buffer
        self.offset = offset
        self.shape = shape
        self.strides = strides
        self.dtype = dtype
        self.size = prod(shape)
        if self.size > MAX_ELEMENTS:  # a view may have any size: it takes no memory
            raise DeviceError(
                f"opencl: an array of shape {shape} and dtype {dtype} has {self.size} elements; "
                f"indices inside kernels are 32-bit integers and reach {MAX_ELEMENTS}"
            )
        self.contiguous = strides == c_strides(shape) or is_contiguous(shape, strides)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __repr__(self) -> str:
        return f"<ClArray {self.shape} {self.dtype}>"


@lru_cache(maxsize=4096)
def c_strides(shape: Shape) -> Shape:
    """Strides, in elements, of a C-contiguous array: the last axis is next to itself."""
    strides = []
    step = 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


@lru_cache(maxsize=4096)
def is_contiguous(shape: Shape, strides: Shape) -> bool:
    """True if the elements lie in C order without gaps; axes of size 1 may have any stride."""
    if 0 in shape:
        return True
    step = 1
    for n, s in zip(reversed(shape), reversed(strides), strict=True):
        if n != 1 and s != step:
            return False
        step *= n
    return True


@lru_cache(maxsize=4096)
def merge_axes(shape: Shape, *all_strides: Shape) -> tuple[Shape, tuple[Shape, ...]]:
    """The same elements in the same order with fewer axes: neighbours that every array steps
    through evenly merge."""
    sizes: list[int] = []
    steps: list[list[int]] = [[] for _ in all_strides]
    for axis, n in enumerate(shape):
        if n == 1:
            continue
        new = [strides[axis] for strides in all_strides]
        if sizes and all(old[-1] == s * n for old, s in zip(steps, new, strict=True)):
            sizes[-1] *= n
            for old, s in zip(steps, new, strict=True):
                old[-1] = s
        else:
            sizes.append(n)
            for old, s in zip(steps, new, strict=True):
                old.append(s)
    return tuple(sizes), tuple(tuple(s) for s in steps)


@lru_cache(maxsize=4096)
def packed_layout(shape: Shape, *all_strides: Shape) -> tuple[int, int, tuple[bytes, ...]]:
    """(rows, row length, kernel arguments int8 shape, int8 strides, ...) after merging axes."""
    sizes, steps = merge_axes(shape, *all_strides)
    if not sizes:
        sizes, steps = (1,), ((0,),) * len(all_strides)
    missing = MAX_RANK - len(sizes)
    if missing < 0:
        raise ShapeError(
            f"opencl: a strided array of shape {shape} has {len(sizes)} separate axes; "
            f"kernels take {MAX_RANK}"
        )
    arguments = [pack("8i", *((1,) * missing + sizes))]
    arguments += [pack("8i", *((0,) * missing + s)) for s in steps]
    return prod(sizes[:-1]), sizes[-1], tuple(arguments)


@lru_cache(maxsize=4096)
def reshaped_strides(shape: Shape, strides: Shape, new_shape: Shape) -> Shape | None:
    """Strides of a view with `new_shape` and the same elements in C order; None if only a copy can
    do it."""
    if 0 in shape:
        return c_strides(new_shape)
    sizes, (steps,) = merge_axes(shape, strides)
    result: list[int] = []
    axis = 0
    left = 1  # elements of the current merged axis that are not yet split off
    for n in new_shape:
        if n == 1:
            result.append(0)
            continue
        if left == 1:
            left = sizes[axis]
            axis += 1
        if left % n:
            return None
        left //= n
        result.append(steps[axis - 1] * left)
    return tuple(result)


@lru_cache(maxsize=4096)
def row_tile(rows: int, limit: int) -> int:
    """Rows per register tile, at most `limit`: the number that wastes the fewest rows, then the
    largest."""
    if rows <= limit:
        return max(rows, 1)
    return min(range(limit, limit // 2, -1), key=lambda t: (-(-rows // t) * t, -t))
