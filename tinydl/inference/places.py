"""Where the values of a program lie once it is run by compiled code.

A *root* is a piece of memory: an input's, a constant's, one of the arena's buffers, or the new
array of an output. A value is a *place* in a root: an offset and strides. Views (reshape,
transpose, slice, broadcast) are places in the root of what they look at, and cost nothing; so is
the result of a step that may overwrite its input.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from .plan import Buffer
from .program import Program

CONSTANT, ARENA, INPUT, OUTPUT = range(4)  # as csrc/_program.pyx numbers them


@dataclass(eq=False)
class Root:
    kind: int
    nbytes: int
    number: int = 0  # of the input or output
    array: Any = None  # of a constant, and the arena's view once it is planned
    life: Buffer | None = None


@dataclass(eq=False)
class Place:
    """Strides and offset in bytes."""

    root: Root
    shape: tuple[int, ...]
    dtype: np.dtype
    strides: tuple[int, ...]
    offset: int = 0

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize

    @property
    def is_contiguous(self) -> bool:
        return contiguous_strides(self.shape, self.dtype) == tuple(
            [s if n > 1 else own for s, n, own in zip(
                self.strides, self.shape, contiguous_strides(self.shape, self.dtype), strict=True
            )]
        )  # fmt: skip

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its root, in C order."""
        return self.offset == 0 and self.nbytes == self.root.nbytes and self.is_contiguous

    def steps(self) -> tuple[int, ...]:
        """Strides in elements."""
        return tuple([s // self.dtype.itemsize for s in self.strides])

    def operand(self) -> tuple:
        """What `Steps.add` takes."""
        if self.root.kind == CONSTANT:
            return (CONSTANT, self.root.array.reshape(-1).view(np.uint8)[self.offset :])
        if self.root.kind == ARENA:
            return (ARENA, self.root.life.offset + self.offset)  # type: ignore[union-attr]
        return (self.root.kind, self.root.number, self.offset)

    def array(self, memory: np.ndarray) -> np.ndarray:
        """The ndarray at this place, `memory` being its root's bytes."""
        return np.ndarray(self.shape, self.dtype, memory, self.offset, self.strides)


def contiguous_strides(shape: tuple[int, ...], dtype: np.dtype) -> tuple[int, ...]:
    strides, step = [], dtype.itemsize
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


def in_order(root: Root, shape: tuple[int, ...], dtype: np.dtype) -> Place:
    """All of a root, in C order."""
    return Place(root, shape, dtype, contiguous_strides(shape, dtype))


def viewed(function: Any, backend: Any, place: Place) -> Place | None:
    """Where the result of a view of this place lies; None if it is a copy after all.

    Found by asking: the function looks at memory of that layout, which it does not touch.
    """
    memory = np.empty(max(1, place.root.nbytes), np.uint8)
    function.backend = backend
    y = function.forward(place.array(memory))
    if y.size == 0:
        return Place(place.root, y.shape, y.dtype, y.strides)
    start, at = (a.__array_interface__["data"][0] for a in (memory, y))
    if not start <= at <= start + place.root.nbytes or not np.may_share_memory(memory, y):
        return None
    return Place(place.root, y.shape, y.dtype, y.strides, at - start)


def last_readers(program: Program) -> dict[int, int]:
    """The last step that reads each value, through views of it too, by the value's id; what the
    program returns is read behind the last step."""
    end = len(program.steps)
    last = {id(value): end for value in program.outputs}
    for number in range(end - 1, -1, -1):
        step = program.steps[number]
        until = last.get(id(step.output), number) if step.is_view else number
        for value in step.inputs:
            last[id(value)] = max(last.get(id(value), number), until)
    return last
