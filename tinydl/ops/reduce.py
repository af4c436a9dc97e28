"""Reductions. `axis` is an integer, a tuple of integers or None (all axes)."""

from __future__ import annotations

import math

from ..errors import ConfigError, DTypeError, ShapeError
from ..function import Function
from ..geometry import normalize_axes, normalize_axis, reduced_shape
from .broadcast import Sum, broadcast_to, sum
from .elementwise import _constant, _kind, _require_float, astype, exp, log, power, sqrt, where
from .shape import _take, concat, reshape, transpose


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


def mean(x, axis=None, keepdims=False):
    """sum / number of elements, for float tensors; NaN over an empty axis."""
    if x.dtype.kind != "f":
        raise DTypeError(f"mean: needs a float tensor, got {x.dtype} {x.shape}; use .astype")
    axes = normalize_axes("mean", axis, x.ndim)
    return Sum(axes, keepdims).apply(x) / _constant(x, math.prod([x.shape[a] for a in axes]))


def var(x, axis=None, keepdims=False, correction=0):
    """Variance sum (x - mean)^2 / (n - correction): 0 for the population, 1 for the sample
    estimate."""
    axes = normalize_axes("var", axis, x.ndim)
    n = math.prod([x.shape[a] for a in axes])
    centred = x - mean(x, axes, keepdims=True)
    return Sum(axes, keepdims).apply(centred * centred) / _constant(x, n - correction)


def max(x, axis=None, keepdims=False):
    """Largest element over `axis`, NaN if any is; equal largest elements share the gradient
    equally."""
    axes = normalize_axes("max", axis, x.ndim)
    _check_not_empty("max", x, axes)
    return Max(axes, keepdims).apply(x)


def min(x, axis=None, keepdims=False):
    """Smallest element over `axis`, NaN if any is; equal smallest elements share the gradient
    equally."""
    axes = normalize_axes("min", axis, x.ndim)
    _check_not_empty("min", x, axes)
    return Min(axes, keepdims).apply(x)


def _position(function, x, axis, keepdims):
    op = function.name
    if axis is None:
        _check_not_empty(op, x, tuple(range(x.ndim)))
        place = function(0, False).apply(reshape(x, (x.size,)))
        return reshape(place, (1,) * x.ndim) if keepdims else place
    axis = normalize_axis(op, axis, x.ndim)
    _check_not_empty(op, x, (axis,))
    return function(axis, keepdims).apply(x)


def argmax(x, axis=None, keepdims=False):
    """int64 position of the largest element along one `axis` (None: in the flattened tensor); first
    at a tie."""
    return _position(ArgMax, x, axis, keepdims)


def argmin(x, axis=None, keepdims=False):
    """int64 position of the smallest element along one `axis` (None: in the flattened tensor);
    first at a tie."""
    return _position(ArgMin, x, axis, keepdims)


def logsumexp(x, axis=None, keepdims=False):
    """log sum e^x = m + log sum e^(x - m) with m = max x held constant; m = 0 where the maximum is
    infinite."""
    _require_float("logsumexp", x)
    axes = normalize_axes("logsumexp", axis, x.ndim)
    _check_not_empty("logsumexp", x, axes)
    largest = Max(axes, True).apply(x.detach())
    infinite = (largest - largest) != _constant(largest, 0)  # inf - inf and NaN are not 0
    shift = where(infinite, _constant(largest, 0), largest)
    total = log(Sum(axes, True).apply(exp(x - shift))) + shift
    return total if keepdims else reshape(total, reduced_shape(x.shape, axes, False))


def prod(x, axis=None, keepdims=False):
    """Product over `axis`; an empty product is 1; bool counts as int64.

    Computed by halving, ((x_1 x_3) (x_2 x_4)): the derivatives of all orders are products of the
    other factors, without a division, and so are right where factors are 0.
    """
    axes = normalize_axes("prod", axis, x.ndim)
    x = astype(x, "int64") if x.dtype == bool else x
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


def _root(x):
    """sqrt with the gradient 0 at 0, where that of sqrt is infinite."""
    zero, at_zero = _constant(x, 0), x == _constant(x, 0)
    return where(at_zero, zero, sqrt(where(at_zero, _constant(x, 1), x)))


def std(x, axis=None, keepdims=False, correction=0):
    """Standard deviation sqrt(var(x)); where all elements are equal the gradient is 0."""
    return _root(var(x, axis, keepdims, correction))


def norm(x, p=2, axis=None, keepdims=False):
    """(sum |x|^p)^(1/p) over `axis` for p >= 1; p = infinity gives max |x|. Axes are flattened, no
    matrix norms.

    The gradient at the zero vector is 0; with p = infinity equal largest elements share it. Raises
    ConfigError for p < 1, DTypeError for other than float tensors.
    """
    _require_float("norm", x)
    if not p >= 1:
        raise ConfigError(f"norm: p must be >= 1, got {p!r}")
    axes = normalize_axes("norm", axis, x.ndim)
    if p == 2:
        return _root(Sum(axes, keepdims).apply(x * x))
    if p == 1:
        return Sum(axes, keepdims).apply(abs(x))
    if math.isinf(p):
        return max(abs(x), axes, keepdims)
    total = Sum(axes, keepdims).apply(power(abs(x), _constant(x, p)))
    zero, at_zero = _constant(x, 0), total == _constant(x, 0)
    root = power(where(at_zero, _constant(x, 1), total), _constant(x, 1 / p))
    return where(at_zero, zero, root)


def any(x, axis=None, keepdims=False):
    """Whether at least one element is True (or not 0; NaN is not 0); False over an empty axis."""
    _kind("any", x)
    truths = x if x.dtype == bool else x != _constant(x, 0)
    return sum(truths, axis, keepdims) > 0


def all(x, axis=None, keepdims=False):
    """Whether every element is True (or not 0); True over an empty axis."""
    _kind("all", x)
    falsehoods = ~x if x.dtype == bool else x == _constant(x, 0)
    return sum(falsehoods, axis, keepdims) == 0
