"""Epilogues: what is done to a result anyway is done before it is stored.

A convolution writes its image, ReLU reads and writes it again, a residual sum reads two images and
writes a third. The loop that computes an output has it in a register; there the bias, the sum and
the ReLU cost almost nothing. A step takes over the only reader of its result as long as that is one
of these, in this order: a bias, a sum with another value, a ReLU or ReLU6.
"""

from __future__ import annotations

from typing import Any

from ...ops.activations import Relu
from ...ops.conv import Conv2d
from ...ops.elementwise import Add
from ...ops.matmul import Linear, MatMul
from ...ops.special import Clip
from ..program import Part, Program, Step, Value, only_reader
from .norm import has_weight, set_weights


def fuse_epilogues(program: Program) -> str:
    """Every convolution and product takes what it can."""
    fused = {"bias": 0, "sum": 0, "ReLU": 0}
    for step in list(program.steps):
        if not isinstance(step.function, Conv2d | Linear | MatMul) or not has_weight(step):
            continue
        readers = program.readers()
        while (kind := _take_next(program, step, readers)) is not None:
            fused[kind] += 1
            readers = program.readers()
    return ", ".join(f"{n} x {kind}" for kind, n in fused.items()) + " in the step before"


def _take_next(program: Program, step: Step, readers: Any) -> str | None:
    """Which kind the next reader was, now part of `step`; None if it is not one of them."""
    reader = only_reader(program, step.output, readers)
    if reader is None or len(reader.parts) > 1:
        return None
    function, done = reader.function, [type(part.function) for part in step.parts[1:]]
    if isinstance(function, Add) and not done:
        other = _other(reader, step.output)
        if (bias := _as_bias(program, step, other)) is not None:
            set_weights(program, step, step.inputs[1], bias)
            _take(program, step, reader, None)
            return "bias"
        if _is_sum(program, step, other):
            _take(program, step, reader, Part(function, (None, other)))
            return "sum"
    if (isinstance(function, Relu) or is_relu6(function)) and not {Relu, Clip} & set(done):
        _take(program, step, reader, Part(function, (None,)))
        return "ReLU"
    return None


def is_relu6(function: Any) -> bool:
    return isinstance(function, Clip) and (function.low, function.high) == (0, 6)


def _other(reader: Step, mine: Value) -> Value:
    a, b = reader.inputs
    return b if a is mine else a


def _as_bias(program: Program, step: Step, other: Value) -> Value | None:
    """A constant (F,) repeated over all rows, as the bias of a step that has none."""
    F = step.output.shape[-1:]
    if len(step.inputs) > 2 or other.array is None:
        return None
    numbers = program.host(other)
    if numbers.shape[-1:] != F or numbers.size == 0:
        return None
    rows = numbers.reshape(-1, *F)
    return program.constant(rows[0].copy(), other.name) if (rows == rows[0]).all() else None


def _is_sum(program: Program, step: Step, other: Value) -> bool:
    """Of two results of one shape, the other computed before this step. A single row is multiplied
    by another kernel, which does not add."""
    rows = step.output.nbytes // max(1, step.output.dtype.itemsize * step.output.shape[-1])
    known = {id(v) for v in program.inputs}
    for earlier in program.steps:
        if earlier is step:
            break
        known.add(id(earlier.output))
    same = other.shape == step.output.shape and other.dtype == step.output.dtype
    return rows > 1 and same and other.array is None and id(other) in known


def _take(program: Program, step: Step, reader: Step, part: Part | None) -> None:
    if part is not None:
        step.parts.append(part)
    step.output = reader.output
    program.remove([reader])
