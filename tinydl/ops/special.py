"""More elementwise operations: trigonometry, erf, rounding, clipping and logic.

They follow the rules of elementwise.py: operands broadcast and agree in dtype.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np

from ..errors import ConfigError, DTypeError, ShapeError
from ..function import Function
from ..geometry import broadcast_shape
from .elementwise import _binary, _constant, _kind, _require_float, exp, where


class Sin(Function):
    name = "sin"
    saves = (0,)

    def forward(self, x):
        return self.backend.sin(x)

    def backward(self, grad):
        return grad * cos(self.saved[0])


class Cos(Function):
    name = "cos"
    saves = (0,)

    def forward(self, x):
        return self.backend.cos(x)

    def backward(self, grad):
        return -(grad * sin(self.saved[0]))


class Erf(Function):
    name = "erf"
    saves = (0,)

    def forward(self, x):
        return self.backend.erf(x)

    def backward(self, grad):
        (x,) = self.saved
        return grad * _constant(x, 2 / sqrt(pi)) * exp(-(x * x))


class Log1p(Function):
    name = "log1p"
    saves = (0,)

    def forward(self, x):
        return self.backend.log1p(x)

    def backward(self, grad):
        (x,) = self.saved
        return grad / (_constant(x, 1) + x)


class Expm1(Function):
    name = "expm1"
    saves_output = True

    def forward(self, x):
        return self.backend.expm1(x)

    def backward(self, grad):
        return grad * (self.output(grad) + _constant(grad, 1))


class Atan2(Function):
    name = "atan2"
    saves = (0, 1)

    def forward(self, a, b):
        return self.backend.atan2(a, b)

    def backward(self, grad):
        a, b = self.saved
        zero, square = _constant(a, 0), a * a + b * b
        origin = square == zero
        scaled = where(origin, zero, grad / where(origin, _constant(a, 1), square))
        return (
            scaled * b if self.needed[0] else None,
            -(scaled * a) if self.needed[1] else None,
        )


class Floor(Function):
    name = "floor"
    differentiable = False

    def forward(self, x):
        return self.backend.floor(x)


class Round(Function):
    name = "round"
    differentiable = False

    def forward(self, x):
        return self.backend.round(x)


class Minimum(Function):
    name = "minimum"
    saves = (0, 1)

    def forward(self, a, b):
        return self.backend.minimum(a, b)

    def backward(self, grad):
        a, b = self.saved
        zero, half = _constant(grad, 0), grad * _constant(grad, 0.5)
        at_tie = where(a == b, half, zero)
        return where(a < b, grad, at_tie), where(b < a, grad, at_tie)


class Clip(Function):
    """x moved into low ... high; `closed`: whether the ends themselves pass the gradient on."""

    name = "clip"
    saves = (0,)

    def __init__(self, low, high, closed=True):
        self.low, self.high, self.closed = low, high, closed

    def forward(self, x):
        backend = self.backend
        if self.low is not None:
            x = backend.maximum(x, backend.scalar(self.low, x.dtype))
        return x if self.high is None else backend.minimum(x, backend.scalar(self.high, x.dtype))

    def backward(self, grad):
        (x,) = self.saved
        zero = _constant(grad, 0)
        if self.low is not None:
            grad = where(x >= self.low if self.closed else x > self.low, grad, zero)
        if self.high is not None:
            grad = where(x <= self.high if self.closed else x < self.high, grad, zero)
        return grad


class LogicalAnd(Function):
    """False < True, so "and" is the smaller of the two."""

    name = "logical_and"
    differentiable = False

    def forward(self, a, b):
        return self.backend.minimum(a, b)


class LogicalOr(Function):
    """False < True, so "or" is the larger of the two."""

    name = "logical_or"
    differentiable = False

    def forward(self, a, b):
        return self.backend.maximum(a, b)


class LogicalXor(Function):
    name = "logical_xor"
    differentiable = False

    def forward(self, a, b):
        return self.backend.not_equal(a, b)


def sin(x):
    """Sine of x in radians."""
    _require_float("sin", x)
    return Sin().apply(x)


def cos(x):
    """Cosine of x in radians."""
    _require_float("cos", x)
    return Cos().apply(x)


def erf(x):
    """2 / sqrt(pi) int_0^x e^(-t^2) dt; the standard normal distribution is (1 + erf(x / sqrt 2)) /
    2."""
    _require_float("erf", x)
    return Erf().apply(x)


def log1p(x):
    """log(1 + x), also where x is so small that 1 + x rounds to 1; -inf at -1, NaN below."""
    _require_float("log1p", x)
    return Log1p().apply(x)


def expm1(x):
    """e^x - 1, also where e^x rounds to 1."""
    _require_float("expm1", x)
    return Expm1().apply(x)


def atan2(a, b):
    """Angle of the point (b, a), in radians, -pi <= angle <= pi, for float tensors.

    d/da = b / (a^2 + b^2), d/db = -a / (a^2 + b^2), and both 0 at the origin.
    """
    _require_float("atan2", a, b)
    return _binary(Atan2(), a, b)


def floor(x):
    """The largest integer <= x, in x's float dtype; no gradient."""
    _require_float("floor", x)
    return Floor().apply(x)


def round(x):
    """The nearest integer, halves to the even one, in x's float dtype; no gradient."""
    _require_float("round", x)
    return Round().apply(x)


def minimum(a, b):
    """The smaller of a and b, NaN if either is; at a tie each gets half of the gradient."""
    return _binary(Minimum(), a, b)


def clip(x, low=None, high=None):
    """min(max(x, low), high) for numbers low <= high, either of them None (no bound).

    The gradient is 1 for low <= x <= high, ends included, and 0 outside. NaN stays NaN. Raises
    ConfigError without bounds or for low > high, DTypeError for a fractional bound of an integer
    tensor.
    """
    if low is None and high is None:
        raise ConfigError("clip: needs low, high or both")
    for bound in (low, high):
        if bound is not None and not isinstance(bound, int | float | np.number):
            raise ConfigError(f"clip: low and high must be numbers, got {bound!r}")
    if low is not None and high is not None and not low <= high:
        raise ConfigError(f"clip: low must not be above high, got {low!r} and {high!r}")
    if x.dtype.kind != "f" and any(isinstance(bound, float) for bound in (low, high)):
        raise DTypeError(
            f"clip: {x.dtype} tensor with the bounds {low!r} and {high!r}; use .astype"
        )
    return Clip(low, high).apply(x)


def masked_fill(x, mask, value):
    """The number `value` where the bool tensor `mask` holds, else x; the mask broadcasts to x's
    shape.

    No gradient flows where the mask holds. Raises ShapeError if the result would not have x's
    shape.
    """
    _kind("masked_fill", x)
    if broadcast_shape("masked_fill", x.shape, mask.shape) != x.shape:
        raise ShapeError(f"masked_fill: mask {mask.shape} does not broadcast to x {x.shape}")
    return where(mask, _constant(x, value), x)


def _logical(function, a, b):
    for t in (a, b):
        if t.dtype != np.bool_:
            raise DTypeError(f"{function.name}: needs bool tensors, got {t.dtype} {t.shape}")
    return _binary(function, a, b)


def logical_and(a, b):
    """True where both bool tensors are."""
    return _logical(LogicalAnd(), a, b)


def logical_or(a, b):
    """True where at least one of the bool tensors is."""
    return _logical(LogicalOr(), a, b)


def logical_xor(a, b):
    """True where exactly one of the bool tensors is."""
    return _logical(LogicalXor(), a, b)
