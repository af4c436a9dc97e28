"""Two clocks: an LSTM that reads a row pixel by pixel, and one that reads row after row."""

from __future__ import annotations

from ... import ops
from ...nn import LSTM, Linear, Module
from ...tensor import Tensor


class HierarchicalRNN(Module):
    """r_i = last state of LSTM_1 over the pixels of row i;  h = last state of LSTM_2 over r_1 ...
    r_H;  logits = h W + b.

    | layer | output for 8x8, 32 and 32 units | parameters | in letters |
    |---|---|---|---|
    | input: H rows of W pixels as H N sequences | (8 N, 8, 1) | | |
    | LSTM over a row's pixels | (8 N, 32) | 4,352 | (1 + R + 1) 4R |
    | LSTM over the rows | (N, 32) | 8,320 | (R + C + 1) 4C |
    | Linear | (N, 10) | 330 | (C + 1) K |
    | all | | 13,002 | |

    x (N, H, W) float, any H and W; result: logits (N, classes) for `cross_entropy`. What must be
    remembered lies at most H + W steps back, in the flat network (`FlatRNN`) H W steps; and the
    rows are read side by side.

    Schmidhuber, Learning complex, extended sequences using the principle of history compression,
    Neural Computation 4 (1992) 234; El Hihi and Bengio, Hierarchical recurrent neural networks for
    long-term dependencies, NIPS 1995; on digits as in Keras' example of that name.
    """

    def __init__(self, row_size: int = 32, hidden_size: int = 32, classes: int = 10) -> None:
        self.row = LSTM(1, row_size)
        self.column = LSTM(row_size, hidden_size)
        self.linear = Linear(hidden_size, classes)

    def forward(self, x: Tensor) -> Tensor:
        N, H, W = x.shape
        rows = self.row(ops.reshape(x, (N * H, W, 1)))
        return self.linear(self.column(ops.reshape(rows, (N, H, rows.shape[1]))))


class FlatRNN(Module):
    """h = last state of one LSTM over all pixels, row after row;  logits = h W + b.

    | layer | output for 8x8, 55 units | parameters | in letters |
    |---|---|---|---|
    | input: H W pixels | (N, 64, 1) | | |
    | LSTM | (N, 55) | 12,540 | (1 + C + 1) 4C |
    | Linear | (N, 10) | 560 | (C + 1) K |
    | all | | 13,100 | |

    x (N, H, W) float; result: logits (N, classes). What `HierarchicalRNN` stands beside: about as
    many parameters, one clock.

    Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9 (1997) 1735; pixel by
    pixel as in Le, Jaitly and Hinton 2015, arXiv 1504.00941.
    """

    def __init__(self, hidden_size: int = 55, classes: int = 10) -> None:
        self.rnn = LSTM(1, hidden_size)
        self.linear = Linear(hidden_size, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.rnn(ops.reshape(x, (x.shape[0], -1, 1))))
