"""Operations along an ordered axis: running sums and products, sorting, quantiles, the best k."""

from __future__ import annotations

from math import prod

import numpy as np

from ..arguments import flag, is_whole, number
from ..doors import door
from ..errors import ConfigError, ShapeError
from ..function import Function
from ..geometry import normalize_axis
from ..quoting import quoted
from .broadcast import broadcast_to
from .compare import greater_equal, less_equal, logical_or
from .elementwise import where
from .index import _host_indices, take_in_range
from .operands import _constant, _kind, _require_float, _require_number
from .reduce import logaddexp
from .shape import _take, concat, reshape


class Cumsum(Function):
    """Adjoint: the running sum from the other end."""

    name = "cumsum"

    def __init__(self, axis, reverse):
        self.axis, self.reverse = axis, reverse

    def forward(self, x):
        return self.backend.cumsum(x, self.axis, self.reverse)

    def backward(self, grad):
        return Cumsum(self.axis, not self.reverse).apply(grad)


class Argsort(Function):
    name = "argsort"
    flops_per_output = 0
    differentiable = False

    def __init__(self, axis, descending):
        self.axis, self.descending = axis, descending

    def forward(self, x):
        return self.backend.argsort(x, self.axis, self.descending)


def _one_axis(op, x, axis):
    """(x, axis); axis None stands for the flattened tensor."""
    _kind(op, x)
    if axis is None:
        return reshape(x, (prod(x.shape),)), 0
    axis = normalize_axis(op, axis, x.ndim)
    return x, axis


@door
def cumsum(x, axis=None, reverse=False):
    """y_i = sum of x_j over j <= i along `axis`, or over j >= i with `reverse`.

    Same shape; floats keep their dtype, integers and bool are summed in int64. Raises ConfigError
    without an axis, ShapeError for one that x does not have.
    """
    _kind("cumsum", x)
    if axis is None:
        raise ConfigError(
            "cumsum: needs an axis: cumsum(x, axis=0); NumPy's cumsum(x) of the flattened x is "
            "cumsum(reshape(x, (-1,)), axis=0)"
        )
    x, axis = _one_axis("cumsum", x, axis)
    return Cumsum(axis, flag("cumsum", "reverse", reverse)).apply(x)


@door
def cumprod(x, axis=None):
    """y_i = product of x_j over j <= i along `axis`, of floats in their dtype.

    In log2 n rounds, of which each multiplies with what stands 1, 2, 4, ... places before: no
    quotient, so that zeros have their gradients. Raises ConfigError without an axis, ShapeError for
    one that x does not have, DTypeError for other numbers.
    """
    _require_float("cumprod", x)
    if axis is None:
        raise ConfigError("cumprod: needs an axis: cumprod(x, axis=0)")
    y, axis = _one_axis("cumprod", x, axis)
    count, step = x.shape[axis], 1
    while step < count:
        head, moved = _take(y, axis, 0, step), _take(y, axis, 0, count - step)
        y = concat([head, _take(y, axis, step, count - step) * moved], axis)
        step *= 2
    return y


def _running(x, axis, better):
    """(values, int64 places) of the best so far along an axis; the later of equal ones, as
    PyTorch's. In log2 n rounds over what stands 1, 2, 4, ... places before, of which NaN wins."""
    count, step, best = x.shape[axis], 1, x.detach()
    shape = tuple(n if i == axis else 1 for i, n in enumerate(x.shape))
    places = broadcast_to(_host_indices(x, np.arange(count).reshape(shape)), x.shape)
    while step < count:
        rest = count - step
        here, before = _take(best, axis, step, rest), _take(best, axis, 0, rest)
        stays = logical_or(better(here, before), here != here)
        kept = _take(places, axis, step, rest), _take(places, axis, 0, rest)
        best = concat([_take(best, axis, 0, step), where(stays, here, before)], axis)
        places = concat([_take(places, axis, 0, step), where(stays, *kept)], axis)
        step *= 2
    return take_in_range(x, places, axis), places


@door
def cummax(x, axis=None):
    """(y, int64 places): y_i = max of x_j over j <= i along `axis`, and where it stands.

    Of equal ones the later place, which takes the gradient; NaN once is NaN from there on. Raises
    ConfigError without an axis, ShapeError for one that x does not have.
    """
    _require_number("cummax", x)
    if axis is None:
        raise ConfigError("cummax: needs an axis: cummax(x, axis=0)")
    x, axis = _one_axis("cummax", x, axis)
    return _running(x, axis, greater_equal)


