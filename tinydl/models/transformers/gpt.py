"""A GPT: blocks of causal attention and of two linear layers foretell the next character."""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import NamedTuple

import numpy as np

from ... import ops
from ...arguments import whole
from ...nn import (
    Dropout,
    Embedding,
    KeyValueCache,
    LayerNorm,
    LearnedPositions,
    TransformerEncoderLayer,
    init,
)
from ...random import Generator
from ...tensor import Tensor
from ..recurrent.text import LanguageModel
from ..recurrent.writing import Reader
from .gpt_step import Steps

STD = 0.02  # of the first weights (Radford et al. 2019)


class Read(NamedTuple):
    """What a GPT remembers of a text: its last characters (N, T), and the keys and values of the
    places that they take, by block."""

    ids: Tensor
    caches: list[KeyValueCache]


class GPT(LanguageModel):
    """Logits (N, T, tokens) of what follows each of ids (N, T), int64, T <= steps.

    | layer | output for 64 characters | parameters | in letters |
    |---|---|---|---|
    | Embedding | (N, 64, 128) | 8,448 | V D |
    | LearnedPositions | (N, 64, 128) | 8,192 | T D |
    | 4 blocks: LayerNorm, attention of 4 heads, LayerNorm, Linear, GELU, Linear | (N, 64, 128) | \
4 x 198,272 | 12 D^2 + 13 D |
    | LayerNorm | (N, 64, 128) | 256 | 2 D |
    | product with the table of the embedding | (N, 64, 66) | | |
    | all | | 809,984 | |

    The blocks are pre-norm: x + part(norm(x)). First weights are normal with a standard deviation
    of 0.02, those whose product is added to x with 0.02 / sqrt(2 blocks): so many are added.
    Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.3; tied
    tables: Press and Wolf 2017 (arXiv:1608.05859).
    """

    def __init__(
        self,
        tokens: int = 66,
        steps: int = 64,
        blocks: int = 4,
        heads: int = 4,
        width: int = 128,
        dropout: float = 0.0,
        *,
        rng: Generator | None = None,
    ) -> None:
        self.tokens = whole("GPT", "tokens", tokens, 1)
        self.steps = self.window = whole("GPT", "steps", steps, 1)
        normal = partial(init.normal, std=STD)
        self.embedding = Embedding(tokens, width, weight_init=normal, rng=rng)
        self.positions = LearnedPositions(steps, width, weight_init=normal, rng=rng)
        self.dropout = Dropout(dropout, rng)
        self.blocks = [
            TransformerEncoderLayer(
                width, heads, 4 * width, dropout, activation=ops.gelu, norm_first=True, rng=rng
            )
            for _ in range(whole("GPT", "blocks", blocks, 1))
        ]
        self.norm = LayerNorm(width)
        for block in self.blocks:
            part, feed = block.attention, block.feed
            for layer in (part.query, part.key, part.value, feed.first):
                init.normal_(layer.weight, 0.0, STD, rng=rng)
            for layer in (part.output, feed.second):
                init.normal_(layer.weight, 0.0, STD / sqrt(2 * blocks), rng=rng)

    def forward(self, ids: Tensor, caches: list[KeyValueCache] | None = None) -> Tensor:
        past = 0 if caches is None else caches[0].steps
        x = self.dropout(self.positions(self.embedding(ids), past))
        for k, block in enumerate(self.blocks):
            x = block(x, causal=True, cache=None if caches is None else caches[k])
        return self.logits(x)

    def logits(self, x: Tensor) -> Tensor:
        """What the last block's output (N, T, width) says of the next characters."""
        return ops.matmul(self.norm(x), self.embedding.weight.transpose())  # [T x D] @ [D x V]

    def run(self, ids: Tensor, state: Read | None = None) -> tuple[Tensor, Read]:
        """The logits of what follows, and what was read, from which the next piece of text goes on:
        each block keeps the keys and values of the places before, so that a character costs one
        place. Where the `steps` places are taken, the later half of them is read anew from the
        first place on; of a longer text the last `steps` characters alone are read."""
        seen = ids if state is None else ops.concat([state.ids, ids], 1)
        caches = [KeyValueCache() for _ in self.blocks] if state is None else state.caches
        T = ids.shape[1]
        if caches[0].steps + T > self.steps:
            caches = [KeyValueCache() for _ in self.blocks]
            T = min(seen.shape[1], max(min(T, self.steps), (self.steps + 1) // 2))
        seen = seen[:, -self.steps :]
        return self(seen[:, -T:], caches), Read(seen, caches)

    def reader(self) -> Reader | Steps:
        """What reads a text piece by piece, to write by."""
        plain = not self.training and isinstance(self.embedding.weight.data, np.ndarray)
        return Steps(self) if plain else Reader(self)

    def trace(self, rows: Tensor) -> tuple[Tensor, list[tuple[str, Tensor]]]:
        x = self.positions(ops.matmul(rows, self.embedding.weight))  # [T x V] @ [V x D]
        found = []
        for k, block in enumerate(self.blocks):
            x = block(x, causal=True)
            found.append((f"blocks.{k}", x))
        return self.logits(x)[:, -1], found
