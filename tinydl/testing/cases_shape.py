"""Rows of ops/arrange.py, ops/matrices.py, ops/resize.py, ops/grid.py, ops/scatter.py, the borders
of `pad` and reading by index along any axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from .case import Example, OpCase
from .draws import Draw


def _axis(d: Draw, shape: tuple[int, ...]) -> int:
    return d.integer(-len(shape), len(shape) - 1)


def _stack(d: Draw) -> Example:
    shape = d.shape(0, 3)
    parts = [d.normal(shape) for _ in range(d.integer(1, 3))]
    return Example(tuple(parts), {"axis": d.integer(-len(shape) - 1, len(shape))})


def _split(d: Draw) -> Example:
    """Equal parts, or given sizes (0 among them); `which` part is the result."""
    parts = d.integer(1, 3)
    sizes = [d.integer(0, 3) for _ in range(parts)]
    shape = d.shape(1, 3)
    axis = _axis(d, shape)
    n, sections = (parts * sizes[0], parts) if d.flag() else (sum(sizes), sizes)
    where = axis % len(shape)
    x = d.normal(shape[:where] + (n,) + shape[where + 1 :])
    return Example((x,), {"sections": sections, "axis": axis, "which": d.integer(0, parts - 1)})


def _tile(d: Draw) -> Example:
    shape = d.shape()
    times = d.integer(0, 3) if d.flag() else d.shape(0, 4, 0, 3)
    return Example((d.normal(shape),), {"repetitions": times})


def _repeat(d: Draw) -> Example:
    shape = d.shape(1, 3)
    axis = _axis(d, shape) if d.integer(0, 2) else None
    repeats: Any = d.integer(0, 3)
    if axis is not None and d.flag():
        repeats = [d.integer(0, 3) for _ in range(shape[axis])]
    return Example((d.normal(shape),), {"repeats": repeats, "axis": axis})


def _flip(d: Draw) -> Example:
    shape = d.shape()
    return Example((d.normal(shape),), {"axis": d.axes(len(shape))})


def _roll(d: Draw) -> Example:
    shape = d.shape(1, 3)
    kind = d.integer(0, 2)
    if kind == 0:
        options: dict[str, Any] = {"shift": d.integer(-7, 7), "axis": None}
    elif kind == 1:
        options = {"shift": d.integer(-7, 7), "axis": _axis(d, shape)}
    else:
        options = {"shift": (d.integer(-7, 7), d.integer(-7, 7)), "axis": (0, _axis(d, shape))}
    return Example((d.normal(shape),), options)


def _triangle(d: Draw) -> Example:
    return Example((d.normal(d.shape(2, 4)),), {"k": d.integer(-4, 4)})


def _matrices(d: Draw) -> Example:
    """Axes in either order and from either end; diagonals also beyond the corner."""
    shape = d.shape(2, 4)
    first = d.integer(0, len(shape) - 1)
    second = (first + d.integer(1, len(shape) - 1)) % len(shape)
    axes = {"axis1": first, "axis2": second - len(shape) if d.flag() else second}
    return Example((d.normal(shape),), {"offset": d.integer(-4, 4), **axes})


def _diag(d: Draw) -> Example:
    return Example((d.normal(d.shape(1, 2)),), {"k": d.integer(-3, 3)})


def _meshgrid(d: Draw) -> Example:
    vectors = [d.normal(d.shape(0, 1)) for _ in range(d.integer(1, 3))]
    options = {"indexing": d.choose(("ij", "xy")), "which": d.integer(0, len(vectors) - 1)}
    return Example(tuple(vectors), options)


def _kron(d: Draw) -> Example:
    return Example((d.normal(d.shape(0, 3, 1, 3)), d.normal(d.shape(0, 3, 1, 3))))


def _cross(d: Draw) -> Example:
    a, b = d.broadcastable(2, 2)
    if d.flag():
        return Example((d.normal((*a, 3)), d.normal((*b, 3))))
    return Example((d.normal((3, *a)), d.normal((3, *a))), {"axis": 0})


def _blocks(kind: str) -> Callable[[Draw], Example]:
    def draw(d: Draw) -> Example:
        N, H, W, C = d.shape(4, 4, 1, 3)
        b = d.integer(1, 3)
        shape = (N, H * b, W * b, C) if kind == "space" else (N, H, W, C * b * b)
        return Example((d.normal(shape),), {"block": b})

    return draw


def _border(mode: str) -> Callable[[Draw], Example]:
    def draw(d: Draw) -> Example:
        shape = d.shape(0, 4, 1, 3)
        most = [{"reflect": n - 1, "circular": n}.get(mode, 2) for n in shape]
        widths = tuple([(d.integer(0, m), d.integer(0, m)) for m in most])
        return Example((d.normal(shape),), {"widths": widths, "mode": mode})

    return draw


def _resize(d: Draw) -> Example:
    """No sizes where a nearest pixel is a tie that float32 arithmetic, as in PyTorch, rounds
    otherwise."""
    N, H, W, C = d.shape(4, 4, 1, 5)
    mode = d.choose(("nearest", "bilinear", "bicubic", "area"))
    options: dict[str, Any] = {"mode": mode, "size": (d.integer(1, 7), d.integer(1, 7))}
    if d.flag():
        options |= {"size": None, "scale_factor": (d.integer(1, 3), d.integer(1, 3))}
    smooth = mode in ("bilinear", "bicubic")
    options |= {"align_corners": smooth and d.flag()}
    options |= {"antialias": smooth and not options["align_corners"] and d.flag()}
    return Example((d.normal((N, H, W, C)),), options)


def _grid(d: Draw) -> Example:
    """Places within and outside, a tenth of a pixel and more from every kink and tie."""
    N, H, W, C = d.shape(4, 4, 1, 4)
    where = (N, *d.shape(2, 2, 1, 3))
    align = d.flag()
    axes = []
    for size in (W, H):
        half = np.where(d.bools(where), 0.5, 0.0)
        pixels = d.rng.integers(-size - 2, 2 * size + 2, where) + half + d.uniform(where, 0.1, 0.4)
        ends = max(size - 1, 1) / 2 if align else size / 2
        axes.append((pixels + (0.0 if align else 0.5)) / ends - 1)
    options = {
        "mode": d.choose(("bilinear", "nearest")),
        "padding_mode": d.choose(("zeros", "border", "reflection")),
        "align_corners": align,
    }
    return Example((d.normal((N, H, W, C)), np.stack(axes, axis=3)), options)


def _take(d: Draw) -> Example:
    """`indices` as a tensor, or as an array with negative entries."""
    shape = d.shape(1, 3)
    axis = _axis(d, shape)
    indices = d.indices(d.shape(0, 2, 0, 3), shape[axis])
    if d.flag():
        return Example((d.normal(shape), indices), {"axis": axis})
    back = np.where(d.bools(indices.shape), indices - shape[axis], indices)
    return Example((d.normal(shape),), {"indices": back, "axis": axis})


def _along_axis(d: Draw) -> Example:
    shape = d.shape(1, 3)
    axis = d.integer(0, len(shape) - 1)
    where = shape[:axis] + (d.integer(0, 4),) + shape[axis + 1 :]
    indices = d.indices(where, shape[axis])
    return Example((d.normal(shape), indices), {"axis": axis - len(shape) if d.flag() else axis})


def _add_along_axis(d: Draw) -> Example:
    shape = d.shape(1, 3)
    size = d.integer(1, 4)
    return Example(
        (d.normal(shape), d.indices(shape, size)), {"axis": _axis(d, shape), "size": size}
    )


def _getitem_arrays(d: Draw) -> Example:
    """Index arrays that broadcast, negative entries and masks among slices, integers, None and
    Ellipsis."""
    shape = d.shape(1, 4)
    common = d.shape(0, 2, 1, 3)
    key: list[Any] = []
    sure, dots = d.integer(0, len(shape) - 1), False
    for axis, n in enumerate(shape):
        kind = 0 if axis == sure else d.integer(0, 5)
        if kind <= 1:
            part = tuple([1 if d.integer(0, 2) == 2 else m for m in common])
            key.append(np.asarray(d.rng.integers(-n, n, part)))
        elif kind == 2:
            key.append(d.integer(-n, n - 1))
        elif kind == 3:
            key += [None, slice(None, None, d.choose((1, -1)))]
        elif kind == 4:
            key.append(slice(d.integer(0, n), None))
        elif dots or axis > sure:
            key.append(slice(None))
        else:
            key.append(Ellipsis)
            dots = True
    if d.integer(0, 3) == 0:
        key = [d.bools(shape[: d.integer(1, len(shape))])]
    return Example((d.normal(shape),), {"key": tuple(key)})


def _put(d: Draw) -> Example:
    """Every place once: PyTorch gives all of several a gradient."""
    shape = d.shape(1, 3)
    axis = d.integer(0, len(shape) - 1)
    places = np.argsort(d.distinct(shape), axis)
    places = np.take(places, np.arange(d.integer(0, shape[axis])), axis)
    options = {"axis": axis - len(shape) if d.flag() else axis}
    return Example((d.normal(shape), places, d.normal(places.shape)), options)


def _index_put(d: Draw) -> Example:
    """Rows at places, a mask, slices; values that broadcast; with accumulate places twice."""
    shape, accumulate = d.shape(1, 3), d.flag()
    rows = d.integer(0, shape[0])
    key: Any = np.asarray(d.rng.permutation(shape[0])[:rows])
    if accumulate:
        key = np.asarray(d.rng.integers(-shape[0], shape[0], (rows, 2)))
    if d.flag():
        key = d.choose((d.bools(shape), (Ellipsis, slice(None, None, 2)), (0, None)))
    x = d.normal(shape)
    found = x[key].shape
    values = d.normal(found[d.integer(0, len(found)) :])
    return Example((x, values), {"key": key, "accumulate": accumulate})


def _scatter_reduce(d: Draw) -> Example:
    shape = d.shape(1, 3)
    axis = d.integer(0, len(shape) - 1)
    where = shape[:axis] + (d.integer(0, 5),) + shape[axis + 1 :]
    x, values = d.distinct_together([shape, where])
    options = {"axis": axis, "include_self": d.flag()}
    options["reduce"] = d.choose(("sum", "prod", "mean", "max", "min"))
    return Example((x, d.indices(where, shape[axis]), values), options)


ROWS = (
    OpCase("stack", lambda *tensors, axis: ops.stack(tensors, axis), _stack),
    OpCase("split", lambda x, which, **options: ops.split(x, **options)[which], _split),
    OpCase("tile", ops.tile, _tile),
    OpCase("repeat", ops.repeat, _repeat),
    OpCase("flip", ops.flip, _flip),
    OpCase("roll", ops.roll, _roll),
    OpCase("triu", ops.triu, _triangle),
    OpCase("tril", ops.tril, _triangle),
    OpCase("diagonal", ops.diagonal, _matrices),
    OpCase("trace", ops.trace, _matrices),
    OpCase("diag", ops.diag, _diag),
    OpCase(
        "meshgrid",
        lambda *x, indexing, which: ops.meshgrid(*x, indexing=indexing)[which],
        _meshgrid,
    ),
    OpCase("kron", ops.kron, _kron, torch="kron"),
    OpCase("cross", ops.cross, _cross),
    OpCase("space_to_depth", ops.space_to_depth, _blocks("space")),
    OpCase("depth_to_space", ops.depth_to_space, _blocks("depth")),
    OpCase("pad_reflect", ops.pad, _border("reflect")),
    OpCase("pad_circular", ops.pad, _border("circular")),
    OpCase("pad_replicate", ops.pad, _border("replicate")),
    OpCase("resize", ops.resize, _resize),
    OpCase("grid_sample", ops.grid_sample, _grid),
    OpCase("take", ops.take, _take),
    OpCase("take_along_axis", ops.take_along_axis, _along_axis),
    OpCase("scatter_add_along_axis", ops.scatter_add_along_axis, _add_along_axis),
    OpCase("put_along_axis", ops.put_along_axis, _put),
    OpCase("index_put", lambda x, v, key, **rest: ops.index_put(x, key, v, **rest), _index_put),
    OpCase("scatter_reduce", ops.scatter_reduce, _scatter_reduce),
    OpCase("getitem_arrays", ops.getitem, _getitem_arrays),
)
