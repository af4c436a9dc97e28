"""The variational autoencoder of fully connected layers."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...tensor import Tensor
from ..feedforward.mlp import MLP
from .bound import Variational, check_pictures


class VAE(Variational):
    """x -> tanh layers -> (m, s);  z -> tanh layers -> logits of the pixels.

    | layer | output | parameters for 28x28x1, 500-20 |
    |---|---|---|
    | encoder: Linear, tanh | (N, 500) | 392,500 |
    | Linear to m and s | (N, 40) | 20,040 |
    | decoder: Linear, tanh | (N, 500) | 10,500 |
    | Linear, as a picture | (N, 28, 28, 1) | 392,784 |
    | all | | 815,824 |

    picture: shape of one x; hidden: widths of the encoder, the decoder has them backwards. Losses,
    bounds and samples: `Variational`. Kingma and Welling 2014 (arXiv:1312.6114), appendix C.
    Raises ConfigError; calls ShapeError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (28, 28, 1),
        hidden: Sequence[int] = (500,),
        latent: int = 20,
        beta: float = 1.0,
        activation: str = "tanh",
    ) -> None:
        super().__init__(latent, beta)
        self.picture = tuple(picture)
        pixels = prod(self.picture)
        self.encoder = MLP((pixels, *hidden, 2 * latent), activation)
        self.decoder = MLP((latent, *reversed(hidden), pixels), activation)

    def encode(self, x: Tensor, *given: Tensor) -> tuple[Tensor, Tensor]:
        check_pictures("VAE", x, self.picture)
        both = self.encoder(x.reshape(len(x), -1))
        return both[:, : self.latent], both[:, self.latent :]

    def decode(self, z: Tensor, *given: Tensor) -> Tensor:
        return self.decoder(z).reshape(len(z), *self.picture)
