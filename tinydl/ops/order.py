"""Operations along an ordered axis: running sums and products, sorting, quantiles, the best k."""

from __future__ import annotations

from math import prod

from ..arguments import flag, is_whole, number
from ..doors import door
from ..errors import ConfigError, ShapeError
from ..function import Function
from ..geometry import normalize_axis
from ..quoting import quoted
from .elementwise import where
from .index import take_in_range
from .operands import _constant, _kind, _require_float
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
