"""Multinomial logistic regression: one linear layer, whose softmax is in the loss."""

from __future__ import annotations

from ...nn import Linear, Module
from ...tensor import Tensor


class SoftmaxRegression(Module):
    """logits = x W + b; P(class c | x) = softmax(logits)_c.

    | layer | output | parameters | for 784 and 10 |
    |---|---|---|---|
    | input | (N, D) | | |
    | Linear D -> C | (N, C) | D C + C | 7,850 |

    x: (N, in_features) float; result: logits (N, classes), to be used with `cross_entropy`, never
    with a softmax before it. weight_init: name of an initialiser of `tinydl.nn.init`.

    Gulli and Pal, Deep Learning with Keras (2017), chapter 1 (V1); Sewak, Karim and Pujari,
    Practical Convolutional Neural Networks (2018), chapter 1 (weight_init "truncated_normal",
    standard deviation 1).
    """

    def __init__(
        self, in_features: int = 784, classes: int = 10, weight_init: str = "glorot_uniform"
    ) -> None:
        self.linear = Linear(in_features, classes, weight_init=weight_init)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)
