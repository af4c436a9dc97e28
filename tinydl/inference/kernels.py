"""Which kernels of csrc/ run a step, and with which arguments (csrc/program.c lists their order).

`KERNELS[type of the recorded function]` writes the step's calls and says True; or it says False
where the kernel does not take these types or shapes, and the step is called from Python.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend.cpu import _program
from ..backend.cpu.conv import Conv
from ..backend.cpu.matmul import pack_matrix
from ..ops.activations import Gelu, Relu, Sigmoid, Softplus, Tanh
from ..ops.broadcast import BroadcastTo, Sum
from ..ops.compare import Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual
from ..ops.conv import Conv2d
from ..ops.elementwise import (
    Abs,
    Add,
    Divide,
    Exp,
    Log,
    Maximum,
    Multiply,
    Negative,
    Power,
    Sign,
    Sqrt,
    Subtract,
    Where,
)
from ..ops.matmul import Linear, MatMul
from ..ops.norm import FixedNorm, RowNorm
from ..ops.pool import AvgPool2d, MaxPool2d
from ..ops.reduce import Max, Min
from ..ops.shape import Concat, Copy, Pad, Reshape, Slice, Transpose
from ..ops.softmax import LogSoftmax, Softmax
from ..ops.special import Clip, Cos, Erf, Expm1, Floor, Log1p, Minimum, Round, Sin
from .passes.epilogue import is_relu6
from .places import CONSTANT, Place, in_order, viewed
from .program import Step, Value

if TYPE_CHECKING:
    from .native import Writer

AXES = _program.AXES
RELU, SIX, ADD = 1, 2, 4  # EPILOGUE_... of csrc/shared/vector.h
SUM, MAX, MIN = 0, 1, 2  # REDUCE_... of csrc/shared/runs.h
AVX2 = 1  # LEVEL_AVX2 of csrc/shared/kernel.h
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
PACKER = Conv()  # its `pack_conv2d` needs nothing of a backend


@dataclass
class Call:
    """One call: a kind of csrc/program.h, or "Python" (then `options` has the function)."""

    kind: str
    wide: bool  # float64
    x: list[Place | None]
    y: Place
    sizes: list[int]
    options: dict[str, Any]

    def add(self, steps: Any, level: int) -> None:
        """Write it down as a step."""
        operands = [None if p is None else p.operand() for p in self.x]
        operands += [None] * (5 - len(operands))
        options = {name: v for name, v in self.options.items() if name not in ("told", "at_most")}
        steps.add(
            _program.KINDS[self.kind], self.wide, min(level, self.options.get("at_most", level)),
            [*operands, self.y.operand()], self.sizes, **options,
        )  # fmt: skip

    @property
    def told(self) -> str:
        return self.options.get("told", self.kind)


def is_wide(*places: Place | Value) -> bool | None:
    """False for float32, True for float64, None where the kernels do not take them."""
    kinds = {place.dtype for place in places}
    if len(kinds) != 1 or not kinds <= set(FLOATS):
        return None
    return kinds == {FLOATS[1]}


def padded(sizes: Sequence[int], filler: int = 0) -> list[int]:
    return [*sizes, *[filler] * (AXES - len(sizes))]


# -- products and convolutions ---------------------------------------------------------------------


def _target(w: Writer, step: Step, *read: Place) -> tuple[Place, int]:
    """Where a step with epilogues writes, and the bits of its epilogue. A sum is added to what
    stands in the output: in the other term's own buffer, or in a copy of it."""
    epilogue, y = 0, None
    for part in step.parts[1:]:
        if isinstance(part.function, Add):
            (other,) = [v for v in part.inputs if v is not None]
            y = w.over(Step([part], step.output), other, *read)
            if y is None:
                y = w.result(step)
                w.copy(w.place(other), y)
            epilogue |= ADD
        else:
            epilogue |= RELU | SIX if is_relu6(part.function) else RELU
    return (w.result(step) if y is None else y), epilogue