@door
def cummin(x, axis=None):
    """(y, int64 places) of the smallest so far, as `cummax`."""
    _require_number("cummin", x)
    if axis is None:
        raise ConfigError("cummin: needs an axis: cummin(x, axis=0)")
    x, axis = _one_axis("cummin", x, axis)
    return _running(x, axis, less_equal)


@door
def logcumsumexp(x, axis=None):
    """y_i = log sum of e^x_j over j <= i along `axis`, also where the powers leave the range.

    In log2 n rounds of `logaddexp`, as `cumprod`. Raises ConfigError without an axis, ShapeError
    for one that x does not have, DTypeError for other than float tensors.
    """
    _require_float("logcumsumexp", x)
    if axis is None:
        raise ConfigError("logcumsumexp: needs an axis: logcumsumexp(x, axis=0)")
    y, axis = _one_axis("logcumsumexp", x, axis)
    count, step = x.shape[axis], 1
    while step < count:
        rest = count - step
        sums = logaddexp(_take(y, axis, step, rest), _take(y, axis, 0, rest))
        y = concat([_take(y, axis, 0, step), sums], axis)
        step *= 2
    return y


@door
def argsort(x, axis=-1, descending=False):
    """int64 positions that put x in order along `axis` (None: flattened). Same shape; no gradient.

    Stable: equal elements keep their order, descending too. NaN counts as larger than everything.
    """
    x, axis = _one_axis("argsort", x, axis)
    return Argsort(axis, flag("argsort", "descending", descending)).apply(x)


@door
def sort(x, axis=-1, descending=False):
    """x in order along `axis` (None: flattened); the gradient goes back to where each element came
    from."""
    x, axis = _one_axis("sort", x, axis)
    order = Argsort(axis, flag("sort", "descending", descending)).apply(x.detach())
    return take_in_range(x, order, axis)


@door
def quantile(x, q, axis=None, keepdims=False):
    """The value below which a share q in [0, 1] of the elements along `axis` (None: of all) lies.

        s_k + (h - k) (s_(k+1) - s_k),   h = q (n - 1), k = floor(h), s in order

    the linear rule, NumPy's and PyTorch's default (Hyndman and Fan 1996, definition 7); NaN where
    one of the elements is. The gradient goes to the two neighbours. Raises DTypeError unless x is
    float, ConfigError for another q, ShapeError without elements.
    """
    _require_float("quantile", x)
    q, keepdims = number("quantile", "q", q), flag("quantile", "keepdims", keepdims)
    if not 0 <= q <= 1:
        raise ConfigError(f"quantile: q must be in [0, 1], got {q:g}")
    rows, place = _one_axis("quantile", x, axis)
    count = rows.shape[place]
    if not count:
        raise ShapeError(f"quantile: axis {axis} of {x.shape} has no elements")
    ordered, h = sort(rows, place), q * (count - 1)
    k = min(int(h), max(count - 2, 0))
    low = _take(ordered, place, k, 1)
    if h > k:
        high = _take(ordered, place, k + 1, 1)
        low = low + (high - low) * _constant(low, h - k)
    last = _take(ordered, place, count - 1, 1)  # NaN comes last
    found = where(last != last, last, low)
    whole = (1,) * x.ndim if axis is None else found.shape
    shape = whole if keepdims else tuple(n for a, n in enumerate(found.shape) if a != place)
    return reshape(found, shape)


@door
def median(x, axis=None, keepdims=False):
    """`quantile` of 1/2: the element in the middle, the mean of the two of an even number, as
    NumPy's; PyTorch's is the lower of the two."""
    return quantile(x, 0.5, axis, keepdims)


@door
def topk(x, k, axis=-1, largest=True):
    """(values, int64 positions) of the k largest (or smallest) elements along `axis`, best first.

    The first positions win ties. Raises ShapeError unless 0 <= k <= size of the axis.
    """
    x, axis = _one_axis("topk", x, axis)
    if not is_whole(k) or not 0 <= k <= x.shape[axis]:
        raise ShapeError(
            f"topk: k must be in 0 ... {x.shape[axis]} for axis {axis} of {x.shape}, got "
            f"{quoted(k)}"
        )
    k = int(k)
    largest = flag("topk", "largest", largest)
    indices = _take(Argsort(axis, largest).apply(x.detach()), axis, 0, k)
    return take_in_range(x, indices, axis), indices
