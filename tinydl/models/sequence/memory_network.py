"""Questions about stories: sentences are kept in a memory that is asked several times."""

from __future__ import annotations

from functools import partial

import numpy as np

from ... import ops
from ...arguments import whole
from ...errors import ShapeError
from ...nn import Embedding, Linear, Module, Parameter, init
from ...nn.init import draw
from ...random import default_generator
from ...tensor import Tensor

PAD = 0
_first = partial(init.normal, std=0.1)  # section 4.2


def position_encoding(places: int, width: int) -> np.ndarray:
    """l (places, width) float64: l_jk = (1 - j/J) - (k/d) (1 - 2j/J), j and k counted from 1."""
    j = np.arange(1, places + 1)[:, None] / places
    k = np.arange(1, width + 1)[None, :] / width
    return (1 - j) - k * (1 - 2 * j)


class MemoryNetwork(Module):
    """x (N, S + 1, T) words, 0 for none: S sentences of a story, the latest last, and the question
    -> logits of the answer (N, classes).

        m_i = sum_j l_j A_ij,  c_i = sum_j l_j C_ij,  u = sum_j l_j B_j      bags of words, in order
        p = softmax(u . m_i),   o = sum_i p_i c_i,   u <- H u + o           `hops` times
        answer = softmax(W u)

    l_j (T, width): the position encoding, l_kj = (1 - j/J) - (k/d)(1 - 2j/J), so that the order of
    words counts. To m_i and c_i a row for the age of the sentence is added. A, C and H are the same
    in every hop ("layer-wise", as in a recurrent network). Empty sentences are not looked at.

    Sukhbaatar, Szlam, Weston and Fergus 2015 (arXiv:1503.08895), sections 2 and 4.1, without linear
    start and random noise. Raises ConfigError; the call ShapeError.
    """

    def __init__(
        self, words: int, sentences: int, classes: int, width: int = 20, hops: int = 3
    ) -> None:
        whole("MemoryNetwork", "hops", hops, 1)
        self.hops = hops
        self.ask = Embedding(words, width, weight_init=_first)  # B
        self.keys = Embedding(words, width, weight_init=_first)  # A
        self.values = Embedding(words, width, weight_init=_first)  # C
        rng = default_generator()
        self.key_ages = Parameter(draw(_first, (sentences, width), rng))
        self.value_ages = Parameter(draw(_first, (sentences, width), rng))
        self.turn = Linear(width, width, bias=False)  # H
        self.answer = Linear(width, classes, bias=False)  # W

    def forward(self, x: Tensor) -> Tensor:
        return self.hop(x)[0]

    def hop(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The logits, and where each hop looked, (N, S) each."""
        if x.ndim != 3 or x.shape[1] != len(self.key_ages) + 1:
            raise ShapeError(
                f"MemoryNetwork: x must be (N, {len(self.key_ages)} + 1, T), got {x.shape}"
            )
        story, question = x[:, :-1], x[:, -1:]
        there = (story != PAD).any(axis=2)
        keys = self._bags(self.keys, story) + self.key_ages
        values = self._bags(self.values, story) + self.value_ages
        u = self._bags(self.ask, question)  # (N, 1, width)
        looked = []
        for _ in range(self.hops):
            scores = ops.matmul(u, keys.transpose((0, 2, 1)))  # (N, 1, S)
            p = ops.masked_softmax(scores, ops.expand_dims(there, 1))
            u = self.turn(u) + ops.matmul(p, values)
            looked.append(p[:, 0])
        return self.answer(u[:, 0]), looked

    def _bags(self, table: Embedding, words: Tensor) -> Tensor:
        """(N, S, T) words as the sums (N, S, width) of their rows, weighed by their places."""
        T, width = words.shape[2], table.embedding_dim
        weights = Tensor(
            position_encoding(T, width).astype(table.weight.dtype), backend=words.backend
        )
        rows = table(words) * ops.expand_dims(words != PAD, -1).astype(table.weight.dtype)
        return (rows * weights).sum(axis=2)
