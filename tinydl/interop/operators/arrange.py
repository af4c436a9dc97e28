"""Other shapes of the same elements: reshape, transpose, join, cut, pad."""

from __future__ import annotations

from math import prod

import numpy as np

from ... import ops
from ...errors import ConfigError, ShapeError
from .table import AXIS, RAW, Image, axis_in, beside, bounded, integers, row, scalar


def axes_of(node, given, default=None):
    """Axes: an attribute in older opsets, an input in newer ones."""
    found = node.get("axes") if given is None else given
    return default if found is None else integers(found)


def shape(node, x):
    start, end = node.get("start", 0), node.get("end")
    return np.array(x.shape[start:end], np.int64)


def size(node, x):
    return np.array(prod(x.shape), np.int64)


def reshape(node, x, target=None):
    """0 keeps a size (unless allowzero), -1 takes what is left."""
    sizes = integers(node.get("shape") if target is None else target)
    if not node.get("allowzero", 0):
        if any(n == 0 and i >= x.ndim for i, n in enumerate(sizes)):
            raise ShapeError(f"Reshape: {sizes} keeps a size that {x.shape} does not have")
        sizes = [x.shape[i] if n == 0 else n for i, n in enumerate(sizes)]
    return ops.reshape(x, tuple(sizes))


def flatten(node, x):
    axis = node.get("axis", 1)
    axis = axis if axis == x.ndim else axis_in("Flatten", axis, x.ndim)
    return ops.reshape(x, (prod(x.shape[:axis]), prod(x.shape[axis:])))


def transpose(node, x):
    """From channels first to last and back costs nothing where the layout is that already."""
    ndim = len(x.shape)
    order = tuple(integers(node.get("perm", range(ndim)[::-1])))
    if isinstance(x, Image):
        return x.last if order == (0, *range(2, ndim), 1) else ops.transpose(x.plain(), order)
    if ndim >= 3 and order == (0, ndim - 1, *range(1, ndim - 1)):
        return Image(x)
    return ops.transpose(x, order)


def squeeze(node, x, axes=None):
    dropped = axes_of(node, axes, [i for i, n in enumerate(x.shape) if n == 1])
    dropped = [axis_in("Squeeze", a, x.ndim) for a in dropped]
    if any(x.shape[a] != 1 for a in dropped):
        raise ShapeError(f"Squeeze: axes {dropped} of {x.shape} are not all of size 1")
    return ops.reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in dropped))


def unsqueeze(node, x, axes=None):
    added = axes_of(node, axes, [])
    ndim = x.ndim + len(added)
    places = {axis_in("Unsqueeze", a, ndim) for a in added}
    sizes = iter(x.shape)
    if len(places) != len(added):
        raise ShapeError(f"Unsqueeze: axes {added} are not all different")
    return ops.reshape(x, tuple(1 if i in places else next(sizes) for i in range(ndim)))


def concat(node, *inputs):
    return ops.concat(list(inputs), axis_in("Concat", node.get("axis", 1), inputs[0].ndim))


