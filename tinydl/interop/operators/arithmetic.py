"""Element by element: sums, products, powers, roundings, and functions made of them."""

from __future__ import annotations

import numpy as np

from ... import ops
from ...tensor import Tensor
from .table import ANY, beside, converted, row, scalar


def truncated_quotient(a: Tensor, b: Tensor) -> Tensor:
    """a / b; of integers rounded towards zero, as in C."""
    if a.dtype.kind == "f":
        return ops.divide(a, b)
    if a.dtype == np.uint8:
        return ops.floor_divide(a, b)
    return ops.floor_divide(ops.abs(a), ops.abs(b)) * ops.sign(a) * ops.sign(b)


def remainder(node, a, b):
    """fmod=0: the sign of the divisor, as in Python; fmod=1: of the dividend, as in C."""
    if node.get("fmod", 0) and a.dtype != np.uint8:
        return ops.sign(a) * ops.remainder(ops.abs(a), ops.abs(b))
    return ops.remainder(a, b)


def power(node, a, b):
    """In the type of the base."""
    if a.dtype == b.dtype and a.dtype.kind == "f":
        return ops.power(a, b)
    wide = [converted(t, np.float64) for t in (a, b)]
    return converted(ops.power(*wide), a.dtype)


def folded(function):
    """Of any number of inputs, two at a time."""

    def all_of(node, first, *rest):
        for x in rest:
            first = function(first, x)
        return first

    return all_of


def mean(node, *inputs):
    total = folded(ops.add)(node, *inputs)
    return total / beside(total, len(inputs))


def clip(node, x, low=None, high=None):
    """min(max(x, low), high). The bounds are attributes before opset 11; either may be absent."""
    low = node.get("min") if low is None else scalar(low)
    high = node.get("max") if high is None else scalar(high)
    if low is not None:
        x = ops.maximum(x, beside(x, low))
    return x if high is None else ops.minimum(x, beside(x, high))


def is_inf(node, x):
    found = []
    if node.get("detect_positive", 1):
        found.append(ops.equal(x, beside(x, np.inf)))
    if node.get("detect_negative", 1):
        found.append(ops.equal(x, beside(x, -np.inf)))
    if not found:
        return ops.not_equal(x, x)
    return found[0] if len(found) == 1 else ops.logical_or(*found)


def one(x):
    return beside(x, 1.0)


def _unary(function):
    return row(lambda node, x: function(x), ANY)


def _binary(function):
    return row(lambda node, a, b: function(a, b), ANY, weights=(0, 1))


OPERATORS = {
    "Add": _binary(ops.add),
    "Sub": _binary(ops.subtract),
    "Mul": _binary(ops.multiply),
    "Div": _binary(truncated_quotient),
    "Mod": row(remainder, ANY),
    "Pow": row(power, ANY),
    "Sum": row(folded(ops.add), ANY),
    "Mean": row(mean, ANY),
    "Max": row(folded(ops.maximum), ANY),
    "Min": row(folded(ops.minimum), ANY),
    "Clip": row(clip, ANY, host=(1, 2)),
    "Neg": _unary(ops.negative),
    "Abs": _unary(ops.abs),
    "Sign": _unary(ops.sign),
    "Sqrt": _unary(ops.sqrt),
    "Reciprocal": _unary(lambda x: one(x) / x),
    "Exp": _unary(ops.exp),
    "Log": _unary(ops.log),
    "Floor": _unary(ops.floor),
    "Ceil": _unary(ops.ceil),
    "Round": _unary(ops.round),
    "Erf": _unary(ops.erf),
    "IsNaN": _unary(ops.isnan),
    "IsInf": row(is_inf, ANY),
    "Identity": _unary(lambda x: x),
    "Sin": _unary(ops.sin),
    "Cos": _unary(ops.cos),
    "Tan": _unary(ops.tan),
    "Sinh": _unary(ops.sinh),
    "Cosh": _unary(ops.cosh),
    "Asin": _unary(ops.asin),
    "Acos": _unary(ops.acos),
    "Atan": _unary(ops.atan),
    "Asinh": _unary(ops.asinh),
    "Acosh": _unary(ops.acosh),
    "Atanh": _unary(ops.atanh),
}  # fmt: skip
