"""Operations that move elements without changing them: views, slices, padding, concatenation."""

from __future__ import annotations

import numpy as np

from ..errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from ..function import Function
from ..geometry import normalize_axes, resolve_reshape


class Reshape(Function):
    name = "reshape"
    shares_storage = True

    def __init__(self, shape):
        self.target = shape

    def forward(self, x):
        self.x_shape = x.shape
        return self.backend.reshape(x, self.target)

    def backward(self, grad):
        return reshape(grad, self.x_shape)


class Transpose(Function):
    name = "transpose"
    shares_storage = True

    def __init__(self, axes):
        self.axes = axes

    def forward(self, x):
        return self.backend.transpose(x, self.axes)

    def backward(self, grad):
        inverse = tuple(sorted(range(len(self.axes)), key=self.axes.__getitem__))
        return Transpose(inverse).apply(grad)


class BroadcastTo(Function):
    """Repeat without memory; the adjoint is a sum over what was repeated."""

    name = "broadcast_to"
    shares_storage = True

    def __init__(self, shape):
        self.target = shape

    def forward(self, x):
        self.x_shape = x.shape
        return self.backend.broadcast_to(x, self.target)

    def backward(self, grad):
        from .reduce import sum

        lead = len(self.target) - len(self.x_shape)
        repeated = tuple(
            i
            for i, n in enumerate(self.target)
            if i < lead or (self.x_shape[i - lead] == 1 and n != 1)
        )
        return reshape(sum(grad, repeated), self.x_shape)


class Slice(Function):
    """Cells starts[i] + k * steps[i], k < counts[i]."""

    name = "slice"
    shares_storage = True

    def __init__(self, starts, steps, counts):
        self.starts, self.steps, self.counts = starts, steps, counts

    def forward(self, x):
        self.x_shape = x.shape
        return self.backend.slice(x, self.starts, self.steps, self.counts)

    def backward(self, grad):
        return Pad(self.starts, self.steps, self.x_shape, 0.0).apply(grad)


class Pad(Function):
    """Write x at starts[i] + k * steps[i] into a constant array: the adjoint of Slice."""

    name = "pad"

    def __init__(self, starts, steps, shape, value):
        self.starts, self.steps, self.target, self.value = starts, steps, shape, value

    def forward(self, x):
        self.x_shape = x.shape
        return self.backend.pad(x, self.starts, self.steps, self.target, self.value)

    def backward(self, grad):
        return Slice(self.starts, self.steps, self.x_shape).apply(grad)


class Concat(Function):
    name = "concat"

    def __init__(self, axis):
        self.axis = axis

    def forward(self, *arrays):
        self.sizes = [a.shape[self.axis] for a in arrays]
        return self.backend.concat(list(arrays), self.axis)

    def backward(self, grad):
        parts, start = [], 0
        for size, needed in zip(self.sizes, self.needed, strict=True):
            parts.append(_take(grad, self.axis, start, size) if needed else None)
            start += size
        return tuple(parts)


def _take(x, axis, start, size):
    starts = tuple(start if i == axis else 0 for i in range(x.ndim))
    counts = tuple(size if i == axis else n for i, n in enumerate(x.shape))
    return Slice(starts, (1,) * x.ndim, counts).apply(x)


def _shape_argument(shape):
    """Accept f(2, 3) and f((2, 3))."""
    if len(shape) == 1 and isinstance(shape[0], tuple | list):
        shape = shape[0]
    return tuple([int(n) for n in shape])


def reshape(x, *shape):
    """The same elements in C order in another shape; one size may be -1."""
    target = resolve_reshape("reshape", x.shape, _shape_argument(shape))
    return x if target == x.shape else Reshape(target).apply(x)


def transpose(x, *axes):
    """Axis i of the result is axis axes[i] of x; without arguments all axes are reversed."""
    order = _shape_argument(axes) if axes else tuple(reversed(range(x.ndim)))
    order = tuple([a + x.ndim if a < 0 else a for a in order])
    if sorted(order) != list(range(x.ndim)):
        raise ShapeError(f"transpose: {axes} is no permutation of the {x.ndim} axes of {x.shape}")
    return Transpose(order).apply(x)


def broadcast_to(x, *shape):
    """x repeated along new leading axes and axes of size 1, as a view."""
    target = _shape_argument(shape)
    if target == x.shape:
        return x
    lead = len(target) - x.ndim
    fits = lead >= 0 and all(n == m or n == 1 for n, m in zip(x.shape, target[lead:], strict=True))
    if not fits:
        raise ShapeError(f"broadcast_to: {x.shape} does not broadcast to {target}")
    return BroadcastTo(target).apply(x)


