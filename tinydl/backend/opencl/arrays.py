"""Making ClArrays and moving them; the base of every room of the OpenCL backend."""

from __future__ import annotations

from math import prod
from struct import Struct
from typing import Any

import numpy as np

from ... import instruments
from ...errors import DTypeError
from .array import ClArray, c_strides, packed_layout
from .runtime import TYPES, Runtime

#: How many Python numbers `scalar` remembers as 0-d arrays.
MAX_SCALARS = 256
#: Elements of a row that one work-item of a strided kernel handles on a CPU device.
SPAN = 4096

_PACK = {dtype: Struct(types[2]).pack for dtype, types in TYPES.items()}


class Arrays:
    """Every result is a fresh, C-contiguous ClArray; `runtime` is the device."""

    runtime: Runtime
    _scalars: dict[tuple[bytes, str], ClArray]

    # -- the public part: see backend/reference/arrays.py ---------------------------------------

    def asarray(self, host: np.ndarray) -> ClArray:
        """Queue the upload of a C-contiguous copy; `host` is kept until the copy has been made."""
        host = np.asarray(host)
        y = self.empty(host.shape, host.dtype)
        if y.size:
            self.runtime.upload(y.buffer, np.ascontiguousarray(host))
        return y

    def to_numpy(self, x: ClArray) -> np.ndarray:
        """Wait, and read x back; an index error of an earlier kernel is raised here."""
        host = np.empty(x.shape, x.dtype)
        if x.size:
            self.runtime.download(self._contiguous(x), host)
        return host

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> ClArray:
        dtype = np.dtype(dtype)
        self.runtime.check_dtype(dtype)
        shape = tuple(shape)
        buffer = self.runtime.allocate(prod(shape), dtype, shape)
        return ClArray(buffer, 0, shape, c_strides(shape), dtype)

    def zeros(self, shape: tuple[int, ...], dtype: np.dtype) -> ClArray:
        return self.full(shape, 0, dtype)

    def full(self, shape: tuple[int, ...], value: float, dtype: np.dtype) -> ClArray:
        y = self.empty(shape, dtype)
        self._fill(y, value)
        return y

    def scalar(self, value: float, dtype: np.dtype) -> ClArray:
        """A 0-d array, remembered per value and dtype: a constant in a loop is made once."""
        dtype = np.dtype(dtype)
        key = (self._pack_value(value, dtype), dtype.char)
        found = self._scalars.get(key)
        if found is None:
            if len(self._scalars) >= MAX_SCALARS:
                self._scalars.pop(next(iter(tuple(self._scalars))), None)  # threads share them
            found = self._scalars[key] = self.full((), value, dtype)
        return found

    def copy(self, x: ClArray) -> ClArray:
        y = self.empty(x.shape, x.dtype)
        self._write(y, y.shape, 0, y.strides, x)
        return y

    def copy_into(self, destination: ClArray, source: ClArray) -> None:
        self._write(destination, destination.shape, destination.offset, destination.strides, source)

    def synchronize(self) -> None:
        self.runtime.finish()

    # -- what the other rooms use ---------------------------------------------------------------

    def _pack_value(self, value: Any, dtype: np.dtype) -> bytes:
        self.runtime.check_dtype(dtype)
        return _PACK[dtype](dtype.type(value).item())

    def _fill(self, y: ClArray, value: float) -> None:
        """y[...] = value for a whole fresh array."""
        kernel = self.runtime.kernel("shape", y.dtype, "fill")
        items = -(-y.size // self.runtime.vector_width(y.dtype))
        self.runtime.light(kernel, items, y.buffer, y.size, self._pack_value(value, y.dtype))

    def _contiguous(self, x: ClArray) -> ClArray:
        """x, or a packed copy of it (counted) if its elements are not in C order."""
        if x.contiguous:
            return x
        self.runtime.counters.packs += 1
        return instruments.copied(self.copy, x, self) if instruments.active else self.copy(x)

    def _flat(self, x: ClArray, shape: tuple[int, ...]) -> ClArray:
        """The elements of a contiguous x in another shape."""
        return ClArray(x.buffer, x.offset, shape, c_strides(shape), x.dtype)

    def _write(
        self,
        y: ClArray,
        shape: tuple[int, ...],
        offset: int,
        strides: tuple[int, ...],
        x: ClArray,
    ) -> None:
        """Cells (offset, strides) of y's buffer, of x's shape, get the values of x."""
        kernel = self.runtime.kernel("shape", y.dtype, "copy_strided")
        target = ClArray(y.buffer, offset, shape, strides, y.dtype)
        self._launch_strided(kernel, shape, (x.strides, strides), x, target)

    def _launch_strided(
        self,
        kernel: Any,
        shape: tuple[int, ...],
        all_strides: tuple[tuple[int, ...], ...],
        *arrays: Any,
    ) -> None:
        """Launch a kernel that takes `arrays`, int8 shape, int8 strides of each, items, spans,
        span."""
        if 0 in shape:
            return
        rows, length, layout = packed_layout(shape, *all_strides)
        span, spans = self._spans(length)
        self.runtime.light(kernel, rows * spans, *arrays, *layout, rows * spans, spans, span)

    def _spans(self, length: int) -> tuple[int, int]:
        """(elements per work-item, work-items per row) for rows of `length` elements."""
        span = 1 if self.runtime.is_gpu else SPAN
        return span, -(-length // span)

    def _require_float(self, op: str, x: ClArray) -> None:
        if x.dtype.kind != "f":
            raise DTypeError(f"{op}: needs floating-point numbers on OpenCL, got {x.dtype}")
