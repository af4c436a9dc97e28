"""Nodes without weights as expressions, element by element: arithmetic, activations, choices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..operators.table import DTYPES
from ..program import _aligned
from ..tracing import Traced
from .builder import Builder
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
        kinds = {b.first.values[n].dtype for n in node.inputs if b.known(n)}
        floats = kinds <= {"float32"} or kinds <= {"float64"}
        if node.kind in ("Div", "Pow") and not floats:
            return False
        form = b.form_of(node.inputs, ndim)
        sides = [b.operand(step, i, form, ndim) for i in (0, 1)]
        if not any(inputs for _, inputs in sides):
            return False
        texts: list[str] = []
        numbers: list[int] = []
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
    if low is None and high is None:
        return alias(b, step)
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
}
