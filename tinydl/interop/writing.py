"""Nodes of ONNX for the operations of tinydl: `ROWS[name](writer, step) -> name of the result`."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .recording import Step, Value
from .writer import FIRST, LAST, TO_FIRST, Row, Writer, refuse
from .writing_recurrent import RECURRENT

# -- element by element ----------------------------------------------------------------------------


def elementwise(kind: str, **attributes: Any) -> Row:
    """In the layout that the inputs are in. What was repeated to fit goes in as it was: ONNX
    broadcasts too."""

    def written(w: Writer, step: Step) -> Any:
        values = [v.bare for v in step.inputs]
        shapes = [v.shapes[0] for v in values]
        if np.broadcast_shapes(*shapes) != step.output.shapes[0]:
            values = step.inputs
        if any(FIRST in v.written and LAST not in v.written for v in values):
            names = [_beside_image(w, v) for v in values]
            if all(names):
                return w.node(kind, names, **attributes), FIRST
        return w.node(kind, [w.of(v) for v in values], **attributes)

    return written


def _beside_image(w: Writer, value: Value) -> str:
    """A value beside one with the channels first; "" where it does not fit there."""
    if FIRST in value.written:
        return value.written[FIRST]
    if prod(value.shapes[0]) == 1 and value.array is not None:
        return w.store(value.array.reshape(()))
    if value.array is not None and value.shapes[0] == value.shapes[1] and value.array.ndim <= 4:
        wide = value.array.reshape((1,) * (4 - value.array.ndim) + value.array.shape)
        turned = np.ascontiguousarray(wide.transpose(TO_FIRST))
        return w.store(turned.reshape(turned.shape[1:]) if turned.shape[0] == 1 else turned)
    return ""


def clip(w: Writer, step: Step) -> Any:
    f, x = step.functions[0], step.inputs[0]
    layout = FIRST if FIRST in x.written else LAST
    bounds = [w.store(np.array(b, x.dtype)) if b is not None else "" for b in (f.low, f.high)]
    return w.node("Clip", [w.of(x, layout), *bounds]), layout


def astype(w: Writer, step: Step) -> Any:
    to = w.helper.np_dtype_to_tensor_dtype(step.output.dtype)
    return w.node("Cast", [w.of(step.inputs[0])], to=to)


def remainder(w: Writer, step: Step) -> Any:
    """The sign of the divisor, which Mod has for integers only."""
    a, b = (w.of(v) for v in step.inputs)
    if step.output.dtype.kind != "f":
        return w.node("Mod", [a, b])
    floor = w.node("Floor", [w.node("Div", [a, b])])
    return w.node("Sub", [a, w.node("Mul", [floor, b])])


def floor_divide(w: Writer, step: Step) -> Any:
    if step.output.dtype.kind != "f":
        raise refuse(step, "of integers is not in ONNX")
    return w.node("Floor", [w.node("Div", [w.of(v) for v in step.inputs])])


def with_one(kind: str, after: bool) -> Row:
    """log(1 + x), and e^x - 1."""

    def written(w: Writer, step: Step) -> Any:
        x, one = w.of(step.inputs[0]), w.store(np.array(1, step.output.dtype))
        if after:
            return w.node("Sub", [w.node(kind, [x]), one])
        return w.node(kind, [w.node("Add", [x, one])])

    return written


def not_equal(w: Writer, step: Step) -> Any:
    return w.node("Not", [elementwise("Equal")(w, step)])


# -- shapes ----------------------------------------------------------------------------------------


def reshape(w: Writer, step: Step) -> Any:
    (x,), (first, second) = step.inputs, step.output.shapes
    open_sizes = [i for i, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
    if len(open_sizes) == 1 and 0 not in first:
        sizes = w.store(np.array([-1 if i in open_sizes else n for i, n in enumerate(first)]))
    else:
        sizes = w.sizes(first, second)
    return w.node("Reshape", [w.of(x), sizes])


def transpose(w: Writer, step: Step) -> Any:
    return w.node("Transpose", [w.of(step.inputs[0])], perm=list(step.functions[0].axes))


def broadcast_to(w: Writer, step: Step) -> Any:
    """Written when somebody needs it who does not broadcast himself."""
    (x,) = step.inputs
    step.output.repeated = x.bare
    return w.node("Expand", [w.of(x), w.sizes(*step.output.shapes)])


def slices(w: Writer, step: Step) -> Any:
    f, g = step.functions
    if not f.counts:
        return w.node("Identity", [w.of(step.inputs[0])])
    far = -(1 << 62)

    def end(h: Any) -> list[int]:
        ends = [s + c * d for s, c, d in zip(h.starts, h.counts, h.steps, strict=True)]
        return [far if e < 0 else e for e in ends]

    starts, ends = w.sizes(f.starts, g.starts), w.sizes(end(f), end(g))
    axes = w.store(np.arange(len(f.starts)))
    return w.node("Slice", [w.of(step.inputs[0]), starts, ends, axes, w.sizes(f.steps, g.steps)])


def pad(w: Writer, step: Step) -> Any:
    f, g = step.functions
    if any(s != 1 for s in f.steps):
        raise refuse(step, "with steps is not in ONNX")

    def widths(h: Any, k: int) -> list[int]:
        shape = step.inputs[0].shapes[k]
        after = [t - b - n for t, b, n in zip(h.target, h.starts, shape, strict=True)]
        return [*h.starts, *after]

    value = w.store(np.array(f.value, step.output.dtype))
    return w.node("Pad", [w.of(step.inputs[0]), w.sizes(widths(f, 0), widths(g, 1)), value])


def concat(w: Writer, step: Step) -> Any:
    return w.node("Concat", [w.of(v) for v in step.inputs], axis=step.functions[0].axis)


def same(w: Writer, step: Step) -> Any:
    (x,) = step.inputs
    step.output.written.update(x.written)
    return w.of(x)


# -- reductions, products --------------------------------------------------------------------------


def reduced(kind: str) -> Row:
    def written(w: Writer, step: Step) -> Any:
        f, (x,) = step.functions[0], step.inputs
        axes = list(range(len(x.shapes[0]))) if f.axes is None else list(f.axes)
        keep = int(f.keepdims)
        if x.dtype.kind == "b" or (x.dtype.kind != "f" and x.dtype != step.output.dtype):
            to = w.helper.np_dtype_to_tensor_dtype(step.output.dtype)
            name = w.node("Cast", [w.of(x)], to=to)
        else:
            name = w.of(x)
        if w.opset >= 18 or kind == "ReduceSum":
            return w.node(kind, [name, w.store(np.array(axes, np.int64))], keepdims=keep)
        return w.node(kind, [name], axes=axes, keepdims=keep)

    return written


def extreme(kind: str) -> Row:
    def written(w: Writer, step: Step) -> Any:
        f, (x,) = step.functions[0], step.inputs
        name = w.of(x) if f.axis is not None else w.node("Reshape", [w.of(x), w.store([-1])])
        return w.node(kind, [name], axis=f.axis or 0, keepdims=int(f.keepdims))

    return written


def argsort(w: Writer, step: Step) -> Any:
    """All places by falling or rising value; of equal ones the first comes first."""
    f, (x,) = step.functions[0], step.inputs
    if x.shapes[0][f.axis] != x.shapes[1][f.axis]:
        raise refuse(step, "along the samples is not in ONNX")
    count = w.store(np.array([x.shapes[0][f.axis]], np.int64))
    largest = int(f.descending)
    return w.node("TopK", [w.of(x), count], 2, axis=f.axis, largest=largest)[1]


def linear(w: Writer, step: Step) -> Any:
    return w.node("Gemm", [w.of(v) for v in step.inputs])


def gather(w: Writer, step: Step) -> Any:
    return w.node("Gather", [w.of(v) for v in step.inputs], axis=0)


def one_hot(w: Writer, step: Step) -> Any:
    depth = w.store(np.int64(step.functions[0].depth))
    values = w.store(np.array([0, 1], step.output.dtype))
    return w.node("OneHot", [w.of(step.inputs[0]), depth, values], axis=-1)


def cumsum(w: Writer, step: Step) -> Any:
    f, (x,) = step.functions[0], step.inputs
    return w.node("CumSum", [w.of(x), w.store(np.int64(f.axis))], reverse=int(f.reverse))


def over_rows(kind: str) -> Row:
    return lambda w, step: w.node(kind, [w.of(step.inputs[0])], axis=-1)


# -- images ----------------------------------------------------------------------------------------


def kernel_first(w: Writer, value: Value) -> str:
    """(KH, KW, C, F) as (F, C, KH, KW)."""
    if value.array is None:
        return w.node("Transpose", [w.of(value)], perm=[3, 2, 0, 1])
    return w.store(np.ascontiguousarray(value.array.transpose(3, 2, 0, 1)), value.name)


def _pads(padding: tuple[int, int, int, int]) -> list[int]:
    top, bottom, left, right = padding
    return [top, left, bottom, right]


def conv2d(w: Writer, step: Step) -> Any:
    g, (x, weight, *bias) = step.functions[0].geometry, step.inputs
    names = [w.of(x, FIRST), kernel_first(w, weight), *[w.of(b) for b in bias]]
    return w.node(
        "Conv", names, kernel_shape=[g.KH, g.KW], strides=list(g.stride), pads=_pads(g.padding),
        dilations=list(g.dilation), group=g.groups,
    ), FIRST  # fmt: skip


def conv2d_input_grad(w: Writer, step: Step) -> Any:
    """The transposed convolution; what no window reaches is output_padding."""
    g, (x, weight) = step.functions[0].geometry, step.inputs
    top, bottom, left, right = g.padding
    reached = [
        (n - 1) * s - a - b + d * (k - 1) + 1
        for n, s, (a, b), d, k in zip(
            (g.OH, g.OW), g.stride, ((top, bottom), (left, right)), g.dilation, (g.KH, g.KW),
            strict=True,
        )
    ]  # fmt: skip
    extra = [g.H - reached[0], g.W - reached[1]]
    return w.node(
        "ConvTranspose", [w.of(x, FIRST), kernel_first(w, weight)], kernel_shape=[g.KH, g.KW],
        strides=list(g.stride), pads=_pads(g.padding), dilations=list(g.dilation), group=g.groups,
        output_padding=extra,
    ), FIRST  # fmt: skip


def unequal_bins(w: Writer, step: Step) -> Any:
    """Means over bins that overlap or differ in size, as a product with shares for each axis."""
    g, dtype = step.functions[0].geometry, step.output.dtype
    shares = []
    for n, bins in ((g.H, g.OH), (g.W, g.OW)):
        rows = np.zeros((bins, n), dtype)
        for o in range(bins):
            start, end = o * n // bins, -(-(o + 1) * n // bins)
            rows[o, start:end] = 1 / (end - start)
        shares.append(rows)
    x = w.node("MatMul", [w.of(step.inputs[0], FIRST), w.store(shares[1].T.copy())])
    return w.node("MatMul", [w.store(shares[0]), x])


def pool(kind: str) -> Row:
    """Windows that ceil_mode adds are wider padding below and right."""

    def written(w: Writer, step: Step) -> Any:
        g = step.functions[0].geometry
        if g.adaptive and (g.H % g.OH or g.W % g.OW):
            if kind == "AveragePool":
                return unequal_bins(w, step), FIRST
            raise refuse(step, f"into {g.OH}x{g.OW} bins of unequal sizes is not in ONNX")
        pads, kernel, stride = _pads(g.padding), [g.KH, g.KW], list(g.stride)
        if g.adaptive:
            kernel = stride = [g.H // g.OH, g.W // g.OW]
        room = [
            (n + pads[i] + pads[i + 2] - k) % s if n + pads[i] + pads[i + 2] >= k else 0
            for i, (n, k, s) in enumerate(zip((g.H, g.W), kernel, stride, strict=True))
        ]
        floor = [
            (n + pads[i] + pads[i + 2] - k) // s + 1
            for i, (n, k, s) in enumerate(zip((g.H, g.W), kernel, stride, strict=True))
        ]
        ceil = int(floor != [g.OH, g.OW] and any(room))
        x = w.of(step.inputs[0], FIRST)
        return w.node(
            kind, [x], kernel_shape=kernel, strides=stride, pads=pads, ceil_mode=ceil
        ), FIRST

    return written


# -- normalisation ---------------------------------------------------------------------------------


def fixed_norm(w: Writer, step: Step) -> Any:
    x, *vectors = step.inputs
    names, eps = [w.of(v) for v in vectors], step.functions[0].eps
    ndim = len(x.shapes[0])
    if ndim == 4:
        return w.node("BatchNormalization", [w.of(x, FIRST), *names], epsilon=eps), FIRST
    if ndim == 2:
        return w.node("BatchNormalization", [w.of(x), *names], epsilon=eps)
    order = [0, ndim - 1, *range(1, ndim - 1)]
    turned = w.node("Transpose", [w.of(x)], perm=order)
    y = w.node("BatchNormalization", [turned, *names], epsilon=eps)
    return w.node("Transpose", [y], perm=[0, *range(2, ndim), 1])


def row_norm(w: Writer, step: Step) -> Any:
    x, scale, shift = step.inputs
    axis = -len(scale.shapes[0])
    return w.node(
        "LayerNormalization", [w.of(x), w.of(scale), w.of(shift)], axis=axis,
        epsilon=step.functions[0].eps,
    )  # fmt: skip


def channel_norm(w: Writer, step: Step) -> Any:
    """Groups standardised by InstanceNormalization of (N, groups, rest), then scaled by channel."""
    f, (x, scale, shift) = step.functions[0], step.inputs
    if f.seen_as[0] != x.shapes[0][0]:
        raise refuse(step, "with the moments of the batch: call model.eval() first")
    C = x.shapes[0][-1]
    first = w.node("Transpose", [w.node("Reshape", [w.of(x), w.store([0, -1, C])])], perm=[0, 2, 1])
    grouped = w.node("Reshape", [first, w.store([0, f.groups, -1])])
    one, zero = np.ones(f.groups, x.dtype), np.zeros(f.groups, x.dtype)
    normal = w.node("InstanceNormalization", [grouped, w.store(one), w.store(zero)], epsilon=f.eps)
    places = prod(x.shapes[0][1:-1])
    back = w.node("Reshape", [normal, w.store([0, C, places])])
    last = w.node("Reshape", [
        w.node("Transpose", [back], perm=[0, 2, 1]), w.store([0, *x.shapes[0][1:]])
    ])  # fmt: skip
    return w.node("Add", [w.node("Mul", [last, w.of(scale)]), w.of(shift)])


# -- attention -------------------------------------------------------------------------------------


def attention(w: Writer, step: Step) -> Any:
    """MatMul, Softmax, MatMul, as ONNX has no operator of it before opset 23; heads beside
    positions go in front of them and back."""
    f, (q, k, v, *mask) = step.functions[0], step.inputs
    turn = [0, 1, 2, 3] if f.turned else [0, 2, 1, 3]
    if f.stream[2]:
        raise refuse(step, "with dropout: call model.eval() first")
    (_, H, L, _), (_, G, S, _) = [[x.shapes[0][i] for i in turn] for x in (q, k)]
    scaled = w.node("Mul", [w.of(q), w.store(np.array(f.scale, q.dtype))])
    query = w.node("Transpose", [scaled], perm=turn)
    keys, values = w.of(k), w.of(v)
    if G not in (1, H):
        shared = w.store(np.repeat(np.arange(G), H // G))
        keys, values = [w.node("Gather", [x, shared], axis=turn[1]) for x in (keys, values)]
    keys = w.node("Transpose", [keys], perm=[turn[i] for i in (0, 1, 3, 2)])
    values = w.node("Transpose", [values], perm=turn)
    scores = w.node("MatMul", [query, keys])
    seen = [w.store(np.tri(L, S, f.first, dtype=np.bool_))] if f.first is not None else []
    if mask and mask[0].dtype.kind == "f":
        added = w.of(mask[0])
        scores = w.node("Add", [scores, added])
        seen.append(w.node("Greater", [added, w.store(np.array(-np.inf, q.dtype))]))
    elif mask:
        seen.append(w.of(mask[0]))
    if not seen:
        weights = w.node("Softmax", [scores], axis=-1)
    else:  # as in ops.masked_softmax
        both = w.node("And", seen) if len(seen) == 2 else seen[0]
        lowest, zero = np.array(np.finfo(q.dtype).min, q.dtype), np.array(0, q.dtype)
        shown = w.node("Where", [both, scores, w.store(lowest)])
        soft = w.node("Softmax", [shown], axis=-1)
        weights = w.node("Where", [both, soft, w.store(zero)])
    return w.node("Transpose", [w.node("MatMul", [weights, values])], perm=turn)


def gelu(w: Writer, step: Step) -> Any:
    """x (1 + erf(x / sqrt 2)) / 2, as ONNX has no operator of it before opset 20."""
    (x,) = step.inputs
    layout = FIRST if FIRST in x.written else LAST
    root, one, half = [w.store(np.array(n, x.dtype)) for n in (0.5**0.5, 1, 0.5)]
    name = w.of(x, layout)
    bell = w.node("Erf", [w.node("Mul", [name, root])])
    bell = w.node("Mul", [w.node("Add", [bell, one]), half])
    return w.node("Mul", [name, bell]), layout


def _direct(**kinds: str) -> dict[str, Row]:
    return {name: elementwise(kind) for name, kind in kinds.items()}


ROWS: dict[str, Row] = {
    **_direct(
        add="Add", subtract="Sub", multiply="Mul", divide="Div", power="Pow", maximum="Max",
        minimum="Min", negative="Neg", exp="Exp", log="Log", sqrt="Sqrt", abs="Abs", sign="Sign",
        sin="Sin", cos="Cos", erf="Erf", floor="Floor", round="Round", relu="Relu", tanh="Tanh",
        sigmoid="Sigmoid", softplus="Softplus", softsign="Softsign", where="Where", equal="Equal",
        less="Less", less_equal="LessOrEqual", greater="Greater", greater_equal="GreaterOrEqual",
        logical_not="Not", logical_and="And", logical_or="Or", logical_xor="Xor",
    ),
    "not_equal": not_equal,
    "log1p": with_one("Log", False),
    "expm1": with_one("Exp", True),
    "clip": clip,
    "astype": astype,
    "remainder": remainder,
    "floor_divide": floor_divide,
    "reshape": reshape,
    "transpose": transpose,
    "broadcast_to": broadcast_to,
    "slice": slices,
    "pad": pad,
    "concat": concat,
    "copy": same,
    "Identity": same,
    "sum": reduced("ReduceSum"),
    "max": reduced("ReduceMax"),
    "min": reduced("ReduceMin"),
    "argmax": extreme("ArgMax"),
    "argmin": extreme("ArgMin"),
    "matmul": lambda w, step: w.node("MatMul", [w.of(v) for v in step.inputs]),
    "linear": linear,
    "gather": gather,
    "one_hot": one_hot,
    "cumsum": cumsum,
    "argsort": argsort,
    "softmax": over_rows("Softmax"),
    "log_softmax": over_rows("LogSoftmax"),
    "conv2d": conv2d,
    "conv2d_input_grad": conv2d_input_grad,
    "max_pool2d": pool("MaxPool"),
    "avg_pool2d": pool("AveragePool"),
    "fixed_norm": fixed_norm,
    "row_norm": row_norm,
    "channel_norm": channel_norm,
    "attention": attention,
    "gelu": gelu,
    **RECURRENT,
}  # fmt: skip
