"""Every operator that is imported: `OPERATORS[type]` says which function computes it.

A file for each group; each ends with its table, and what an operator is stands above it.
"""

from __future__ import annotations

from . import (
    activations,
    arithmetic,
    arrange,
    attention,
    boxes,
    convolution,
    create,
    index,
    linear,
    logic,
    losses,
    norm,
    pooling,
    quantize,
    recurrent,
    reduce,
    resize,
)
from .table import Operator

OPERATORS: dict[str, Operator] = {}
for _group in (
    arithmetic, logic, activations, arrange, create, index, reduce, linear, convolution, pooling,
    norm, recurrent, resize, quantize, boxes, losses, attention,
):  # fmt: skip
    OPERATORS.update(_group.OPERATORS)

__all__ = ["OPERATORS", "Operator"]
