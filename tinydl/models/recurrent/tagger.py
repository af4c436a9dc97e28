"""Many to many, in step: every word gets its tag, by what stands before and behind it."""

from __future__ import annotations

from ...nn import LSTM, Bidirectional, Embedding, Linear, Module
from ...tensor import Tensor

PAD = 0  # the word behind a sentence's end


class Tagger(Module):
    """Many to many, synced: e_t = E[x_t]; a_t from e_1 ... e_t, b_t from e_T ... e_t;
    logits_t = [a_t; b_t] V + c.

    | layer | output for 15 words | parameters in letters |
    |---|---|---|
    | input: words | (N, 15) integers | |
    | Embedding | (N, 15, 16) | W D |
    | Bidirectional LSTM, all states | (N, 15, 64) | 8 H (D + H + 1) |
    | Linear at every step | (N, 15, 9) | C (2 H + 1) |

    x: (N, T) int32 or int64, word 0 pads the end: such steps leave both states alone, so a sentence
    is tagged alike however much pads it. Result: logits (N, T, classes). (Schuster and Paliwal
    1997: the net that reads both ways.)
    """

    def __init__(
        self, words: int, classes: int, embedding_dim: int = 16, hidden_size: int = 32
    ) -> None:
        self.embedding = Embedding(words, embedding_dim, padding_idx=PAD)
        self.lstm = Bidirectional(LSTM(embedding_dim, hidden_size, return_sequences=True))
        self.linear = Linear(2 * hidden_size, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.lstm(self.embedding(x), x != PAD))
