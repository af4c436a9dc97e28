"""Monte-Carlo dropout: a network that goes on dropping units when it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from ... import ops
from ...arguments import probability
from ...errors import ConfigError
from ...nn import Linear, cross_entropy
from ...random import Generator
from ...tensor import Tensor
from .predictive import Doubting


class DropoutMLP(Doubting):
    """h_i = relu(dropout(h_(i-1)) W_i + b_i); logits = dropout(h_(k-1)) W_k + b_k.

    | layer | output | parameters for 784-200-200-10 |
    |---|---|---|
    | Linear, relu, dropout | (N, 200) | 157,000 |
    | Linear, relu, dropout | (N, 200) | 40,200 |
    | Linear | (N, 10) | 2,010 |
    | all | | 199,210 |

    sizes: input, hidden layers, classes; rate: of the hidden units; input_rate: of the inputs. Each
    sample of a batch loses units of its own. Dropped units are drawn networks: with an L2 penalty
    in training this is variational inference with q of two spikes per unit, Gal and Ghahramani 2016
    (arXiv:1506.02142), and dropping on while predicting draws from it. Rates 0: an ordinary
    network, all of whose draws are the same. Raises ConfigError.
    """

    by_row: ClassVar[bool] = True

    def __init__(
        self,
        sizes: Sequence[int] = (784, 200, 200, 10),
        rate: float = 0.5,
        input_rate: float = 0.0,
    ) -> None:
        if len(sizes) < 2:
            raise ConfigError(f"DropoutMLP: needs at least two sizes, got {tuple(sizes)}")
        self.rates = [
            probability("DropoutMLP", "input_rate", input_rate),
            *[probability("DropoutMLP", "rate", rate)] * (len(sizes) - 2),
        ]
        self.layers = [Linear(a, b, weight_init="he_normal") for a, b in pairwise(sizes)]

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the network with all its units: the weight-averaged point estimate."""
        for k, layer in enumerate(self.layers):
            x = layer(x if k == 0 else ops.relu(x))
        return x

    def draw(self, x: Tensor, rng: Generator) -> Tensor:
        for k, (layer, rate) in enumerate(zip(self.layers, self.rates, strict=True)):
            x = layer(ops.dropout(x if k == 0 else ops.relu(x), rate, True, rng))
        return x

    def loss(self, x: Tensor, labels: Tensor, rng: Generator, of: int) -> Tensor:
        return cross_entropy(self.draw(x, rng), labels)
