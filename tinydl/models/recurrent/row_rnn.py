"""A recurrent network that reads an image row by row and classifies its last state."""

from __future__ import annotations

from ...nn import Linear, Module, SimpleRNN
from ...tensor import Tensor


class RowRNN(Module):
    """h_t = tanh(dropout(x_t) W_x + h_{t-1} W_h + b), t = 1 ... T;  logits = h_T V + c.

    | layer | output for 28x28, 256 units | parameters | in letters |
    |---|---|---|---|
    | input: T rows of D pixels | (N, 28, 28) | | |
    | SimpleRNN, last state | (N, 256) | 72,960 | D H + H H + H |
    | Linear | (N, 10) | 2,570 | H C + C |
    | all | | 75,530 | |

    x: (N, T, input_size) float, any T; result: logits (N, classes) for `cross_entropy`.
    input_dropout: rate at which pixels of a row are dropped, one mask per sample for all its rows.
    W_x starts Glorot uniform, W_h orthogonal.

    Atienza, Advanced Deep Learning with TensorFlow 2 and Keras (2020), listing 1.5.1, equation
    1.5.1.
    """

    def __init__(
        self,
        input_size: int = 28,
        hidden_size: int = 256,
        classes: int = 10,
        input_dropout: float = 0.2,
    ) -> None:
        self.rnn = SimpleRNN(input_size, hidden_size, input_dropout=input_dropout)
        self.linear = Linear(hidden_size, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.rnn(x))
