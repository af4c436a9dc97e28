"""Elementwise kernels in plain NumPy: the specification that every other backend is tested against.

Operands have equal shapes and dtypes, or one of them is 0-d; any strides. Results are fresh and
C-contiguous.
IEEE rules hold: log(0) = -inf, 0/0 = nan, and no warning is printed.
"""

from __future__ import annotations

import math

import numpy as np

from .arrays import Array


def _quiet(ufunc: np.ufunc, *operands: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(ufunc(*operands), order="C")


class Elementwise:
    # -- one operand -----------------------------------------------------------------------------

    def negative(self, x: Array) -> Array:
        return np.asarray(np.negative(x), order="C")

    def exp(self, x: Array) -> Array:
        return _quiet(np.exp, x)

    def log(self, x: Array) -> Array:
        return _quiet(np.log, x)

    def sqrt(self, x: Array) -> Array:
        return _quiet(np.sqrt, x)

    def abs(self, x: Array) -> Array:
        return np.asarray(np.abs(x), order="C")

    def sign(self, x: Array) -> Array:
        """-1, 0 or 1; NaN stays NaN."""
        return _quiet(np.sign, x)

    def tanh(self, x: Array) -> Array:
        return np.asarray(np.tanh(x), order="C")

    def sigmoid(self, x: Array) -> Array:
        """1 / (1 + e^-x), below 0 computed as e^x / (1 + e^x): it cannot overflow, and small
        results keep their digits."""
        small, one = np.exp(-np.abs(x)), x.dtype.type(1)
        return np.asarray(np.where(x < 0, small, one) / (one + small), order="C")

    def relu(self, x: Array) -> Array:
        """x where x > 0, else +0, also for -0; NaN stays NaN."""
        return np.asarray(np.where(x <= 0, x.dtype.type(0), x), order="C")

    def log1p(self, x: Array) -> Array:
        """log(1 + x), accurate near 0."""
        return _quiet(np.log1p, x)

    def expm1(self, x: Array) -> Array:
        """e^x - 1, accurate near 0."""
        return _quiet(np.expm1, x)

    def softplus(self, x: Array) -> Array:
        """log(1 + e^x), computed as max(x, 0) + log(1 + e^-|x|), which cannot overflow."""
        with np.errstate(all="ignore"):
            tail = np.log1p(np.exp(-np.abs(x)))
            return np.asarray(np.maximum(x, x.dtype.type(0)) + tail, order="C")

    def sin(self, x: Array) -> Array:
        return _quiet(np.sin, x)

    def cos(self, x: Array) -> Array:
        return _quiet(np.cos, x)

    def erf(self, x: Array) -> Array:
        """2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x. NumPy has none: element by
        element."""
        values = [math.erf(v) for v in np.asarray(x).ravel().tolist()]
        return np.array(values, x.dtype).reshape(x.shape)

    def floor(self, x: Array) -> Array:
        return np.asarray(np.floor(x), order="C")

    def round(self, x: Array) -> Array:
        """The nearest integer; halves go to the even one."""
        return np.asarray(np.rint(x), order="C")

    def logical_not(self, x: Array) -> Array:
        return np.asarray(np.logical_not(x), order="C")

    def astype(self, x: Array, dtype: np.dtype) -> Array:
        with np.errstate(invalid="ignore"):
            return np.asarray(x).astype(dtype, order="C", copy=True)

    # -- two operands ----------------------------------------------------------------------------

    def add(self, a: Array, b: Array) -> Array:
        return _quiet(np.add, a, b)

    def subtract(self, a: Array, b: Array) -> Array:
        return _quiet(np.subtract, a, b)

    def multiply(self, a: Array, b: Array) -> Array:
        return _quiet(np.multiply, a, b)

    def divide(self, a: Array, b: Array) -> Array:
        return _quiet(np.divide, a, b)

    def power(self, a: Array, b: Array) -> Array:
        return _quiet(np.power, a, b)

    def maximum(self, a: Array, b: Array) -> Array:
        """The larger one; NaN if either is NaN. On bool it is "or"."""
        return _quiet(np.maximum, a, b)

    def minimum(self, a: Array, b: Array) -> Array:
        """The smaller one; NaN if either is NaN. On bool it is "and"."""
        return _quiet(np.minimum, a, b)

    def atan2(self, a: Array, b: Array) -> Array:
        """Angle of the point (b, a) with the first axis, -pi ... pi."""
        return _quiet(np.arctan2, a, b)

    def floor_divide(self, a: Array, b: Array) -> Array:
        """The largest integer not above a / b, as in Python; integers: 0 for b = 0."""
        return _quiet(np.floor_divide, a, b)

    def remainder(self, a: Array, b: Array) -> Array:
        """a - floor_divide(a, b) b, of the sign of b, as in Python; integers: 0 for b = 0."""
        return _quiet(np.remainder, a, b)

    def gelu(self, x: Array) -> Array:
        """x Phi(x), Phi the standard normal distribution: x (1 + erf(x / sqrt 2)) / 2."""
        bell = self.erf(np.asarray(x * x.dtype.type(0.5**0.5)))
        with np.errstate(all="ignore"):
            return np.asarray(x.dtype.type(0.5) * x * (bell + 1), order="C")

    # -- derivatives in one pass: grad times the derivative in terms of the output y --------------

    def relu_grad(self, y: Array, grad: Array) -> Array:
        """grad where y > 0, else 0: the derivative at the kink is 0. At NaN grad passes."""
        return np.asarray(np.where(y <= 0, grad.dtype.type(0), grad), order="C")

    def tanh_grad(self, y: Array, grad: Array) -> Array:
        """grad * (1 - y^2)."""
        return _quiet(np.multiply, grad, 1 - y * y)

    def sigmoid_grad(self, y: Array, grad: Array) -> Array:
        """grad * y * (1 - y)."""
        return _quiet(np.multiply, grad, y * (1 - y))

    def gelu_grad(self, x: Array, grad: Array) -> Array:
        """grad * (Phi(x) + x e^(-x^2 / 2) / sqrt(2 pi)), of the input x."""
        half, root = x.dtype.type(0.5), x.dtype.type((2 * np.pi) ** -0.5)
        phi = half * (self.erf(np.asarray(x * x.dtype.type(0.5**0.5))) + 1)
        with np.errstate(all="ignore"):
            slope = phi + x * (root * np.exp(-half * x * x))
            return np.asarray(grad * slope, order="C")

    # -- comparisons: bool results ---------------------------------------------------------------

    def equal(self, a: Array, b: Array) -> Array:
        return _quiet(np.equal, a, b)

    def not_equal(self, a: Array, b: Array) -> Array:
        return _quiet(np.not_equal, a, b)

    def less(self, a: Array, b: Array) -> Array:
        return _quiet(np.less, a, b)

    def less_equal(self, a: Array, b: Array) -> Array:
        return _quiet(np.less_equal, a, b)

    def greater(self, a: Array, b: Array) -> Array:
        return _quiet(np.greater, a, b)

    def greater_equal(self, a: Array, b: Array) -> Array:
        return _quiet(np.greater_equal, a, b)

    def where(self, condition: Array, a: Array, b: Array) -> Array:
        """a where the bool `condition` holds, else b; each of the three may be 0-d."""
        return np.asarray(np.where(condition, a, b), order="C")
