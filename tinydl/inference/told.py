"""A program as a table."""

from __future__ import annotations

from statistics import median
from typing import Any

from ..tables import Column, Page, Table, show
from .program import Program, Step

COLUMNS = (
    Column("step", least=12),
    Column("result", least=8),
    Column("kernel", least=14),
    Column("bytes", right=True, spare=1),
    Column("us", right=True),
)


def step_seconds(program: Program, runner: Any, repeats: int) -> list[float]:
    """The median time of each step over `repeats` runs on zeros."""
    backend = program.backend
    inputs = [backend.zeros(v.shape, v.dtype) for v in program.inputs]
    runs: list[list[float]] = []
    for _ in range(repeats + 1):
        runs.append([])
        runner(inputs, runs[-1])
    return [median(times) for times in zip(*runs[1:], strict=True)]


def traffic(step: Step) -> int:
    """Bytes that a step reads and writes, each value once; a view none."""
    return 0 if step.is_view else step.output.nbytes + sum(v.nbytes for v in step.inputs)


def page(program: Program, runner: Any, repeats: int) -> Page:
    """The steps, their sum, and what the passes did."""
    seconds = step_seconds(program, runner, repeats)
    rows = [
        (step.name, "x".join(map(str, step.output.shape)) or "1", kernel, f"{traffic(step):,}",
         f"{time * 1e6:.1f}")
        for step, kernel, time in zip(program.steps, runner.kernels(), seconds, strict=True)
    ]  # fmt: skip
    weights = sum(v.nbytes for v in program.constants())
    total = (
        f"{len(program.steps)} steps, {runner.kind}: {sum(seconds) * 1e6:.1f} us; weights "
        f"{weights:,} bytes, buffers {runner.arena:,} bytes"
    )
    return Page(
        [Table(COLUMNS, rows), "", total, *(f"{name}: {note}" for name, note in program.notes)]
    )


def told(program: Program, runner: Any, repeats: int) -> None:
    """Print it."""
    show(page(program, runner, repeats))
