"""More functions of numbers: sine and cosine, erf, logarithms, rounding, clipping.

They follow the rules of elementwise.py: operands broadcast and agree in dtype.
"""

from __future__ import annotations

from math import log as log_of
from math import pi, sqrt
from typing import Never

import numpy as np

from ..arguments import number
from ..doors import door, unknown_to
from ..errors import ConfigError, DTypeError, ShapeError
from ..function import Function
from ..geometry import broadcast_shape
from . import elementwise
from .elementwise import exp, log, maximum, where
from .operands import (
    _beside,
    _binary,
    _constant,
    _kind,
    _number_for,
    _require_float,
    _require_number,
)


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
        # b / (a^2 + b^2) = (b / m) / (m ((a / m)^2 + (b / m)^2)) for any m: with the larger of
        # both, a constant, no square leaves the range.
        a, b = self.saved
        one, size = _constant(a, 1), magnitude(maximum(abs(a.detach()), abs(b.detach())))
        p, q = a / size, b / size
        square = p * p + q * q
        origin = square == _constant(a, 0)
        scaled = where(origin, _constant(a, 0), grad / size) / where(origin, one, square)
        return (
            scaled * q if self.needed[0] else None,
            -(scaled * p) if self.needed[1] else None,
        )


def magnitude(x):
    """x >= 0, but at least the smallest normal and at most the largest number: to divide by."""
    limits = np.finfo(x.dtype)
    return Clip(float(limits.tiny), float(limits.max)).apply(x)


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
        at_tie = where(a == b, half, grad)  # the rest: the smaller one, and NaN
        return where(a > b, zero, at_tie), where(b > a, zero, at_tie)


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
            grad = where(x < self.low if self.closed else x <= self.low, zero, grad)
        if self.high is not None:
            grad = where(x > self.high if self.closed else x >= self.high, zero, grad)
        return grad


@door
def sin(x):
    """Sine of x in radians."""
    _require_float("sin", x)
    return Sin().apply(x)


@door
def cos(x):
    """Cosine of x in radians."""
    _require_float("cos", x)
    return Cos().apply(x)


@door
def erf(x):
    """2 / sqrt(pi) int_0^x e^(-t^2) dt; the standard normal distribution is (1 + erf(x / sqrt 2)) /
    2."""
    _require_float("erf", x)
    return Erf().apply(x)


@door
def log1p(x):
    """log(1 + x), also where x is so small that 1 + x rounds to 1; -inf at -1, NaN below."""
    _require_float("log1p", x)
    return Log1p().apply(x)


@door
def expm1(x):
    """e^x - 1, also where e^x rounds to 1."""
    _require_float("expm1", x)
    return Expm1().apply(x)


@door
def atan2(a, b):
    """Angle of the point (b, a), in radians, -pi <= angle <= pi, for float tensors.

    d/da = b / (a^2 + b^2), d/db = -a / (a^2 + b^2), and both 0 at the origin.
    """
    _require_float("atan2", a, b)
    return _binary(Atan2(), a, b)


@door
def floor(x):
    """The largest integer <= x, in x's float dtype; no gradient."""
    _require_float("floor", x)
    return Floor().apply(x)


@door
def round(x):
    """The nearest integer, halves to the even one, in x's float dtype; no gradient."""
    _require_float("round", x)
    return Round().apply(x)


@door
def ceil(x):
    """The smallest integer >= x, in x's float dtype; no gradient."""
    _require_float("ceil", x)
    return -floor(-x)


@door
def log2(x):
    """Logarithm of base 2: log x / log 2; -inf at 0, NaN below."""
    _require_float("log2", x)
    return log(x) / _constant(x, log_of(2))


@door
def log10(x):
    """Logarithm of base 10: log x / log 10; -inf at 0, NaN below."""
    _require_float("log10", x)
    return log(x) / _constant(x, log_of(10))


@door
def rsqrt(x):
    """1 / sqrt(x); inf at 0, NaN below."""
    _require_float("rsqrt", x)
    return 1 / elementwise.sqrt(x)


@door
def square(x):
    """x * x, of integers too; the gradient is 2 x."""
    _require_number("square", x)
    return x * x


def minimum(a, b):
    """The smaller of a and b, NaN if either is; at a tie each gets half of the gradient, at NaN
    all of it."""
    return _binary(Minimum(), a, b)


def clip(x, low=None, high=None, **unknown: Never):
    """min(max(x, low), high) for numbers low <= high, either of them None (no bound).

    The gradient is 1 for low <= x <= high, ends included, and 0 outside. NaN stays NaN, with the
    gradient 1. Raises
    ConfigError without bounds or for low > high, DTypeError for a fractional bound of an integer
    tensor.
    """
    if unknown:
        raise unknown_to(clip, unknown)
    if low is None and high is None:
        raise ConfigError("clip: needs low, high or both")
    if low is not None and type(low) is not float:
        low = number("clip", "a bound", low)
    if high is not None and type(high) is not float:
        high = number("clip", "a bound", high)
    if low is not None and high is not None and not low <= high:
        raise ConfigError(f"clip: low must not be above high, got {low!r} and {high!r}")
    if _kind("clip", x) != "f" and (type(low) is float or type(high) is float):
        raise DTypeError(
            f"clip: {x.dtype} tensor with the bounds {low!r} and {high!r}; use .astype"
        )
    if x.data.dtype.kind != "f":
        for bound in (low, high):
            if bound is not None:
                _number_for("clip", x, bound)
    return Clip(low, high).apply(x)


def masked_fill(x, mask, value):
    """The number `value` where the bool tensor `mask` holds, else x; the mask broadcasts to x's
    shape.

    No gradient flows where the mask holds. Raises ShapeError if the result would not have x's
    shape.
    """
    _kind("masked_fill", x)
    _kind("masked_fill", mask)
    if broadcast_shape("masked_fill", x.shape, mask.shape) != x.shape:
        raise ShapeError(f"masked_fill: mask {mask.shape} does not broadcast to x {x.shape}")
    return where(mask, _beside("masked_fill", x, value), x)


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with numbers in place of NaN, inf and -inf; None: the largest number of x's type, and the
    smallest. No gradient flows where a number was put. As NumPy's."""
    _require_float("nan_to_num", x)
    most = float(np.finfo(x.dtype).max)
    given = {"nan": nan, "posinf": most, "neginf": -most}
    given |= {n: v for n, v in (("posinf", posinf), ("neginf", neginf)) if v is not None}
    given = {name: number("nan_to_num", name, value) for name, value in given.items()}
    infinite = _constant(x, np.inf)
    x = masked_fill(x, x != x, given["nan"])
    x = masked_fill(x, x == infinite, given["posinf"])
    return masked_fill(x, x == -infinite, given["neginf"])
