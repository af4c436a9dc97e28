"""Dropout as a layer."""

from __future__ import annotations

from .. import ops
from ..arguments import probability
from ..doors import checked
from ..random import Generator
from ..tensor import Tensor
from .module import Module


def check_rate(op: str, name: str, rate: float) -> None:
    """ConfigError unless 0 <= rate <= 1."""
    probability(op, name, rate)


class Dropout(Module):
    """In training each element is 0 with probability `rate`, else x / (1 - rate); x itself in eval.

    x of any shape and float type. Draws come from `rng` (None: the default generator at each call).
    With rate 1 all is 0. Srivastava et al. 2014, "inverted". Raises ConfigError unless
    0 <= rate <= 1.
    """

    @checked
    def __init__(self, rate: float, rng: Generator | None = None) -> None:
        check_rate("Dropout", "rate", rate)
        self.rate, self.rng = rate, rng

    def forward(self, x: Tensor) -> Tensor:
        return ops.dropout(x, self.rate, self.training, self.rng)

    def arguments(self) -> str:
        return f"{self.rate:g}"
