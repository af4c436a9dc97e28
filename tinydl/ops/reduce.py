"""Reductions. `axis` is an integer, a tuple of integers or None (all axes)."""

from __future__ import annotations

import math
from typing import Never

from ..arguments import finite, number, rank
from ..doors import door, unknown_to
from ..errors import ConfigError, ShapeError
from ..function import Function
from ..geometry import broadcast_shape, normalize_axes, normalize_axis, reduced_shape
from .broadcast import Sum, _whether, broadcast_to
from .elementwise import astype, exp, log, power, sqrt, where
from .operands import _constant, _kind, _lifted, _require_float
from .shape import _take, concat, expand_dims, reshape, transpose
from .special import magnitude


class Max(Function):
    name = "max"
    saves = (0,)
    saves_output = True

    def __init__(self, axes, keepdims):
        self.axes, self.keepdims = axes, keepdims

    def forward(self, x):
        return self.backend.max(x, self.axes, self.keepdims)

    def flops(self, arrays, y):
        return arrays[0].size

    def backward(self, grad):
        x = self.saved[0]
        kept = reduced_shape(x.shape, self.axes, True)
        largest = broadcast_to(reshape(self.output(grad), kept), x.shape)
        wins = (x == largest).astype(x.dtype)
        share = reshape(grad, kept) / Sum(self.axes, True).apply(wins)
        return wins * broadcast_to(share, x.shape)


class Min(Max):
    """The gradient of a maximum with the other kernel: equal smallest elements share it."""

    name = "min"

    def forward(self, x):
        return self.backend.min(x, self.axes, self.keepdims)


class ArgMax(Function):
    name = "argmax"
    differentiable = False

    def __init__(self, axis, keepdims):
        self.axis, self.keepdims = axis, keepdims

    def forward(self, x):
        return self.backend.argmax(x, self.axis, self.keepdims)

    def flops(self, arrays, y):
        return arrays[0].size


class ArgMin(ArgMax):
    name = "argmin"

    def forward(self, x):
        return self.backend.argmin(x, self.axis, self.keepdims)


def _check_not_empty(op, x, axes):
    if math.prod([x.shape[a] for a in axes]) == 0:
        which = "smallest" if op in ("min", "argmin") else "largest"
        raise ShapeError(
            f"{op}: an empty axis has no {which} element (shape {x.shape}, axes {axes})"
        )


def mean(x, axis=None, keepdims=False, **unknown: Never):
    """sum / number of elements, for float tensors and in their dtype; NaN over an empty axis.

    Raises DTypeError for integers and bool, whose mean is no integer: use .astype.
    """
    if unknown:
        raise unknown_to(mean, unknown)
    _require_float("mean", x)
    if keepdims is not False and keepdims is not True:
        keepdims = _whether("mean", keepdims)
    shape = x.data.shape
    axes = normalize_axes("mean", axis, len(shape))
    return Sum(axes, keepdims).apply(x) / _constant(x, math.prod([shape[a] for a in axes]))


@door
def var(x, axis=None, keepdims=False, correction=0):
    """Variance sum (x - mean)^2 / (n - correction) of a float tensor, in its dtype: 0 for the
    population, 1 for the sample estimate.

    Where n <= correction nothing is left to divide by: infinity, or NaN where the sum is 0 too (all
    elements equal, no elements). Raises DTypeError for other than float tensors.
    """
    return _variance("var", x, axis, keepdims, correction)


def _variance(op, x, axis, keepdims, correction):
    _require_float(op, x)
    axes, keepdims = normalize_axes(op, axis, x.ndim), _whether(op, keepdims)
    n = math.prod([x.shape[a] for a in axes]) - finite(op, "correction", correction)
    centred = x - mean(x, axes, keepdims=True)
    # Beyond n the plain divisor would make a negative variance.
    return Sum(axes, keepdims).apply(centred * centred) / _constant(x, n if n > 0 else 0)


def max(x, axis=None, keepdims=False, **unknown: Never):
    """Largest element over `axis`, NaN if any is; equal largest elements share the gradient
    equally."""
    if unknown:
        raise unknown_to(max, unknown)
    axes, keepdims = normalize_axes("max", axis, rank("max", x)), _whether("max", keepdims)
    _check_not_empty("max", x, axes)
    return Max(axes, keepdims).apply(x)


def min(x, axis=None, keepdims=False, **unknown: Never):
    """Smallest element over `axis`, NaN if any is; equal smallest elements share the gradient
    equally."""
    if unknown:
        raise unknown_to(min, unknown)
    axes, keepdims = normalize_axes("min", axis, rank("min", x)), _whether("min", keepdims)
    _check_not_empty("min", x, axes)
    return Min(axes, keepdims).apply(x)


def _position(function, x, axis, keepdims):
    op, keepdims = function.name, _whether(function.name, keepdims)
    if axis is None:
        _check_not_empty(op, x, tuple(range(x.ndim)))
        place = function(0, False).apply(reshape(x, (x.data.size,)))
        return reshape(place, (1,) * x.ndim) if keepdims else place
    axis = normalize_axis(op, axis, x.ndim)
    _check_not_empty(op, x, (axis,))
    return function(axis, keepdims).apply(x)


@door
def argmax(x, axis=None, keepdims=False):
    """int64 position of the largest element along one `axis` (None: in the flattened tensor); first
    at a tie."""
    return _position(ArgMax, x, axis, keepdims)


@door
def argmin(x, axis=None, keepdims=False):
    """int64 position of the smallest element along one `axis` (None: in the flattened tensor);
    first at a tie."""
    return _position(ArgMin, x, axis, keepdims)


