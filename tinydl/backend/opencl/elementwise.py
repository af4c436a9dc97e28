"""Elementwise kernels on OpenCL. Contract and formulas: backend/reference/elementwise.py."""

from __future__ import annotations

import numpy as np

from .array import ClArray
from .arrays import Arrays

_BOOL = np.dtype(np.bool_)


class Elementwise(Arrays):
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
        # Integer powers have no vector version, and PoCL's of 8 doubles is wrong.
        vectors = name != "power" or a.dtype == np.float32
        if vectors and a.contiguous and b.contiguous:
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

    # -- one operand ----------------------------------------------------------------------------

    def negative(self, x: ClArray) -> ClArray:
        return self._unary("negative", x)

    def exp(self, x: ClArray) -> ClArray:
        self._require_float("exp", x)
        return self._unary("exp", x)

    def log(self, x: ClArray) -> ClArray:
        self._require_float("log", x)
        return self._unary("log", x)

    def sqrt(self, x: ClArray) -> ClArray:
        self._require_float("sqrt", x)
        return self._unary("sqrt", x)

    def abs(self, x: ClArray) -> ClArray:
        return self._unary("abs", x)

    def sign(self, x: ClArray) -> ClArray:
        return self._unary("sign", x)

    def tanh(self, x: ClArray) -> ClArray:
        self._require_float("tanh", x)
        return self._unary("tanh", x)

    def sigmoid(self, x: ClArray) -> ClArray:
        self._require_float("sigmoid", x)
        return self._unary("sigmoid", x)

    def relu(self, x: ClArray) -> ClArray:
        return self._unary("relu", x)

    def log1p(self, x: ClArray) -> ClArray:
        self._require_float("log1p", x)
        return self._unary("log1p", x)

    def expm1(self, x: ClArray) -> ClArray:
        self._require_float("expm1", x)
        return self._unary("expm1", x)

    def softplus(self, x: ClArray) -> ClArray:
        self._require_float("softplus", x)
        return self._unary("softplus", x)

    def sin(self, x: ClArray) -> ClArray:
        self._require_float("sin", x)
        return self._unary("sin", x)

    def cos(self, x: ClArray) -> ClArray:
        self._require_float("cos", x)
        return self._unary("cos", x)

    def erf(self, x: ClArray) -> ClArray:
        self._require_float("erf", x)
        return self._unary("erf", x)

    def floor(self, x: ClArray) -> ClArray:
        self._require_float("floor", x)
        return self._unary("floor", x)

    def round(self, x: ClArray) -> ClArray:
        self._require_float("round", x)
        return self._unary("round", x)

    def logical_not(self, x: ClArray) -> ClArray:
        return self._convert("apply_logical_not", x, _BOOL)

    def astype(self, x: ClArray, dtype: np.dtype) -> ClArray:
        dtype = np.dtype(dtype)
        self.runtime.check_dtype(dtype)
        return self._convert(f"to_{dtype.name}", x, dtype)

    # -- two operands ---------------------------------------------------------------------------

    def add(self, a: ClArray, b: ClArray) -> ClArray:
        return self._binary("add", a, b)

    def subtract(self, a: ClArray, b: ClArray) -> ClArray:
        return self._binary("subtract", a, b)

    def multiply(self, a: ClArray, b: ClArray) -> ClArray:
        return self._binary("multiply", a, b)

    def divide(self, a: ClArray, b: ClArray) -> ClArray:
        self._require_float("divide", a)
        return self._binary("divide", a, b)

    def power(self, a: ClArray, b: ClArray) -> ClArray:
        return self._binary("power", a, b)

    def maximum(self, a: ClArray, b: ClArray) -> ClArray:
        return self._binary("maximum", a, b)

    def minimum(self, a: ClArray, b: ClArray) -> ClArray:
        return self._binary("minimum", a, b)

    def atan2(self, a: ClArray, b: ClArray) -> ClArray:
        self._require_float("atan2", a)
        return self._binary("atan2", a, b)

    def relu_grad(self, y: ClArray, grad: ClArray) -> ClArray:
        self._require_float("relu_grad", y)
        return self._binary("relu_grad", y, grad)

    def tanh_grad(self, y: ClArray, grad: ClArray) -> ClArray:
        self._require_float("tanh_grad", y)
        return self._binary("tanh_grad", y, grad)

    def sigmoid_grad(self, y: ClArray, grad: ClArray) -> ClArray:
        self._require_float("sigmoid_grad", y)
        return self._binary("sigmoid_grad", y, grad)

    # -- comparisons: bool results --------------------------------------------------------------

    def equal(self, a: ClArray, b: ClArray) -> ClArray:
        return self._binary("equal", a, b, _BOOL)

    def not_equal(self, a: ClArray, b: ClArray) -> ClArray:
        return self._binary("not_equal", a, b, _BOOL)

    def less(self, a: ClArray, b: ClArray) -> ClArray:
        return self._binary("less", a, b, _BOOL)

    def less_equal(self, a: ClArray, b: ClArray) -> ClArray:
        return self._binary("less_equal", a, b, _BOOL)

    def greater(self, a: ClArray, b: ClArray) -> ClArray:
        return self._binary("greater", a, b, _BOOL)

    def greater_equal(self, a: ClArray, b: ClArray) -> ClArray:
        return self._binary("greater_equal", a, b, _BOOL)

    def where(self, condition: ClArray, a: ClArray, b: ClArray) -> ClArray:
        shape = max((condition.shape, a.shape, b.shape), key=len)
        y = self.empty(shape, a.dtype)
        kernel = self.runtime.kernel("elementwise", a.dtype, "apply_where")
        strides = tuple(self._spread(x, shape) for x in (condition, a, b))
        self._launch_strided(kernel, shape, strides, condition, a, b, y.buffer)
        return y