def split(node, x, sizes=None):
    axis = axis_in("Split", node.get("axis", 0), x.ndim)
    given = node.get("split") if sizes is None else sizes
    parts = len(node.outputs)
    if given is None:  # the last part is the smaller one
        step = -(-x.shape[axis] // parts)
        given = [step] * (parts - 1) + [x.shape[axis] - step * (parts - 1)]
    if len(given) != parts:
        raise ShapeError(f"Split: {len(given)} sizes for {parts} outputs")
    return tuple(ops.split(x, sections=tuple(integers(given)), axis=axis))


def slices(node, x, starts=None, ends=None, axes=None, steps=None):
    starts = integers(node.get("starts") if starts is None else starts)
    ends = integers(node.get("ends") if ends is None else ends)
    axes = axes_of(node, axes, list(range(len(starts))))
    steps = [1] * len(starts) if steps is None else integers(steps)
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise ShapeError(f"Slice: starts {starts}, ends {ends}, axes {axes}, steps {steps}")
    key = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        axis = axis_in("Slice", axis, x.ndim)
        n = x.shape[axis]
        end = None if step < 0 and end < -n else end
        key[axis] = slice(start, end, step)
    return x if not x.ndim else x[tuple(key)]


def expand(node, x, target):
    sizes = bounded(node, integers(target))
    return ops.broadcast_to(x, np.broadcast_shapes(x.shape, sizes))


def tile(node, x, times, axis=None):
    """Before opset 6: so many times along one axis."""
    if axis is not None:
        times = [int(scalar(times)) if i == scalar(axis) else 1 for i in range(x.ndim)]
    times = integers(times)
    bounded(node, [n * t for n, t in zip(x.shape, times, strict=True)])
    return ops.tile(x, tuple(times)) if x.ndim else x


def pad(node, x, widths=None, value=None, axes=None):
    """constant, reflect, edge or wrap; negative widths cut off."""
    given = node.get("pads", node.get("paddings")) if widths is None else widths
    given, mode = integers(given), node.get("mode", "constant")
    value = node.get("value", 0.0) if value is None or np.size(value) == 0 else scalar(value)
    places = [axis_in("Pad", a, x.ndim) for a in axes_of(node, axes, list(range(x.ndim)))]
    if len(given) != 2 * len(places):
        raise ShapeError(f"Pad: {len(given)} widths for {len(places)} axes")
    wide = [(0, 0)] * x.ndim
    for i, axis in enumerate(places):
        wide[axis] = (given[i], given[i + len(places)])
    key = tuple(slice(max(-b, 0), n - max(-a, 0)) for n, (b, a) in zip(x.shape, wide, strict=True))
    if any(min(pair) < 0 for pair in wide):
        x = x[key]
    wide = [(max(b, 0), max(a, 0)) for b, a in wide]
    share = 1 if mode == "constant" else 16  # the border is gathered, axis by axis
    bounded(node, [n + b + a for n, (b, a) in zip(x.shape, wide, strict=True)], share)
    if mode == "constant":
        kind = {"f": float, "b": bool}.get(x.dtype.kind, int)
        return ops.pad(x, tuple(wide), kind(value))
    return _copied_border(x, wide, mode)


def center_crop_pad(node, x, shape):
    """The middle of x, or x in the middle of zeros, axis by axis; odd rests go to the end."""
    places = [axis_in(node.kind, a, x.ndim) for a in node.get("axes", list(range(x.ndim)))]
    wanted = list(x.shape)
    for axis, size in zip(places, bounded(node, integers(shape)), strict=True):
        wanted[axis] = size
    bounded(node, wanted)
    pairs = list(zip(x.shape, wanted, strict=True))
    x = x[tuple(slice(max(n - m, 0) // 2, max(n - m, 0) // 2 + m) for n, m in pairs)]
    return ops.pad(x, tuple((max(m - n, 0) // 2, -(-max(m - n, 0) // 2)) for n, m in pairs))


def _copied_border(x, wide, mode):
    """The border is read from x itself, axis by axis."""
    modes = {"reflect": "reflect", "edge": "edge", "wrap": "wrap"}
    if mode not in modes:
        raise ConfigError(f"Pad: mode must be constant, reflect, edge or wrap, got {mode!r}")
    for axis, pair in enumerate(wide):
        if pair != (0, 0):
            x = ops.take(x, np.pad(np.arange(x.shape[axis]), pair, mode=mode), axis)
    return x


def depth_to_space(node, x):
    """Channels (b, b, C/b²) into places (mode DCR), or (C/b², b, b) (mode CRD)."""
    b, (N, C, H, W) = node.get("blocksize"), x.shape
    if node.get("mode", "DCR") == "DCR":
        parts = ops.transpose(ops.reshape(x, (N, b, b, C // b**2, H, W)), (0, 3, 4, 1, 5, 2))
    else:
        parts = ops.transpose(ops.reshape(x, (N, C // b**2, b, b, H, W)), (0, 1, 4, 2, 5, 3))
    return ops.reshape(parts, (N, C // b**2, H * b, W * b))


def space_to_depth(node, x):
    b, (N, C, H, W) = node.get("blocksize"), x.shape
    order = (0, 3, 5, 1, 2, 4) if node.get("mode", "DCR") == "DCR" else (0, 1, 3, 5, 2, 4)
    parts = ops.transpose(ops.reshape(x, (N, C, H // b, b, W // b, b)), order)
    return ops.reshape(parts, (N, C * b**2, H // b, W // b))


def trilu(node, x, k=None):
    """The upper triangle (upper=1) or the lower one, from diagonal k on; the rest is 0."""
    k = 0 if k is None else int(scalar(k))
    rows, columns = np.arange(x.shape[-2])[:, None], np.arange(x.shape[-1])
    kept = columns - rows >= k if node.get("upper", 1) else columns - rows <= k
    mask = beside(ops.equal(x, x), kept)
    return ops.where(mask, x, beside(x, 0))


def reverse_sequence(node, x, lengths):
    """The first lengths[n] steps of each sample in reverse order."""
    batch, time = node.get("batch_axis", 1), node.get("time_axis", 0)
    order = np.arange(x.shape[time])[None].repeat(x.shape[batch], 0)
    for steps, n in zip(order, integers(lengths), strict=True):
        steps[:n] = steps[:n][::-1].copy()
    front = (batch, time, *[i for i in range(x.ndim) if i not in (batch, time)])
    rows = ops.transpose(x, front)
    flat = ops.reshape(rows, (rows.shape[0] * rows.shape[1], *rows.shape[2:]))
    places = np.arange(x.shape[batch])[:, None] * x.shape[time] + order
    return ops.transpose(ops.take(flat, places, 0), tuple(np.argsort(front).tolist()))


OPERATORS = {
    "Shape": row(shape, RAW, of_shapes=True),
    "Size": row(size, RAW, of_shapes=True),
    "Reshape": row(reshape, host=(1,)),
    "Flatten": row(flatten),
    "Transpose": row(transpose, RAW),
    "Squeeze": row(squeeze, host=(1,)),
    "Unsqueeze": row(unsqueeze, host=(1,)),
    "Concat": row(concat, AXIS),
    "Split": row(split, AXIS, host=(1,)),
    "Slice": row(slices, host=(1, 2, 3, 4)),
    "Expand": row(expand, host=(1,)),
    "Tile": row(tile, host=(1, 2)),
    "Pad": row(pad, host=(1, 2, 3)),
    "CenterCropPad": row(center_crop_pad, host=(1,)),
    "DepthToSpace": row(depth_to_space),
    "SpaceToDepth": row(space_to_depth),
    "Trilu": row(trilu, host=(1,)),
    "ReverseSequence": row(reverse_sequence, host=(1,)),
}
