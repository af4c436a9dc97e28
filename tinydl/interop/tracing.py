"""One call of an imported net, node by node: what each reads and gives, in which layout.

What depends on constants and shapes alone is computed and gone; what is left is what a call does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ..nn.parameter import Stored
from ..recording import no_grad
from ..tables import Column, Page, Table
from ..tensor import Tensor
from .graph import Node
from .imported import Imported
from .inspecting import COUNTS
from .operators.table import Image, same
from .program import Plan, Step


@dataclass(frozen=True)
class Value:
    """A value of the call. shape: as the graph has it; image: channels last inside."""

    shape: tuple[int, ...]
    dtype: str
    image: bool = False


@dataclass
class Traced:
    """A node that computes. host: arrays that are known, by place; weights: parameters by place."""

    node: Node
    outputs: list[Value]
    host: dict[int, np.ndarray] = field(default_factory=dict)
    weights: dict[int, Stored] = field(default_factory=dict)


@dataclass
class Trace:
    """All steps in their order; values: of the inputs and of every output of a step."""

    steps: list[Traced]
    values: dict[str, Value]
    host: dict[str, np.ndarray]


def trace(net: Imported, inputs: Mapping[str, np.ndarray]) -> Trace:
    """The call with these inputs."""
    backend = net.backend
    tensors = {name: Tensor(x, backend=backend) for name, x in inputs.items()}
    with no_grad():
        plan = Plan(net.program, tensors, backend)
        values: dict[str, Any] = dict(tensors)
        seen = {name: _seen(t) for name, t in tensors.items()}
        steps = []
        for step in plan.steps:
            results = plan.results(step, values)
            values.update(zip(step.node.outputs, results, strict=False))
            made = [_seen(v) for v in results]
            seen.update(zip(step.node.outputs, made, strict=False))
            steps.append(_traced(plan, step, made))
    return Trace(steps, seen, plan.host)


def results(net: Imported, x: np.ndarray) -> list[tuple[str, str, np.ndarray]]:
    """(name, operator, first result) of each node that computes, for a net of one input; pictures
    (N, H, W, C), as they are inside. The errors of a call."""
    ((name, _),) = net.inputs.items()
    values: dict[str, Any] = {name: Tensor(x, backend=net.backend)}
    found = []
    with no_grad():
        plan = Plan(net.program, values, net.backend)
        for step in plan.steps:
            made = plan.results(step, values)
            values.update(zip(step.node.outputs, made, strict=False))
            found.append((step.node.name, step.node.kind, _array(made[0])))
    return found


def _array(value: Any) -> np.ndarray:
    if isinstance(value, Image):
        return value.last.numpy()
    array: np.ndarray = value.numpy() if isinstance(value, Tensor) else np.asarray(value)
    return np.moveaxis(array, 1, -1) if array.ndim == 4 else array


def _seen(value: Any) -> Value:
    if isinstance(value, Image):
        return Value(tuple(value.shape), str(value.last.dtype), True)
    return Value(tuple(value.shape), str(value.dtype))


def _traced(plan: Plan, step: Step, made: list[Value]) -> Traced:
    found = Traced(step.node, made)
    operator = step.operator
    for i, name in enumerate(step.node.inputs):
        turned = operator.weights.get(i, same if i in operator.buffers else None)
        weight = plan.program.weights.get((name, turned)) if turned is not None else None
        if weight is not None:
            found.weights[i] = weight
        elif name in plan.host:
            found.host[i] = plan.host[name]
    return found


# -- a table and a graph of it ---------------------------------------------------------------------


def of_zeros(net: Imported, shape: tuple[int, ...]) -> Trace:
    """The call with one sample of zeros of the net's only input."""
    ((name, wire),) = net.inputs.items()
    return trace(net, {name: np.zeros((1, *shape), wire.dtype)})


def rows_of(net: Imported, shape: tuple[int, ...]) -> list[dict[str, Any]]:
    """What `tinydl summary` says of each node, for one sample."""
    found = of_zeros(net, shape)
    shapes = {name: v.shape for name, v in found.values.items()}
    shapes |= {name: a.shape for name, a in net.program.constants.items()}
    counted: set[int] = set()
    rows = []
    for step in found.steps:
        own = [w for w in step.weights.values() if id(w) not in counted]
        counted |= {id(w) for w in own}
        count = COUNTS.get(step.node.kind)
        shape = step.outputs[0].shape
        rows.append(
            {
                "name": step.node.name, "layer": step.node.kind, "output_shape": list(shape),
                "parameters": sum(w.size for w in own),
                "multiply_adds": count(step.node, shapes) if count else 0,
                "activation_bytes": sum(
                    prod(v.shape) * np.dtype(v.dtype).itemsize for v in step.outputs
                ),
            }
        )  # fmt: skip
    return rows


COLUMNS = (
    Column("node", bold=True, least=16), Column("operator"), Column("output", least=10),
    Column("parameters", right=True), Column("multiply-adds", right=True),
    Column("bytes", right=True, spare=1),
)  # fmt: skip


def table_of(rows: list[dict[str, Any]]) -> Page:
    """The rows and their totals."""
    keys = ("parameters", "multiply_adds", "activation_bytes")
    cells = [
        (r["name"], r["layer"], f"({', '.join(map(str, r['output_shape']))})",
         *(f"{r[key]:,}" for key in keys))
        for r in rows
    ]  # fmt: skip
    totals = [f"{key.replace('_', ' ')}: {sum(r[key] for r in rows):,}" for key in keys]
    return Page([Table(COLUMNS, cells), "", "for one sample, shapes as in the file:", *totals])
