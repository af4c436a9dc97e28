"""Operations that move elements without changing them: views, slices, concatenation."""

from __future__ import annotations

import numpy as np

from ..errors import DTypeError, ShapeError
from ..function import Function
from ..geometry import normalize_axes, normalize_axis, resolve_reshape, whole_numbers


class Reshape(Function):
    name = "reshape"
    shares_storage = True

    def __init__(self, shape):
        self.target = shape

    def forward(self, x):
        self.x_shape = x.shape
        return self.backend.reshape(x, self.target)

    def traffic(self, arrays, y):
        x = arrays[0]  # a copy where the strides leave no other way
        copied = isinstance(x, np.ndarray) and not np.may_share_memory(x, y)
        return x.nbytes + y.nbytes if copied else 0

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
    flops_per_output = 0

    def __init__(self, starts, steps, shape, value):
        self.starts, self.steps, self.target, self.value = starts, steps, shape, value

    def forward(self, x):
        self.x_shape = x.shape
        return self.backend.pad(x, self.starts, self.steps, self.target, self.value)

    def backward(self, grad):
        return Slice(self.starts, self.steps, self.x_shape).apply(grad)


class Concat(Function):
    name = "concat"
    flops_per_output = 0

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


def _shape_argument(op, shape):
    """Accept f(2, 3) and f((2, 3))."""
    if len(shape) == 1 and isinstance(shape[0], tuple | list):
        shape = shape[0]
    return whole_numbers(op, "sizes and axes", shape)


def reshape(x, *shape):
    """The same elements in C order in another shape; one size may be -1."""
    target = resolve_reshape("reshape", x.shape, _shape_argument("reshape", shape))
    return x if target == x.shape else Reshape(target).apply(x)


def transpose(x, *axes):
    """Axis i of the result is axis axes[i] of x; without arguments all axes are reversed."""
    order = _shape_argument("transpose", axes) if axes else tuple(reversed(range(x.ndim)))
    order = tuple([a + x.ndim if a < 0 else a for a in order])
    if sorted(order) != list(range(x.ndim)):
        raise ShapeError(f"transpose: {axes} is no permutation of the {x.ndim} axes of {x.shape}")
    return Transpose(order).apply(x)


def concat(tensors, axis=0):
    """Tensors one after the other along `axis`; all other sizes and the dtypes agree."""
    tensors = list(tensors)
    if not tensors:
        raise ShapeError("concat: needs at least one tensor")
    axis = normalize_axis("concat", axis, tensors[0].ndim)
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
    axis = normalize_axis("expand_dims", axis, x.ndim + 1)
    return reshape(x, x.shape[:axis] + (1,) + x.shape[axis:])