def _weights(w: Writer, step: Step) -> list[Value]:
    return [value for value in step.parts[0].inputs if value is not None]


def write_conv(w: Writer, step: Step) -> bool:
    x_value, weight, *bias = _weights(w, step)
    wide = is_wide(x_value, weight)
    g = step.function.geometry
    if wide is None or any(v.array is None for v in (weight, *bias)):
        return False
    if g.product is not None:
        rows, depth = g.product
        return _product(w, step, x_value, weight, bias, (rows, g.F, depth))
    x = w.contiguous(x_value)
    y, epilogue = _target(w, step, x)
    depthwise = g.groups == g.C == g.F
    lanes = 8 if wide else 16
    # Channels that leave half of AVX-512's lanes empty go in AVX2's; packing is the level's own.
    narrow = g.C % lanes > 0 if depthwise else lanes // 2 >= g.F
    options: dict[str, Any] = {"at_most": AVX2} if narrow else {}
    packed = None if narrow else PACKER.pack_conv2d(np.ascontiguousarray(weight.array), g)
    kernel = w.place(weight) if packed is None else _constant(w, packed)
    sizes = [g.N, g.H, g.W, g.C, g.KH, g.KW, g.F, g.OH, g.OW, *g.stride, g.padding[0],
             g.padding[2], *g.dilation, g.groups]  # fmt: skip
    options |= {"epilogue": epilogue, "packed": packed is not None}
    told = "depthwise" if depthwise else "conv2d"
    w.c("conv2d", wide, [x, kernel, *map(w.place, bias)], y, sizes, told=told, **options)
    return True


def _constant(w: Writer, array: np.ndarray) -> Place:
    return in_order(w.constant(array), array.shape, array.dtype)


def _product(w: Writer, step: Step, x_value: Value, weight: Value, bias: list[Value],
             sizes: tuple[int, int, int]) -> bool:  # fmt: skip
    """[M x K] @ [K x N] with a constant matrix: packed, unless a vector is multiplied, which reads
    the matrix as it lies."""
    M, N, K = sizes
    x = w.contiguous(x_value)
    y, epilogue = _target(w, step, x)
    matrix = np.ascontiguousarray(weight.array).reshape(K, N)
    packed = M > 1 and K > 0
    kernel = _constant(w, pack_matrix(matrix) if packed else matrix)
    w.c("product", x.dtype.itemsize == 8, [x, kernel, *map(w.place, bias)], y,
        [M, N, K, K, 1, N, 1, 0, *[0] * (3 * AXES)], epilogue=epilogue, packed=packed,
        told="product" if packed else "vector product")  # fmt: skip
    return True


def write_product(w: Writer, step: Step) -> bool:
    """Linear, and matmul of any two operands with equal batch axes."""
    a_value, b_value, *bias = _weights(w, step)
    wide = is_wide(a_value, b_value)
    if wide is None or len(a_value.shape) > AXES:
        return False
    if len(a_value.shape) == 2 and b_value.array is not None:
        (M, K), N = a_value.shape, b_value.shape[1]
        return _product(w, step, a_value, b_value, bias, (M, N, K))
    a, b = w.place(a_value), w.place(b_value)
    y, _ = _target(w, step, a, b)
    *batch, M, K = a.shape
    rows = (a.steps()[-2:], b.steps()[-2:])
    axes = [padded(part) for part in (batch, a.steps()[:-2], b.steps()[:-2])]
    sizes = [M, b.shape[-1], K, *rows[0], *rows[1], len(batch), *axes[0], *axes[1], *axes[2]]
    w.c("product", wide, [a, b, *map(w.place, bias)], y, sizes)
    return True


# -- pooling, norms, softmax -----------------------------------------------------------------------


