"""Linear and polynomial regression: both are linear in their parameters."""

from __future__ import annotations

from ...errors import ConfigError, ShapeError
from ...nn import Linear, Module
from ...ops import concat
from ...tensor import Tensor


class LinearRegression(Module):
    """y = x W + b: x (N, features) -> (N, outputs), for `mse`; one straight line for one feature.

    With several features (area, rooms, ...) the book says "multi-variate"; the usual name is
    multiple regression. Liu and Mehta (2019), chapter 1.
    """

    def __init__(self, features: int = 1, outputs: int = 1) -> None:
        self.linear = Linear(features, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


class PolynomialRegression(Module):
    """y = a_d x^d + ... + a_1 x + a_0: x (N, 1) -> (N, 1), for `mse`; degree 3 is the book's cubic.

    d + 1 parameters, a_1 to a_d in linear.weight and a_0 in linear.bias. Scale x to about [-1, 1]:
    powers of anything larger make a badly conditioned problem. Raises ConfigError for degree < 1;
    the call ShapeError. Liu and Mehta (2019), chapter 1.
    """

    def __init__(self, degree: int = 3) -> None:
        if degree < 1:
            raise ConfigError(f"PolynomialRegression: degree must be >= 1, got {degree}")
        self.degree = degree
        self.linear = Linear(degree, 1)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 2 or x.shape[1] != 1:
            raise ShapeError(f"PolynomialRegression: x must be (N, 1), got {x.shape}")
        powers = [x]
        for _ in range(self.degree - 1):
            powers.append(powers[-1] * x)
        return self.linear(concat(powers, axis=-1))
