"""The multilayer perceptron: linear layers with an activation, and dropout, between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ...errors import ConfigError
from ...nn import L2, Dropout, Linear, Module, ReLU, Sequential, Sigmoid, Tanh
from ...tensor import Tensor

ACTIVATIONS: dict[str, type[Module]] = {"relu": ReLU, "tanh": Tanh, "sigmoid": Sigmoid}


class MLP(Module):
    """h_0 = x;  h_i = dropout(activation(h_{i-1} W_i + b_i));  logits = h_{k-1} W_k + b_k.

    | layer | output | parameters | for 784-256-256-10 |
    |---|---|---|---|
    | input | (N, S0) | | |
    | Linear S0 -> S1, activation, Dropout | (N, S1) | S0 S1 + S1 | 200,960 |
    | Linear S1 -> S2, activation, Dropout | (N, S2) | S1 S2 + S2 | 65,792 |
    | Linear S2 -> C | (N, C) | S2 C + C | 2,570 |
    | all | | | 269,322 |

    sizes: input, hidden layers, classes. x: (N, sizes[0]) float; result: logits (N, sizes[-1]) for
    `cross_entropy`. activation: "relu", "tanh", "sigmoid", or None for a product of matrices (which
    can learn no more than one of them). dropout: rate after each hidden layer. l2: strength of an
    L2 penalty on the hidden layers' weights, l2 * sum w^2. Raises ConfigError for an unknown
    activation or fewer than two sizes.

    Atienza, Advanced Deep Learning with TensorFlow 2 and Keras (2020), listing 1.3.2; Gulli and Pal
    (2017), chapter 1 (784-128-128-10).
    """

    def __init__(
        self,
        sizes: Sequence[int] = (784, 256, 256, 10),
        activation: str | None = "relu",
        dropout: float = 0.0,
        l2: float = 0.0,
        bias_init: str = "zeros",
    ) -> None:
        if len(sizes) < 2 or activation not in (*ACTIVATIONS, None):
            raise ConfigError(
                f"MLP: needs at least two sizes and an activation of {', '.join(ACTIVATIONS)} or "
                "None; "
                f"got {tuple(sizes)} and {activation!r}"
            )
        layers: list[Module] = []
        for d_in, d_out in pairwise(sizes[:-1]):
            penalty = L2(l2) if l2 else None
            layers.append(Linear(d_in, d_out, weight_penalty=penalty, bias_init=bias_init))
            if activation is not None:
                layers.append(ACTIVATIONS[activation]())
            if dropout:
                layers.append(Dropout(dropout))
        layers.append(Linear(sizes[-2], sizes[-1], bias_init=bias_init))
        self.layers = Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
