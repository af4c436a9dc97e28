"""A net as calls: traces with two sizes, fused nodes, a row of a table for each."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ConfigError, TinydlError
from ...quoting import quoted
from ..graph import Wire
from ..imported import Imported
from ..operators import OPERATORS
from ..operators.table import LAST
from ..tracing import Trace, Traced, trace
from .builder import IMAGE, PLAIN, SMALL, Builder
from .calls import Body, Code, literal
from .expressions import EXPRESSIONS
from .fuse import fused
from .layers import LAYERS
from .names import identifier
from .recurrent import RECURRENT
from .shapes import SHAPES

TABLES = (RECURRENT, LAYERS, EXPRESSIONS, SHAPES)
OPEN = (2, 3)  # samples in the two traces
SIDES, STEPS = (64, 96), (12, 13)  # of an image, of other axes whose size is open


@dataclass
class Lowered:
    """inputs, outputs: (name in the file, shape of one call, whether the channels are last)."""

    body: Body
    inputs: list[tuple[str, tuple[int, ...], str, bool]]
    outputs: list[tuple[str, tuple[int, ...], str, bool]]
    remarks: list[str]
    generic: list[str]


def lowered(net: Imported) -> Lowered:
    """Raises ConfigError for a net that no call could be made of with the sizes that are known."""
    first, second = _traces(net)
    builder = Builder(first, second)
    steps = fused(first, net.outputs)
    builder.wanted = set(net.outputs) | {n for s in steps for n in s.node.inputs}
    inputs: list[tuple[str, tuple[int, ...], str, bool]] = []
    names: dict[int, str] = {}
    for name, wire in net.inputs.items():
        image = _is_image(name, steps) and name not in net.outputs
        number = builder.new()
        builder.put(name, IMAGE if image else PLAIN, number)
        alone = len(net.inputs) == 1
        plain = "x" if alone or name == "input" else name
        names[number] = identifier(plain, set(names.values()))
        inputs.append((name, first.values[name].shape, wire.dtype, image))
    generic: list[str] = []
    if any(_computed(s) for s in steps) and any(n.kind == "Shape" for n in net.program.nodes):
        raise ConfigError("import: --code: sizes follow from the values of the net's input")
    for step in steps:
        kind = step.node.kind
        rows = [] if _computed(step) else [table[kind] for table in TABLES if kind in table]
        if not any(row(builder, step) for row in rows):
            _generic(builder, step)
            generic.append(kind)
    outputs, numbers = [], []
    for name, wire in net.outputs.items():
        if name not in builder.forms:
            raise ConfigError(f"import: --code: the output {quoted(name, 60)} is a constant")
        image = builder.has(name, IMAGE) and not builder.has(name, PLAIN)
        numbers.append(builder.get(name, IMAGE if image else PLAIN))
        outputs.append((name, first.values[name].shape, wire.dtype, image))
    body = builder.body(list(names), numbers, names)
    return Lowered(body, inputs, outputs, list(builder.remarks), sorted(set(generic)))


def _traces(net: Imported) -> tuple[Trace, Trace | None]:
    """The net called with zeros of the sizes that it names; open ones get two values."""
    shapes = []
    for k in (0, 1):
        named: dict[str, int] = {}
        shapes.append([_closed(w, k, named) for w in net.inputs.values()])
    dtypes = [w.dtype for w in net.inputs.values()]
    traces: list[Trace] = []
    for given in shapes if shapes[0] != shapes[1] else shapes[:1]:
        x = {n: _example(s, d) for n, s, d in zip(net.inputs, given, dtypes, strict=True)}
        try:
            traces.append(trace(net, x))
        except TinydlError as error:
            if traces:
                break
            raise ConfigError(
                f"import: --code: the net cannot be called with {given}; name its sizes by "
                f"--shape: {error}"
            ) from None
    return traces[0], traces[1] if len(traces) > 1 else None


def _example(shape: Sequence[int], dtype: str) -> np.ndarray:
    """Numbers that no branch takes for special ones."""
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return rng.uniform(0.1, 0.9, size=shape).astype(dtype)
    return np.zeros(shape, dtype)


def _closed(wire: Wire, k: int, named: dict[str, int]) -> tuple[int, ...]:
    """Sizes of an input; open ones of one name are equal."""
    if wire.shape is None:
        raise ConfigError("import: --code: an input has no shape; name it by --shape")
    image = len(wire.shape) == 4
    sizes = []
    for i, n in enumerate(wire.shape):
        own = OPEN[k] if i == 0 else SIDES[k] if image else STEPS[k]
        sizes.append(n if isinstance(n, int) else named.setdefault(n, own) if n else own)
    return tuple(sizes)


def _is_image(name: str, steps: Sequence[Traced]) -> bool:
    """Whether everything that reads an input takes it with the channels last."""
    readers = [s for s in steps if name in s.node.inputs]
    return bool(readers) and all(
        OPERATORS[s.node.kind].layout == LAST and s.node.inputs[0] == name
        and len(s.outputs[0].shape) >= 3
        for s in readers if s.node.kind in OPERATORS
    ) and all(s.node.kind in OPERATORS for s in readers)  # fmt: skip


def _computed(step: Traced) -> bool:
    """Whether sizes, axes or bounds of a node follow from the net's input: no text knows them."""
    row = OPERATORS.get(step.node.kind)
    return row is not None and any(
        step.node.has(i) and i not in step.host and i not in step.weights for i in row.host
    )


def _generic(b: Builder, step: Traced) -> None:
    """The operator itself, by its name."""
    node = step.node
    parts: list[str] = []
    numbers: list[int] = []
    for i, name in enumerate(node.inputs):
        array = b.array(step, i) if name else None
        if not name:
            parts.append("None")
        elif array is not None and array.size <= SMALL and array.dtype.kind in "iuf":
            if i not in step.weights:
                parts.append(literal(array.tolist()))
                continue
            parts.append(f"{{{len(numbers)}}}")
            numbers.append(b.stored(array, "weight", True, name))
        else:
            parts.append(f"{{{len(numbers)}}}")
            trained = i in step.weights
            numbers.append(
                b.get(name) if array is None else b.stored(array, "table", trained, name)
            )
    told = [literal(node.kind), *parts, *_attributes(node.attributes)]
    if ready := [i for i in step.weights if i in OPERATORS[node.kind].weights]:
        told.append(f"ready={literal(tuple(ready))}")
    told.append(f"opset={node.opset}")
    count = len(node.outputs)
    if count > 1:
        told.append(f"outputs={count}")
    first = b.expression(f"operator({', '.join(told)})", numbers, light=False, outputs=count)
    for k, name in enumerate(node.outputs):
        if name:
            b.put(name, PLAIN, first + k)


def _attributes(attributes: Mapping[str, Any]) -> list[str]:
    """keyword=value of those with a plain name and value; no operator knows another text."""
    found = []
    for name, value in attributes.items():
        if isinstance(value, np.ndarray):
            if value.size > SMALL or value.dtype.kind not in "iufb":
                raise ConfigError("import: --code: an attribute is a large array")
            kind = literal(str(value.dtype))
            value = Code(f"np.array({literal(value.tolist())}, {kind})")
        texts = [
            v
            for v in (value if isinstance(value, list) else [value])
            if isinstance(v, str) and not isinstance(v, Code)
        ]
        if not all(re.fullmatch(r"[\w,.> -]{0,60}", text, re.ASCII) for text in texts):
            continue
        if re.fullmatch(r"[A-Za-z_]\w{0,60}", name, re.ASCII) and not keyword.iskeyword(name):
            found.append(f"{name}={literal(value)}")
    return found
