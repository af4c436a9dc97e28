"""Prototypical networks: a class is the mean of its examples' codes."""

from __future__ import annotations

from collections.abc import Sequence

from ... import ops
from ...tensor import Tensor
from .encoder import Comparer, conv_encoder


def square_distances(a: Tensor, b: Tensor) -> Tensor:
    """|a_i - b_j|^2 of rows (N, D) and (M, D), (N, M)."""
    away = ops.expand_dims(a, 1) - ops.expand_dims(b, 0)
    return ops.sum(away * away, axis=-1)


class PrototypicalNet(Comparer):
    """scores = -|f(query) - c_k|^2; the prototype c_k is the mean of f over the class's examples.

    f: `conv_encoder`; 111,936 parameters for 28x28x1, 4 blocks of 64. A linear classifier in the
    codes whose weights are made of the examples: -|q - c|^2 = 2 q.c - |c|^2 less a number that is
    the same for all classes. See `Comparer` for shapes. Raises ConfigError. Snell, Swersky and
    Zemel 2017 (arXiv:1703.05175), equations 1 and 2.
    """

    def __init__(
        self, picture: Sequence[int] = (28, 28, 1), filters: int = 64, blocks: int = 4
    ) -> None:
        self.encoder = conv_encoder(picture, filters, blocks)

    def embed(self, x: Tensor) -> Tensor:
        return self.encoder(x)

    def compare(self, examples: Tensor, queries: Tensor) -> Tensor:
        return -square_distances(queries, ops.mean(examples, axis=1))
