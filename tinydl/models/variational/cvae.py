"""The conditional variational autoencoder: encoder and decoder are told the class."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ... import ops
from ...tensor import Tensor
from ..feedforward.mlp import MLP
from .bound import Variational, check_pictures


class CVAE(Variational):
    """(x, y) -> (m, s);  (z, y) -> logits: a bound on log p(x|y), y as one-hot row.

    | layer | output | parameters for 28x28x1, 500-20, 10 classes |
    |---|---|---|
    | encoder: Linear, tanh | (N, 500) | 397,500 |
    | Linear to m and s | (N, 40) | 20,040 |
    | decoder: Linear, tanh | (N, 500) | 15,500 |
    | Linear, as a picture | (N, 28, 28, 1) | 392,784 |
    | all | | 825,824 |

    Every method takes the labels (N,) after x or z: loss(x, labels, rng=rng),
    sample(count, rng, labels). The prior stays N(0, 1) whatever the class, so that z is left to say
    what the class does not: Kingma et al. 2014 (arXiv:1406.5298), model M2 with labels; Sohn et al.
    2015 learn a prior p(z|y) too. Raises ConfigError; calls ShapeError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (28, 28, 1),
        classes: int = 10,
        hidden: Sequence[int] = (500,),
        latent: int = 20,
        beta: float = 1.0,
        activation: str = "tanh",
    ) -> None:
        super().__init__(latent, beta)
        self.picture, self.classes = tuple(picture), classes
        pixels = prod(self.picture)
        self.encoder = MLP((pixels + classes, *hidden, 2 * latent), activation)
        self.decoder = MLP((latent + classes, *reversed(hidden), pixels), activation)

    def encode(self, x: Tensor, *given: Tensor) -> tuple[Tensor, Tensor]:
        check_pictures("CVAE", x, self.picture)
        both = self.encoder(self._told(x.reshape(len(x), -1), *given))
        return both[:, : self.latent], both[:, self.latent :]

    def decode(self, z: Tensor, *given: Tensor) -> Tensor:
        return self.decoder(self._told(z, *given)).reshape(len(z), *self.picture)

    def _told(self, values: Tensor, labels: Tensor) -> Tensor:
        rows = ops.one_hot(labels, self.classes, values.dtype)
        return ops.concat([values, rows], axis=1)
