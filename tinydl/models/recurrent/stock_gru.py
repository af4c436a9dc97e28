"""Many to one: the price of tomorrow from the prices of the last days."""

from __future__ import annotations

from ...nn import GRU, Linear, Module
from ...tensor import Tensor


class StockGRU(Module):
    """y = GRU(x_1 ... x_T) V + c: the next price as a multiple of the last one.

    | layer | output for 10 days | parameters | in letters |
    |---|---|---|---|
    | input: T prices / the last of them | (N, 10, 1) | | |
    | GRU, last state | (N, 256) | 198,144 | 3 H (D + H + 1) |
    | Linear | (N, 1) | 257 | H + 1 |
    | all | | 198,401 | |

    x: (N, T, 1) float of `scaled_windows`; result (N, 1) for `mse`. The reset gate acts on the
    state before its product, as in the book's equations (one bias vector): Cho et al. 2014.

    Liu and Mehta, Hands-On Deep Learning Architectures (2019), chapter 6, which prints no count.
    """

    def __init__(self, features: int = 1, hidden_size: int = 256) -> None:
        self.gru = GRU(features, hidden_size, reset_after=False)
        self.linear = Linear(hidden_size, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.gru(x))