def _pool(kind: str) -> Callable[[Writer, Step], bool]:
    def write(w: Writer, step: Step) -> bool:
        wide = is_wide(step.inputs[0])
        g = step.function.geometry
        if wide is None or getattr(step.function, "places", False) or 0 in g.x_shape:
            return False
        sizes = [g.N, g.H, g.W, g.C, g.KH, g.KW, g.OH, g.OW, *g.stride, g.padding[0], g.padding[2],
                 int(g.adaptive)]  # fmt: skip
        w.c(kind, wide, [w.contiguous(step.inputs[0])], w.result(step), sizes)
        return True

    return write


def write_fixed_norm(w: Writer, step: Step) -> bool:
    wide = is_wide(*step.inputs)
    x = step.inputs[0]
    if wide is None or 0 in x.shape:
        return False
    C, given = x.shape[-1], [w.contiguous(v) for v in step.inputs]
    y = w.over(step, x, *given[1:]) or w.result(step)
    w.c("fixed_norm", wide, given, y, [prod(x.shape) // C, C], eps=step.function.eps)
    return True


def write_row_norm(w: Writer, step: Step) -> bool:
    wide = is_wide(*step.inputs)
    x, scale, _ = step.inputs
    if wide is None or 0 in x.shape:
        return False
    D = prod(scale.shape)
    N = prod(x.shape) // D
    given = [w.contiguous(v) for v in step.inputs]
    moments = [in_order(w.buffer(N * x.dtype.itemsize), (N,), x.dtype) for _ in range(2)]
    w.c("row_norm", wide, [*given, *moments], w.result(step), [N, D], eps=step.function.eps)
    return True


def _rows(kind: str) -> Callable[[Writer, Step], bool]:
    def write(w: Writer, step: Step) -> bool:
        (x,) = step.inputs
        wide = is_wide(x)
        if wide is None or 0 in x.shape:
            return False
        C = x.shape[-1]
        w.c(kind, wide, [w.contiguous(x)], w.result(step), [prod(x.shape) // C, C])
        return True

    return write


# -- element by element, and reductions ------------------------------------------------------------


def _elementwise(w: Writer, name: str, operands: list[Place], y: Place) -> None:
    """y = name(operands), each of y's shape or a single number."""
    ndim = len(y.shape)
    strides = [padded(p.strides if p.shape == y.shape else [0] * ndim) for p in operands]
    strides += [[0] * AXES] * (3 - len(strides))
    w.c("elementwise", operands[-1].dtype.itemsize == 8, list(operands), y,
        [_program.OPERATIONS[name], len(operands), ndim, *padded(y.shape, 1),
         *[s for part in strides for s in part]], told=name)  # fmt: skip


def _goes_elementwise(step: Step, floats: Sequence[Value]) -> bool:
    shapes = {v.shape for v in step.inputs} - {()}
    result = step.output
    fits = shapes <= {result.shape} and len(result.shape) <= AXES and 0 not in result.shape
    kind = np.dtype(bool) if result.dtype == bool else floats[0].dtype
    return fits and is_wide(*floats) is not None and result.dtype == kind


def _map(name: str, first: int = 0) -> Callable[[Writer, Step], bool]:
    """The elementwise operation of that name; its operands from `first` on are floats."""

    def write(w: Writer, step: Step) -> bool:
        floats = step.inputs[first:]
        if not _goes_elementwise(step, floats) or any(v.dtype != bool for v in step.inputs[:first]):
            return False
        places = [w.place(v) for v in step.inputs]
        y = None
        for value, place in zip(step.inputs, places, strict=True):
            if y is None and step.inputs.count(value) == 1:
                y = w.over(step, value, *[p for p in places if p is not place])
        _elementwise(w, name, places, y or w.result(step))
        return True

    return write


def write_clip(w: Writer, step: Step) -> bool:
    (x,), function = step.inputs, step.function
    if not _goes_elementwise(step, [x]) or (function.low is None and function.high is None):
        return False
    place = w.place(x)
    y = w.over(step, x) or w.result(step)
    for name, bound in (("maximum", function.low), ("minimum", function.high)):
        if bound is not None:
            _elementwise(w, name, [place, _constant(w, np.array(bound, x.dtype))], y)
            place = y
    return True


def _reduce(op: int) -> Callable[[Writer, Step], bool]:
    def write(w: Writer, step: Step) -> bool:
        (x,) = step.inputs
        wide = is_wide(x, step.output)
        if wide is None or not 0 < len(x.shape) <= AXES or 0 in x.shape:
            return False
        place, gone = w.place(x), [int(i in step.function.axes) for i in range(len(x.shape))]
        w.c("reduce", wide, [place], w.result(step),
            [op, len(x.shape), *padded(x.shape, 1), *padded(place.steps()), *padded(gone)],
            told=("sum", "max", "min")[op])  # fmt: skip
        return True

    return write


# -- shapes ----------------------------------------------------------------------------------------


def write_view(w: Writer, step: Step) -> bool:
    (x,) = step.inputs
    place = w.place(x)
    found = viewed(step.function, w.backend, place)
    if found is None:  # the strides leave no other way than a copy
        found = viewed(step.function, w.backend, w.contiguous(x))
    if found is None:
        return False
    if found.root.kind != CONSTANT and found.root.life is not None:
        until = w.last.get(id(step.output), w.number)
        found.root.life.last = max(found.root.life.last, until)
    w.places[id(step.output)] = found
    return True


def write_concat(w: Writer, step: Step) -> bool:
    if any(v.dtype != step.output.dtype for v in step.inputs):
        return False
    y, axis, start = w.result(step), step.function.axis, 0
    for value in step.inputs:
        offset = y.offset + start * y.strides[axis]
        w.copy(w.place(value), Place(y.root, value.shape, y.dtype, y.strides, offset))
        start += value.shape[axis]
    return True


def write_pad(w: Writer, step: Step) -> bool:
    """The number everywhere, then x over its own cells."""
    (x,), function = step.inputs, step.function
    if x.dtype != step.output.dtype or len(step.output.shape) > AXES:
        return False
    y = w.result(step)
    number = w.constant(np.array([function.value], y.dtype))
    w.copy(Place(number, y.shape, y.dtype, (0,) * len(y.shape)), y)
    strides = tuple([a * b for a, b in zip(y.strides, function.steps, strict=True)])
    offset = y.offset + sum(a * b for a, b in zip(y.strides, function.starts, strict=True))
    if 0 not in x.shape:
        w.copy(w.place(x), Place(y.root, x.shape, y.dtype, strides, offset))
    return True


def write_copy(w: Writer, step: Step) -> bool:
    w.copy(w.place(step.inputs[0]), w.result(step))
    return True


#: Their names are those of csrc/elementwise_rows.h.
MAPS = (
    *(
        Abs,
        Cos,
        Erf,
        Exp,
        Expm1,
        Floor,
        Gelu,
        Log,
        Log1p,
        Negative,
        Relu,
        Round,
        Sigmoid,
        Sign,
        Sin,
    ),
    *(Softplus, Sqrt, Tanh),
    *(Add, Divide, Maximum, Minimum, Multiply, Power, Subtract),
    *(Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual),
)

KERNELS: dict[type, Callable[[Writer, Step], bool]] = {
    Conv2d: write_conv,
    Linear: write_product,
    MatMul: write_product,
    MaxPool2d: _pool("max_pool"),
    AvgPool2d: _pool("avg_pool"),
    FixedNorm: write_fixed_norm,
    RowNorm: write_row_norm,
    Softmax: _rows("softmax"),
    LogSoftmax: _rows("log_softmax"),
    Clip: write_clip,
    Sum: _reduce(SUM),
    Max: _reduce(MAX),
    Min: _reduce(MIN),
    Concat: write_concat,
    Pad: write_pad,
    Copy: write_copy,
    Where: _map("where", 1),
    **dict.fromkeys((Reshape, Transpose, Slice, BroadcastTo), write_view),
    **{function: _map(str(function.name)) for function in MAPS},
}
