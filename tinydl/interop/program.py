"""A graph that runs: each node's function on tensors, images with the channels last.

Values are tensors, images (`Image`: channels last inside, first outside) or arrays of the host.
What depends on constants and shapes alone stays an array; it is computed at the first call with
these shapes, and later calls take it from there (`Plan`). So Shape -> Gather -> Concat -> Reshape
costs one reshape, and no symbols are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import ops
from ..backend import Backend, get
from ..errors import ConfigError, FormatError, TinydlError
from ..quoting import quoted, shown
from ..tensor import Tensor
from .graph import Node
from .operators import OPERATORS
from .operators.table import (
    ANY,
    AXIS,
    DTYPES,
    LAST,
    RAW,
    Image,
    Operator,
    axis_of_image,
    same,
    to_last,
)

Value = Any  # Tensor, Image, np.ndarray or None
MOST_PLANS = 16
KNOWN_TYPES = tuple(DTYPES.values())


class Program:
    """The nodes in their order, what they read, and the weights by the name of the value.

    No Module and no container, so that a Module that holds one does not look for weights in it.
    """

    def __init__(self, nodes: Sequence[Node], constants: Mapping[str, np.ndarray],
                 weights: Mapping[tuple[str, Callable[..., Any]], Tensor],
                 outputs: Sequence[str]) -> None:  # fmt: skip
        self.nodes, self.constants = tuple(nodes), dict(constants)
        self.weights, self.outputs = dict(weights), tuple(outputs)
        self.plans: dict[Any, Plan] = {}

    def key(self, inputs: Mapping[str, Tensor], backend: Backend) -> tuple:
        """Under which the plan for inputs like these is kept, in `plans`."""
        return (backend.name, *[(n, t.shape, str(t.dtype)) for n, t in inputs.items()])

    def run(self, inputs: Mapping[str, Tensor], backend: Backend) -> list[Tensor]:
        key = self.key(inputs, backend)
        plan = self.plans.get(key)
        if plan is None:
            plan = Plan(self, inputs, backend)
            while len(self.plans) >= MOST_PLANS:
                self.plans.pop(next(iter(self.plans)))
            self.plans[key] = plan
            return plan.first
        return plan.again(inputs)

    def __getstate__(self) -> dict[str, Any]:  # copies make their plans anew
        return {**vars(self), "plans": {}}


@dataclass
class Step:
    node: Node
    operator: Operator
    dead: tuple[str, ...] = ()


class Plan:
    """What one call has found for inputs of these shapes: host values, and the steps between."""

    def __init__(self, program: Program, inputs: Mapping[str, Tensor], backend: Backend) -> None:
        self.program, self.backend = program, backend
        self.host: dict[str, np.ndarray] = dict(program.constants)
        self.lifted: dict[str, Tensor] = {}
        self.steps: list[Step] = []
        values: dict[str, Value] = dict(inputs)
        for node in program.nodes:
            step = Step(node, OPERATORS[node.kind])
            results = self.results(step, values)
            if all(isinstance(r, np.ndarray) for r in results):
                self.host.update(zip(node.outputs, results, strict=False))
            else:
                self.steps.append(step)
                values.update(zip(node.outputs, results, strict=False))
        self.first = self.finished(values)
        self.find_dead()

    def find_dead(self) -> None:
        """After which step a value is read no more."""
        read = set(self.program.outputs)
        for step in reversed(self.steps):
            names = {*step.node.inputs, *step.node.outputs} - read - {""}
            step.dead = tuple(names)
            read |= names

    def again(self, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        values: dict[str, Value] = dict(inputs)
        for step in self.steps:
            results = self.results(step, values)
            values.update(zip(step.node.outputs, results, strict=False))
            for name in step.dead:
                values.pop(name, None)
        return self.finished(values)

    def finished(self, values: Mapping[str, Value]) -> list[Tensor]:
        return [
            _plain(self.tensor(self.value(name, values), name)) for name in self.program.outputs
        ]

    # -- one step ------------------------------------------------------------------------------

    def value(self, name: str, values: Mapping[str, Value]) -> Value:
        if not name:
            return None
        return values[name] if name in values else self.host.get(name)

    def tensor(self, value: Value, name: str) -> Value:
        """A host array as a tensor, once for this plan."""
        if not isinstance(value, np.ndarray):
            return value
        found = self.lifted.get(name)
        if found is None:
            found = self.lifted[name] = lifted(value, self.backend, name)
        return found

    def results(self, step: Step, values: Mapping[str, Value]) -> tuple[Value, ...]:
        node, operator = step.node, step.operator
        try:
            given = [self.input(node, operator, i, values) for i in range(len(node.inputs))]
            folded = all(v is None or isinstance(v, np.ndarray) for v in given)
            if folded and given:
                return evaluated(node, operator, given)
            backend = self.backend
            found = call(node, operator, [self.prepared(operator, i, v, node.inputs[i])
                                          for i, v in enumerate(given)])  # fmt: skip
            if operator.of_shapes or not given:
                return found
            return tuple(
                lifted(v, backend, node.name) if isinstance(v, np.ndarray) else v for v in found
            )
        except TinydlError as error:
            raise type(error)(f"{place(node)}: {error}") from error
        except Exception as error:  # what a damaged file can make of NumPy and Python
            reason = f"{type(error).__name__}: {shown(error, 160)}"
            raise FormatError(f"{place(node)} cannot be computed ({reason})") from error

    def input(self, node: Node, operator: Operator, i: int, values: Mapping[str, Value]) -> Value:
        """The value at a place, a weight already in tinydl's layout."""
        name = node.inputs[i]
        turned = operator.weights.get(i)
        if turned is not None or i in operator.buffers:
            found = self.program.weights.get((name, turned or same))
            if found is not None:
                return found
        return self.value(name, values)

    def prepared(self, operator: Operator, i: int, value: Value, name: str) -> Value:
        """As the operator takes it: host values as arrays, others as tensors, weights turned."""
        if i in operator.host:
            value = _plain(value)
            return value.numpy() if isinstance(value, Tensor) else value
        if i in operator.either:
            return _plain(value)
        turned = operator.weights.get(i)
        value = self.tensor(value, name)
        if turned in (None, same) or (name, turned) in self.program.weights or value is None:
            return value
        return turned(_plain(value))


