"""A program run by compiled code: its steps written down as an array of C structs.

`Native` goes through the steps once. Each becomes calls of C kernels (`kernels.py` says which), a
view, which is no call at all, or, where C has no kernel for it, a call of the backend from Python;
the printed program says "Python" there. Neighbouring C calls run together, without Python between
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from ..backend.cpu import _program
from .kernels import KERNELS, Call
from .places import ARENA, CONSTANT, INPUT, OUTPUT, Place, Root, in_order, last_readers
from .plan import Buffer, plan
from .program import Program, Step, Value


class Writer:
    """The program's steps as calls, and the places of its values."""

    def __init__(self, program: Program) -> None:
        self.program, self.backend = program, program.backend
        self.last = last_readers(program)
        self.places: dict[int, Place] = {}
        self.copies: dict[int, Place] = {}  # in C order, of values that lie otherwise
        self.roots: list[Root] = []
        self.calls: list[list[Call]] = []  # of each step; none of a view
        self.number = 0
        for i, value in enumerate(program.inputs):
            root = Root(INPUT, value.nbytes, i)
            self.places[id(value)] = in_order(root, value.shape, value.dtype)
        for self.number, step in enumerate(program.steps):
            self.calls.append([])
            self.write(step)
        self.returned = self.outputs()

    # -- places ----------------------------------------------------------------------------------

    def place(self, value: Value) -> Place:
        """Where a value lies; a constant gets its root when it is first read."""
        if id(value) not in self.places:
            array = np.ascontiguousarray(value.array)
            self.places[id(value)] = in_order(self.constant(array), value.shape, value.dtype)
        return self.places[id(value)]

    def constant(self, array: np.ndarray) -> Root:
        return Root(CONSTANT, array.nbytes, array=array)

    def buffer(self, nbytes: int, last: int | None = None) -> Root:
        """A new one of the arena, in use from this step on."""
        until = self.number if last is None else last
        root = Root(ARENA, nbytes, life=Buffer(nbytes, self.number, until))
        self.roots.append(root)
        return root

    def result(self, step: Step) -> Place:
        """A place for the step's result in a buffer of its own."""
        value = step.output
        root = self.buffer(value.nbytes, self.last.get(id(value), self.number))
        self.places[id(value)] = found = in_order(root, value.shape, value.dtype)
        return found

    def over(self, step: Step, value: Value, *others: Place) -> Place | None:
        """The place of `value` for the step's result, if nobody reads it later and it may be
        overwritten; None else. `others`: what the step reads too, which must lie elsewhere."""
        place, y = self.place(value), step.output
        root = place.root
        if (
            root.life is None
            or not place.is_whole
            or (place.shape, place.dtype) != (y.shape, y.dtype)
            or root.life.last > self.number
            or any(other.root is root for other in others)
        ):
            return None
        root.life.last = self.last.get(id(y), self.number)
        self.places[id(y)] = place
        return place

    def contiguous(self, value: Value) -> Place:
        """The value in C order, copied where it lies otherwise: once for all steps that ask."""
        place = self.place(value)
        if place.is_contiguous:
            return place
        copied = self.copies.get(id(value))
        if copied is not None:
            if copied.root.life is not None:
                copied.root.life.last = max(copied.root.life.last, self.number)
            return copied
        if place.root.kind == CONSTANT:
            memory = place.root.array.reshape(-1).view(np.uint8)
            whole = np.ascontiguousarray(place.array(memory))
            copied = in_order(self.constant(whole), place.shape, place.dtype)
        else:
            copied = in_order(self.buffer(place.nbytes), place.shape, place.dtype)
            self.copy(place, copied)
        self.copies[id(value)] = copied
        return copied

    def copy(self, x: Place, y: Place) -> None:
        """y = x, by C where it has elements of that size."""
        if x.dtype.itemsize not in (4, 8) or len(x.shape) > _program.AXES:
            self.python(lambda a: a, [x], y)
            return
        axes = [(*axis, 0)[:3] for axis in zip(x.shape, x.steps(), y.steps(), strict=True)]
        padded = [*axes, *[(1, 0, 0)] * (_program.AXES - len(axes))]
        sizes = [len(axes), *[n for part in zip(*padded, strict=True) for n in part]]
        self.c("copy", x.dtype.itemsize == 8, [x], y, sizes)

    # -- calls -----------------------------------------------------------------------------------

    def c(self, kind: str, wide: bool, x: Sequence[Place | None], y: Place, sizes: Sequence[int],
          **options: Any) -> None:  # fmt: skip
        self.calls[-1].append(Call(kind, wide, list(x), y, list(sizes), options))

    def python(self, function: Any, x: Sequence[Place], y: Place) -> None:
        self.calls[-1].append(Call("Python", False, list(x), y, [], {"function": function}))

    def write(self, step: Step) -> None:
        first = step.parts[0]
        kernel = None if first.options else KERNELS.get(type(first.function))
        if kernel is not None and kernel(self, step):
            return
        places = [self.place(value) for value in first.inputs if value is not None]
        first.function.backend = self.backend
        self.python(first.run, places, self.result(step))

    def outputs(self) -> list[Place]:
        """The results in arrays of their own: a buffer that is all of one result becomes new at
        every call; what is a part, a constant or an input is copied."""
        found, self.number = [], len(self.calls)
        self.calls.append([])
        for number, value in enumerate(self.program.outputs):
            place = self.place(value)
            if place.root.kind == ARENA and place.is_whole:
                place.root.kind, place.root.number = OUTPUT, number
                self.roots.remove(place.root)
                found.append(place)
                continue
            root = Root(OUTPUT, value.nbytes, number)
            copied = in_order(root, value.shape, value.dtype)
            self.copy(place, copied)
            found.append(copied)
        return found


