"""A program run step by step in Python, by kernels of any backend: what its steps mean."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from .passes.clean import run_step
from .program import Program


class Eager:
    """Runs `program` on arrays of its backend. A result is dropped after its last reader."""

    kind = "step by step in Python"

    def __init__(self, program: Program) -> None:
        self.program = program
        kept = {id(value) for value in program.outputs}
        self.dead: list[list[int]] = []
        for step in reversed(program.steps):
            ids = {id(v) for v in (*step.inputs, step.output)} - kept
            self.dead.append(list(ids))
            kept |= ids
        self.dead.reverse()

    def __call__(self, inputs: Sequence[Any], seconds: list[float] | None = None) -> list[Any]:
        """The program's outputs; appends the time of each step to `seconds`."""
        program = self.program
        arrays = {id(v): a for v, a in zip(program.inputs, inputs, strict=True)}
        for step, dead in zip(program.steps, self.dead, strict=True):
            begin = perf_counter()
            arrays[id(step.output)] = run_step(step, arrays, program.backend)
            if seconds is not None:
                program.backend.synchronize()
                seconds.append(perf_counter() - begin)
            for value in dead:
                arrays.pop(value, None)
        return [arrays[id(v)] if v.array is None else v.array for v in program.outputs]

    def kernels(self) -> list[str]:
        """What runs each step."""
        return [f"{self.program.backend.name}: {step.name}" for step in self.program.steps]

    @property
    def arena(self) -> int:
        """Bytes of its own: none, every result is a new array."""
        return 0
