"""Many to many, one after the other: a series is read to its end, then its future is written."""

from __future__ import annotations

from ...arguments import whole
from ...nn import GRU, Linear, Module
from ...ops import stack
from ...tensor import Tensor


class Forecaster(Module):
    """Many to many, unsynced: s = GRU_1(x_1 ... x_T), then for t = 1 ... steps
    s = GRU_2(y_{t-1}, s), y_t = y_{t-1} + s V + c, beginning at y_0 = x_T.

    | layer | output for 40 values, 20 to tell | parameters in letters |
    |---|---|---|
    | input: T values | (N, 40, 1) | |
    | GRU that reads, last state | (N, 48) | 3 H (D + H + 2) |
    | GRU that writes, 20 times one step | (N, 48) | 3 H (D + H + 2) |
    | Linear | (N, 20, 1) | D (H + 1) |

    x: (N, T, features) float, any T; result (N, steps, features) for `mse`. T and `steps` need not
    be equal, and nothing is told before all was read. While it writes it sees its own values, in
    training too. (Sutskever et al. 2014, arXiv 1409.3215, for sentences.)
    """

    def __init__(self, steps: int = 20, features: int = 1, hidden_size: int = 48) -> None:
        self.steps = whole("Forecaster", "steps", steps, 1)
        self.reader = GRU(features, hidden_size)
        self.writer = GRU(features, hidden_size)
        self.linear = Linear(hidden_size, features)

    def forward(self, x: Tensor) -> Tensor:
        state, value, told = self.reader(x), x[:, -1], []
        for _ in range(self.steps):
            state = self.writer(value.reshape(len(x), 1, -1), state)
            value = value + self.linear(state)
            told.append(value)
        return stack(told, 1)
