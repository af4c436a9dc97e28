"""Dense, EinsumDense and Embedding."""

from __future__ import annotations

from functools import partial

import numpy as np

from .... import nn, ops
from ....nn import Module, Parameter
from ....tensor import Tensor
from . import activations
from .table import Given, Kind, Unit, fitting, if_true, in_a_row, numbered, put, whole


def _dense(layer, arrays, maker):
    units = whole(layer, "units")
    kernel = fitting(layer, arrays, "kernel", None, units)
    module = nn.Linear(kernel.shape[0], units, "bias" in arrays, weight_init="zeros")
    put(module.weight, kernel)
    if module.bias is not None:
        put(module.bias, fitting(layer, arrays, "bias", units))
    return Unit([("", module), *activations.behind(layer, maker)], in_a_row)


class EinsumDense(Module):
    """y = einsum(equation, x, weight) + bias, as Keras's layer of that name."""

    def __init__(self, equation: str, weight: np.ndarray, bias: np.ndarray | None) -> None:
        self.equation = equation
        self.weight = Parameter(weight)
        self.bias = None if bias is None else Parameter(bias)

    def forward(self, x: Tensor) -> Tensor:
        y = ops.einsum(self.equation, x, self.weight)
        return y if self.bias is None else y + self.bias

    def arguments(self) -> str:
        return repr(self.equation)


def _einsum(layer, arrays, maker):
    kernel, bias = arrays["kernel"], arrays.get("bias")
    module = EinsumDense(layer.config["equation"], kernel, bias)
    return Unit([("", module), *activations.behind(layer, maker)], in_a_row)


def _no_einsum(layer):
    if "..." in str(layer.config.get("equation")):
        return "an equation with ..."
    return activations.refused(layer)


def _embedding(layer, arrays, maker):
    rows, width = whole(layer, "input_dim"), whole(layer, "output_dim")
    table = fitting(layer, arrays, "embeddings", rows, width)
    module = nn.Embedding(rows, width, weight_init="zeros")
    put(module.weight, table)
    makes_mask = bool(layer.get("mask_zero", False))
    return Unit([("", module)], partial(embedded, makes_mask=makes_mask), makes_mask)


def embedded(modules, given: Given, makes_mask: bool):
    """Rows of the table; numbers of floating point count as the integers below them, as in Keras.
    makes_mask: a 0 stands for no word at all (mask_zero)."""
    x = given.x
    x = ops.astype(x, "int64") if x.dtype.kind != "i" else x
    return [modules[0](x)], [x != 0 if makes_mask else None]


KINDS = {
    "Dense": Kind(
        _dense,
        lambda layer: numbered("kernel", if_true(layer, "use_bias", "bias")),
        activations.refused,
    ),
    "EinsumDense": Kind(
        _einsum,
        lambda layer: numbered("kernel", if_true(layer, "bias_axes", "bias", False)),
        _no_einsum,
    ),
    "Embedding": Kind(_embedding, lambda layer: numbered("embeddings")),
}
