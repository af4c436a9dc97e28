"""A flat program: values, and the steps between them in the order in which they run.

No loops, no branches, no names: what was a graph of modules is a list. A pass of `passes/` rewrites
that list; `plan.py` gives its values places in memory; `eager.py` runs it step by step on any
backend, `native.py` by one call of compiled code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np


@dataclass(eq=False)
class Value:
    """An array of the program: an input, a constant (`array` is known), or a step's result."""

    shape: tuple[int, ...]
    dtype: np.dtype
    array: Any = None  # on the program's backend; of constants only
    name: str = ""  # of a stored weight, and of what a pass has made of it

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


@dataclass
class Part:
    """An operation as it was recorded: function.forward(*inputs); None stands for the result of
    the part before, in a step that was fused of several. The last inputs are the function's
    attributes of the names in `options`, such as the mask of a sequence."""

    function: Any
    inputs: tuple[Value | None, ...]
    options: tuple[str, ...] = ()

    def run(self, *arrays: Any) -> Any:
        """The result, of arrays in the place of the inputs."""
        count = len(arrays) - len(self.options)
        for name, array in zip(self.options, arrays[count:], strict=True):
            old = getattr(self.function, name)
            new = old._new(array, old.backend) if hasattr(old, "_new") else array
            setattr(self.function, name, new)
        return self.function.forward(*arrays[:count])


@dataclass(eq=False)
class Step:
    """One kernel call. Its parts run one after the other: the first is the kernel, those behind it
    are its epilogue, what is done to the result before it leaves the registers."""

    parts: list[Part]
    output: Value

    @property
    def function(self) -> Any:
        return self.parts[0].function

    @property
    def name(self) -> str:
        """conv2d + add + relu."""
        return " + ".join(part.function.name for part in self.parts)

    @property
    def is_view(self) -> bool:
        """Whether it only looks at its input's memory in another shape."""
        return len(self.parts) == 1 and bool(self.function.shares_storage)

    @property
    def inputs(self) -> list[Value]:
        return [value for part in self.parts for value in part.inputs if value is not None]

    def rename(self, old: Value, new: Value) -> None:
        """Read `new` where it read `old`."""
        for part in self.parts:
            part.inputs = tuple([new if value is old else value for value in part.inputs])


@dataclass
class Program:
    """What a forward pass does on inputs of these shapes; `notes` tells what each pass did."""

    inputs: list[Value]
    steps: list[Step]
    outputs: list[Value]
    backend: Any
    notes: list[tuple[str, str]] = field(default_factory=list)

    def readers(self) -> Counter[int]:
        """How many steps, and outputs of the program, read each value, by its id."""
        found = Counter(id(value) for step in self.steps for value in step.inputs)
        found.update(id(value) for value in self.outputs)
        return found

    def makers(self) -> dict[int, Step]:
        """The step that makes each value, by the value's id."""
        return {id(step.output): step for step in self.steps}

    def replace(self, old: Value, new: Value) -> None:
        """All who read `old` read `new`."""
        for step in self.steps:
            step.rename(old, new)
        self.outputs = [new if value is old else value for value in self.outputs]

    def remove(self, steps: Iterable[Step]) -> None:
        gone = {id(step) for step in steps}
        self.steps = [step for step in self.steps if id(step) not in gone]

    def constants(self) -> Iterator[Value]:
        """Every constant that a step reads, each once."""
        seen: set[int] = set()
        for step in self.steps:
            for value in step.inputs:
                if value.array is not None and id(value) not in seen:
                    seen.add(id(value))
                    yield value

    def constant(self, array: np.ndarray, name: str) -> Value:
        """A new constant, made on the host."""
        kept = np.ascontiguousarray(array)
        return Value(array.shape, array.dtype, self.backend.asarray(kept), name)

    def host(self, value: Value) -> np.ndarray:
        """A constant's numbers."""
        return np.asarray(self.backend.to_numpy(value.array))


def only_reader(program: Program, value: Value, readers: Counter[int]) -> Step | None:
    """The one step that reads a value which nobody else reads; None where there are several, or
    where the program returns it."""
    if readers[id(value)] != 1:
        return None
    return next((s for s in program.steps if any(value is v for v in s.inputs)), None)
