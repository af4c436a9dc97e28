"""One to many: one vector is read, a word is written."""

from __future__ import annotations

from ...nn import LSTM, Linear, Module, RepeatVector
from ...tensor import Tensor


class Speller(Module):
    """One to many: h_t, c_t = LSTM(x, h_{t-1}, c_{t-1}), the same x at every step t = 1 ... T;
    logits_t = h_t V + c.

    | layer | output for three digits, 31 letters | parameters in letters |
    |---|---|---|
    | input: D numbers | (N, 30) | |
    | RepeatVector | (N, 31, 30) | |
    | LSTM, all states | (N, 31, 96) | 4 H (D + H + 1) |
    | Linear at every step | (N, 31, 22) | C (H + 1) |

    x: (N, input_size) float; result: logits (N, steps, classes) for `cross_entropy` with letters
    (N, steps). Letters are told apart by the state alone: none sees which letter was chosen before
    it, which is enough where one input has one answer (compare `TextGenerator`).

    Liu and Mehta, Hands-On Deep Learning Architectures (2019), chapter 6, draw the pattern "one to
    many" and give no example of it.
    """

    def __init__(
        self, input_size: int = 30, hidden_size: int = 96, steps: int = 31, classes: int = 22
    ) -> None:
        self.repeat = RepeatVector(steps)
        self.lstm = LSTM(input_size, hidden_size, return_sequences=True)
        self.linear = Linear(hidden_size, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.lstm(self.repeat(x)))
