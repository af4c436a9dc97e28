"""Matrices and their diagonals, grids and products of vectors, composed of views and products."""

from __future__ import annotations

from typing import Never

from ..arguments import addressable, text, whole
from ..doors import door
from ..errors import ConfigError, ShapeError
from ..geometry import broadcast_shape, normalize_axis
from .arrange import roll
from .broadcast import broadcast_to, sum
from .operands import _kind, _lifted, _require_number
from .shape import Pad, Slice, _several, reshape, transpose


@door
def diagonal(x, offset=0, axis1=0, axis2=1):
    """x[i, i + offset] of the matrices along axis1 (rows) and axis2 (columns): the other axes, then
    the diagonal; below the main one offset is negative.

    A view where axis2 follows axis1 and x is contiguous. As NumPy's and PyTorch's, of the first two
    axes unless told otherwise; empty outside of the matrix. Raises ShapeError.
    """
    if _kind("diagonal", x) and x.ndim < 2:
        raise ShapeError(f"diagonal: needs at least two axes, got {x.shape}")
    k = whole("diagonal", "offset", offset, error=ShapeError)
    rows, columns = (normalize_axis("diagonal", axis, x.ndim) for axis in (axis1, axis2))
    if rows == columns:
        raise ShapeError(f"diagonal: axis1 and axis2 are both axis {rows} of {x.shape}")
    if columns != rows + 1:
        x = transpose(x, (*[i for i in range(x.ndim) if i not in (rows, columns)], rows, columns))
        rows = x.ndim - 2
    H, W = x.shape[rows : rows + 2]
    count = max(min(H + min(k, 0), W - max(k, 0)), 0)
    flat = reshape(x, (*x.shape[:rows], H * W, *x.shape[rows + 2 :]))
    starts, steps, counts = [0] * flat.ndim, [1] * flat.ndim, list(flat.shape)
    if count:
        starts[rows] = k if k >= 0 else -k * W
    steps[rows], counts[rows] = W + 1, count
    y = Slice(tuple(starts), tuple(steps), tuple(counts)).apply(flat)
    last = y.ndim - 1
    if rows == last:
        return y
    return transpose(y, (*range(rows), *range(rows + 1, y.ndim), rows))


@door
def trace(x, offset=0, axis1=0, axis2=1):
    """The sum along `diagonal(x, offset, axis1, axis2)`, of integers and bool in int64. Raises
    ShapeError."""
    if _kind("trace", x) and x.ndim < 2:
        raise ShapeError(f"trace: needs at least two axes, got {x.shape}")
    return sum(diagonal(x, offset, axis1, axis2), -1)


@door
def diag(x, k=0):
    """Of a vector (n,) the matrix with it on diagonal k, zeros elsewhere: (n + |k|, n + |k|). Of a
    matrix its diagonal k, as `diagonal`. Raises ShapeError for other ranks."""
    kind, k = _kind("diag", x), whole("diag", "k", k, error=ShapeError)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError(f"diag: needs a vector or a matrix, got {x.shape}")
    N = x.shape[0] + abs(k)
    addressable("diag", (N, N), 8)
    first = k if k >= 0 else -k * N
    flat = Pad((first if x.shape[0] else 0,), (N + 1,), (N * N,), 0.0 if kind == "f" else 0)
    return reshape(flat.apply(x), (N, N))


@door
def meshgrid(*tensors, indexing=None, **unknown: Never):
    """The coordinates of all pairs (triples ...) of the elements of vectors, one result for each,
    as views.

    indexing="ij": shape (n0, n1, ...), result i varies along axis i. "xy": the first two axes
    exchanged, (n1, n0, ...), as of columns and rows. To be said, since NumPy means "xy" and PyTorch
    "ij": ConfigError. Raises ShapeError for what is no vector (a number is one of one element).
    """
    if unknown:
        raise ConfigError(f"meshgrid: has no argument {next(iter(unknown))!r}, only indexing=")
    tensors = _several("meshgrid", tensors)
    if indexing is None:
        raise ConfigError(
            "meshgrid: rows or columns first? NumPy's meshgrid(a, b) is meshgrid(a, b, "
            'indexing="xy"), PyTorch\'s is meshgrid(a, b, indexing="ij")'
        )
    if text("meshgrid", "indexing", indexing) not in ("ij", "xy"):
        raise ConfigError(f"meshgrid: indexing must be 'ij' or 'xy', got {indexing!r}")
    for i, t in enumerate(tensors):
        if t.ndim > 1:
            raise ShapeError(f"meshgrid: number {i} must be a vector, got {t.shape}")
    axes = list(range(len(tensors)))
    if indexing == "xy":
        axes[:2] = axes[:2][::-1]
    sizes = [0] * len(tensors)
    for axis, t in zip(axes, tensors, strict=True):
        sizes[axis] = t.size
    shape = addressable("meshgrid", tuple(sizes), 8)
    found = []
    for axis, t in zip(axes, tensors, strict=True):
        along = tuple(t.size if i == axis else 1 for i in range(len(shape)))
        found.append(broadcast_to(reshape(t, along), shape))
    return found


@door
def kron(a, b):
    """The Kronecker product: b times each element of a, in blocks: y[i Q + p, j R + q] =
    a[i, j] b[p, q] for b (Q, R), and so for any number of axes; the shorter shape counts as
    preceded by ones. Raises DTypeError unless the types agree."""
    a, b = _lifted("kron", a, b)
    _require_number("kron", a)
    ndim = max(a.ndim, b.ndim)
    left, right = ((1,) * (ndim - t.ndim) + t.shape for t in (a, b))
    shape = addressable("kron", tuple(n * m for n, m in zip(left, right, strict=True)), 8)
    blocks = reshape(a, tuple(size for n in left for size in (n, 1)))
    inner = reshape(b, tuple(size for m in right for size in (1, m)))
    return reshape(blocks * inner, shape)


@door
def cross(a, b, axis=-1):
    """The cross product of vectors with three components along `axis`: perpendicular to both, as
    long as the parallelogram of both is large.

        (a1 b2 - a2 b1, a2 b0 - a0 b2, a0 b1 - a1 b0)

    Shapes broadcast, except along the axis. Raises ShapeError, DTypeError unless the types agree.
    """
    a, b = _lifted("cross", a, b)
    _require_number("cross", a)
    shape = broadcast_shape("cross", a.shape, b.shape)
    if not shape:
        raise ShapeError("cross: needs vectors of 3 components, got numbers")
    axis = normalize_axis("cross", axis, len(shape))
    for t in (a, b):
        place = axis - len(shape) + t.ndim
        if place < 0 or t.shape[place] != 3:
            raise ShapeError(
                f"cross: needs 3 components along axis {axis}, got {a.shape} and {b.shape}"
            )
    a, b = broadcast_to(a, shape), broadcast_to(b, shape)
    return roll(a, -1, axis) * roll(b, -2, axis) - roll(a, -2, axis) * roll(b, -1, axis)
