"""A sentence is read in both directions, and another one is written about it."""

from __future__ import annotations

from ... import ops
from ...nn import GRU, Bidirectional, Dropout, Embedding, Linear
from ...tensor import Tensor
from .attention_decoder import PAD, AttentionDecoder, Seen, Writer, apart


class EncoderDecoder(Writer):
    """x (N, S) integers, PAD after the end -> words (N, T), by `AttentionDecoder`.

        embed      source_vocabulary x embedding
        encoder    GRU in both directions, embedding -> 2 x hidden
        memory     m_j = [the word's row of embed; the encoder's states at its place]
        bridge     first state = tanh(B [last ahead; last back] + b), 2 hidden -> hidden
        decoder    AttentionDecoder over the memory

    That the memory holds the word itself too lets a rare one be translated by its own row (Nguyen
    and Chiang 2018, arXiv:1710.01329, have a network of its own for that). attention=False keeps
    the last states alone, a memory of one place: the decoder must draw everything from one vector,
    whatever the length. Cho et al. 2014 (arXiv:1406.1078), Sutskever et al. 2014
    (arXiv:1409.3215); with attention Bahdanau et al. 2015 (arXiv:1409.0473), scored as in Luong et
    al. 2015. Raises ConfigError for sizes below 1 and rates outside [0, 1).
    """

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        embedding: int = 64,
        hidden: int = 128,
        attention: bool = True,
        dropout: float = 0.0,
    ) -> None:
        self.embed = Embedding(source_vocabulary, embedding, weight_init=apart)
        self.encoder = Bidirectional(GRU(embedding, hidden, return_sequences=True))
        self.bridge = Linear(2 * hidden, hidden)
        memory = 2 * hidden + embedding * attention
        self.decoder = AttentionDecoder(
            target_vocabulary, embedding, hidden, memory, "gru", dropout
        )
        self.attention, self.dropout = attention, Dropout(dropout)

    def read(self, x: Tensor) -> Seen:
        mask, rows = x != PAD, self.dropout(self.embed(x))
        states, ends = self.encoder.run(rows, None, mask)
        last = ops.concat(list(ends), -1)  # (N, 2 hidden)
        state = ops.tanh(self.bridge(last))
        if not self.attention:
            return Seen(ops.expand_dims(last, 1), None, state)
        return Seen(ops.concat([rows, states], -1), mask, state)
