"""Activations as layers. They have no parameters and keep the shape."""

from __future__ import annotations

from .. import ops
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
