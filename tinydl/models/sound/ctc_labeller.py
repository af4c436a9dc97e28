"""A bidirectional LSTM that spells a sequence without being told where a label begins."""

from __future__ import annotations

import numpy as np

from ...nn import LSTM, Linear, Module, StackedRNN, ctc, ctc_greedy
from ...tensor import Tensor


class CTCLabeller(Module):
    """Layers of bidirectional LSTMs, and at every step logits of the labels and of the blank.

    | layer | output for D = 3, 48 units, 2 layers, 10 labels | parameters | in letters |
    |---|---|---|---|
    | LSTM both ways | (N, T, 96) | 19,968 | 2 (D + H + 1) 4H |
    | LSTM both ways | (N, T, 96) | 55,680 | 2 (2H + H + 1) 4H |
    | Linear | (N, T, 11) | 1,067 | (2H + 1) (C + 1) |
    | all | | 76,715 | |

    x (N, T, input_size) float; steps (N,) int, how many of a row's steps count, None: all. Result:
    logits (N, T, classes + 1); class 0 is the blank, label k is class k + 1. The probability of
    labels is the sum over all alignments that spell them (`nn.ctc`): -aa--bb and a--bbbb- are both
    "ab".

    Graves, Fernandez, Gomez and Schmidhuber, Connectionist temporal classification, ICML 2006,
    doi:10.1145/1143844.1143891; Graves et al. 2009, doi:10.1109/TPAMI.2008.137 (pen tracks).
    """

    def __init__(
        self,
        input_size: int = 3,
        hidden_size: int = 48,
        classes: int = 10,
        layers: int = 2,
        dropout: float = 0.0,
    ) -> None:
        self.rnn = StackedRNN.of(
            LSTM,
            input_size,
            hidden_size,
            layers,
            bidirectional="concat",
            dropout=dropout,
            return_sequences=True,
        )
        self.linear = Linear(2 * hidden_size, classes + 1)

    def forward(self, x: Tensor, steps: np.ndarray | None = None) -> Tensor:
        if steps is None:
            return self.linear(self.rnn(x))
        inside = np.arange(x.shape[1]) < np.asarray(steps)[:, None]
        return self.linear(self.rnn(x, mask=Tensor(inside, backend=x.backend)))

    def loss(self, x: Tensor, steps: np.ndarray, labels: np.ndarray, counts: np.ndarray) -> Tensor:
        """-log P(labels | x), each divided by its number of labels, and the mean (`nn.ctc`)."""
        logits = self(x, steps)
        return ctc(logits, Tensor(labels + 1, backend=x.backend), steps, counts)

    def spell(self, x: Tensor, steps: np.ndarray | None = None) -> list[list[int]]:
        """The labels that the best alignment of each row spells."""
        return [[c - 1 for c in row] for row in ctc_greedy(self(x, steps), steps)]
