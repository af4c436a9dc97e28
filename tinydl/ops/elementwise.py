"""Elementwise operations and their derivatives."""

from __future__ import annotations

import numpy as np

from ..arguments import dtype as checked_dtype
from ..arguments import is_tensor
from ..engine import is_float
from ..errors import ConfigError, DTypeError
from ..function import Function
from ..quoting import quoted
from .operands import _aligned, _binary, _constant, _kind, _lifted, _require_float, _require_number


class Add(Function):
    name = "add"

    def forward(self, a, b):
        return self.backend.add(a, b)

    def backward(self, grad):
        return grad, grad


class Subtract(Function):
    name = "subtract"

    def forward(self, a, b):
        return self.backend.subtract(a, b)

    def backward(self, grad):
        return grad, -grad if self.needed[1] else None


class Multiply(Function):
    name = "multiply"
    saves = (0, 1)

    def forward(self, a, b):
        return self.backend.multiply(a, b)

    def backward(self, grad):
        a, b = self.saved
        return grad * b if self.needed[0] else None, grad * a if self.needed[1] else None


class Divide(Function):
    """d/db = -a / b^2 is written -(1/b) y, y = a / b: b^2 leaves the range of float32 at 1e-20 and
    2e19, 1/b and y do not before the results do."""

    name = "divide"
    saves = (1,)
    saves_output = True

    def forward(self, a, b):
        return self.backend.divide(a, b)

    def backward(self, grad):
        share = grad / self.saved[0]
        return share, -(share * self.output(grad)) if self.needed[1] else None


class FloorDivide(Function):
    name = "floor_divide"
    differentiable = False

    def forward(self, a, b):
        return self.backend.floor_divide(a, b)


class Remainder(Function):
    name = "remainder"
    saves = (0, 1)

    def forward(self, a, b):
        return self.backend.remainder(a, b)

    def backward(self, grad):
        a, b = self.saved
        return grad, -grad * floor_divide(a, b) if self.needed[1] else None


class Power(Function):
    name = "power"
    saves = (0, 1)
    saves_output = True

    def forward(self, a, b):
        return self.backend.power(a, b)

    def backward(self, grad):
        a, b = self.saved
        zero = _constant(a, 0)
        grad_a = grad_b = None
        if self.needed[0]:  # b a^(b-1)
            # 0 for a constant power a^0, also at a = 0. There the exponent, not the product, is
            # replaced: a product that is thrown away still sends 0 * inf back at the next order.
            flat = b == zero if not self.tracked[1] else (b == zero) & (a == zero)
            grad_a = grad * b * power(a, where(flat, zero, b - _constant(b, 1)))
        if self.needed[1]:  # a^b log a, and 0 at a = 0
            at_zero = a == zero
            value = where(at_zero, zero, self.output(grad))
            grad_b = grad * value * log(where(at_zero, _constant(a, 1), a))
        return grad_a, grad_b


class Maximum(Function):
    name = "maximum"
    saves = (0, 1)

    def forward(self, a, b):
        return self.backend.maximum(a, b)

    def backward(self, grad):
        a, b = self.saved
        zero, half = _constant(grad, 0), grad * _constant(grad, 0.5)
        at_tie = where(a == b, half, grad)  # the rest: the larger one, and NaN
        return where(a < b, zero, at_tie), where(b < a, zero, at_tie)


class Negative(Function):
    name = "negative"

    def forward(self, x):
        return self.backend.negative(x)

    def backward(self, grad):
        return -grad


class Exp(Function):
    name = "exp"
    saves_output = True

    def forward(self, x):
        return self.backend.exp(x)

    def backward(self, grad):
        return grad * self.output(grad)


class Log(Function):
    name = "log"
    saves = (0,)

    def forward(self, x):
        return self.backend.log(x)

    def backward(self, grad):
        return grad / self.saved[0]


class Sqrt(Function):
    name = "sqrt"
    saves_output = True

    def forward(self, x):
        return self.backend.sqrt(x)

    def backward(self, grad):
        return grad * _constant(grad, 0.5) / self.output(grad)


class Abs(Function):
    name = "abs"
    saves = (0,)

    def forward(self, x):
        return self.backend.abs(x)

    def backward(self, grad):
        return grad * sign(self.saved[0])


class Sign(Function):
    name = "sign"
    differentiable = False

    def forward(self, x):
        return self.backend.sign(x)


class Where(Function):
    name = "where"
    saves = (0,)

    def forward(self, condition, a, b):
        return self.backend.where(condition, a, b)

    def backward(self, grad):
        condition, zero = self.saved[0], _constant(grad, 0)
        return (
            None,
            where(condition, grad, zero) if self.needed[1] else None,
            where(condition, zero, grad) if self.needed[2] else None,
        )


class AsType(Function):
    name = "astype"
    flops_per_output = 0

    def __init__(self, dtype):
        self.target = np.dtype(dtype)

    def forward(self, x):
        self.source = x.dtype
        return self.backend.astype(x, self.target)

    def apply(self, x):
        self.differentiable = x.dtype.kind == "f" and self.target.kind == "f"
        return super().apply(x)

    def backward(self, grad):
        return astype(grad, self.source)


