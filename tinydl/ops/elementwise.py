"""Elementwise operations and their derivatives.

Two operands broadcast under NumPy's rules and must agree in dtype; a Python number takes the
tensor's dtype.
"""

from __future__ import annotations

import numpy as np

from ..engine import alike, is_float
from ..errors import DTypeError
from ..function import Function
from ..geometry import broadcast_shape
from .broadcast import BroadcastTo


def _constant(like, value):
    """A 0-d tensor beside `like`; elementwise kernels take it without broadcasting."""
    return like._new(like.backend.scalar(value, like.data.dtype), like.backend)


def _aligned(op, *tensors):
    """Broadcast to a common shape; constants without a gradient may stay 0-d."""
    shape = broadcast_shape(op, *[t.data.shape for t in tensors])
    if not shape:
        return tensors
    return tuple(
        [
            t
            if t.data.shape == shape or (t.data.ndim == 0 and not t.requires_grad)
            else BroadcastTo(shape).apply(t)
            for t in tensors
        ]
    )


def _binary(function, a, b):
    if not alike(a, b):
        a, b = _matched(function, a, b)
    return function.apply(a, b)


def _matched(function, a, b):
    """The operands, checked and broadcast."""
    try:
        x, y = a.data, b.data
        if x.dtype != y.dtype:
            raise DTypeError(
                f"{function.name}: operands are {x.dtype} {x.shape} and {y.dtype} {y.shape}; "
                "convert one with .astype"
            )
        return (a, b) if x.shape == y.shape else _aligned(function.name, a, b)
    except AttributeError:
        return a, b  # not tensors: apply says so


def _kind(op, t):
    try:
        return t.data.dtype.kind
    except AttributeError:
        raise DTypeError(f"{op}: expects a tensor, got {type(t).__name__}") from None


def _require_float(op, *tensors):
    for t in tensors:
        if not is_float(t) and _kind(op, t) != "f":
            raise DTypeError(f"{op}: needs a float tensor, got {t.dtype} {t.shape}; use .astype")


def _require_number(op, x):
    if _kind(op, x) == "b":
        raise DTypeError(f"{op}: has no meaning for a bool tensor {x.shape}; use .astype")


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
    name = "divide"
    saves = (0, 1)

    def forward(self, a, b):
        return self.backend.divide(a, b)

    def backward(self, grad):
        a, b = self.saved
        return (
            grad / b if self.needed[0] else None,
            -(grad * a) / (b * b) if self.needed[1] else None,
        )


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
        if self.needed[0]:  # b a^(b-1), and 0 for a constant power a^0, also at a = 0
            grad_a = where(b == zero, zero, grad * b * power(a, b - _constant(b, 1)))
        if self.needed[1]:  # a^b log a, and 0 at a = 0
            positive = where(a == zero, _constant(a, 1), a)
            grad_b = where(a == zero, zero, grad * self.output(grad) * log(positive))
        return grad_a, grad_b


class Maximum(Function):
    name = "maximum"
    saves = (0, 1)

    def forward(self, a, b):
        return self.backend.maximum(a, b)

    def backward(self, grad):
        a, b = self.saved
        zero, half = _constant(grad, 0), grad * _constant(grad, 0.5)
        at_tie = where(a == b, half, zero)
        return where(a > b, grad, at_tie), where(b > a, grad, at_tie)


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


class Tanh(Function):
    name = "tanh"
    saves_output = True

    def forward(self, x):
        return self.backend.tanh(x)

    def backward(self, grad):
        return TanhGrad().apply(self.output(grad), grad)


class TanhGrad(Function):
    """grad * (1 - y^2), y = tanh x."""

    name = "tanh_grad"
    saves = (0, 1)

    def forward(self, y, grad):
        return self.backend.tanh_grad(y, grad)

    def backward(self, grad):
        y, first = self.saved
        return (
            _constant(y, -2) * y * first * grad if self.needed[0] else None,
            TanhGrad().apply(y, grad) if self.needed[1] else None,
        )


class Sigmoid(Function):
    name = "sigmoid"
    saves_output = True

    def forward(self, x):
        return self.backend.sigmoid(x)

    def backward(self, grad):
        return SigmoidGrad().apply(self.output(grad), grad)


class SigmoidGrad(Function):
    """grad * y * (1 - y), y = sigmoid x."""

    name = "sigmoid_grad"
    saves = (0, 1)

    def forward(self, y, grad):
        return self.backend.sigmoid_grad(y, grad)

    def backward(self, grad):
        y, first = self.saved
        slope = _constant(y, 1) - _constant(y, 2) * y if self.needed[0] else None
        return (
            slope * first * grad if self.needed[0] else None,
            SigmoidGrad().apply(y, grad) if self.needed[1] else None,
        )


class Relu(Function):
    name = "relu"
    saves_output = True

    def forward(self, x):
        return self.backend.relu(x)

    def backward(self, grad):
        return ReluGrad().apply(self.output(grad), grad)


class ReluGrad(Function):
    """grad where y > 0, else 0; constant in y almost everywhere."""

    name = "relu_grad"
    saves = (0,)

    def forward(self, y, grad):
        return self.backend.relu_grad(y, grad)

    def backward(self, grad):
        return None, ReluGrad().apply(self.saved[0], grad)


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
    _require_number("subtract", a)
    return _binary(Subtract(), a, b)


def multiply(a, b):
    """a * b, element by element."""
    return _binary(Multiply(), a, b)


def divide(a, b):
    """a / b for float tensors; IEEE rules at b = 0."""
    _require_float("divide", a, b)
    return _binary(Divide(), a, b)


def power(a, b):
    """a ** b for float tensors. d/da = b a^(b-1), 0 where b = 0; d/db = a^b log a, 0 where a =
    0."""
    _require_float("power", a, b)
    return _binary(Power(), a, b)


def maximum(a, b):
    """The larger of a and b, NaN if either is; at a tie each gets half of the gradient."""
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


def tanh(x):
    """(e^x - e^-x) / (e^x + e^-x)."""
    _require_float("tanh", x)
    return Tanh().apply(x)


def sigmoid(x):
    """1 / (1 + e^-x)."""
    _require_float("sigmoid", x)
    return Sigmoid().apply(x)


def relu(x):
    """max(x, 0); the gradient at 0 is 0. Nair and Hinton 2010."""
    _require_float("relu", x)
    return Relu().apply(x)


def where(condition, a, b):
    """a where the bool tensor `condition` holds, else b; the three broadcast together."""
    if condition.dtype != np.bool_:
        raise DTypeError(f"where: condition must be bool, got {condition.dtype} {condition.shape}")
    if a.dtype != b.dtype:
        raise DTypeError(f"where: branches are {a.dtype} and {b.dtype}; convert one with .astype")
    if not condition.shape == a.shape == b.shape:
        condition, a, b = _aligned("where", condition, a, b)
    return Where().apply(condition, a, b)


def astype(x, dtype):
    """The same values in another dtype; floats pass the gradient on, other types stop it."""
    dtype = np.dtype(dtype)
    return x if x.dtype == dtype else AsType(dtype).apply(x)
