"""Activations, with ONNX's parameters and defaults."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np

from ... import ops
from ...errors import ConfigError
from .table import ANY, AXIS, axis_in, beside, converted, on_float, row


def relu(node, x):
    return ops.relu(x) if x.dtype.kind == "f" else ops.maximum(x, beside(x, 0))


def leaky_relu(node, x):
    return ops.leaky_relu(x, float(node.get("alpha", 0.01)))


def prelu(node, x, slope):
    """x where x >= 0, else slope * x."""
    return ops.where(ops.less(x, beside(x, 0)), x * slope, x)


def elu(node, x):
    return ops.elu(x, float(node.get("alpha", 1.0)))


def selu(node, x):
    alpha, gamma = node.get("alpha", 1.67326319217681884765625), node.get("gamma", 1.05070102214813)
    return ops.elu(x, float(alpha)) * float(gamma)


def celu(node, x):
    """max(x, 0) + min(alpha (e^(x / alpha) - 1), 0)."""
    alpha = float(node.get("alpha", 1.0))
    return ops.relu(x) + ops.minimum(ops.expm1(x / alpha) * alpha, beside(x, 0))


def thresholded_relu(node, x):
    return ops.where(ops.greater(x, beside(x, node.get("alpha", 1.0))), x, beside(x, 0))


def hard_sigmoid(node, x):
    """max(0, min(1, alpha x + beta)); 1/5 and 1/2 unless the file says else."""
    return ops.clip(x * float(node.get("alpha", 0.2)) + float(node.get("beta", 0.5)), 0.0, 1.0)


def hard_swish(node, x):
    return x * ops.clip(x * (1 / 6) + 0.5, 0.0, 1.0)


def gelu(node, x):
    form = node.get("approximate", "none")
    if form not in ("none", "tanh"):
        raise ConfigError(f"Gelu: approximate must be none or tanh, got {form!r}")
    if form == "none":
        return x * 0.5 * (ops.erf(x * sqrt(0.5)) + 1.0)
    return x * 0.5 * (ops.tanh((x + x * x * x * 0.044715) * sqrt(2 / pi)) + 1.0)


def swish(node, x):
    return x * ops.sigmoid(x * float(node.get("alpha", 1.0)))


def mish(node, x):
    return x * ops.tanh(ops.softplus(x))


def shrink(node, x):
    """x + bias below -lambd, x - bias above lambd, 0 between."""
    bias, lambd = float(node.get("bias", 0.0)), float(node.get("lambd", 0.5))

    def shrunk(x):
        zero = beside(x, 0)
        high = ops.where(ops.greater(x, beside(x, lambd)), x - bias, zero)
        return ops.where(ops.less(x, beside(x, -lambd)), x + bias, high)

    return on_float(shrunk, x)


def _over_rows(function, node, x):
    """Before opset 13 everything from `axis` on is one axis."""
    if node.opset >= 13:
        return function(x, axis_in(node.kind, node.get("axis", -1), x.ndim))
    axis = node.get("axis", 1)
    axis = axis if axis == x.ndim else axis_in(node.kind, axis, x.ndim)
    rows = int(np.prod(x.shape[:axis], dtype=np.int64))
    flat = ops.reshape(x, (rows, x.size // rows if rows else 0))
    return ops.reshape(function(flat, 1), x.shape)


def softmax(node, x):
    return _over_rows(ops.softmax, node, x)


def log_softmax(node, x):
    return _over_rows(ops.log_softmax, node, x)


def _hardmax(x, axis):
    """1 at the first largest element."""
    places = ops.argmax(x, axis, True)
    shape = tuple(x.shape[axis] if i == axis else 1 for i in range(x.ndim))
    numbers = beside(places, np.arange(x.shape[axis]).reshape(shape))
    return converted(ops.equal(places, numbers), x.dtype)


def hardmax(node, x):
    return _over_rows(_hardmax, node, x)


def _unary(function):
    return row(lambda node, x: function(x), ANY)


OPERATORS = {
    "Relu": row(relu, ANY),
    "LeakyRelu": row(leaky_relu, ANY),
    "PRelu": row(prelu, ANY, weights=(1,)),
    "Elu": row(elu, ANY),
    "Selu": row(selu, ANY),
    "Celu": row(celu, ANY),
    "ThresholdedRelu": row(thresholded_relu, ANY),
    "Sigmoid": _unary(ops.sigmoid),
    "HardSigmoid": row(hard_sigmoid, ANY),
    "HardSwish": row(hard_swish, ANY),
    "Tanh": _unary(ops.tanh),
    "Softplus": _unary(ops.softplus),
    "Softsign": _unary(ops.softsign),
    "Gelu": row(gelu, ANY),
    "Swish": row(swish, ANY),
    "Mish": row(mish, ANY),
    "Shrink": row(shrink, ANY),
    "Softmax": row(softmax, AXIS),
    "LogSoftmax": row(log_softmax, AXIS),
    "Hardmax": row(hardmax, AXIS),
}
