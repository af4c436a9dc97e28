"""Activations: by name, as functions for recurrent layers and as modules behind the others."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .... import nn, ops
from ....errors import ConfigError
from ....nn import Module, Parameter
from ....quoting import quoted
from ....tensor import Tensor
from ..description import Layer, snake
from .table import Kind, Unit, in_a_row, numbered, on_axis, put, real, single_axis


def hard_sigmoid_3(x: Tensor) -> Tensor:
    """Keras 3's: clip(x / 6 + 1 / 2, 0, 1)."""
    return ops.relu6(x + 3.0) * (1 / 6)


def hard_swish(x: Tensor) -> Tensor:
    """x times Keras 3's hard sigmoid."""
    return x * hard_sigmoid_3(x)


def mish(x: Tensor) -> Tensor:
    return x * ops.tanh(ops.softplus(x))


def log_sigmoid(x: Tensor) -> Tensor:
    return -ops.softplus(-x)


def hard_tanh(x: Tensor) -> Tensor:
    return ops.clip(x, -1.0, 1.0)


def tanh_shrink(x: Tensor) -> Tensor:
    return x - ops.tanh(x)


def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    return x * ops.astype(abs(x) > threshold, x.dtype)


def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    return ops.relu(x - threshold) - ops.relu(-x - threshold)


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    return ops.relu(x) + alpha * ops.expm1(-ops.relu(-x) / alpha)


def squareplus(x: Tensor, b: float = 4.0) -> Tensor:
    return 0.5 * (x + ops.sqrt(x * x + b))


