"""Many to one: a review is read forwards and backwards, and judged once."""

from __future__ import annotations

from ...nn import LSTM, Bidirectional, Embedding, Linear, Module
from ...tensor import Tensor


class SentimentLSTM(Module):
    """Many to one: a = LSTM_1(e_1 ... e_T), b = LSTM_2(e_T ... e_1), each one's last state;
    logit = [a; b] V + c, P(positive) = sigmoid(logit).

    | layer | output for 200 words | parameters | in letters |
    |---|---|---|---|
    | input: words | (N, 200) integers | | |
    | Embedding | (N, 200, 128) | 640,000 | W D |
    | Bidirectional LSTM, last states | (N, 256) | 263,168 | 8 H (D + H + 1) |
    | Linear | (N, 1) | 257 | 2 H + 1 |
    | all | | 903,425 | |

    x: (N, T) int32 or int64, any T; result: logits (N, outputs): one for `bce_with_logits` with
    targets (N, 1) of 0 and 1, or one for each of more classes, for `cross_entropy`. dropout: of the
    inputs and of h in its product, one mask per review and direction for all steps (Gal and
    Ghahramani 2016). Word 0 pads; as in the book nothing masks it: what is padded at the front is
    read like any other word.

    Liu and Mehta, Hands-On Deep Learning Architectures (2019), chapter 6; both directions: Schuster
    and Paliwal 1997.
    """

    def __init__(
        self,
        words: int = 5_000,
        embedding_dim: int = 128,
        hidden_size: int = 128,
        dropout: float = 0.2,
        outputs: int = 1,
    ) -> None:
        self.embedding = Embedding(words, embedding_dim)
        self.lstm = Bidirectional(
            LSTM(embedding_dim, hidden_size, input_dropout=dropout, recurrent_dropout=dropout)
        )
        self.linear = Linear(2 * hidden_size, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.lstm(self.embedding(x)))
