"""Nodes that move elements and reduce along axes as expressions: shapes, slices, sums."""

from __future__ import annotations

import numpy as np

from ..operators.arrange import axes_of
from ..operators.table import axis_in
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
from .calls import literal
from .expressions import Row, alias

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
    name, output = step.node.inputs[0], step.node.outputs[0]
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


SHAPES: dict[str, Row] = {
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