def glu(x: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    return x[..., :half] * ops.sigmoid(x[..., half:])


def identity(x: Tensor) -> Tensor:
    return x


def bent_relu(
    x: Tensor, slope: float = 0.0, most: float | None = None, threshold: float = 0.0
) -> Tensor:
    """x from the threshold on, at most `most`; below it slope * (x - threshold)."""
    above = ops.relu(x) if threshold == 0 else x * ops.astype(x >= threshold, x.dtype)
    above = above if most is None else ops.minimum(above, most)
    return above if slope == 0 else above - slope * ops.relu(threshold - x)


#: Functions by Keras's names; hard_sigmoid depends on the version.
FUNCTIONS: dict[str, Any] = {
    "linear": identity,
    "relu": ops.relu,
    "relu6": ops.relu6,
    "sigmoid": ops.sigmoid,
    "tanh": ops.tanh,
    "softmax": ops.softmax,
    "log_softmax": ops.log_softmax,
    "softplus": ops.softplus,
    "softsign": ops.softsign,
    "elu": ops.elu,
    "selu": ops.selu,
    "celu": celu,
    "gelu": ops.gelu,
    "exponential": ops.exp,
    "swish": ops.swish,
    "silu": ops.swish,
    "hard_swish": hard_swish,
    "hard_silu": hard_swish,
    "leaky_relu": partial(ops.leaky_relu, slope=0.2),
    "mish": mish,
    "log_sigmoid": log_sigmoid,
    "hard_tanh": hard_tanh,
    "tanh_shrink": tanh_shrink,
    "hard_shrink": hard_shrink,
    "soft_shrink": soft_shrink,
    "squareplus": squareplus,
    "glu": glu,
}
MODULES: dict[str, type[Module]] = {
    "relu": nn.ReLU, "relu6": nn.ReLU6, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh,
    "softmax": nn.Softmax, "log_softmax": nn.LogSoftmax, "softplus": nn.Softplus,
    "softsign": nn.Softsign, "elu": nn.ELU, "selu": nn.SELU, "gelu": nn.GELU, "swish": nn.SiLU,
    "silu": nn.SiLU,
}  # fmt: skip


def name_of(value: Any) -> str:
    """The name of an activation as files write it: a text, an object, a layer."""
    if value is None:
        return "linear"
    if isinstance(value, dict):
        inner = value.get("config")
        if value.get("class_name") in ("function", "builtin_function") or isinstance(inner, str):
            return str(inner)
        return str(value.get("registered_name") or value.get("class_name"))
    return str(value)


def as_layer(value: Any) -> Layer | None:
    """An activation that is itself a layer with settings, such as LeakyReLU."""
    known = isinstance(value, dict) and value.get("class_name") in KINDS
    if not known or not isinstance(value.get("config"), dict):
        return None
    return Layer(value["class_name"], "activation", value["config"])


def refused(layer: Layer, *keys: str) -> str | None:
    """What is wrong with the layer's activations, in words."""
    for key in keys or ("activation",):
        value = layer.config.get(key)
        name = name_of(value)
        if name not in FUNCTIONS and name != "hard_sigmoid" and as_layer(value) is None:
            return f"{key} {quoted(name, 40)}"
    return None


def function(value: Any, version: int) -> Any:
    """The function that an activation's name stands for."""
    name = name_of(value)
    if name == "hard_sigmoid":
        return ops.hard_sigmoid if version < 3 else hard_sigmoid_3
    if name not in FUNCTIONS:
        raise ConfigError(f"the activation {quoted(name, 40)} is not imported")
    return FUNCTIONS[name]


def behind(layer: Layer, maker: Any, key: str = "activation") -> list[tuple[str, Module]]:
    """The module of a layer's activation, none for a linear one."""
    value = layer.config.get(key)
    if (own := as_layer(value)) is not None:
        arrays: dict[str, np.ndarray] = {}
        made = KINDS[own.kind].build(own, arrays, maker)
        return [(f"_{snake(own.kind)}", module) for _, module in made.modules]
    name = name_of(value)
    return [] if name == "linear" else [(f"_{name}", module_of(value, maker.version))]


def module_of(value: Any, version: int) -> Module:
    name = name_of(value)
    if name in MODULES:
        return MODULES[name]()
    if name == "hard_sigmoid" and version < 3:
        return nn.HardSigmoid()
    return nn.Identity() if name == "linear" else nn.Apply(function(value, version))


# -- layers ----------------------------------------------------------------------------------------


class PReLU(Module):
    """x where x > 0, else alpha * x with a trained alpha that broadcasts. He et al. 2015."""

    def __init__(self, alpha: np.ndarray) -> None:
        self.alpha = Parameter(alpha)

    def forward(self, x: Tensor) -> Tensor:
        return ops.relu(x) - self.alpha * ops.relu(-x)


def _activation(layer, arrays, maker):
    return Unit([("", module_of(layer.config.get("activation"), maker.version))], in_a_row)


def _relu(layer, arrays, maker):
    most, slope = layer.config.get("max_value"), real(layer, "negative_slope", 0.0)
    threshold = real(layer, "threshold", 0.0)
    most = None if most is None else real(layer, "max_value")
    if slope == 0 and threshold == 0 and most in (None, 6):
        return Unit([("", nn.ReLU() if most is None else nn.ReLU6())], in_a_row)
    options = {"slope": slope, "most": most, "threshold": threshold}
    return Unit([("", nn.Apply(bent_relu, **options))], in_a_row)


def _leaky(layer, arrays, maker):
    slope = real(layer, "negative_slope", real(layer, "alpha", 0.3))
    return Unit([("", nn.LeakyReLU(slope))], in_a_row)


def _elu(layer, arrays, maker):
    return Unit([("", nn.ELU(real(layer, "alpha", 1.0)))], in_a_row)


def _softmax(layer, arrays, maker):
    return Unit([("", nn.Softmax(single_axis(layer)))], in_a_row)


def _thresholded(layer, arrays, maker):
    return Unit([("", nn.Apply(hard_above, threshold=real(layer, "theta", 1.0)))], in_a_row)


def hard_above(x: Tensor, threshold: float) -> Tensor:
    """x where it is above the threshold, else 0."""
    return x * ops.astype(x > threshold, x.dtype)


def _prelu(layer, arrays, maker):
    module = PReLU(np.zeros(arrays["alpha"].shape, np.float32))
    put(module.alpha, arrays["alpha"])
    return Unit([("", module)], on_axis(-1))


KINDS = {
    "Activation": Kind(_activation, refuses=refused),
    "ReLU": Kind(_relu),
    "LeakyReLU": Kind(_leaky),
    "ELU": Kind(_elu),
    "Softmax": Kind(_softmax),
    "ThresholdedReLU": Kind(_thresholded),
    "PReLU": Kind(_prelu, lambda layer: numbered("alpha")),
}
