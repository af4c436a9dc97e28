"""What is collected while an ONNX graph is written: nodes, stored arrays, layouts, open sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ConfigError
from .recording import OP, Recording, Step, Value

LAST, FIRST = "last", "first"
TO_FIRST, TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
Row = Callable[["Writer", Step], Any]  # writes a step; the name of the result


def refuse(step: Step, reason: str) -> ConfigError:
    return ConfigError(f"{OP}: {step.functions[0].name} {reason}")


class Writer:
    """Collects nodes and stored arrays. A value of four axes may exist in two layouts; it is
    transposed when somebody asks for the other one, and then only once."""

    def __init__(self, helper: Any, recording: Recording, opset: int) -> None:
        self.helper, self.recording, self.opset = helper, recording, opset
        self.nodes: list[Any] = []
        self.stored: dict[str, np.ndarray] = {}
        self.count: dict[str, int] = {}

    def node(self, kind: str, inputs: list[str], outputs: int = 1, **attributes: Any) -> Any:
        """The name of the result, or a list of names."""
        number = self.count[kind] = self.count.get(kind, 0) + 1
        name = f"{kind}_{number}"
        names = [name if i == 0 else f"{name}_{i}" for i in range(outputs)]
        made = self.helper.make_node(kind, inputs, names, name=name, **attributes)
        self.nodes.append(made)
        return names[0] if outputs == 1 else names

    def store(self, array: Any, name: str = "") -> str:
        """A stored array; equal ones without a name of their own are stored once."""
        array = np.asarray(array)
        if not name:
            for known, there in self.stored.items():
                alike = there.dtype == array.dtype and there.shape == array.shape
                if known.startswith("constant_") and alike and array.tobytes() == there.tobytes():
                    return known
            name = f"constant_{len(self.stored)}"
        while name in self.stored and self.stored[name] is not array:
            name += "_"
        self.stored[name] = array
        return name

    def of(self, value: Value, layout: str = LAST) -> str:
        """The name of a value in this layout."""
        if layout not in value.written:
            if value.array is not None:
                value.written[layout] = self._constant(value, layout)
            elif layout == FIRST:
                value.written[FIRST] = self.node("Transpose", [value.written[LAST]], perm=TO_FIRST)
            else:
                value.written[LAST] = self.node("Transpose", [value.written[FIRST]], perm=TO_LAST)
        return value.written[layout]

    def _constant(self, value: Value, layout: str) -> str:
        if value.array is None or layout == FIRST:
            raise ConfigError(f"{OP}: a constant has no other layout")
        if value.shapes[0] != value.shapes[1]:
            sizes = self.sizes(*value.shapes)
            one = value.array.flat[0]
            if value.step:
                return self._numbered(value)
            row = one if (value.array == one).all() else value.array[:1]
            return self.node("Expand", [self.store(row), sizes])
        return self.store(value.array, value.name)

    def _numbered(self, value: Value) -> str:
        """The first row, and `step` more for each further one."""
        size = self.sizes(value.shapes[0][:1], value.shapes[1][:1])
        count = self.node("Squeeze", [size, self.store(np.array([0], np.int64))])
        numbers = self.node("Range", [self.store(np.int64(0)), count, self.store(np.int64(1))])
        target = self.store(np.array([-1, *[1] * (len(value.shapes[0]) - 1)], np.int64))
        column = self.node("Reshape", [numbers, target])
        column = self.node("Mul", [column, self.store(np.int64(value.step))])
        return self.node("Add", [column, self.store(np.asarray(value.array)[:1].astype(np.int64))])

    def sizes(self, first: Any, second: Any) -> str:
        """A list of integers, those that follow the batch computed from it."""
        n, m = self.recording.batches
        if list(first) == list(second):
            return self.store(np.array(first, np.int64))
        parts = []
        for a, b in zip(first, second, strict=True):
            if a == b:
                parts.append(self.store(np.array([a], np.int64)))
                continue
            factor, rest = divmod(b - a, m - n)
            if rest:
                raise ConfigError(f"{OP}: a size that is {a} for {n} samples and {b} for {m}")
            parts.append(self._of_batch(factor, a - factor * n))
        return parts[0] if len(parts) == 1 else self.node("Concat", parts, axis=0)

    def _of_batch(self, factor: int, more: int) -> str:
        """factor * (number of samples) + more."""
        shape = self.node("Shape", [self.of(self.recording.inputs[0])])
        found = self.node("Gather", [shape, self.store(np.array([0], np.int64))])
        for kind, number, idle in (("Mul", factor, 1), ("Add", more, 0)):
            if number != idle:
                found = self.node(kind, [found, self.store(np.array([number], np.int64))])
        return found
