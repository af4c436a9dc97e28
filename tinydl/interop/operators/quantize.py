"""Integers that stand for floats: y = (q - zero) * scale. tinydl computes with the floats."""

from __future__ import annotations

import numpy as np

from ... import ops
from .table import DTYPES, axis_in, beside, converted, row


def _along(node, v, x):
    """One scale, or one for each place of an axis."""
    if v.size == 1:
        return ops.reshape(v, ())
    axis = axis_in(node.kind, node.get("axis", 1), x.ndim)
    return ops.reshape(v, tuple(v.size if i == axis else 1 for i in range(x.ndim)))


def dequantize(node, x, scale, zero=None):
    y = converted(x, scale.dtype)
    if zero is not None:
        y = y - _along(node, converted(zero, scale.dtype), x)
    return y * _along(node, scale, x)


def quantize(node, x, scale, zero=None):
    """Rounded to the nearest, halves to even, cut to what uint8 holds."""
    y = ops.round(x / _along(node, converted(scale, x.dtype), x))
    if zero is not None:
        y = y + _along(node, converted(zero, x.dtype), x)
    return converted(ops.clip(y, 0.0, 255.0), np.uint8)


def dynamic_quantize(node, x):
    """(uint8, scale, zero point), from the range of x itself, which 0 belongs to."""
    zero = beside(x, 0)
    low, high = ops.minimum(ops.min(x), zero), ops.maximum(ops.max(x), zero)
    scale = (high - low) / beside(x, 255.0)
    point = ops.clip(ops.round(-low / scale), 0.0, 255.0)
    y = ops.clip(ops.round(x / scale) + point, 0.0, 255.0)
    return converted(y, np.uint8), scale, converted(point, np.uint8)


def refuses_blocks(node):
    if node.get("block_size", 0):
        return "block_size"
    if node.get("output_dtype", 0) not in (0, *DTYPES):
        return f"to element type {node.get('output_dtype')}"
    return None


OPERATORS = {
    "DequantizeLinear": row(dequantize, refuses=refuses_blocks),
    "QuantizeLinear": row(quantize, refuses=refuses_blocks),
    "DynamicQuantizeLinear": row(dynamic_quantize),
}
