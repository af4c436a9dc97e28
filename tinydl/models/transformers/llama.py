"""A Llama: blocks of grouped attention with rotary positions and of gated linear layers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ... import ops
from ...errors import ConfigError
from ...function import no_grad
from ...nn import (
    Embedding,
    KeyValueCache,
    Linear,
    Module,
    MultiHeadAttention,
    RMSNorm,
    RotaryPositions,
    SwiGLU,
)
from ...random import Generator, by_shares, default_generator
from ...tensor import Tensor
from ..recurrent.writing import Reader, check_drawing, next_probabilities
from .llama_step import LlamaSteps


class LlamaBlock(Module):
    """x + attention(norm(x)), then x + swiglu(norm(x)); no biases."""

    def __init__(
        self,
        features: int,
        hidden: int,
        heads: int,
        kv_heads: int,
        eps: float,
        base: float,
        rng: Generator | None,
    ) -> None:
        self.attention_norm = RMSNorm(features, eps)
        positions = RotaryPositions(base)
        self.attention = MultiHeadAttention(
            features, heads, bias=False, kv_heads=kv_heads, positions=positions, rng=rng
        )
        self.feed_norm = RMSNorm(features, eps)
        self.feed = SwiGLU(features, hidden, rng=rng)

    def forward(self, x: Tensor, cache: KeyValueCache | None = None) -> Tensor:
        x = x + self.attention(self.attention_norm(x), causal=True, cache=cache)
        return x + self.feed(self.feed_norm(x))


class Llama(Module):
    """Logits of the next token after each of tokens (N, T), int64: (N, T, vocabulary).

    | layer | output for stories260K | parameters |
    |---|---|---|
    | Embedding | (N, T, 64) | 32,768 |
    | 5 blocks: RMSNorm, grouped attention, RMSNorm, SwiGLU | (N, T, 64) | 5 x 45,440 |
    | RMSNorm | (N, T, 64) | 64 |
    | product with the embedding, or a Linear layer of its own | (N, T, 512) | |
    | all | | 260,032 |

    tied: the table of the embedding is the last layer too (Press and Wolf 2017, arXiv:1608.05859);
    otherwise that is `head`. base: of the rotary positions. Touvron et al. 2023 (arXiv:2302.13971);
    grouped heads of the second version (arXiv:2307.09288).
    """

    def __init__(
        self,
        vocabulary: int = 512,
        features: int = 64,
        hidden: int = 172,
        blocks: int = 5,
        heads: int = 8,
        kv_heads: int = 4,
        *,
        tied: bool = True,
        eps: float = 1e-5,
        base: float = 10_000.0,
        rng: Generator | None = None,
    ) -> None:
        self.embedding = Embedding(vocabulary, features, rng=rng)
        self.blocks = [
            LlamaBlock(features, hidden, heads, kv_heads, eps, base, rng) for _ in range(blocks)
        ]
        self.norm = RMSNorm(features, eps)
        self.head = None if tied else Linear(features, vocabulary, bias=False, rng=rng)

    def forward(self, tokens: Tensor, caches: list[KeyValueCache] | None = None) -> Tensor:
        x = self.embedding(tokens)
        for i, block in enumerate(self.blocks):
            x = block(x, None if caches is None else caches[i])
        x = self.norm(x)
        if self.head is not None:
            return self.head(x)
        return ops.matmul(x, self.embedding.weight.transpose())  # [N T x D] @ [D x V]

    def run(
        self, ids: Tensor, state: list[KeyValueCache] | None = None
    ) -> tuple[Tensor, list[KeyValueCache]]:
        """(logits behind each of ids (N, T), the keys and values of all so far, from which the next
        tokens go on); state None: there is no text before."""
        caches = [KeyValueCache() for _ in self.blocks] if state is None else state
        return self(ids, caches), caches

    def reader(self) -> Reader | LlamaSteps:
        """What reads a text piece by piece, to write by."""
        plain = isinstance(self.embedding.weight.data, np.ndarray)
        return LlamaSteps(self) if plain else Reader(self)

    def write(
        self,
        tokens: list[int],
        steps: int,
        temperature: float = 0.0,
        rng: Generator | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
    ) -> Iterator[int]:
        """The next `steps` tokens after these, one by one, each from the cache of those before: the
        likeliest (temperature 0), or drawn as `next_probabilities` says (models/recurrent/
        writing.py)."""
        if not tokens:
            raise ConfigError("Llama.write: needs a token to begin with, got none")
        check_drawing(temperature, top_k, top_p)
        drawn = default_generator() if rng is None else rng
        given, reader = np.array(tokens), self.reader()
        for _ in range(steps):
            with no_grad():
                logits = reader.read(given)
            p = next_probabilities(logits, temperature, top_k, top_p)
            chance = drawn.uniform((), dtype=np.float64) if temperature else np.array(0.5)
            given = np.array([by_shares(np.cumsum(p), chance)])
            yield int(given[0])
