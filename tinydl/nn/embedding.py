"""Rows of a table as a layer: words, users, positions."""

from __future__ import annotations

from .. import ops
from ..arguments import whole
from ..doors import checked
from ..errors import DTypeError
from ..random import Generator, default_generator
from ..tensor import Tensor
from .init import Initializer, draw
from .linear import check_size
from .module import Module, Parameter


class Embedding(Module):
    """Row x_i of a trained table for every integer x_i, see `tinydl.embedding`.

    x of any shape S, int32 or int64 in [0, num_embeddings) -> S + (embedding_dim,); parameter
    weight (num_embeddings, embedding_dim). padding_idx: a row that begins as zeros and gets no
    gradient, so that it stays; -1 is the last one. weight_init: "uniform", within 0.05 as in Keras
    (PyTorch: a standard normal). Raises ConfigError; the call DTypeError and IndexRangeError.
    """

    @checked
    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        weight_init: str | Initializer = "uniform",
        rng: Generator | None = None,
    ) -> None:
        check_size("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else self._place(padding_idx)
        rng = default_generator() if rng is None else rng
        first = draw(weight_init, (num_embeddings, embedding_dim), rng)
        if self.padding_idx is not None:
            first = first.copy()
            first[self.padding_idx] = 0
        self.weight = Parameter(first)

    def _place(self, index: int) -> int:
        V = self.num_embeddings
        return whole("Embedding", "padding_idx", index, -V, V - 1) % V

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype.kind != "i":
            raise DTypeError(f"Embedding: x must be int32 or int64, got {x.dtype} {x.shape}")
        y = ops.embedding(self.weight, x)
        if self.padding_idx is None or not self.weight.requires_grad:
            return y
        padded = ops.expand_dims(x == self.padding_idx, -1)
        return ops.where(ops.broadcast_to(padded, y.shape), y.detach(), y)

    def arguments(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
