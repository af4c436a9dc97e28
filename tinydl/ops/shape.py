"""Operations that move elements without changing them: views, slices, concatenation."""

from __future__ import annotations

from itertools import islice
from typing import Never

import numpy as np

from ..arguments import is_whole, made_of, out_of_memory, rank
from ..doors import door, unknown_to
from ..errors import ConfigError, DTypeError, ShapeError
from ..function import Function
from ..geometry import (
    MOST_NUMBERS,
    normalize_axes,
    normalize_axis,
    resolve_reshape,
    whole_numbers,
)
from ..quoting import quoted


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


class Copy(Function):
    """y = x in storage of its own."""

    name = "copy"
    flops_per_output = 0

    def forward(self, x):
        return self.backend.copy(x)

    def backward(self, grad):
        return grad


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
    try:
        old = x.data.shape
    except (AttributeError, ValueError):
        raise DTypeError(f"reshape: x must be a tensor, got {quoted(x)}{made_of(x)}") from None
    target = resolve_reshape("reshape", old, _shape_argument("reshape", shape))
    return x if target == old else Reshape(target).apply(x)


def transpose(x, axes=None, *positional: Never, **unknown: Never):
    """Axis i of the result is axis axes[i] of x; without axes all are reversed.

    axes: one tuple. Separate integers, which PyTorch's transpose(0, 1) swaps and NumPy's permutes,
    are a ConfigError. Raises ShapeError for what is no permutation.
    """
    ndim = rank("transpose", x)
    if unknown or positional:
        raise _swapped_or_permuted(*(unknown.values() or (axes, *positional)))
    if axes is None:
        return Transpose(tuple(range(ndim - 1, -1, -1))).apply(x)
    if type(axes) is not tuple and is_whole(axes):
        raise _swapped_or_permuted(axes)
    order = whole_numbers("transpose", "axes", axes)
    order = tuple([a + ndim if a < 0 else a for a in order])
    if sorted(order) != list(range(ndim)):
        raise ShapeError(f"transpose: {axes} is no permutation of the {ndim} axes of {x.shape}")
    return Transpose(order).apply(x)


@door
def swapaxes(x, axis1, axis2):
    """x with two axes exchanged, as a view. Raises ShapeError for an axis that x does not have."""
    order = list(range(rank("swapaxes", x)))
    a, b = (normalize_axis("swapaxes", axis, len(order)) for axis in (axis1, axis2))
    order[a], order[b] = b, a
    return Transpose(tuple(order)).apply(x)


def _swapped_or_permuted(*axes):
    """What to say to x.transpose(0, 1), which two libraries read differently."""
    listed = ", ".join(map(quoted, axes))
    if len(axes) == 2:
        return ConfigError(
            f"transpose: takes one tuple of axes; two axes change places (as in PyTorch) by "
            f"x.swapaxes({listed}), all get a new order (as in NumPy) by x.permute({listed}); of a "
            "matrix it is x.T"
        )
    return ConfigError(
        f"transpose: takes one tuple of axes; all of them in a new order: x.permute({listed})"
    )


def _several(op, tensors):
    """A list of at least one tensor; DTypeError and ShapeError for anything else."""
    try:
        if isinstance(tensors, np.ndarray):
            raise TypeError
        many = hasattr(type(tensors), "__len__") and len(tensors) >= MOST_NUMBERS
        found = [] if many else list(islice(tensors, MOST_NUMBERS))
    except TypeError:
        raise DTypeError(f"{op}: needs several tensors, got {quoted(tensors)}") from None
    except MemoryError as error:
        raise out_of_memory(op, error) from None
    if many or len(found) == MOST_NUMBERS:
        raise ShapeError(f"{op}: takes fewer than {MOST_NUMBERS} tensors, got {quoted(tensors)}")
    tensors = found
    if not tensors:
        raise ShapeError(f"{op}: needs at least one tensor")
    for i, t in enumerate(tensors):
        if not hasattr(type(t), "_new"):  # is_tensor
            raise DTypeError(f"{op}: number {i} must be a tensor, got {quoted(t)}{made_of(t)}")
    return tensors


def concat(tensors, axis=0, **unknown: Never):
    """Tensors one after the other along `axis`; all other sizes and the dtypes agree."""
    if unknown:
        raise unknown_to(concat, unknown)
    tensors = _several("concat", tensors)
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


def copy(x):
    """The same values in C-contiguous storage of their own; the gradient passes."""
    return Copy().apply(x)


def squeeze(x, axis=None, **unknown: Never):
    """Drop axes of size 1: all of them, or those named."""
    if unknown:
        raise unknown_to(squeeze, unknown)
    if axis is None:
        rank("squeeze", x)
        axes = tuple(i for i, n in enumerate(x.shape) if n == 1)
    else:
        axes = normalize_axes("squeeze", axis, rank("squeeze", x))
        if any(x.shape[a] != 1 for a in axes):
            raise ShapeError(f"squeeze: axis {axis} of {x.shape} is not of size 1")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def expand_dims(x, axis, **unknown: Never):
    """A new axis of size 1 before position `axis` of the result."""
    if unknown:
        raise unknown_to(expand_dims, unknown)
    axis = normalize_axis("expand_dims", axis, rank("expand_dims", x) + 1)
    return reshape(x, x.shape[:axis] + (1,) + x.shape[axis:])
