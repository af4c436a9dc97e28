"""One neuron: a weighted sum and a sigmoid; with a loss, logistic regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ConfigError
from ...nn import Linear, Module, Parameter
from ...ops import sigmoid
from ...tensor import Tensor


class SigmoidNeuron(Module):
    """y = sigmoid(sum_i w_i x_i + b): x (N, D) -> (N,).

    Defaults: the book's weights 1 and 2 and bias 0, whose answer to (1, 1) is sigmoid(3) = 0.9526.
    Sewak, Karim and Pujari, Practical Convolutional Neural Networks (2018), chapter 1.
    """

    def __init__(self, weights: Sequence[float] = (1.0, 2.0), bias: float = 0.0) -> None:
        if len(weights) < 1:
            raise ConfigError("SigmoidNeuron: needs at least one weight")
        self.weight = Parameter(np.array(weights, np.float32).reshape(-1, 1))
        self.bias = Parameter(np.array([bias], np.float32))

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid(x @ self.weight + self.bias).reshape(-1)


class LogisticRegression(Module):
    """logit = x . w + b, P(class 1 | x) = sigmoid(logit): x (N, D) -> logits (N,).

    For `bce_with_logits` with targets 0.0 and 1.0; D + 1 parameters, which start at 0: the loss is
    convex, so nothing has to be broken by chance. weight_init: another initialiser's name.
    """

    def __init__(self, features: int, weight_init: str = "zeros") -> None:
        self.linear = Linear(features, 1, weight_init=weight_init)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).reshape(-1)
