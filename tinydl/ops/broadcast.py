"""Repeating and summing: each is the derivative of the other, so they share a file. Their kernels
stand with the shapes (a view) and with the reductions.
"""

from __future__ import annotations

from typing import Never

from ..arguments import flag, rank, sizes
from ..doors import unknown_to
from ..errors import ShapeError
from ..function import Function
from ..geometry import normalize_axes, reduced_shape
from .shape import _shape_argument, reshape


class Sum(Function):
    name = "sum"

    def __init__(self, axes, keepdims):
        self.axes, self.keepdims = axes, keepdims

    def forward(self, x):
        self.x_shape = x.shape
        return self.backend.sum(x, self.axes, self.keepdims)

    def flops(self, arrays, y):
        return arrays[0].size

    def backward(self, grad):
        kept = reshape(grad, reduced_shape(self.x_shape, self.axes, True))
        return broadcast_to(kept, self.x_shape)


class BroadcastTo(Function):
    """Repeat without memory; the adjoint is a sum over what was repeated."""

    name = "broadcast_to"
    shares_storage = True

    def __init__(self, shape):
        self.target = shape

    def forward(self, x):
        self.x_shape = x.shape
        return self.backend.broadcast_to(x, self.target)

    def backward(self, grad):
        lead = len(self.target) - len(self.x_shape)
        repeated = tuple(
            i
            for i, n in enumerate(self.target)
            if i < lead or (self.x_shape[i - lead] == 1 and n != 1)
        )
        return reshape(sum(grad, repeated), self.x_shape)


def _whether(op, keepdims):
    """keepdims as True or False."""
    return keepdims if keepdims is False else flag(op, "keepdims", keepdims)


def sum(x, axis=None, keepdims=False, **unknown: Never):
    """Sum over `axis`, of floats in their dtype, of integers and bool in int64; an empty sum is
    0."""
    if unknown:
        raise unknown_to(sum, unknown)
    if keepdims is not False and keepdims is not True:
        keepdims = _whether("sum", keepdims)
    return Sum(normalize_axes("sum", axis, rank("sum", x)), keepdims).apply(x)


def broadcast_to(x, *shape):
    """x repeated along new leading axes and axes of size 1, as a view."""
    target = sizes("broadcast_to", _shape_argument("broadcast_to", shape), 8)
    rank("broadcast_to", x)
    if target == x.shape:
        return x
    lead = len(target) - x.ndim
    fits = lead >= 0 and all(n == m or n == 1 for n, m in zip(x.shape, target[lead:], strict=True))
    if not fits:
        raise ShapeError(f"broadcast_to: {x.shape} does not broadcast to {target}")
    return BroadcastTo(target).apply(x)
