"""Reductions. `axis` is an integer, a tuple of integers or None (all axes)."""

from __future__ import annotations

from math import prod

from ..errors import DTypeError, ShapeError
from ..function import Function
from ..geometry import normalize_axes, reduced_shape
from .elementwise import _constant, exp, log, where
from .shape import broadcast_to, reshape


class Sum(Function):
    name = "sum"

    def __init__(self, axes, keepdims):
        self.axes, self.keepdims = axes, keepdims

    def forward(self, x):
        self.x_shape = x.shape
        return self.backend.sum(x, self.axes, self.keepdims)

    def backward(self, grad):
        kept = reshape(grad, reduced_shape(self.x_shape, self.axes, True))
        return broadcast_to(kept, self.x_shape)


class Max(Function):
    name = "max"
    saves = (0,)
    saves_output = True

    def __init__(self, axes, keepdims):
        self.axes, self.keepdims = axes, keepdims

    def forward(self, x):
        return self.backend.max(x, self.axes, self.keepdims)

    def backward(self, grad):
        x = self.saved[0]
        kept = reduced_shape(x.shape, self.axes, True)
        largest = broadcast_to(reshape(self.output(grad), kept), x.shape)
        wins = (x == largest).astype(x.dtype)
        share = reshape(grad, kept) / Sum(self.axes, True).apply(wins)
        return wins * broadcast_to(share, x.shape)


class ArgMax(Function):
    name = "argmax"
    differentiable = False

    def __init__(self, axis, keepdims):
        self.axis, self.keepdims = axis, keepdims

    def forward(self, x):
        return self.backend.argmax(x, self.axis, self.keepdims)


def _check_not_empty(op, x, axes):
    if any(x.shape[a] == 0 for a in axes):
        raise ShapeError(
            f"{op}: an empty axis has no largest element (shape {x.shape}, axes {axes})"
        )


def sum(x, axis=None, keepdims=False):
    """Sum over `axis`; an empty sum is 0; bool counts as int64."""
    return Sum(normalize_axes("sum", axis, x.ndim), keepdims).apply(x)


def mean(x, axis=None, keepdims=False):
    """sum / number of elements, for float tensors; NaN over an empty axis."""
    if x.dtype.kind != "f":
        raise DTypeError(f"mean: needs a float tensor, got {x.dtype} {x.shape}; use .astype")
    axes = normalize_axes("mean", axis, x.ndim)
    return Sum(axes, keepdims).apply(x) / _constant(x, prod([x.shape[a] for a in axes]))


def var(x, axis=None, keepdims=False, correction=0):
    """Variance sum (x - mean)^2 / (n - correction): 0 for the population, 1 for the sample
    estimate."""
    axes = normalize_axes("var", axis, x.ndim)
    n = prod([x.shape[a] for a in axes])
    centred = x - mean(x, axes, keepdims=True)
    return Sum(axes, keepdims).apply(centred * centred) / _constant(x, n - correction)


def max(x, axis=None, keepdims=False):
    """Largest element over `axis`, NaN if any is; equal largest elements share the gradient
    equally."""
    axes = normalize_axes("max", axis, x.ndim)
    _check_not_empty("max", x, axes)
    return Max(axes, keepdims).apply(x)


def argmax(x, axis=None, keepdims=False):
    """int64 position of the largest element along one `axis` (None: in the flattened tensor);
    first at a tie."""
    if axis is None:
        _check_not_empty("argmax", x, tuple(range(x.ndim)))
        place = ArgMax(0, False).apply(reshape(x, (x.size,)))
        return reshape(place, (1,) * x.ndim) if keepdims else place
    (axis,) = normalize_axes("argmax", axis, x.ndim)
    _check_not_empty("argmax", x, (axis,))
    return ArgMax(axis, keepdims).apply(x)


def logsumexp(x, axis=None, keepdims=False):
    """log sum e^x = m + log sum e^(x - m) with m = max x held constant; m = 0 where the maximum is
    infinite."""
    axes = normalize_axes("logsumexp", axis, x.ndim)
    _check_not_empty("logsumexp", x, axes)
    largest = Max(axes, True).apply(x.detach())
    infinite = (largest - largest) != _constant(largest, 0)  # inf - inf and NaN are not 0
    shift = where(infinite, _constant(largest, 0), largest)
    total = log(Sum(axes, True).apply(exp(x - shift))) + shift
    return total if keepdims else reshape(total, reduced_shape(x.shape, axes, False))
