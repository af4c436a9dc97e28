"""Where, which and how many: results whose sizes or places depend on the values.

They are NumPy's answers, read and given on the host (on OpenCL a copy there and back), and have no
gradient, but for the weights of `bincount`.
"""

from __future__ import annotations

import numpy as np

from ..arguments import MOST_BYTES, flag, rank, text, whole
from ..doors import door
from ..errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from ..function import Function
from ..geometry import normalize_axis
from .index import check_indices, scatter_add
from .operands import _kind, _lifted
from .shape import _take, reshape


class Argwhere(Function):
    name = "argwhere"
    flops_per_output = 0
    differentiable = False

    def forward(self, x):
        found = np.argwhere(self.backend.to_numpy(x))
        return self.backend.asarray(np.ascontiguousarray(found, np.int64))


class Unique(Function):
    """The values; `places`: of the first of each, of each element among them, how many of each."""

    name = "unique"
    flops_per_output = 0
    differentiable = False

    def __init__(self, axis):
        self.axis = axis

    def forward(self, x):
        host = self.backend.to_numpy(x)
        found, first, inverse, counts = np.unique(host, True, True, True, self.axis)
        inverse = inverse.reshape(x.shape if self.axis is None else (-1,))
        self.places = [self.backend.asarray(p.astype(np.int64)) for p in (first, inverse, counts)]
        return self.backend.asarray(np.ascontiguousarray(found))


class SearchSorted(Function):
    name = "searchsorted"
    differentiable = False

    def __init__(self, side):
        self.side = side

    def forward(self, ordered, values):
        host = self.backend.to_numpy(ordered)
        found = np.searchsorted(host, self.backend.to_numpy(values), self.side)
        return self.backend.asarray(np.asarray(found, np.int64))


@door
def argwhere(x):
    """The places of the elements that are not 0 (or True; NaN is not 0), in C order: int64
    (how many, x.ndim)."""
    _kind("argwhere", x)
    return Argwhere().apply(x)


@door
def nonzero(x, as_tuple=None):
    """The places of the elements that are not 0, as one int64 vector for each axis, so that
    x[nonzero(x, as_tuple=True)] are the elements; as_tuple=False: `argwhere`.

    To be said, since NumPy's nonzero(x) is the one and PyTorch's the other: ConfigError. Raises
    ShapeError for a tensor without axes.
    """
    if as_tuple is None:
        raise ConfigError(
            "nonzero: vectors or rows? NumPy's nonzero(x) is nonzero(x, as_tuple=True), PyTorch's "
            "is nonzero(x, as_tuple=False) or argwhere(x)"
        )
    if rank("nonzero", x) < 1:
        raise ShapeError("nonzero: x needs at least one axis, got shape ()")
    found = argwhere(x)
    if not flag("nonzero", "as_tuple", as_tuple):
        return found
    return tuple([reshape(_take(found, 1, i, 1), (found.shape[0],)) for i in range(x.ndim)])


@door
def unique(x, *, return_index=False, return_inverse=False, return_counts=False, axis=None):
    """The different elements of x in ascending order, or its different slices along `axis`; NaN
    counts as one.

    As NumPy's, a tuple if more is asked for, in this order: int64 places of the first of each, of
    every element in the result (x.shape, or (size of the axis,)), and how many there are of each.
    """
    _kind("unique", x)
    asked = [
        flag("unique", name, value)
        for name, value in (
            ("return_index", return_index),
            ("return_inverse", return_inverse),
            ("return_counts", return_counts),
        )
    ]
    function = Unique(None if axis is None else normalize_axis("unique", axis, x.ndim))
    found = function.apply(x)
    more = [x._new(p, x.backend) for p, one in zip(function.places, asked, strict=True) if one]
    return (found, *more) if more else found


@door
def bincount(x, weights=None, minlength=0):
    """How often each of 0, 1, ... occurs in the integers x (N,): int64 (max x + 1,), at least
    minlength; with weights (N,) the sums of those of each, with their gradient.

    Raises IndexRangeError for a negative integer, ShapeError, DTypeError.
    """
    check_indices("bincount", x)
    least = whole("bincount", "minlength", minlength, 0, error=ShapeError)
    if x.ndim != 1:
        raise ShapeError(f"bincount: x must be (N,), got {x.shape}")
    host = x.numpy()
    if host.size and host.min() < 0:
        raise IndexRangeError(f"bincount: integers must be >= 0, got {host.min()}")
    rows = max(int(host.max(initial=-1)) + 1, least)
    if rows * 8 > MOST_BYTES:
        raise ShapeError(f"bincount: {rows} counts are larger than any memory")
    if weights is None:
        counts = np.bincount(host, minlength=rows).astype(np.int64)
        return x._new(x.backend.asarray(counts), x.backend)
    if rank("bincount", weights) != 1 or weights.shape != x.shape:
        raise ShapeError(f"bincount: weights must be {x.shape}, one for each, got {weights.shape}")
    if weights.dtype.kind != "f":
        raise DTypeError(f"bincount: weights must be floats, got {weights.dtype}; use .astype")
    return scatter_add(weights, x, rows)


@door
def searchsorted(ordered, values, side="left"):
    """Where each value goes in the ascending vector `ordered` (N,): the int64 number of elements
    below it, with side="right" of those not above it. values: a tensor of any shape, or a number.

    Whether the vector is in order is not looked at. Raises ShapeError, DTypeError, ConfigError.
    """
    if text("searchsorted", "side", side) not in ("left", "right"):
        raise ConfigError(f"searchsorted: side must be 'left' or 'right', got {side!r}")
    if rank("searchsorted", ordered) != 1:
        raise ShapeError(f"searchsorted: ordered must be (N,), got {ordered.shape}")
    ordered, values = _lifted("searchsorted", ordered, values)
    if ordered.dtype != values.dtype:
        raise DTypeError(
            f"searchsorted: ordered is {ordered.dtype}, values {values.dtype}; convert one with "
            ".astype"
        )
    return SearchSorted(side).apply(ordered, values)
