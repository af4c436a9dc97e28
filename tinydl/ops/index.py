"""Reading by index (rows, along an axis, as NumPy's `x[i, j]`) and the adjoints, which add.

Indices are int32 or int64 and in 0 <= i < size. Everything is a gather of rows: an index along
another axis is an index into the rows of a reshaped x.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ..arguments import addressable, is_tensor, rank, whole
from ..arguments import array as host_array
from ..arguments import dtype as checked_dtype
from ..doors import door
from ..errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from ..function import Function
from ..geometry import normalize_axis, touched_bytes
from ..quoting import quoted
from .elementwise import astype, where
from .operands import _constant, _kind
from .shape import reshape, transpose


class Gather(Function):
    name = "gather"
    flops_per_output = 0
    saves = (1,)

    def forward(self, x, indices):
        self.rows = x.shape[0]
        return self.backend.gather(x, indices)

    def traffic(self, arrays, y):
        return 2 * touched_bytes(y) + touched_bytes(arrays[1])  # the rows that are asked for

    def backward(self, grad):
        return ScatterAdd(self.rows).apply(grad, self.saved[0]), None


class ScatterAdd(Function):
    name = "scatter_add"
    saves = (1,)

    def __init__(self, rows):
        self.rows = rows

    def forward(self, x, indices):
        return self.backend.scatter_add(x, indices, self.rows)

    def flops(self, arrays, y):
        return arrays[0].size

    def backward(self, grad):
        return Gather().apply(grad, self.saved[0]), None


class OneHot(Function):
    name = "one_hot"
    flops_per_output = 0
    differentiable = False

    def __init__(self, depth, dtype):
        self.depth, self.target = depth, dtype

    def forward(self, indices):
        return self.backend.one_hot(indices, self.depth, self.target)


INDEX_TYPES = frozenset((np.dtype(np.int32), np.dtype(np.int64)))


def check_indices(op, indices):
    if not is_tensor(indices):
        raise DTypeError(f"{op}: indices must be an integer tensor, got {quoted(indices)}")
    if indices.dtype not in INDEX_TYPES:
        raise DTypeError(
            f"{op}: indices must be int32 or int64, got {indices.dtype} {indices.shape}"
        )


def gather(x, indices):
    """Rows x[indices]: x (V, ...), indices of any shape S -> S + x.shape[1:].

    Raises IndexRangeError for an index below 0 or not below V (on OpenCL: when a result is next
    read).
    """
    check_indices("gather", indices)
    if rank("gather", x) < 1:
        raise ShapeError("gather: x needs at least one axis")
    return Gather().apply(x, indices)


def embedding(weight, indices):
    """Rows of an embedding table weight (V, D) for integer `indices` of shape S: S + (D,).

    The gradient of a row that occurs several times is the sum over its occurrences, in index order.
    """
    if rank("embedding", weight) != 2:
        raise ShapeError(f"embedding: weight must be (V, D), got {weight.shape}")
    return gather(weight, indices)


def _check_count(op, name, value):
    return whole(op, name, value, 0, error=ShapeError)


@door
def scatter_add(x, indices, rows):
    """Zeros (rows, ...) with x[s] added at row indices[s], in index order: the adjoint of
    gather."""
    check_indices("scatter_add", indices)
    _kind("scatter_add", x)
    rows = _check_count("scatter_add", "rows", rows)
    if x.shape[: indices.ndim] != indices.shape:
        raise ShapeError(
            f"scatter_add: x {x.shape} must start with the shape of indices {indices.shape}"
        )
    addressable("scatter_add", (rows, *x.shape[indices.ndim :]), 8)
    return ScatterAdd(rows).apply(x, indices)


@door
def one_hot(indices, depth, dtype=np.float32):
    """1 at the index, 0 elsewhere: indices S -> S + (depth,)."""
    check_indices("one_hot", indices)
    depth = whole("one_hot", "depth", depth, 1, error=ShapeError)
    addressable("one_hot", (*indices.shape, depth), 8)
    return OneHot(depth, checked_dtype("one_hot", dtype)).apply(indices)


# -- along one axis --------------------------------------------------------------------------------


def _host_indices(like, host):
    """Host integers as a tensor on the backend of `like`."""
    return like._new(like.backend.asarray(np.array(host, np.int64, order="C")), like.backend)


def _flat_positions(shape, indices, axis):
    """Positions in C order of x[..., indices[...], ...], x of `shape`: a tensor shaped as
    `indices`."""
    before, after = prod(shape[:axis]), prod(shape[axis + 1 :])
    three = (before, indices.shape[axis], after)
    rows = np.arange(before).reshape(-1, 1, 1) * (shape[axis] * after) + np.arange(after)
    flat = reshape(astype(indices, np.int64), three)
    if after != 1:
        flat = flat * _constant(flat, after)
    return reshape(flat + _host_indices(indices, rows), indices.shape)


def _out_of_range_kept(indices, flat, size, total):
    """`flat`, but outside 0 ... total - 1 where `indices` is outside 0 ... size - 1, so that gather
    raises."""
    if size > np.iinfo(indices.dtype).max:  # no index of this type reaches the end
        return where(indices < _constant(indices, 0), astype(indices, np.int64), flat)
    zero, end = _constant(indices, 0), _constant(indices, size)
    beyond = where(indices >= end, astype(indices, np.int64) + _constant(flat, total), flat)
    return where(indices < zero, astype(indices, np.int64), beyond)


def _check_on_host(op, indices, axis, size):
    """Name the first wrong index of `indices`; used once gather has failed."""
    host = indices.numpy()
    bad = host[(host < 0) | (host >= size)]
    if bad.size:
        raise IndexRangeError(
            f"{op}: index {int(bad[0])} is out of range for axis {axis} of size {size}"
        ) from None


def take_in_range(x, indices, axis):
    """take_along_axis for indices that are known to be right (those of a sort)."""
    flat = _flat_positions(x.shape, indices, axis)
    return Gather().apply(reshape(x, (prod(x.shape),)), flat)


def _check_along(op, x, indices, axis):
    check_indices(op, indices)
    axis = normalize_axis(op, axis, x.ndim)
    others = [n for i, n in enumerate(x.shape) if i != axis]
    if indices.ndim != x.ndim or [n for i, n in enumerate(indices.shape) if i != axis] != others:
        raise ShapeError(
            f"{op}: indices {indices.shape} must have the shape of x {x.shape} "
            f"except along axis {axis}"
        )
    return axis


@door
def take_along_axis(x, indices, axis=-1):
    """y[..., k, ...] = x[..., indices[..., k, ...], ...]: one index per element of the result,
    shaped as `indices`.

    indices: int32 or int64, 0 <= index < x.shape[axis], the other sizes are x's. Equal indices add
    their gradients. Raises ShapeError, DTypeError, IndexRangeError (on OpenCL: when a result is
    next read).
    """
    axis = _check_along("take_along_axis", x, indices, axis)
    size, total = x.shape[axis], prod(x.shape)
    flat = _flat_positions(x.shape, indices, axis)
    try:
        flat = _out_of_range_kept(indices, flat, size, total)
        return Gather().apply(reshape(x, (total,)), flat)
    except IndexRangeError:
        _check_on_host("take_along_axis", indices, axis, size)
        raise


@door
def scatter_add_along_axis(x, indices, axis, size):
    """Zeros to which x[..., k, ...] is added at [..., indices[..., k, ...], ...]: the adjoint of
    take_along_axis.

    x and indices have one shape; the result has `size` along `axis`. Errors as in take_along_axis.
    """
    axis = _check_along("scatter_add_along_axis", x, indices, axis)
    size = _check_count("scatter_add_along_axis", "size", size)
    if x.shape != indices.shape:
        raise ShapeError(f"scatter_add_along_axis: x {x.shape} and indices {indices.shape} differ")
    shape = addressable("scatter_add_along_axis", x.shape[:axis] + (size,) + x.shape[axis + 1 :], 8)
    total = prod(shape)
    flat = _flat_positions(shape, indices, axis)
    try:
        flat = _out_of_range_kept(indices, flat, size, total)
        y = ScatterAdd(total).apply(reshape(x, (prod(x.shape),)), reshape(flat, (prod(x.shape),)))
    except IndexRangeError:
        _check_on_host("scatter_add_along_axis", indices, axis, size)
        raise
    return reshape(y, shape)


def _checked_host(op, values, axis, size):
    """Host indices as int64 with negative ones counted from the end, as in NumPy."""
    host = host_array(op, "indices", values)
    if host.size == 0 and host.dtype.kind == "f":  # np.asarray([])
        host = host.astype(np.int64)
    if host.dtype.kind not in "iu":
        raise DTypeError(f"{op}: indices must be integers, got {host.dtype} {host.shape}")
    bad = host[(host < -size) | (host >= size)]
    if bad.size:
        raise IndexRangeError(
            f"{op}: index {int(bad.flat[0])} is out of range for axis {axis} of size {size}"
        )
    return np.where(host < 0, host + size, host).astype(np.int64)


@door
def take(x, indices, axis=None):
    """Slices of x at `indices` of any shape S along `axis`: x.shape[:axis] + S + x.shape[axis +
    1:].

    indices: an integer tensor (0 <= index < size), or a list or ndarray, where negative ones count
    from the end. Repeated slices add their gradients. Only of one axis the axis goes without
    saying: ConfigError. Raises ShapeError, DTypeError, IndexRangeError.
    """
    _kind("take", x)
    if axis is None:
        if x.ndim != 1:
            raise ConfigError(
                "take: needs an axis: take(x, indices, axis=0); NumPy's and PyTorch's "
                "take(x, indices) of the flattened x is take(reshape(x, (-1,)), indices)"
            )
        axis = 0
    axis = normalize_axis("take", axis, x.ndim)
    before, size = prod(x.shape[:axis]), x.shape[axis]
    if hasattr(indices, "_new"):
        check_indices("take", indices)
        if before == 1:
            return reshape(gather(reshape(x, x.shape[axis:]), indices), _taken(x, indices, axis))
        order = (axis, *[i for i in range(x.ndim) if i != axis])
        rows = gather(transpose(x, order), indices)
        lead, n = indices.ndim, indices.ndim + axis
        return transpose(rows, (*range(lead, n), *range(lead), *range(n, rows.ndim)))
    host = _checked_host("take", indices, axis, size)
    flat = np.arange(before).reshape(-1, *([1] * host.ndim)) * size + host
    rows = reshape(x, (before * size,) + x.shape[axis + 1 :])
    return reshape(Gather().apply(rows, _host_indices(x, flat)), _taken(x, host, axis))


def _taken(x, indices, axis):
    return x.shape[:axis] + tuple(indices.shape) + x.shape[axis + 1 :]
