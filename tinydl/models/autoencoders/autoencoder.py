"""The autoencoder of dense layers, shallow and deep."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ...doors import checked
from ...errors import ConfigError
from ...nn import Linear, Module, Sequential, mse
from ...tensor import Tensor
from ..feedforward.mlp import ACTIVATIONS


class Autoencoder(Module):
    """h = f(x), y = g(h), trained to y = x; the decoder g mirrors the encoder f.

    | layer | output | for (29, 40) | for (29, 80, 40) |
    |---|---|---|---|
    | encoder: Linear and activation, for each size | (N, sizes[-1]) | 1,200 | 2,400 + 3,240 |
    | decoder: the same back, the last one linear | (N, sizes[0]) | 1,189 | 3,280 + 2,349 |
    | all | | 2,389 | 11,269 |

    sizes: features, hidden sizes, code. activation: "relu", "tanh" or "sigmoid". x (N, sizes[0])
    float -> y of that shape. ConfigError.

    With as many code units as features or more nothing keeps f and g from being the identity; what
    does in 29-40-29 is only how it is trained, and one of the penalties of the other classes here.
    As a detector of anomalies it learns from normal rows alone, and `errors` is the score.

    Hinton and Salakhutdinov 2006 (Science 313). Liu and Mehta, chapter 3: vanilla and deep.
    """

    @checked
    def __init__(self, sizes: Sequence[int] = (29, 40), activation: str = "relu") -> None:
        if len(sizes) < 2 or activation not in ACTIVATIONS:
            raise ConfigError(
                f"{type(self).__name__}: needs at least two sizes and an activation of "
                f"{', '.join(ACTIVATIONS)}; got {tuple(sizes)} and {activation!r}"
            )
        self.sizes, self.activation = tuple(sizes), activation
        self.encoder = Sequential(*self._layers(self.sizes))
        self.decoder = Sequential(*self._layers(self.sizes[::-1])[:-1])

    def _layers(self, sizes: Sequence[int]) -> list[Module]:
        """Linear, activation, Linear, activation, ..."""
        activation = ACTIVATIONS[self.activation]
        return [m for pair in pairwise(sizes) for m in (Linear(*pair), activation())]

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))

    def errors(self, x: Tensor) -> Tensor:
        """The mean squared error of each row, (N,): how unlike the training rows it is."""
        away = self(x) - x
        return (away * away).mean(axis=1)

    def loss(self, x: Tensor) -> Tensor:
        """Mean over rows and features of (y - x)^2."""
        return mse(self(x), x)
