"""The first layers that two of the books show, before there is anything to train."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...nn import Flatten, Linear, Module, ReLU, Sequential
from ...tensor import Tensor


class FirstDense(Module):
    """One layer of 12 units on 8 features, weights uniform on [-0.05, 0.05]: 108 parameters.

    x (N, features) -> (N, units), no activation. Gulli and Pal, Deep Learning with Keras (2017),
    chapter 1; its snippet forgets to import Dense.
    """

    def __init__(self, features: int = 8, units: int = 12) -> None:
        self.linear = Linear(features, units, weight_init="uniform")

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


class FlattenDense(Module):
    """Flatten, then linear layers with ReLU: (32, 32, 3) -> 3,072 -> 100 -> 60, 313,360 parameters.

    x (N, *shape) -> (N, units[-1]). Sewak, Karim and Pujari (2018), chapter 1.
    """

    def __init__(
        self, shape: Sequence[int] = (32, 32, 3), units: Sequence[int] = (100, 60)
    ) -> None:
        layers: list[Module] = [Flatten()]
        size = prod(shape)
        for width in units:
            layers += [Linear(size, width), ReLU()]
            size = width
        self.layers = Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
