"""Batch norm folded into the convolution or product before it.

In evaluation a batch norm is one multiply-add per channel, with numbers that do not change:

    (y - mean) / sqrt(variance + eps) * scale + shift  =  y * factor + rest,
    factor = scale / sqrt(variance + eps),  rest = shift - mean * factor.

A convolution is linear in its weight, and the last axis of the weight are its output channels. So

    (conv(x, weight) + bias) * factor + rest  =  conv(x, weight * factor) + (bias * factor + rest)

and the norm is gone: no pass over the image is left of it. The numbers of one layer change by
rounding only; the factors are computed in float64.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from ...ops.conv import Conv2d
from ...ops.matmul import Linear, MatMul
from ...ops.norm import FixedNorm
from ..program import Part, Program, Step, Value, only_reader


def fold_norms(program: Program) -> str:
    """Every norm whose input is made for it alone, by a convolution or product with constants."""
    folded = 0
    for step in list(program.steps):
        if not isinstance(step.function, FixedNorm):
            continue
        x, *moments = step.inputs
        maker = _through_views(program, program.makers(), program.readers(), x)
        if maker is None or any(v.array is None for v in moments):
            continue
        factor, rest = _factor_and_rest(program, step.function.eps, moments)
        _scale(program, maker, factor, rest)
        program.replace(step.output, x)
        program.remove([step])
        folded += 1
    return f"{folded} norms became part of the weights before them"


def _through_views(
    program: Program, makers: dict[int, Step], readers: Counter[int], x: Value
) -> Step | None:
    """The step with a weight that makes x, also through reshapes which keep the last axis."""
    while (maker := makers.get(id(x))) is not None:
        if only_reader(program, x, readers) is None or len(maker.parts) > 1:
            return None
        if has_weight(maker):
            return maker
        (before,) = maker.inputs if maker.function.name == "reshape" else (None,)
        if before is None or before.shape[-1:] != x.shape[-1:]:
            return None
        x = before
    return None


def has_weight(step: Step) -> bool:
    """A convolution or product whose second input is a constant with the channels last."""
    return isinstance(step.function, Conv2d | Linear | MatMul) and all(
        value.array is not None for value in step.inputs[1:]
    ) and (isinstance(step.function, Conv2d) or len(step.inputs[1].shape) == 2)  # fmt: skip


def _factor_and_rest(
    program: Program, eps: float, moments: list[Value]
) -> tuple[np.ndarray, np.ndarray]:
    scale, shift, mean, variance = [program.host(v).astype(np.float64) for v in moments]
    factor = scale / np.sqrt(variance + eps)
    return factor, shift - mean * factor


def _scale(program: Program, step: Step, factor: np.ndarray, rest: np.ndarray) -> None:
    """Multiply the step's result by factor and add rest, in its weight and bias."""
    _, weight, *bias = step.inputs
    numbers = program.host(weight)
    scaled = (numbers * factor).astype(numbers.dtype)
    old = program.host(bias[0]).astype(np.float64) if bias else 0.0
    added = (old * factor + rest).astype(numbers.dtype)
    set_weights(
        program,
        step,
        program.constant(scaled, weight.name),
        program.constant(added, bias[0].name if bias else weight.name),
    )


def set_weights(program: Program, step: Step, weight: Value, bias: Value) -> None:
    """Give the step these; a product without a bias becomes one with."""
    function = step.function
    made = Conv2d(function.geometry) if isinstance(function, Conv2d) else Linear()
    step.parts[0] = Part(made, (step.inputs[0], weight, bias))