@door
def logsumexp(x, axis=None, keepdims=False):
    """log sum e^x = m + log sum e^(x - m) with m = max x held constant; m = 0 where the maximum is
    infinite."""
    _require_float("logsumexp", x)
    axes, keepdims = normalize_axes("logsumexp", axis, x.ndim), _whether("logsumexp", keepdims)
    _check_not_empty("logsumexp", x, axes)
    largest = Max(axes, True).apply(x.detach())
    infinite = (largest - largest) != _constant(largest, 0)  # inf - inf and NaN are not 0
    shift = where(infinite, _constant(largest, 0), largest)
    total = log(Sum(axes, True).apply(exp(x - shift))) + shift
    return total if keepdims else reshape(total, reduced_shape(x.shape, axes, False))


@door
def logaddexp(a, b):
    """log(e^a + e^b), also where the powers are too large or too small: `logsumexp` of two; -inf of
    two -inf."""
    a, b = _lifted("logaddexp", a, b)
    _require_float("logaddexp", a, b)
    shape = broadcast_shape("logaddexp", a.shape, b.shape)
    both = [expand_dims(broadcast_to(t, shape), 0) for t in (a, b)]
    return logsumexp(concat(both, 0), axis=0)


@door
def prod(x, axis=None, keepdims=False):
    """Product over `axis`, of floats in their dtype, of integers and bool in int64; an empty
    product is 1.

    Computed by halving, ((x_1 x_3) (x_2 x_4)): the derivatives of all orders are products of the
    other factors, without a division, and so are right where factors are 0.
    """
    axes, keepdims = normalize_axes("prod", axis, x.ndim), _whether("prod", keepdims)
    x = x if _kind("prod", x) == "f" else astype(x, "int64")
    kept = [i for i in range(x.ndim) if i not in axes]
    n = math.prod([x.shape[a] for a in axes])
    y = reshape(transpose(x, (*kept, *axes)), (*[x.shape[i] for i in kept], n))
    last = y.ndim - 1
    while n > 1:
        half = n // 2
        product = _take(y, last, 0, half) * _take(y, last, half, half)
        y = concat([product, _take(y, last, 2 * half, 1)], last) if n % 2 else product
        n = y.shape[last]
    if n == 0:
        y = Sum((last,), True).apply(y) + _constant(y, 1)
    return reshape(y, reduced_shape(x.shape, axes, keepdims))


def scaled(x, axes):
    """(x / m, m) with m = max |x| over `axes`, kept, a constant: squares and powers of x / m stay
    in range where those of x leave it. What is homogeneous, f(x) = m f(x / m), does not depend on
    m, so that all its derivatives are right with m held constant."""
    largest = magnitude(Max(axes, True).apply(abs(x.detach())))
    return x / broadcast_to(largest, x.shape), largest


def _root(x):
    """sqrt with the gradient 0 at 0, where that of sqrt is infinite."""
    zero, at_zero = _constant(x, 0), x == _constant(x, 0)
    return where(at_zero, zero, sqrt(where(at_zero, _constant(x, 1), x)))


@door
def std(x, axis=None, keepdims=False, correction=0):
    """Standard deviation sqrt(var(x)); where all elements are equal the gradient is 0.

    Of x divided by its largest element, so that it exists where the variance leaves the range.
    """
    _require_float("std", x)
    axes, keepdims = normalize_axes("std", axis, x.ndim), _whether("std", keepdims)
    if 0 in x.shape:
        return _root(_variance("std", x, axes, keepdims, correction))
    unit, largest = scaled(x, axes)
    root = _root(_variance("std", unit, axes, keepdims, correction))
    return root * reshape(largest, root.shape)


@door
def norm(x, p=2, axis=None, keepdims=False):
    """(sum |x|^p)^(1/p) over `axis` for p >= 1; p = infinity gives max |x|. Axes are flattened, no
    matrix norms.

    The gradient at the zero vector is 0; with p = infinity equal largest elements share it. Raises
    ConfigError for p < 1, DTypeError for other than float tensors.
    """
    _require_float("norm", x)
    if not number("norm", "p", p) >= 1:
        raise ConfigError(f"norm: p must be >= 1, got {p!r}")
    axes, keepdims = normalize_axes("norm", axis, x.ndim), _whether("norm", keepdims)
    if p == 1:
        return Sum(axes, keepdims).apply(abs(x))
    if math.isinf(p):
        return max(abs(x), axes, keepdims)
    if 0 in x.shape:
        return Sum(axes, keepdims).apply(x)
    unit, largest = scaled(x, axes)
    root = _p_norm(unit, p, axes, keepdims)
    return root * reshape(largest, root.shape)


def _p_norm(x, p, axes, keepdims):
    """`norm` of numbers up to 1."""
    if p == 2:
        return _root(Sum(axes, keepdims).apply(x * x))
    total = Sum(axes, keepdims).apply(power(abs(x), _constant(x, p)))
    zero, at_zero = _constant(x, 0), total == _constant(x, 0)
    root = power(where(at_zero, _constant(x, 1), total), _constant(x, 1 / p))
    return where(at_zero, zero, root)


@door
def any(x, axis=None, keepdims=False):
    """Whether at least one element is True (or not 0; NaN is not 0); False over an empty axis."""
    _kind("any", x)
    truths = x if x.dtype == bool else x != _constant(x, 0)
    axes = normalize_axes("any", axis, x.ndim)
    return Sum(axes, _whether("any", keepdims)).apply(truths) > 0


@door
def all(x, axis=None, keepdims=False):
    """Whether every element is True (or not 0); True over an empty axis."""
    _kind("all", x)
    falsehoods = ~x if x.dtype == bool else x == _constant(x, 0)
    axes = normalize_axes("all", axis, x.ndim)
    return Sum(axes, _whether("all", keepdims)).apply(falsehoods) == 0
