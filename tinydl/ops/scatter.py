"""Writing by index, into a new tensor: NumPy's `x[key] = values`, along an axis, and what several
values make of one place.

Which place of (x, values) each place of the result takes is worked out on the host, from the
indices and, for the largest and smallest, from the values; one gather then reads them, of any type
and with its gradient.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ..arguments import flag, text
from ..doors import door
from ..errors import ConfigError, DTypeError, IndexRangeError
from ..function import Function
from .broadcast import broadcast_to
from .elementwise import where
from .getitem import getitem
from .index import (
    Gather,
    ScatterAdd,
    _check_along,
    _check_on_host,
    _flat_positions,
    _host_indices,
    _out_of_range_kept,
)
from .operands import _constant, _lifted, _require_float, _require_number
from .shape import concat, reshape

REDUCTIONS = ("sum", "prod", "mean", "max", "min")


class LastWriter(Function):
    """For each place of x its own number, or n + k where values[k] is the last one that goes there:
    positions (K,) -> int64 (n,)."""

    name = "last_writer"
    flops_per_output = 0
    differentiable = False

    def __init__(self, size):
        self.size = size

    def forward(self, positions):
        places = _on_host(self.backend, positions, self.size)
        source = np.arange(self.size)
        source[places] = self.size + np.arange(places.size)
        return self.backend.asarray(source)


class Winners(Function):
    """For each place of x the number of the largest (smallest) of what is there, the first of equal
    ones: (x, values) joined (n + K,), positions (K,) -> int64 (n,)."""

    name = "winners"
    differentiable = False

    def __init__(self, size, best, include_self):
        self.size, self.best, self.include_self = size, best, include_self

    def forward(self, joined, positions):
        places = _on_host(self.backend, positions, self.size)
        host = self.backend.to_numpy(joined)
        own, values = host[: self.size], host[self.size :]
        best, source = own.copy(), np.arange(self.size)
        if not self.include_self:
            best[places] = values
        with np.errstate(invalid="ignore"):
            self.best.at(best, places, values)
        hits = np.flatnonzero((values == best[places]) | (values != values))[::-1]
        source[places[hits]] = self.size + hits
        if self.include_self:
            stays = np.flatnonzero((own == best) | (own != own))
            source[stays] = stays
        return self.backend.asarray(source)


def _on_host(backend, positions, size):
    places = backend.to_numpy(positions)
    bad = (places < 0) | (places >= size)
    if bad.any():
        raise IndexRangeError(f"scatter: index {int(places[bad][0])} is out of range")
    return places


def _values_beside(op, x, values, shape):
    """The values in the type of x, flat, for places of this shape."""
    x, values = _lifted(op, x, values)
    if values.dtype != x.dtype:
        raise DTypeError(f"{op}: x is {x.dtype}, values {values.dtype}; convert one with .astype")
    return reshape(broadcast_to(values, shape), (prod(shape),))


def _written(x, places, values):
    """Flat values at flat places of x; the last one of several."""
    source = LastWriter(prod(x.shape)).apply(places)
    joined = concat([reshape(x, (prod(x.shape),)), values])
    return reshape(Gather().apply(joined, source), x.shape)


def _places_along(op, x, indices, axis):
    """(flat places in x, flat; the axis)."""
    axis = _check_along(op, x, indices, axis)
    flat = _flat_positions(x.shape, indices, axis)
    flat = _out_of_range_kept(indices, flat, x.shape[axis], prod(x.shape))
    return reshape(flat, (prod(indices.shape),)), axis


@door
def put_along_axis(x, indices, values, axis=-1):
    """x with values[..., k, ...] at [..., indices[..., k, ...], ...]; of several at one place the
    last. The inverse of take_along_axis, as a new tensor.

    indices: int32 or int64, 0 <= index < x.shape[axis], the other sizes are x's. values: of x's
    type, or a number, broadcasting to the shape of indices. The gradient goes to x where nothing
    was put, and to the values that stayed. Raises ShapeError, DTypeError, IndexRangeError.
    """
    places, axis = _places_along("put_along_axis", x, indices, axis)
    values = _values_beside("put_along_axis", x, values, indices.shape)
    try:
        return _written(x, places, values)
    except IndexRangeError:
        _check_on_host("put_along_axis", indices, axis, x.shape[axis])
        raise


@door
def index_put(x, key, values, accumulate=False):
    """What x is after NumPy's x[key] = values, as a new tensor; accumulate: after np.add.at(x, key,
    values), where each of several at one place counts.

    key: as in x[key]. values: of x's type, or a number, broadcasting to the shape of x[key]; of
    several at one place the last stays. The gradient goes to x where nothing was put (everywhere
    with accumulate), and to the values that stayed. Raises ShapeError, DTypeError, IndexRangeError.
    """
    size = prod(x.shape)
    places = getitem(_host_indices(x, np.arange(size).reshape(x.shape)), key)
    values = _values_beside("index_put", x, values, places.shape)
    places = reshape(places, (prod(places.shape),))
    if not flag("index_put", "accumulate", accumulate):
        return _written(x, places, values)
    _require_number("index_put", x)
    return x + reshape(ScatterAdd(size).apply(values, places), x.shape)


@door
def scatter_reduce(x, indices, values, axis=-1, *, reduce, include_self=True):
    """x with what the values at one place (and x there, with include_self) come to: their "sum",
    "prod", "mean", "max" or "min".

    Which place: as of put_along_axis; where nothing goes x stays. values: of x's type, or a number,
    broadcasting to the shape of indices. Of equal largest or smallest the first takes the gradient,
    x before the values; NaN wins. Raises ShapeError, DTypeError (a mean of integers), ConfigError,
    IndexRangeError.
    """
    op = "scatter_reduce"
    if text(op, "reduce", reduce) not in REDUCTIONS:
        hint = f"; {reduce!r} is {reduce[1:]!r} here" if reduce in ("amax", "amin") else ""
        raise ConfigError(f"{op}: reduce must be one of {REDUCTIONS}, got {reduce!r}{hint}")
    include_self = flag(op, "include_self", include_self)
    _require_float(op, x) if reduce == "mean" else _require_number(op, x)
    places, axis = _places_along(op, x, indices, axis)
    values = _values_beside(op, x, values, indices.shape)
    own = reshape(x, (prod(x.shape),))
    try:
        if reduce in ("max", "min"):
            best = np.maximum if reduce == "max" else np.minimum
            joined = concat([own, values])
            winners = Winners(prod(x.shape), best, include_self).apply(joined.detach(), places)
            found = Gather().apply(joined, winners)
        elif reduce == "prod":
            found = _products(own, places, values, include_self)
        else:
            found = _sums(own, places, values, include_self, reduce == "mean")
    except IndexRangeError:
        _check_on_host(op, indices, axis, x.shape[axis])
        raise
    return reshape(found, x.shape)


def _sums(own, places, values, include_self, mean):
    size = own.shape[0]
    counts = ScatterAdd(size).apply(broadcast_to(_constant(own, 1), values.shape), places)
    if not include_self:
        own = where(counts > _constant(counts, 0), _constant(own, 0), own)
    total = own + ScatterAdd(size).apply(values, places)
    if not mean:
        return total
    number = counts + _constant(counts, 1) if include_self else counts
    return total / where(counts > _constant(counts, 0), number, _constant(counts, 1))


def _products(own, places, values, include_self):
    """Two and two, as `prod`: no quotient, so that zeros have their gradients."""
    size, count = own.shape[0], values.shape[0]
    host = places.numpy()
    _on_host(own.backend, places.data, size)
    kept = np.arange(size) if include_self else np.setdiff1d(np.arange(size), host)
    targets = np.concatenate([kept, host])
    numbers = np.concatenate([kept, size + np.arange(count)])[np.argsort(targets, kind="stable")]
    one = reshape(_constant(own, 1), (1,))
    y = Gather().apply(concat([own, values]), _host_indices(own, numbers))
    lengths = np.bincount(targets, minlength=size)
    while lengths.max(initial=0) > 1:
        pairs = (lengths + 1) // 2
        turn = np.arange(pairs.sum()) - np.repeat(np.cumsum(pairs) - pairs, pairs)
        first = np.repeat(np.cumsum(lengths) - lengths, pairs) + 2 * turn
        alone = 2 * turn + 1 == np.repeat(lengths, pairs)
        second = np.where(alone, y.shape[0], first + 1)
        left = Gather().apply(y, _host_indices(own, first))
        y, lengths = left * Gather().apply(concat([y, one]), _host_indices(own, second)), pairs
    return y
