"""Elementwise kernels on OpenCL. Contract and formulas: backend/reference/elementwise.py.

The methods are made of the rows of kernels_cl/elementwise.cl, once, as this module is imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from ...errors import KernelBuildError
from ..reference.elementwise import Elementwise as Reference
from .array import ClArray
from .arrays import Arrays
from .runtime import kernel_source

ROWS = "elementwise.cl"
_BOOL = np.dtype(np.bool_)


class Maps(Arrays):
    """How a row is launched, and the operations that are no rows."""

    def _unary(self, name: str, x: ClArray) -> ClArray:
        runtime = self.runtime
        y = self.empty(x.shape, x.dtype)
        if x.contiguous:
            kernel = runtime.kernel("elementwise", x.dtype, f"apply_{name}")
            items = -(-x.size // runtime.vector_width(x.dtype))
            runtime.light(kernel, items, x, y.buffer, x.size)
        else:
            kernel = runtime.kernel("elementwise", x.dtype, f"apply_{name}_strided")
            self._launch_strided(kernel, x.shape, (x.strides,), x, y.buffer)
        return y

    def _binary(self, name: str, a: ClArray, b: ClArray, result: np.dtype | None = None) -> ClArray:
        runtime = self.runtime
        shape = a.shape if a.shape else b.shape
        y = self.empty(shape, result or a.dtype)
        if a.contiguous and b.contiguous:
            kernel = runtime.kernel("elementwise", a.dtype, f"apply_{name}")
            items = -(-y.size // runtime.vector_width(a.dtype))
            steps = (int(a.shape == shape), int(b.shape == shape))
            runtime.light(kernel, items, a, b, y.buffer, y.size, *steps)
        else:
            kernel = runtime.kernel("elementwise", a.dtype, f"apply_{name}_strided")
            strides = (self._spread(a, shape), self._spread(b, shape))
            self._launch_strided(kernel, shape, strides, a, b, y.buffer)
        return y

    @staticmethod
    def _spread(x: ClArray, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Strides with which x is read at `shape`: all 0 for a 0-d operand."""
        return x.strides if x.shape == shape else (0,) * len(shape)

    def _convert(self, name: str, x: ClArray, dtype: np.dtype) -> ClArray:
        y = self.empty(x.shape, dtype)
        kernel = self.runtime.kernel("elementwise", x.dtype, name)
        self._launch_strided(kernel, x.shape, (x.strides,), x, y.buffer)
        return y

    def logical_not(self, x: ClArray) -> ClArray:
        return self._convert("apply_logical_not", x, _BOOL)

    def astype(self, x: ClArray, dtype: np.dtype) -> ClArray:
        dtype = np.dtype(dtype)
        self.runtime.check_dtype(dtype)
        return self._convert(f"to_{dtype.name}", x, dtype)

    def where(self, condition: ClArray, a: ClArray, b: ClArray) -> ClArray:
        shape = max((condition.shape, a.shape, b.shape), key=len)
        y = self.empty(shape, a.dtype)
        kernel = self.runtime.kernel("elementwise", a.dtype, "apply_where")
        strides = tuple(self._spread(x, shape) for x in (condition, a, b))
        self._launch_strided(kernel, shape, strides, condition, a, b, y.buffer)
        return y


def _unary_method(name: str, floats: bool) -> Callable[..., ClArray]:
    @wraps(getattr(Reference, name))
    def method(self: Maps, x: ClArray) -> ClArray:
        if floats:
            self._require_float(name, x)
        return self._unary(name, x)

    return method


def _binary_method(name: str, floats: bool, result: np.dtype | None) -> Callable[..., ClArray]:
    @wraps(getattr(Reference, name))
    def method(self: Maps, a: ClArray, b: ClArray) -> ClArray:
        if floats:
            self._require_float(name, a)
        return self._binary(name, a, b, result)

    return method


def methods_of_rows() -> dict[str, Any]:
    """A method for each UNARY, BINARY and COMPARISON row of kernels_cl/elementwise.cl.

    KernelBuildError for a row whose formula backend/reference/elementwise.py does not have."""
    rows = re.findall(
        r"^(FLOAT_)?(UNARY|BINARY|BINARY_BODY|CAREFUL_BINARY|COMPARISON)\((\w+)",
        kernel_source(ROWS),
        re.MULTILINE,
    )
    methods = {}
    for floats, kind, name in rows:
        if not hasattr(Reference, name):
            raise KernelBuildError(
                f"kernels_cl/{ROWS} has a row {name!r}, for which backend/reference/elementwise.py "
                "has no method: write its formula there"
            )
        if kind == "UNARY":
            methods[name] = _unary_method(name, bool(floats))
        else:
            result = _BOOL if kind == "COMPARISON" else None
            methods[name] = _binary_method(name, bool(floats), result)
    return methods


Elementwise: Any = type("Elementwise", (Maps,), methods_of_rows())
