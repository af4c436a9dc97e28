"""A decoder that writes word after word and looks at a memory before each of them.

Words are numbers below `vocabulary`; PAD, START and END are the first three of them.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from ... import ops
from ...arguments import whole
from ...errors import ConfigError, ShapeError
from ...nn import (
    GRU,
    LSTM,
    Dropout,
    Embedding,
    GeneralAttention,
    Linear,
    Module,
    cross_entropy,
    init,
)
from ...tensor import Tensor

PAD, START, END = 0, 1, 2
CELLS = {"gru": GRU, "lstm": LSTM}


#: First rows of words: so far apart that they are told from each other from the first step on.
apart = partial(init.normal, std=0.6)


class Seen(NamedTuple):
    """What a decoder begins with: memory (N, S, M), which of its places are there, bool (N, S) or
    None for all, and its first state (N, H), of an LSTM (h, c)."""

    memory: Tensor
    mask: Tensor | None
    state: Any


class AttentionDecoder(Module):
    """s_t = RNN(E y_{t-1}, s_{t-1}),  a_t = softmax_j(s_t W m_j),  c_t = sum_j a_tj m_j,

        p(y_t) = softmax(V tanh(U [c_t; s_t])):

    the state asks the memory m_1 ... m_S, and word y_t is chosen by both. No state depends on what
    was looked at, so that all T steps of a known text are one call of the layer.

        E              vocabulary x embedding
        RNN            embedding -> hidden: "gru" or "lstm"
        W              hidden x memory
        U              (memory + hidden) x hidden, no bias
        V              hidden x vocabulary, and a bias

    Luong, Pham and Manning 2015 (arXiv:1508.04025), equations 5 to 8, "global", "general", without
    input feeding. dropout acts on E y and on tanh(...). Raises ConfigError.
    """

    def __init__(
        self,
        vocabulary: int,
        embedding: int,
        hidden: int,
        memory: int,
        cell: str = "gru",
        dropout: float = 0.0,
    ) -> None:
        whole("AttentionDecoder", "vocabulary", vocabulary, END + 1)
        if cell not in CELLS:
            raise ConfigError(f"AttentionDecoder: cell must be gru or lstm, got {cell!r}")
        self.embed = Embedding(vocabulary, embedding, weight_init=apart)
        self.recurrent = CELLS[cell](embedding, hidden, return_sequences=True)
        self.attention = GeneralAttention(hidden, memory)
        self.combine = Linear(memory + hidden, hidden, bias=False)
        self.words = Linear(hidden, vocabulary)
        self.dropout = Dropout(dropout)

    def forward(self, before: Tensor, seen: Seen) -> tuple[Tensor, Tensor, Any]:
        """before (N, T) integers, the word that stands before each one -> logits of the words
        (N, T, vocabulary), weights (N, T, S), and the last state."""
        if before.ndim != 2:
            raise ShapeError(f"AttentionDecoder: words must be (N, T), got {before.shape}")
        states, last = self.recurrent.run(self.dropout(self.embed(before)), seen.state)
        context, weights = self.attention(
            states, seen.memory, key_mask=seen.mask, return_weights=True
        )
        both = ops.tanh(self.combine(ops.concat([context, states], -1)))
        return self.words(self.dropout(both)), weights, last


class Writer(Module):
    """What reads x and writes words: a subclass has a `decoder`, and `read(x)` gives `Seen`."""

    decoder: AttentionDecoder

    def read(self, x: Tensor) -> Seen:
        raise NotImplementedError(f"{type(self).__name__} reads nothing")

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Logits (N, T, vocabulary) of the words y (N, T), each after the true ones before it:
        teacher forcing (Williams and Zipser 1989)."""
        return self.decoder(shifted(y), self.read(x))[0]

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """The mean of -log p(y_t | y_1 ... y_{t-1}, x) over all words but PAD."""
        return cross_entropy(self(x, y), y, ignore_index=PAD)


def shifted(y: Tensor) -> Tensor:
    """The word before each of y (N, T): START, y_1, ..., y_{T-1}."""
    if y.ndim != 2:
        raise ShapeError(f"Writer: words must be (N, T), got {y.shape}")
    return ops.concat([y[:, :1] * 0 + START, y[:, :-1]], 1)