def place(node: Node) -> str:
    return f"{node.kind} {quoted(node.name, 60)}"


def lifted(value: np.ndarray, backend: Backend, name: str) -> Tensor:
    if value.dtype not in KNOWN_TYPES:
        raise ConfigError(
            f"the value {quoted(name, 60)} is of type {value.dtype}, which is not in tinydl"
        )
    return Tensor(value, backend=backend)


def _plain(value: Value) -> Value:
    return value.plain() if isinstance(value, Image) else value


def evaluated(node: Node, operator: Operator, given: Sequence[Value]) -> tuple[np.ndarray, ...]:
    """A node whose inputs are all known: computed on the host, by the same function."""
    backend, node = get("numpy"), replace(node, folded=True)
    tensors: list[Value] = []
    for i, value in enumerate(given):
        as_it_is = value is None or i in operator.host or i in operator.either
        tensor = value if as_it_is else lifted(value, backend, node.inputs[i])
        turned = operator.weights.get(i)
        tensors.append(tensor if turned is None or tensor is None else turned(tensor))
    found = call(node, operator, tensors)
    plain = [_plain(v) for v in found]
    return tuple(v.numpy() if isinstance(v, Tensor) else v for v in plain)


# -- layouts -----------------------------------------------------------------------------------


def call(node: Node, operator: Operator, inputs: Sequence[Value]) -> tuple[Value, ...]:
    """operator.function(node, *inputs) in the layout that it takes."""
    while inputs and inputs[-1] is None:
        inputs = inputs[:-1]
    wrapped = False
    if operator.layout == LAST:
        ndim = len(inputs[0].shape)
        wrapped = ndim >= 3
        if wrapped:
            first = inputs[0].last if isinstance(inputs[0], Image) else to_last(inputs[0])
            inputs = [first, *map(_plain, inputs[1:])]
        else:
            inputs = list(map(_plain, inputs))
    elif operator.layout != RAW:
        inputs, wrapped, node = _arranged(node, operator, inputs)
    found = operator.function(node, *inputs)
    found = found if isinstance(found, tuple) else (found,)
    return tuple(Image(v) for v in found) if wrapped else found


def _arranged(
    node: Node, operator: Operator, inputs: Sequence[Value]
) -> tuple[list[Value], bool, Node]:
    """Elementwise operators, and those along one axis, work on images as they lie."""
    images = [v for v in inputs if isinstance(v, Image)]
    ndim = max([len(v.shape) for v in inputs if v is not None], default=0)
    fits = bool(images) and all(len(v.shape) == ndim for v in images)
    if operator.layout == ANY and node.opset < 7 and node.get("broadcast") and len(inputs) == 2:
        inputs = [inputs[0], _aligned(inputs[1], node.get("axis"), len(inputs[0].shape))]
    if node.kind == "PRelu" and node.opset < 7 and inputs[1].ndim == 1 and inputs[1].size > 1:
        inputs = [inputs[0], _aligned(inputs[1], 1, len(inputs[0].shape))]  # one for each channel
    alike = all(
        v is None or i in operator.host or len(v.shape) == ndim for i, v in enumerate(inputs)
    )
    one_axis = operator.layout == AXIS and (node.opset >= 13 or node.kind in ("Concat", "Split"))
    if fits and (operator.layout == ANY or (one_axis and alike)):
        turned = [_beside(v, ndim, i in operator.host) for i, v in enumerate(inputs)]
        return turned, True, _renumbered(node, ndim) if one_axis else node
    return list(map(_plain, inputs)), False, node


def _renumbered(node: Node, ndim: int) -> Node:
    axis = node.get("axis", {"Concat": 1, "Split": 0}.get(node.kind, -1))
    return replace(node, attributes={**node.attributes, "axis": axis_of_image(axis, ndim)})


def _beside(value: Value, ndim: int, host: bool) -> Value:
    """An operand beside an image: channels last, with axes of size 1 in front."""
    if isinstance(value, Image):
        return value.last
    if value is None or host or value.size == 1:
        return value if value is None or host or value.ndim <= 1 else ops.reshape(value, ())
    if value.ndim < ndim:
        value = ops.reshape(value, (1,) * (ndim - value.ndim) + value.shape)
    return to_last(value)


def _aligned(value: Value, axis: int | None, ndim: int) -> Value:
    """Before opset 7: the axes of b stand at `axis` of a, or at its end."""
    value = _plain(value)
    if axis is None or value is None or value.ndim >= ndim:
        return value
    after = ndim - (axis % ndim) - value.ndim
    return ops.reshape(value, value.shape + (1,) * max(after, 0))
