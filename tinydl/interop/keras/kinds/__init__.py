"""Keras's layers by the names of their classes: KINDS."""

from . import activations, convolution, dense, merge, norm, pooling, recurrent, shape, training
from .table import Kind

KINDS: dict[str, Kind] = {}
for _part in (
    activations, convolution, dense, merge, norm, pooling, recurrent, shape, training,
):  # fmt: skip
    KINDS |= _part.KINDS

__all__ = ["KINDS", "Kind"]