def add(a, b):
    """a + b."""
    return _binary(Add(), a, b)


def subtract(a, b):
    """a - b, for numbers."""
    if not is_float(a):
        a = a if is_tensor(a) else _lifted("subtract", a, b)[0]
        _require_number("subtract", a)
    return _binary(Subtract(), a, b)


def multiply(a, b):
    """a * b, element by element."""
    return _binary(Multiply(), a, b)


def divide(a, b):
    """a / b for float tensors; IEEE rules at b = 0."""
    if not (is_float(a) and is_float(b)):
        a, b = _lifted("divide", a, b)
        _require_float("divide", a, b)
    return _binary(Divide(), a, b)


def floor_divide(a, b):
    """a // b: the largest integer not above a / b, for numbers; no gradient. By 0: IEEE rules for
    floats, 0 for integers, as in NumPy."""
    _require_number("floor_divide", a)
    return _binary(FloorDivide(), a, b)


def remainder(a, b):
    """a % b = a - floor(a / b) b, of the sign of b, as in Python. d/da = 1, d/db = -floor(a / b).
    By 0: NaN for floats, 0 for integers."""
    _require_number("remainder", a)
    return _binary(Remainder(), a, b)


def power(a, b):
    """a ** b. d/da = b a^(b-1), 0 where b = 0; d/db = a^b log a, 0 where a = 0.

    Integers keep their type and wrap, without a gradient; a negative power of one is rounded
    towards 0 (PyTorch's tensors too; NumPy raises), a negative number as exponent a ConfigError.
    """
    if not (is_float(a) and is_float(b)):
        a, b = _lifted("power", a, b)
        if a.dtype.kind in "iu" and b.dtype == a.dtype:
            return _integer_power(a, b)
        _require_float("power", a, b)
    return _binary(Power(), a, b)


def _integer_power(a, b):
    """By the kernel, for b >= 0; else 1 / a^-b is 1 of 1, 1 or -1 of -1, and 0."""
    if b.dtype.kind == "u":
        return astype(_integer_power(astype(a, "int64"), astype(b, "int64")), a.dtype)
    zero, one = _constant(a, 0), _constant(a, 1)
    if b.ndim == 0:
        if b.item() < 0:
            raise ConfigError(
                f"power: {a.dtype} tensor to the negative power {b.item()}; use .astype('float32')"
            )
        return _binary(Power(), a, b)
    below = b < zero
    positive = _binary(Power(), a, where(below, zero, b))
    odd = where(b % _constant(b, 2) == zero, one, -one)
    rounded = where(a == one, one, where(a == -one, odd, zero))
    return where(below, rounded, positive)


def maximum(a, b):
    """The larger of a and b, NaN if either is; at a tie each gets half of the gradient, at NaN
    all of it."""
    return _binary(Maximum(), a, b)


def negative(x):
    """-x, for numbers."""
    _require_number("negative", x)
    return Negative().apply(x)


def exp(x):
    """e^x."""
    _require_float("exp", x)
    return Exp().apply(x)


def log(x):
    """Natural logarithm: log 0 = -inf, NaN below 0."""
    _require_float("log", x)
    return Log().apply(x)


def sqrt(x):
    """Square root: NaN below 0; the gradient at 0 is infinite."""
    _require_float("sqrt", x)
    return Sqrt().apply(x)


def abs(x):
    """|x|; the gradient at 0 is 0."""
    return Abs().apply(x)


def sign(x):
    """-1, 0 or 1, for numbers; no gradient."""
    _require_number("sign", x)
    return Sign().apply(x)


def where(condition, a, b):
    """a where the bool tensor `condition` holds, else b; the three broadcast together.

    One of a and b may be a number, which takes the other's type. Raises ShapeError, DTypeError.
    """
    try:
        kind, of_a, of_b = condition.data.dtype, a.data.dtype, b.data.dtype
    except (AttributeError, ValueError):
        return where(*_branches(condition, a, b))
    if kind != np.bool_:
        raise DTypeError(f"where: condition must be bool, got {kind} {condition.shape}")
    if of_a != of_b:
        raise DTypeError(f"where: branches are {of_a} and {of_b}; convert one with .astype")
    if not condition.shape == a.shape == b.shape:
        condition, a, b = _aligned("where", condition, a, b)
    return Where().apply(condition, a, b)


def _branches(condition, a, b):
    """The three as tensors; a number beside a tensor takes its type."""
    if not is_tensor(condition):
        like = next((t for t in (a, b) if is_tensor(t)), None)
        if like is None or not isinstance(condition, np.ndarray | np.bool_):
            raise DTypeError(f"where: condition must be a bool tensor, got {quoted(condition)}")
        condition = like._lift(condition)
    if not is_tensor(a) and not is_tensor(b):
        raise DTypeError(f"where: one branch must be a tensor, got {quoted(a)} and {quoted(b)}")
    return condition, *_lifted("where", a, b)


def astype(x, dtype):
    """The same values in another dtype; floats pass the gradient on, other types stop it."""
    _kind("astype", x)
    dtype = checked_dtype("astype", dtype)
    return x if x.dtype == dtype else AsType(dtype).apply(x)
