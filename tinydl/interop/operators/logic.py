"""Comparisons and truth values."""

from __future__ import annotations

from ... import ops
from .arithmetic import folded
from .table import ANY, row


def equal(a, b):
    if a.dtype.kind == "b":
        return ops.logical_not(ops.logical_xor(a, b))
    return ops.equal(a, b)


def where(node, condition, a, b):
    return ops.where(condition, a, b)


def _binary(function):
    return row(lambda node, a, b: function(a, b), ANY)


OPERATORS = {
    "Equal": _binary(equal),
    "Less": _binary(ops.less),
    "LessOrEqual": _binary(ops.less_equal),
    "Greater": _binary(ops.greater),
    "GreaterOrEqual": _binary(ops.greater_equal),
    "And": row(folded(ops.logical_and), ANY),
    "Or": row(folded(ops.logical_or), ANY),
    "Xor": row(folded(ops.logical_xor), ANY),
    "Not": row(lambda node, x: ops.logical_not(x), ANY),
    "Where": row(where, ANY),
}
