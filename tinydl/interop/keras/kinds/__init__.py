"""Keras's layers by the names of their classes: KINDS."""

from . import (
    activations,
    attention,
    convolution,
    dense,
    merge,
    norm,
    operations,
    pooling,
    recurrent,
    shape,
    training,
)
from .table import Kind

KINDS: dict[str, Kind] = {}
for _part in (
    activations, attention, convolution, dense, merge, norm, operations, pooling, recurrent, shape,
    training,
):  # fmt: skip
    KINDS |= _part.KINDS

__all__ = ["KINDS", "Kind"]