class Native:
    """Runs a program on the processor."""

    def __init__(self, program: Program) -> None:
        writer = Writer(program)
        self.program, self.calls = program, writer.calls
        self.arena = plan([root.life for root in writer.roots if root.life is not None])
        self.memory = _program.block(self.arena)
        outputs = [(v.shape, v.dtype) for v in program.outputs]
        self.steps = _program.Steps(self.memory, outputs)
        #: (first, last) of steps in C, or a call of Python; and which step of the program each is.
        self.runs: list[tuple[int, int] | Call] = []
        self.of_step: list[int] = []
        self.write()
        self.is_one = len(self.runs) == 1 and isinstance(self.runs[0], tuple)
        self.types = [(v.dtype, v.shape) for v in program.inputs]

    def write(self) -> None:
        level, count = _program.level(), 0
        for number, calls in enumerate(self.calls):
            for call in calls:
                self.of_step.append(number)
                if call.kind == "Python":
                    self.runs.append(call)
                    continue
                call.add(self.steps, level)
                last = self.runs[-1] if self.runs else None
                if isinstance(last, tuple):
                    self.runs[-1] = (last[0], count + 1)
                else:
                    self.runs.append((count, count + 1))
                count += 1

    @property
    def kind(self) -> str:
        python = sum(isinstance(run, Call) for run in self.runs)
        return "one call of compiled code" if self.is_one else f"{python} calls from Python"

    def __call__(self, inputs: Sequence[Any], seconds: list[float] | None = None) -> list[Any]:
        given = [x if x.flags.c_contiguous else np.ascontiguousarray(x) for x in inputs]
        if self.is_one and seconds is None:
            return self.steps.call(given)
        outputs = self.steps.new_outputs()
        self.steps.bind(given, outputs)
        times: list[float] | None = None if seconds is None else []
        for run in self.runs:
            if isinstance(run, tuple):
                self.steps.run(*run, times)
                continue
            begin = perf_counter()
            self.from_python(run, given, outputs)
            if times is not None:
                times.append(perf_counter() - begin)
        if seconds is not None and times is not None:
            seconds += [0.0] * len(self.program.steps)
            for number, time in zip(self.of_step, times, strict=True):
                if number < len(seconds):
                    seconds[number] += time
        return outputs

    def from_python(self, call: Call, inputs: list[Any], outputs: list[Any]) -> None:
        arrays = [self.at(place, inputs, outputs) for place in call.x if place is not None]
        self.at(call.y, inputs, outputs)[...] = call.options["function"](*arrays)

    def at(self, place: Place, inputs: list[Any], outputs: list[Any]) -> np.ndarray:
        """The array at a place."""
        root = place.root
        if root.kind == ARENA:
            start = root.life.offset  # type: ignore[union-attr]
            return place.array(self.memory[start : start + max(1, root.nbytes)])
        whole = {CONSTANT: root.array, INPUT: inputs, OUTPUT: outputs}[root.kind]
        array = whole if root.kind == CONSTANT else whole[root.number]
        return place.array(array.reshape(-1).view(np.uint8))

    def kernels(self) -> list[str]:
        """What runs each step: kernels of C, "Python", or a view."""
        found = []
        for step, calls in zip(self.program.steps, self.calls, strict=False):
            names = [call.told for call in calls]
            found.append(", ".join(names) if names else "a view" if step.is_view else "nothing")
        return found
