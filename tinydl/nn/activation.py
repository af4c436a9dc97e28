"""Activations as layers. They have no parameters and keep the shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import ops
from ..errors import ConfigError
from ..tensor import Tensor
from .module import Module


class ReLU(Module):
    """max(x, 0); the gradient at 0 is 0. Nair and Hinton 2010."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.relu(x)


class Tanh(Module):
    """(e^x - e^-x) / (e^x + e^-x)."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.tanh(x)


class Sigmoid(Module):
    """1 / (1 + e^-x). For training, leave it out and use bce_with_logits."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.sigmoid(x)


class Softmax(Module):
    """e^{x_i} / sum_j e^{x_j} along `axis`. For training, leave it out: the loss takes logits."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        return ops.softmax(x, self.axis)

    def arguments(self) -> str:
        return "" if self.axis == -1 else f"axis={self.axis}"


class Apply(Module):
    """Any function of a tensor as a layer: Apply(ops.leaky_relu, slope=0.1) in a Sequential.

    The options are the function's keyword arguments; nothing here is trained. Raises ConfigError
    for what cannot be called, and for a Module, which stands for itself.
    """

    def __init__(self, function: Callable[..., Tensor], **options: Any) -> None:
        if not callable(function) or isinstance(function, Module):
            raise ConfigError(f"Apply: needs a function, got {type(function).__name__}")
        self.function, self.options = function, options

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, **self.options)

    def arguments(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return ", ".join([name, *[f"{k}={v!r}" for k, v in self.options.items()]])
