"""Rearrangements composed of views, concatenation and masks: stack, tile, pad, triu, blocks."""

from __future__ import annotations

from math import prod
from typing import Never

import numpy as np

from ..arguments import addressable, is_whole, text, whole
from ..arguments import array as host_array
from ..doors import door
from ..errors import ConfigError, ShapeError
from ..geometry import normalize_axes, normalize_axis, whole_numbers
from ..quoting import quoted
from .broadcast import broadcast_to
from .elementwise import where
from .index import take
from .operands import _constant, _kind, _number_for
from .shape import Concat, Pad, Slice, _several, _take, concat, expand_dims, reshape, transpose


@door
def stack(tensors, axis=0):
    """Tensors of one shape along a new `axis` of the result. Raises ShapeError, DTypeError if they
    differ."""
    tensors = _several("stack", tensors)
    for i, t in enumerate(tensors):
        if t.shape != tensors[0].shape:
            raise ShapeError(f"stack: tensor {i} has shape {t.shape}, the first {tensors[0].shape}")
    axis = normalize_axis("stack", axis, tensors[0].ndim + 1)
    return concat([expand_dims(t, axis) for t in tensors], axis)


@door
def split(x, *positional: Never, sections=None, axis=0):
    """x cut along `axis` into a list of views: `sections` equal parts, or parts of given sizes.

    By keyword, since PyTorch's split(x, 2) means a size and NumPy's a number of parts: ConfigError.
    Raises ShapeError if the parts do not make up the axis.
    """
    if positional or sections is None:
        raise _size_or_parts(x, *(positional or (2,)), *((axis,) if len(positional) < 2 else ()))
    axis = normalize_axis("split", axis, x.ndim)
    n = x.shape[axis]
    if is_whole(sections):
        if sections < 1 or n % sections:
            raise ShapeError(f"split: {sections} equal parts of axis {axis} of {x.shape}")
        sizes = [n // int(sections)] * int(sections)
    else:
        sizes = list(whole_numbers("split", "sections", sections))
        if min(sizes, default=0) < 0 or np.sum(sizes) != n:
            raise ShapeError(f"split: sizes {sizes} do not add up to axis {axis} of {x.shape}")
    ends = np.cumsum(sizes).tolist()
    return [_take(x, axis, end - size, size) for end, size in zip(ends, sizes, strict=True)]


def _size_or_parts(x, n=2, axis=0, *rest):
    """What to say to split(x, n, axis), which two libraries read differently."""
    sizes = f"({quoted(n)}, {quoted(n)}, ...)"
    if is_whole(n) and is_whole(axis) and -x.ndim <= axis < x.ndim and 0 < n <= x.shape[axis]:
        whole_parts, rest = divmod(x.shape[axis], n)
        parts = (n,) * min(whole_parts, 4) + ((rest,) if rest else ())
        sizes = str(parts) if whole_parts <= 4 else f"{str(parts[:3])[:-1]}, ...)"
    elif not is_whole(n):
        return ConfigError(
            f"split: takes what to cut into by keyword: split(x, sections={quoted(n)}, "
            f"axis={quoted(axis)})"
        )
    return ConfigError(
        f"split: {quoted(n)} parts or parts of size {quoted(n)}? NumPy's split(x, {quoted(n)}, "
        f"{quoted(axis)}) is split(x, sections={quoted(n)}, axis={quoted(axis)}), PyTorch's is "
        f"split(x, sections={sizes}, axis={quoted(axis)})"
    )


@door
def tile(x, repetitions):
    """x repeated as a whole: repetitions[i] times along axis i (an integer: the last axis), as in
    NumPy."""
    given = (repetitions,) if is_whole(repetitions) else repetitions
    times = whole_numbers("tile", "repetitions", given)
    if any(n < 0 for n in times):
        raise ShapeError(f"tile: repetitions must be integers >= 0, got {repetitions!r}")
    ndim = max(x.ndim, len(times))
    shape = (1,) * (ndim - x.ndim) + x.shape
    times = (1,) * (ndim - len(times)) + times
    split_axes = tuple(n for pair in zip((1,) * ndim, shape, strict=True) for n in pair)
    repeated = tuple(n for pair in zip(times, shape, strict=True) for n in pair)
    result = tuple(n * m for n, m in zip(times, shape, strict=True))
    return reshape(broadcast_to(reshape(x, split_axes), repeated), result)


@door
def repeat(x, *positional: Never, repeats=None, axis=None):
    """Each element (axis None: of the flattened x) or slice along `axis`, `repeats` times in a row.

    repeats: an integer, or one per slice. By keyword, since PyTorch's x.repeat(2, 1) is
    tile(x, (2, 1)): ConfigError. Raises ShapeError for negative ones or a wrong number of them.
    """
    if positional or repeats is None:
        raise _tiles_or_repeats(*positional)
    if axis is None:
        x, axis = reshape(x, (prod(x.shape),)), 0
    axis = normalize_axis("repeat", axis, x.ndim)
    n = x.shape[axis]
    counts = host_array("repeat", "repeats", repeats)
    if (
        counts.dtype.kind not in "iu"
        or counts.shape not in ((), (n,))
        or not ((counts >= 0) & (counts < 2**63)).all()
    ):
        raise ShapeError(
            f"repeat: repeats must be an integer >= 0 or {n} of them for axis {axis} of {x.shape}, "
            f"got {repeats!r}"
        )
    if counts.ndim:
        return take(x, np.repeat(np.arange(n), counts.astype(np.int64)), axis)
    times = int(counts)
    column = expand_dims(x, axis + 1)
    wide = broadcast_to(column, x.shape[: axis + 1] + (times,) + x.shape[axis + 1 :])
    return reshape(wide, x.shape[:axis] + (n * times,) + x.shape[axis + 1 :])


def _tiles_or_repeats(*given):
    """What to say to repeat(x, 2, 1), which two libraries read differently."""
    times, axis = given[0] if given else 2, given[1] if len(given) > 1 else None
    numpys = f"repeat(x, repeats={quoted(times)}, axis={quoted(axis)})"
    tiles = times if len(given) == 1 and isinstance(times, tuple | list) else given or (2,)
    return ConfigError(
        f"repeat: each element or the whole? NumPy's repeat is {numpys}, PyTorch's is "
        f"tile(x, {quoted(tiles)})"
    )


@door
def flip(x, axis=None):
    """x read backwards along `axis` (an integer, several, or None: all), as a view."""
    axes = normalize_axes("flip", axis, x.ndim)
    turned = [i in axes and x.shape[i] > 1 for i in range(x.ndim)]
    starts = tuple(n - 1 if t else 0 for n, t in zip(x.shape, turned, strict=True))
    return Slice(starts, tuple(-1 if t else 1 for t in turned), x.shape).apply(x)


@door
def roll(x, shift, axis=None):
    """x moved `shift` cells along `axis`, what leaves at the end comes in at the front.

    axis None rolls the flattened tensor; tuples roll several axes. Raises ShapeError if their
    lengths differ.
    """
    if axis is None:
        if not is_whole(shift):
            raise ShapeError(
                f"roll: without an axis shift must be one integer, got {quoted(shift)}"
            )
        return reshape(roll(reshape(x, (prod(x.shape),)), shift, 0), x.shape)
    shifts = whole_numbers("roll", "shift", (shift,) if is_whole(shift) else shift)
    axes = whole_numbers("roll", "axis", (axis,) if is_whole(axis) else axis)
    if len(shifts) != len(axes):
        raise ShapeError(f"roll: {len(shifts)} shifts for {len(axes)} axes")
    for cells, one in zip(shifts, axes, strict=True):
        place = normalize_axis("roll", one, x.ndim)
        n = x.shape[place]
        cells %= max(n, 1)
        if cells:
            x = concat([_take(x, place, n - cells, cells), _take(x, place, 0, n - cells)], place)
    return x


def _triangle(op, x, k, upper):
    _kind(op, x)
    if x.ndim < 2:
        raise ShapeError(f"{op}: needs at least two axes, got {x.shape}")
    H, W = x.shape[-2:]
    k = min(max(whole(op, "diagonal k", k, error=ShapeError), -H - 1), W + 1)
    mask = ~np.tri(H, W, k - 1, bool) if upper else np.tri(H, W, k, bool)
    return where(x._new(x.backend.asarray(mask), x.backend), x, _constant(x, 0))


@door
def triu(x, k=0):
    """x (..., H, W) with zeros below diagonal k (0: the main one, positive: above it)."""
    return _triangle("triu", x, k, True)


@door
def tril(x, k=0):
    """x (..., H, W) with zeros above diagonal k."""
    return _triangle("tril", x, k, False)


def _check_block(op, x, block):
    whole(op, "block", block, 1, error=ShapeError)
    if x.ndim != 4:
        raise ShapeError(f"{op}: x must be (N, H, W, C), got {x.shape}")


@door
def space_to_depth(x, block):
    """Blocks of b x b pixels become channels: (N, H, W, C) -> (N, H/b, W/b, b^2 C), b = `block`.

    Channel (row in block, column in block, c), c fastest, as TensorFlow and ONNX; PyTorch's
    pixel_unshuffle has c slowest. Raises ShapeError unless block divides H and W.
    """
    _check_block("space_to_depth", x, block)
    N, H, W, C = x.shape
    if H % block or W % block:
        raise ShapeError(f"space_to_depth: block {block} does not divide the image {x.shape}")
    blocks = reshape(x, (N, H // block, block, W // block, block, C))
    return reshape(
        transpose(blocks, (0, 1, 3, 2, 4, 5)), (N, H // block, W // block, block * block * C)
    )


@door
def depth_to_space(x, block):
    """Inverse of space_to_depth: (N, H, W, b^2 C) -> (N, b H, b W, C), b = `block`.

    Shi et al. 2016 (arXiv:1609.05158), with c as the fastest channel. Raises ShapeError unless b^2
    divides the channels.
    """
    _check_block("depth_to_space", x, block)
    N, H, W, C = x.shape
    if C % (block * block):
        raise ShapeError(f"depth_to_space: {block}^2 does not divide the {C} channels of {x.shape}")
    blocks = reshape(x, (N, H, W, block, block, C // (block * block)))
    return reshape(
        transpose(blocks, (0, 1, 3, 2, 4, 5)), (N, H * block, W * block, C // (block * block))
    )


@door
def pad(x, widths, value=0.0, mode="constant"):
    """x with a border: widths is one (before, after) pair for every axis, all >= 0.

    mode: "constant" (a border of `value`), "reflect" (mirrored at the outermost elements, which are
    not repeated; widths below the size of the axis), "replicate" (the outermost elements repeated),
    "circular" (what stands at the other end, as NumPy's "wrap"; widths up to the size of the axis).
    Axes are padded one after the other, so corners hold what both rules give. Raises ShapeError,
    ConfigError for another mode.
    """
    pairs = isinstance(widths, tuple | list) and len(widths) == x.ndim
    for pair in widths if pairs else ():
        pairs = pairs and isinstance(pair, tuple | list) and len(pair) == 2
    if pairs:
        widths = tuple([whole_numbers("pad", "widths", pair) for pair in widths])
    if not pairs or any(w < 0 for pair in widths for w in pair):
        raise ShapeError(
            f"pad: needs one (before, after) >= 0 for each of the {x.ndim} axes, got {widths!r}"
        )
    if text("pad", "mode", mode) in ("reflect", "replicate", "circular"):
        for axis, pair in enumerate(widths):
            x = _border(x, axis, pair, mode) if pair != (0, 0) else x
        return x
    if mode != "constant":
        raise ConfigError(
            f"pad: mode must be constant, reflect, replicate or circular, got {mode!r}"
        )
    shape = addressable(
        "pad", tuple(n + w[0] + w[1] for n, w in zip(x.shape, widths, strict=True)), 8
    )
    value = _number_for("pad", x, value)
    starts = tuple(before for before, _ in widths)
    return Pad(starts, (1,) * x.ndim, shape, value).apply(x)


def _border(x, axis, widths, mode):
    """x with `widths` cells more along one axis, copied from x itself."""
    before, after = widths
    n = x.shape[axis]
    most = {"reflect": n - 1, "circular": n}.get(mode, max(widths))
    if n == 0 or max(widths) > most:
        if n == 0:
            raise ShapeError(f"pad: nothing to {mode} along the empty axis {axis} of {x.shape}")
        limit = "up to" if mode == "circular" else "below"
        raise ShapeError(
            f"pad: {mode} needs widths {limit} the size of the axis, got {widths} for axis {axis} "
            f"of {x.shape}"
        )
    if mode == "reflect":
        front, back = _run(x, axis, before, before, -1), _run(x, axis, n - 2, after, -1)
    elif mode == "circular":
        front, back = _run(x, axis, n - before, before, 1), _run(x, axis, 0, after, 1)
    else:
        front, back = _run(x, axis, 0, before, 0), _run(x, axis, n - 1, after, 0)
    parts = [part for part in (front, x, back) if part.shape[axis]]
    return Concat(axis).apply(*parts)


def _run(x, axis, start, count, step):
    """`count` cells start, start + step, ... along one axis; step 0 repeats the cell."""
    repeated = count if step == 0 else 1
    count = min(count, 1) if step == 0 else count
    starts = tuple(start if i == axis and count else 0 for i in range(x.ndim))
    steps = tuple(step or 1 if i == axis else 1 for i in range(x.ndim))
    counts = tuple(count if i == axis else n for i, n in enumerate(x.shape))
    part = Slice(starts, steps, counts).apply(x)
    if step != 0 or count == 0:
        return part
    return broadcast_to(part, tuple(repeated if i == axis else n for i, n in enumerate(x.shape)))
