"""Integer arithmetic of shapes and windows: the one place where sizes, padding and costs are
computed.

Letters: N batch, H W image height and width, C input channels, F output channels (filters),
KH KW kernel size, OH OW output size. Images are (N, H, W, C), weights (KH, KW, C / groups, F).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, wraps
from itertools import islice
from math import gcd, prod
from typing import Any, ParamSpec, TypeVar

from .arguments import addressable, is_whole, whole
from .errors import ShapeError
from .quoting import quoted

Pair = tuple[int, int]
Shape = tuple[int, ...]
P = ParamSpec("P")
R = TypeVar("R")


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """The function with its last 1024 results kept by arguments: networks ask for the same few
    shapes over and over. Arguments that cannot be kept (lists) are computed each time."""
    kept = lru_cache(maxsize=1024, typed=True)(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return kept(*args, **kwargs)  # type: ignore[arg-type]
        except TypeError:
            return function(*args, **kwargs)

    return call


@dataclass(frozen=True)
class Conv2dGeometry:
    """All sizes of one 2-D convolution. `padding` is (top, bottom, left, right) zeros around the
    image. What follows from them is computed once: layers meet the same geometry at every step."""

    N: int
    H: int
    W: int
    C: int
    KH: int
    KW: int
    F: int
    OH: int
    OW: int
    stride: Pair
    padding: tuple[int, int, int, int]
    dilation: Pair
    groups: int

    @property
    def x_shape(self) -> Shape:
        return (self.N, self.H, self.W, self.C)

    @property
    def weight_shape(self) -> Shape:
        return (self.KH, self.KW, self.C // self.groups, self.F)

    @cached_property
    def y_shape(self) -> Shape:
        return (self.N, self.OH, self.OW, self.F)

    @property
    def columns_shape(self) -> Shape:
        """Patches as im2col lays them out: (N*OH*OW, KH*KW*C)."""
        return (self.N * self.OH * self.OW, self.KH * self.KW * self.C)

    @cached_property
    def product(self) -> Pair | None:
        """(rows, depth) where it is one product of the arrays as they lie, [rows x depth] @ [depth
        x F]: (N*H*W, C) for single pixels, (N, H*W*C) for a window as large as the image; or
        None."""
        if self.groups != 1 or self.padding != (0, 0, 0, 0):
            return None
        if self.KH == self.KW == 1 and self.stride == (1, 1):
            return self.N * self.H * self.W, self.C
        if (self.KH, self.KW) == (self.H, self.W):
            return self.N, self.H * self.W * self.C
        return None

    @property
    def multiply_adds(self) -> int:
        return self.N * self.OH * self.OW * self.F * self.KH * self.KW * (self.C // self.groups)


@dataclass(frozen=True, slots=True)
class Pool2dGeometry:
    """All sizes of one 2-D pooling. `padding` is (top, bottom, left, right); padded cells never
    win or count.

    With `adaptive` the image is divided among the outputs instead: output o sees rows
    floor(o H / OH) ... ceil((o + 1) H / OH) - 1, and KH, KW are those of the largest bin.
    """

    N: int
    H: int
    W: int
    C: int
    KH: int
    KW: int
    OH: int
    OW: int
    stride: Pair
    padding: tuple[int, int, int, int]
    adaptive: bool = False

    @property
    def x_shape(self) -> Shape:
        return (self.N, self.H, self.W, self.C)

    @property
    def y_shape(self) -> Shape:
        return (self.N, self.OH, self.OW, self.C)

    @property
    def visits(self) -> int:
        """Cells of x looked at by all windows together, padding counted."""
        return self.N * self.OH * self.OW * self.C * self.KH * self.KW


#: Strides, paddings and kernel sizes stay below this: OpenCL's kernels count in 32 bits.
MOST_CELLS = (1 << 31) - 1
MOST_NUMBERS = 1 << 20  # of one argument, as sizes or axes


def pair(op: str, name: str, value: int | tuple[int, int], minimum: int) -> Pair:
    """`3` -> `(3, 3)`; `(3, 5)` stays. Raises ShapeError below `minimum` or for anything else."""
    result = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(result) != 2 or not all(is_whole(v) and minimum <= v <= MOST_CELLS for v in result):
        large = "" if not any(is_whole(v) and v > MOST_CELLS for v in result) else " and below 2^31"
        raise ShapeError(
            f"{op}: {name} must be an integer >= {minimum}{large} or a pair of them, got "
            f"{quoted(value)}"
        )
    return int(result[0]), int(result[1])


def resolve_padding(
    op: str,
    padding: str | int | tuple,
    size: Pair,
    kernel: Pair,
    stride: Pair,
    dilation: Pair,
) -> tuple[int, int, int, int]:
    """'valid' | 'same' | p | (ph, pw) | ((top, bottom), (left, right)) -> (top, bottom, left,
    right).

    'same' is TensorFlow's and ONNX's SAME_UPPER: output size ceil(size / stride), the odd zero goes
    below and to the right. With stride 1 it keeps the size.
    """
    if isinstance(padding, str) and padding == "valid":
        return (0, 0, 0, 0)
    if isinstance(padding, str) and padding == "same":
        cells: list[int] = []
        for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
            total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            cells += [total // 2, total - total // 2]
        return (cells[0], cells[1], cells[2], cells[3])
    given: Any = padding
    try:
        if is_whole(given):
            rows, columns = (given, given), (given, given)
        elif isinstance(given, str):
            raise TypeError
        else:
            first, second = given
            rows = (first, first) if is_whole(first) else tuple(first)
            columns = (second, second) if is_whole(second) else tuple(second)
        (top, bottom), (left, right) = rows, columns
        if not all(is_whole(v) and 0 <= v <= MOST_CELLS for v in (top, bottom, left, right)):
            raise ValueError
    except (TypeError, ValueError):
        raise ShapeError(
            f"{op}: padding must be 'valid', 'same', an integer >= 0, (height, width) or "
            f"((top, bottom), (left, right)), each below 2^31, got {quoted(padding)}"
        ) from None
    return int(top), int(bottom), int(left), int(right)


def output_size(size: int, kernel: int, stride: int, before: int, after: int, dilation: int) -> int:
    """floor((size + before + after - dilation*(kernel - 1) - 1) / stride) + 1."""
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1


@lru_cache(maxsize=1024, typed=True)  # 1.0 is not 1
def conv2d_geometry(
    x_shape: Shape,
    weight_shape: Shape,
    stride: int | Pair = 1,
    padding: str | int | tuple = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
    op: str = "conv2d",
) -> Conv2dGeometry:
    """Sizes of conv2d(x (N, H, W, C), weight (KH, KW, C/groups, F)); ShapeError names what does
    not fit."""
    if len(x_shape) != 4:
        raise ShapeError(f"{op}: x must be (N, H, W, C), got shape {x_shape}")
    if len(weight_shape) != 4:
        raise ShapeError(f"{op}: weight must be (KH, KW, C/groups, F), got shape {weight_shape}")
    N, H, W, C = x_shape
    KH, KW, CG, F = weight_shape
    stride, dilation = pair(op, "stride", stride, 1), pair(op, "dilation", dilation, 1)
    groups = whole(op, "groups", groups, 1, error=ShapeError)
    if C % groups or F % groups:
        raise ShapeError(
            f"{op}: groups {groups} must divide both the {C} input and {F} output channels"
        )
    if CG * groups != C:
        expected = f"{CG}" if groups == 1 else f"{CG} x {groups} groups = {CG * groups}"
        raise ShapeError(
            f"{op}: x has {C} channels but weight expects {expected} (x {x_shape}, weight "
            f"{weight_shape})"
        )
    if min(KH, KW) < 1:
        raise ShapeError(f"{op}: kernel size must be >= 1, got weight {weight_shape}")
    pads = resolve_padding(op, padding, (H, W), (KH, KW), stride, dilation)
    OH = output_size(H, KH, stride[0], pads[0], pads[1], dilation[0])
    OW = output_size(W, KW, stride[1], pads[2], pads[3], dilation[1])
    if min(OH, OW) < 1:
        raise ShapeError(
            f"{op}: a {KH}x{KW} kernel with dilation {dilation} does not fit into {H}x{W} with "
            f"padding {pads} (output would be {OH}x{OW})"
        )
    addressable(op, (N, H + pads[0] + pads[1], W + pads[2] + pads[3], C), 8)
    addressable(op, (N, OH, OW, F), 8)
    return Conv2dGeometry(N, H, W, C, KH, KW, F, OH, OW, stride, pads, dilation, groups)


@lru_cache(maxsize=1024, typed=True)  # 1.0 is not 1
def pool2d_geometry(
    x_shape: Shape,
    kernel_size: int | Pair,
    stride: int | Pair | None = None,
    padding: str | int | tuple = 0,
    ceil_mode: bool = False,
    op: str = "max_pool2d",
) -> Pool2dGeometry:
    """Sizes of a pooling of x (N, H, W, C); the stride defaults to the kernel size.

    With `ceil_mode` a last window may reach beyond the padding, if it starts before it: inside the
    image or above it.
    """
    if len(x_shape) != 4:
        raise ShapeError(f"{op}: x must be (N, H, W, C), got shape {x_shape}")
    N, H, W, C = x_shape
    KH, KW = pair(op, "kernel_size", kernel_size, 1)
    stride = (KH, KW) if stride is None else pair(op, "stride", stride, 1)
    pads = resolve_padding(op, padding, (H, W), (KH, KW), stride, (1, 1))
    if padding != "same" and (max(pads[:2]) >= KH or max(pads[2:]) >= KW):
        raise ShapeError(
            f"{op}: padding {pads} must be smaller than the {KH}x{KW} window, or a window lies "
            "outside x"
        )
    OH, OW = (
        pool_output_size(n, k, s, before, after, ceil_mode)
        for n, k, s, before, after in (
            (H, KH, stride[0], pads[0], pads[1]),
            (W, KW, stride[1], pads[2], pads[3]),
        )
    )
    if min(OH, OW, H, W) < 1:
        raise ShapeError(f"{op}: a {KH}x{KW} window does not fit into {H}x{W} with padding {pads}")
    addressable(op, (N, OH, OW, C), 8)
    return Pool2dGeometry(N, H, W, C, KH, KW, OH, OW, stride, pads)


def pool_output_size(
    size: int, kernel: int, stride: int, before: int, after: int, ceil_mode: bool
) -> int:
    """Number of windows along one axis; with `ceil_mode` also a last one that reaches beyond the
    padding, if it starts before `size` (PyTorch's rule)."""
    if not ceil_mode:
        return output_size(size, kernel, stride, before, after, 1)
    count = -(-(size + before + after - kernel) // stride) + 1
    return count - 1 if (count - 1) * stride >= size + before else count


def bin_edges(size: int, bins: int, o: int) -> Pair:
    """Cells floor(o size / bins) ... ceil((o + 1) size / bins) - 1 make bin o: no cell is left out,
    neighbouring bins may share one."""
    return o * size // bins, -(-(o + 1) * size // bins)


def largest_bin(size: int, bins: int) -> int:
    """Cells of the largest of `bins` bins: with g = gcd(size, bins), bin o starts at a remainder r
    = o size mod bins, some multiple of g, and has ceil((r + size) / bins) cells; the largest r is
    bins - g."""
    return -(-(bins - gcd(size, bins) + size) // bins)


@lru_cache(maxsize=256, typed=True)
def adaptive_pool2d_geometry(
    x_shape: Shape, size: int | Pair, op: str = "adaptive_avg_pool2d"
) -> Pool2dGeometry:
    """Sizes of a pooling of x (N, H, W, C) into `size` bins, an integer or (OH, OW)."""
    if len(x_shape) != 4:
        raise ShapeError(f"{op}: x must be (N, H, W, C), got shape {x_shape}")
    N, H, W, C = x_shape
    OH, OW = pair(op, "size", size, 1)
    if min(H, W) < 1:
        raise ShapeError(f"{op}: an image without pixels: {x_shape}")
    addressable(op, (N, OH, OW, C), 8)
    KH, KW = largest_bin(H, OH), largest_bin(W, OW)
    return Pool2dGeometry(N, H, W, C, KH, KW, OH, OW, (KH, KW), (0, 0, 0, 0), True)


@remembered
def broadcast_shape(op: str, *shapes: Shape) -> Shape:
    """The common shape under NumPy's rules; ShapeError names the shapes and the axis that clash."""
    rank = max(len(s) for s in shapes)
    result = []
    for axis in range(-rank, 0):
        sizes = {s[axis] for s in shapes if len(s) >= -axis and s[axis] != 1}
        if len(sizes) > 1:
            listed = " and ".join(str(s) for s in shapes)
            raise ShapeError(
                f"{op}: shapes {listed} do not broadcast: axis {axis} has sizes "
                f"{' and '.join(map(str, sorted(sizes)))}, and neither is 1"
            )
        result.append(sizes.pop() if sizes else 1)
    return addressable(op, tuple(result))


@remembered
def normalize_axes(op: str, axis: int | tuple[int, ...] | None, ndim: int) -> tuple[int, ...]:
    """None -> all axes; negative axes counted from the end; sorted; ShapeError if out of range or
    repeated."""
    if axis is None:
        return tuple(range(ndim))
    axes = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    for a in axes:
        if not is_whole(a):
            raise ShapeError(f"{op}: axis must be an integer, several, or None, got {quoted(axis)}")
        if not -ndim <= a < ndim:
            raise ShapeError(f"{op}: axis {quoted(a)} is out of range for {ndim} dimensions")
    result = tuple(sorted(int(a) % ndim for a in axes))
    if len(set(result)) != len(result):
        raise ShapeError(f"{op}: axis {axis} names the same dimension twice")
    return result


def normalize_axis(op: str, axis: int, ndim: int) -> int:
    """One axis, counted from the front; ShapeError if out of range or not an integer."""
    if type(axis) is not int and not is_whole(axis):
        raise ShapeError(f"{op}: axis must be one integer, got {quoted(axis)}")
    return normalize_axes(op, axis, ndim)[0]


def whole_numbers(op: str, name: str, values: Any) -> tuple[int, ...]:
    """values as a tuple of integers (NumPy's too); ShapeError for anything else, 2.0 and True
    included."""
    if type(values) is tuple:
        for v in values:
            if type(v) is not int:
                break
        else:
            return values
    if isinstance(getattr(values, "ndim", None), int):  # a tensor or an ndarray
        if values.ndim != 1 or values.size >= MOST_NUMBERS:
            raise ShapeError(f"{op}: {name} must be integers, got {quoted(values)}")
        values = values.tolist()
    try:
        given: list[Any] = list(islice(values, MOST_NUMBERS))
    except TypeError:
        raise ShapeError(f"{op}: {name} must be integers, got {quoted(values)}") from None
    if len(given) == MOST_NUMBERS or not all(is_whole(v) for v in given):
        raise ShapeError(f"{op}: {name} must be integers, got {quoted(values)}")
    return tuple([int(v) for v in given])


@remembered
def reduced_shape(shape: Shape, axes: tuple[int, ...], keepdims: bool) -> Shape:
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


@remembered
def resolve_reshape(op: str, shape: Shape, new_shape: tuple[int, ...]) -> Shape:
    """Replace one -1 by what is left over; ShapeError if the number of elements differs."""
    size = prod(shape)
    unknown = [i for i, n in enumerate(new_shape) if n == -1]
    known = prod(n for n in new_shape if n != -1)
    if len(unknown) > 1 or any(n < -1 for n in new_shape):
        raise ShapeError(f"{op}: {new_shape} may hold one -1 and no other negative size")
    if unknown:
        if known == 0 or size % known:
            raise ShapeError(f"{op}: cannot turn {shape} ({size} elements) into {new_shape}")
        i = unknown[0]
        new_shape = new_shape[:i] + (size // known,) + new_shape[i + 1 :]
    if prod(new_shape) != size:
        raise ShapeError(
            f"{op}: {shape} has {size} elements but {new_shape} needs {prod(new_shape)}"
        )
    return addressable(op, tuple(new_shape))


def matmul_multiply_adds(a_shape: Shape, b_shape: Shape) -> int:
    """[M x K] @ [K x N]: M*K*N, times the batch."""
    batch = prod(broadcast_shape("matmul", a_shape[:-2], b_shape[:-2]))
    return batch * a_shape[-2] * a_shape[-1] * b_shape[-1]


def recurrent_multiply_adds(x_shape: Shape, hidden_size: int, gates: int = 1) -> int:
    """x (N, T, D): [N x D] @ [D x gates*H] and [N x H] @ [H x gates*H] in each of T steps."""
    N, T, D = x_shape
    return N * T * (D + hidden_size) * gates * hidden_size


def touched_bytes(array: Any) -> int:
    """Bytes behind an array or view: an axis of stride 0 is one element, however long."""
    strides = zip(array.shape, array.strides, strict=True)
    return array.dtype.itemsize * prod(n if stride else min(n, 1) for n, stride in strides)
