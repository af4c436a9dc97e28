"""Nodes without weights as expressions: arithmetic, activations, shapes, reductions, slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..operators.arrange import axes_of
from ..operators.table import DTYPES, axis_in
from ..program import _aligned
from ..tracing import Traced
from .builder import (
    BATCH,
    IMAGE,
    JOINED,
    PLAIN,
    SMALL,
    STATES,
    Builder,
    axis_in_form,
    turned,
)
from .calls import ATOM, PRODUCT, SUM, UNARY, literal

Row = Callable[[Builder, Traced], bool]


# -- element by element ----------------------------------------------------------------------------


def unary(template: str, binds: int = ATOM) -> Row:
    """In whatever form the value is there."""

    def written(b: Builder, step: Traced) -> bool:
        name = step.node.inputs[0]
        if b.first.values[name].dtype not in ("float32", "float64") and "ops." in template:
            return False
        for form, number in list(b.forms[name].items()):
            b.put(step.node.outputs[0], form, b.expression(template, [number], binds))
            return True
        return False

    return written


def with_options(make: Callable[[Any], tuple[str, int] | None]) -> Row:
    """An activation whose attributes stand in the expression."""

    def written(b: Builder, step: Traced) -> bool:
        found = make(step.node)
        return found is not None and unary(*found)(b, step)

    return written


def binary(symbol: str, binds: int) -> Row:
    """a symbol b, or a function of both where symbol has holes."""

    def written(b: Builder, step: Traced) -> bool:
        node, ndim = step.node, len(step.outputs[0].shape)
        if len(node.inputs) != 2 or (node.opset < 7 and not _fits_anyway(b, step)):
            return False
        if node.kind == "Div" and step.outputs[0].dtype not in ("float32", "float64"):
            return False
        form = b.form_of(node.inputs, ndim)
        sides = [b.operand(step, i, form, ndim) for i in (0, 1)]
        if not any(inputs for _, inputs in sides):
            return False
        texts, numbers = [], []
        for text, inputs in sides:
            texts.append(text.replace("{0}", f"{{{len(numbers)}}}") if inputs else text)
            numbers += inputs
        if symbol == "+" and texts[1].startswith("-"):
            texts[1] = texts[1][1:]
            return _put(b, step, form, f"{texts[0]} - {texts[1]}", numbers, binds)
        template = symbol.format(*texts) if "{0}" in symbol else f"{texts[0]} {symbol} {texts[1]}"
        return _put(b, step, form, template, numbers, binds)

    return written


def _put(b: Builder, step: Traced, form: str, text: str, numbers: list[int], binds: int) -> bool:
    b.put(step.node.outputs[0], form, b.expression(text, numbers, binds))
    return True


def _fits_anyway(b: Builder, step: Traced) -> bool:
    """Before opset 7 the axes of b stand where `axis` says; a stored b is put there."""
    node, array = step.node, b.array(step, 1)
    if not node.get("broadcast") or array is None or node.get("axis") is None:
        return True
    wide = _aligned(array, node.get("axis"), len(step.outputs[0].shape))
    if 1 in step.weights:
        return bool(wide.shape == array.shape)
    step.host[1] = wide
    return True


def clip(b: Builder, step: Traced) -> bool:
    node = step.node
    bounds = []
    for i, name in ((1, "min"), (2, "max")):
        array = b.array(step, i) if node.has(i) else None
        if node.has(i) and (array is None or array.size != 1):
            return False
        bounds.append(node.get(name) if array is None else array.reshape(-1)[0].item())
    if step.outputs[0].dtype not in ("float32", "float64"):
        return False
    low, high = (None if v is None or abs(v) > 3e38 else float(v) for v in bounds)
    if (low, high) == (0.0, 6.0):
        return unary("ops.relu6({0})")(b, step)
    if low == 0.0 and high is None:
        return unary("ops.relu({0})")(b, step)
    return unary(f"ops.clip({{0}}, {literal(low)}, {literal(high)})")(b, step)


def where(b: Builder, step: Traced) -> bool:
    node, ndim = step.node, len(step.outputs[0].shape)
    if not b.known(node.inputs[0]) or any(n not in b.first.values for n in node.inputs[1:]):
        return False
    form = b.form_of(node.inputs, ndim)
    numbers = []
    for i in range(3):
        _, inputs = b.operand(step, i, form, ndim)
        if not inputs:
            return False
        numbers += inputs
    b.put(node.outputs[0], form, b.expression("ops.where({0}, {1}, {2})", numbers))
    return True


def cast(b: Builder, step: Traced) -> bool:
    to, source = step.node.get("to"), b.first.values[step.node.inputs[0]].dtype
    if to not in DTYPES or DTYPES[to] == "bool":
        return False
    if DTYPES[to] == source:
        return alias(b, step)
    return unary(f"{{0}}.astype({literal(DTYPES[to])})")(b, step)


def alias(b: Builder, step: Traced) -> bool:
    """The same value under another name."""
    if any(step.node.outputs[1:]):
        return False
    b.forms[step.node.outputs[0]] = b.forms[step.node.inputs[0]]
    return True


# -- along axes ------------------------------------------------------------------------------------


def along(function: str) -> Row:
    """softmax and its like: over one axis, in any form."""

    def written(b: Builder, step: Traced) -> bool:
        node, name = step.node, step.node.inputs[0]
        ndim = len(b.shape(name))
        axis = axis_in(node.kind, node.get("axis", -1 if node.opset >= 13 else 1), ndim)
        if node.opset < 13 and axis != ndim - 1:
            return False
        form, number = next(iter(b.forms[name].items()))
        if form in (STATES, JOINED):
            form, number = PLAIN, b.get(name)
        place = axis_in_form(node, axis, ndim, form)
        told = "" if place == ndim - 1 else f", axis={place}"
        b.put(node.outputs[0], form, b.expression(f"ops.{function}({{0}}{told})", [number]))
        return True

    return written


def reduced(method: str) -> Row:
    def written(b: Builder, step: Traced) -> bool:
        node, name = step.node, step.node.inputs[0]
        ndim, keep = len(b.shape(name)), bool(node.get("keepdims", 1))
        axes = axes_of(node, b.array(step, 1) if node.has(1) else None, [])
        if (not axes and node.get("noop_with_empty_axes", 0)) or node.kind not in FLOATING:
            return False
        if step.outputs[0].dtype not in ("float32", "float64"):
            return False
        axes = sorted({axis_in(node.kind, a, ndim) for a in axes or range(ndim)})
        form = IMAGE if b.has(name, IMAGE) and not b.has(name, PLAIN) else PLAIN
        places = sorted(axis_in_form(node, a, ndim, form) for a in axes)
        if form == IMAGE and not keep and 1 not in axes and len(axes) < ndim - 2:
            form, places = PLAIN, axes  # what is left has its channels first
        told = literal(places[0] if len(places) == 1 else tuple(places))
        told += ", keepdims=True" if keep else ""
        y = b.expression(f"{{0}}.{method}({told})", [b.get(name, form)])
        b.put(node.outputs[0], form if keep else PLAIN, y)
        return True

    return written


FLOATING = ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd")


def global_pool(method: str) -> Row:
    def written(b: Builder, step: Traced) -> bool:
        name = step.node.inputs[0]
        axes = tuple(range(1, len(b.shape(name)) - 1))
        told = literal(axes if len(axes) > 1 else axes[0])
        y = b.expression(f"{{0}}.{method}({told}, keepdims=True)", [b.get(name, IMAGE)])
        b.put(step.node.outputs[0], IMAGE, y)
        return True

    return written


def extreme(method: str) -> Row:
    def written(b: Builder, step: Traced) -> bool:
        node, name = step.node, step.node.inputs[0]
        if node.get("select_last_index", 0):
            return False
        axis = axis_in(node.kind, node.get("axis", 0), len(b.shape(name)))
        told = f"{axis}{', keepdims=True' if node.get('keepdims', 1) else ''}"
        y = b.expression(f"{{0}}.{method}({told})", [b.get(name)])
        b.put(node.outputs[0], PLAIN, y)
        return True

    return written


def concat(b: Builder, step: Traced) -> bool:
    node, ndim = step.node, len(step.outputs[0].shape)
    axis = axis_in("Concat", node.get("axis", 1), ndim)
    if not all(b.known(n) for n in node.inputs):
        return False
    form = b.form_of(node.inputs, ndim)
    numbers = [b.get(n, form) for n in node.inputs]
    holes = ", ".join(f"{{{i}}}" for i in range(len(numbers)))
    place = axis_in_form(node, axis, ndim, form)
    told = "axis=-1" if place == ndim - 1 else f"axis={place}"
    b.put(node.outputs[0], form, b.expression(f"ops.concat([{holes}], {told})", numbers))
    return True


def split(b: Builder, step: Traced) -> bool:
    node, name = step.node, step.node.inputs[0]
    axis = axis_in("Split", node.get("axis", 0), len(b.shape(name)))
    sizes = tuple(v.shape[axis] for v in step.outputs)
    form = IMAGE if b.has(name, IMAGE) and not b.has(name, PLAIN) else PLAIN
    place = axis_in_form(node, axis, len(b.shape(name)), form)
    equal = len(set(sizes)) == 1
    told = literal(len(sizes) if equal else sizes)
    first = b.expression(
        f"ops.split({{0}}, sections={told}, axis={place})", [b.get(name, form)], light=False,
        outputs=len(sizes),
    )  # fmt: skip
    for i, output in enumerate(node.outputs):
        b.put(output, form, first + i)
    return True


# -- shapes ----------------------------------------------------------------------------------------


def reshape(b: Builder, step: Traced) -> bool:
    """Also Flatten, Squeeze and Unsqueeze: from the sizes alone."""
    node, name, output = step.node, step.node.inputs[0], step.node.outputs[0]
    if _of_states(b, step):
        return True
    before, after = b.shape(name), b.shape(output)
    if b.shapes(name) == b.shapes(output):
        return alias(b, step)
    if b.has(name, IMAGE) and not b.has(name, PLAIN) and len(after) == 2 and after[0] == before[0]:
        C, *places = before[1:]
        order = np.arange(C * int(np.prod(places))).reshape(C, -1).T.reshape(-1)
        flat = b.expression(f"{{0}}.reshape(-1, {after[1]})", [b.get(name, IMAGE)])
        b.flattened[output] = (flat, order)
        if C == 1 or np.prod(places) == 1:
            b.put(output, PLAIN, flat)
        else:
            wide = b.expression(f"{{0}}.permute({_order(len(before))})", [b.get(name, IMAGE)])
            b.put(output, PLAIN, b.expression(f"{{0}}.reshape(-1, {after[1]})", [wide]))
        return True
    b.put(output, PLAIN, b.reshaped(b.get(name), b.shapes(name), b.shapes(output)))
    return True


def _order(ndim: int) -> str:
    return ", ".join(map(str, (0, ndim - 1, *range(1, ndim - 1))))


def _of_states(b: Builder, step: Traced) -> bool:
    """What exporters write behind a recurrent layer: its states as one sequence (T, N, D)."""
    name, output = step.node.inputs[0], step.node.outputs[0]
    before, after = b.shape(name), b.shape(output)
    if b.has(name, STATES):
        T, directions, N, H = before
        if directions == 1 and after == (T, N, H):
            b.put(output, BATCH, b.forms[name][STATES])
            return True
    if b.has(name, JOINED):
        T, N, directions, H = before
        if after == (T, N, directions * H):
            b.put(output, BATCH, b.forms[name][JOINED])
            return True
    return False


def transpose(b: Builder, step: Traced) -> bool:
    node, name, output = step.node, step.node.inputs[0], step.node.outputs[0]
    ndim = len(b.shape(name))
    order = tuple(int(v) for v in node.get("perm", range(ndim)[::-1]))
    if b.has(name, STATES) and order == (0, 2, 1, 3):
        b.put(output, JOINED, b.forms[name][STATES])
        return True
    if b.has(name, STATES) and order == (2, 0, 1, 3) and b.shape(name)[1] == 1:
        return False
    found = False
    for form, number in list(b.forms[name].items()):
        axes = turned(range(ndim), form) if form not in (STATES, JOINED) else None
        if axes is None:
            continue
        for target in (PLAIN, IMAGE, BATCH):
            if target == IMAGE and ndim < 3:
                continue
            if axes == tuple(order[k] for k in turned(range(ndim), target)):
                b.put(output, target, number)
                found = True
    if not found:
        told = ", ".join(map(str, order))
        b.put(output, PLAIN, b.expression(f"{{0}}.permute({told})", [b.get(name)]))
    return True


def slices(b: Builder, step: Traced) -> bool:
    node, name = step.node, step.node.inputs[0]
    ndim, shape = len(b.shape(name)), b.shape(name)
    given = [b.integers(step, i, key) for i, key in ((1, "starts"), (2, "ends"), (3, "axes"))]
    starts, ends = given[0], given[1]
    if starts is None or ends is None or len(node.inputs) > 5:
        return False
    axes = given[2] if given[2] is not None else list(range(len(starts)))
    steps = b.integers(step, 4) or [1] * len(starts)
    form = next(iter(b.forms[name]))
    form = PLAIN if form in (STATES, JOINED) else form
    parts = [":"] * ndim
    for start, end, axis, by in zip(starts, ends, axes, steps, strict=True):
        axis = axis_in("Slice", axis, ndim)
        parts[axis_in_form(node, axis, ndim, form)] = _cut(start, end, by, shape[axis])
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    if parts == [":"]:
        return alias(b, step)
    y = b.expression(f"{{0}}[{', '.join(parts)}]", [b.get(name, form)])
    b.put(node.outputs[0], form, y)
    return True


def _cut(start: int, end: int, by: int, n: int) -> str:
    """start:end:by as one writes it."""
    if by < 0:
        first = "" if start >= n - 1 or start == -1 else str(start)
        last = "" if end < -n else str(end)
        return f"{first}:{last}:{by}"
    first = "" if start == 0 or start <= -n else str(start)
    last = "" if end >= n else str(end)
    return f"{first}:{last}" + (f":{by}" if by != 1 else "")


def gather(b: Builder, step: Traced) -> bool:
    """Places that are known: one as an index, several as a list."""
    node, name = step.node, step.node.inputs[0]
    places = b.array(step, 1)
    if places is None or not b.known(name) or places.ndim > 1 or places.size > SMALL:
        return False
    ndim = len(b.shape(name))
    axis = axis_in("Gather", node.get("axis", 0), ndim)
    form = BATCH if b.has(name, BATCH) and not b.has(name, PLAIN) and axis < 2 else PLAIN
    place = axis_in_form(node, axis, ndim, form)
    number = b.get(name, form)
    if places.ndim == 1:
        if form == BATCH:
            form, number, place = PLAIN, b.get(name), axis
        told = literal([int(p) % b.shape(name)[axis] for p in places])
        y = b.expression(f"ops.take({{0}}, {told}, {place})", [number])
    else:
        y = b.expression(f"{{0}}[{':, ' * place}{int(places)}]", [number])
    b.put(node.outputs[0], PLAIN, y)
    return True


def counted(b: Builder, step: Traced) -> bool:
    """Class k of the classes 0, 1, 2, ... is k."""
    names, index = b.array(step, 0), step.node.inputs[1]
    plain = names is not None and np.array_equal(names, np.arange(names.size))
    if not plain or names is None or not b.known(index) or names.dtype != np.int64:
        return False
    y = b.expression("{0}.reshape(1, -1)", [b.get(index)])
    b.put(step.node.outputs[0], PLAIN, y)
    return True


def pad(b: Builder, step: Traced) -> bool:
    node, name = step.node, step.node.inputs[0]
    widths = b.integers(step, 1, "pads")
    value = b.array(step, 2) if node.has(2) else node.get("value", 0.0)
    ndim = len(b.shape(name))
    plain = widths is not None and len(widths) == 2 * ndim and not node.has(3)
    mode = node.get("mode", "constant")
    if widths is None or not plain or min(widths) < 0 or mode not in ("constant", "reflect"):
        return False
    form = IMAGE if b.has(name, IMAGE) and not b.has(name, PLAIN) else PLAIN
    pairs = [(widths[i], widths[i + ndim]) for i in turned(range(ndim), form)]
    number = float(np.asarray(0.0 if value is None else value).reshape(-1)[0])
    told = f", {literal(number)}" if number and mode == "constant" else ""
    told += "" if mode == "constant" else ', mode="reflect"'
    y = b.expression(f"ops.pad({{0}}, {literal(tuple(pairs))}{told})", [b.get(name, form)])
    b.put(node.outputs[0], form, y)
    return True


def _leaky(node: Any) -> tuple[str, int]:
    return f"ops.leaky_relu({{0}}, {literal(np.float32(node.get('alpha', 0.01)))})", ATOM


def _elu(node: Any) -> tuple[str, int]:
    return f"ops.elu({{0}}, {literal(np.float32(node.get('alpha', 1.0)))})", ATOM


def _hard_sigmoid(node: Any) -> tuple[str, int]:
    slope, shift = np.float32(node.get("alpha", 0.2)), np.float32(node.get("beta", 0.5))
    if (slope, shift) == (np.float32(0.2), np.float32(0.5)):
        return "ops.hard_sigmoid({0})", ATOM
    return f"ops.clip({{0}} * {literal(slope)} + {literal(shift)}, 0.0, 1.0)", ATOM


def _gelu(node: Any) -> tuple[str, int] | None:
    form = node.get("approximate", "none")
    return ("ops.gelu({0})", ATOM) if form == "none" else None


EXPRESSIONS: dict[str, Row] = {
    "Relu": unary("ops.relu({0})"),
    "Sigmoid": unary("ops.sigmoid({0})"),
    "Tanh": unary("ops.tanh({0})"),
    "Silu": unary("ops.swish({0})"),
    "HardSwish": unary("hard_swish({0})"),
    "Gelu": with_options(_gelu),
    "LeakyRelu": with_options(_leaky),
    "Elu": with_options(_elu),
    "HardSigmoid": with_options(_hard_sigmoid),
    "Softplus": unary("ops.softplus({0})"),
    "Softsign": unary("ops.softsign({0})"),
    "Exp": unary("ops.exp({0})"),
    "Log": unary("ops.log({0})"),
    "Sqrt": unary("ops.sqrt({0})"),
    "Abs": unary("abs({0})"),
    "Neg": unary("-{0}", UNARY),
    "Erf": unary("ops.erf({0})"),
    "Sin": unary("ops.sin({0})"),
    "Cos": unary("ops.cos({0})"),
    "Floor": unary("ops.floor({0})"),
    "Reciprocal": unary("1.0 / {0}", PRODUCT),
    "Not": unary("~{0}", UNARY),
    "Identity": alias,
    "Dropout": alias,
    "Add": binary("+", SUM),
    "Sub": binary("-", SUM),
    "Mul": binary("*", PRODUCT),
    "Div": binary("/", PRODUCT),
    "Max": binary("ops.maximum({0}, {1})", ATOM),
    "Min": binary("ops.minimum({0}, {1})", ATOM),
    "Pow": binary("**", UNARY),
    "Equal": binary("==", 0),
    "Less": binary("<", 0),
    "Greater": binary(">", 0),
    "LessOrEqual": binary("<=", 0),
    "GreaterOrEqual": binary(">=", 0),
    "Where": where,
    "Clip": clip,
    "Cast": cast,
    "Softmax": along("softmax"),
    "LogSoftmax": along("log_softmax"),
    "ReduceMean": reduced("mean"),
    "ReduceSum": reduced("sum"),
    "ReduceMax": reduced("max"),
    "ReduceMin": reduced("min"),
    "ReduceProd": reduced("prod"),
    "GlobalAveragePool": global_pool("mean"),
    "GlobalMaxPool": global_pool("max"),
    "ArgMax": extreme("argmax"),
    "ArgMin": extreme("argmin"),
    "Concat": concat,
    "Split": split,
    "Reshape": reshape,
    "Flatten": reshape,
    "Squeeze": reshape,
    "Unsqueeze": reshape,
    "Transpose": transpose,
    "Slice": slices,
    "Gather": gather,
    "ai.onnx.ml.ArrayFeatureExtractor": counted,
    "Pad": pad,
}