def pad(x, widths, value=0.0, mode="constant"):
    """x with a border: widths is one (before, after) pair for every axis, all >= 0.

    mode: "constant" (a border of `value`), "reflect" (mirrored at the outermost elements, which are
    not repeated; widths below the size of the axis), "replicate" (the outermost elements repeated).
    Axes are padded one after the other, so corners hold what both rules give. Raises ShapeError,
    ConfigError for another mode.
    """
    widths = tuple((int(before), int(after)) for before, after in widths)
    if len(widths) != x.ndim or any(w < 0 for pair in widths for w in pair):
        raise ShapeError(
            f"pad: needs one (before, after) >= 0 for each of the {x.ndim} axes, got {widths}"
        )
    if mode in ("reflect", "replicate"):
        for axis, pair in enumerate(widths):
            x = _border(x, axis, pair, mode) if pair != (0, 0) else x
        return x
    if mode != "constant":
        raise ConfigError(f"pad: mode must be constant, reflect or replicate, got {mode!r}")
    shape = tuple(n + before + after for n, (before, after) in zip(x.shape, widths, strict=True))
    starts = tuple(before for before, _ in widths)
    return Pad(starts, (1,) * x.ndim, shape, value).apply(x)


def _border(x, axis, widths, mode):
    """x with `widths` cells more along one axis, copied from x itself."""
    before, after = widths
    n = x.shape[axis]
    if n == 0 or (mode == "reflect" and max(widths) >= n):
        raise ShapeError(
            f"pad: {mode} needs widths below the size of the axis, got {widths} for axis {axis} "
            f"of {x.shape}"
            if n
            else f"pad: nothing to {mode} along the empty axis {axis} of {x.shape}"
        )
    if mode == "reflect":
        front, back = _run(x, axis, before, before, -1), _run(x, axis, n - 2, after, -1)
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


def concat(tensors, axis=0):
    """Tensors one after the other along `axis`; all other sizes and the dtypes agree."""
    tensors = list(tensors)
    if not tensors:
        raise ShapeError("concat: needs at least one tensor")
    (axis,) = normalize_axes("concat", axis, tensors[0].ndim)
    first = tensors[0]
    for i, t in enumerate(tensors):
        others = [s for j, s in enumerate(t.shape) if j != axis]
        if t.ndim != first.ndim or others != [s for j, s in enumerate(first.shape) if j != axis]:
            raise ShapeError(
                f"concat: tensor {i} has shape {t.shape}, which differs from {first.shape} "
                f"outside axis {axis}"
            )
        if t.dtype != first.dtype:
            raise DTypeError(f"concat: tensor {i} is {t.dtype} but tensor 0 is {first.dtype}")
    return Concat(axis).apply(*tensors)


def squeeze(x, axis=None):
    """Drop axes of size 1: all of them, or those named."""
    if axis is None:
        axes = tuple(i for i, n in enumerate(x.shape) if n == 1)
    else:
        axes = normalize_axes("squeeze", axis, x.ndim)
        if any(x.shape[a] != 1 for a in axes):
            raise ShapeError(f"squeeze: axis {axis} of {x.shape} is not of size 1")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def expand_dims(x, axis):
    """A new axis of size 1 before position `axis` of the result."""
    (axis,) = normalize_axes("expand_dims", axis, x.ndim + 1)
    return reshape(x, x.shape[:axis] + (1,) + x.shape[axis:])


def getitem(x, key):
    """x[key] as in NumPy: integers, slices, None, Ellipsis, and arrays of integers or masks among
    them."""
    keys = key if isinstance(key, tuple) else (key,)
    if any(isinstance(k, np.ndarray | list) or hasattr(k, "_new") for k in keys):
        from .index import getitem_arrays

        return getitem_arrays(x, keys)
    given = [k for k in keys if k is not None and k is not Ellipsis]
    if keys.count(Ellipsis) > 1 or len(given) > x.ndim:
        raise ShapeError(f"getitem: {key!r} has too many indices for shape {x.shape}")
    full = (slice(None),) * (x.ndim - len(given))
    if Ellipsis in keys:
        place = keys.index(Ellipsis)
        keys = keys[:place] + full + keys[place + 1 :]
    else:
        keys = keys + full
    return _basic_slice(x, keys)


def _basic_slice(x, keys):
    starts, steps, counts, shape = [], [], [], []
    axis = 0
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        n = x.shape[axis]
        if isinstance(k, slice):
            start, stop, step = k.indices(n)
            count = len(range(start, stop, step))
            shape.append(count)
        elif isinstance(k, int | np.integer):
            if not -n <= k < n:
                raise IndexRangeError(
                    f"getitem: index {k} is out of range for axis {axis} of size {n}"
                )
            start, step, count = int(k) % n, 1, 1
        else:
            raise ShapeError(
                f"getitem: cannot index with {type(k).__name__}; integers, slices, None, Ellipsis, "
                "integer arrays and bool masks work"
            )
        starts.append(start if count else 0)
        steps.append(step)
        counts.append(count)
        axis += 1
    if tuple(counts) != x.shape or any(s != 1 for s in steps):
        x = Slice(tuple(starts), tuple(steps), tuple(counts)).apply(x)
    return reshape(x, tuple(shape))
