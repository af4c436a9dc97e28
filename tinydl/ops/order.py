"""Operations along an ordered axis: running sums, sorting, the k largest."""

from __future__ import annotations

from math import prod

from ..arguments import flag, is_whole
from ..doors import door
from ..errors import ConfigError, ShapeError
from ..function import Function
from ..geometry import normalize_axis
from ..quoting import quoted
from .index import take_in_range
from .operands import _kind
from .shape import _take, reshape


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
