"""The variational autoencoder of convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ...errors import ConfigError
from ...nn import Conv2d, ConvTranspose2d, Flatten, Linear, Module, ReLU, Sequential
from ...tensor import Tensor
from .bound import Variational, check_pictures


class ConvVAE(Variational):
    """Convolutions of stride 2 down to the code, transposed ones back up.

    | layer | output for 28x28x1, widths 32-64 | parameters |
    |---|---|---|
    | encoder: Conv2d 3x3 stride 2, ReLU | (N, 14, 14, 32) | 320 |
    | Conv2d 3x3 stride 2, ReLU | (N, 7, 7, 64) | 18,496 |
    | Linear, ReLU | (N, 16) | 50,192 |
    | Linear to m and s | (N, 4) | 68 |
    | decoder: Linear, ReLU | (N, 7, 7, 64) | 9,408 |
    | ConvTranspose2d 3x3 stride 2, ReLU | (N, 14, 14, 64) | 36,928 |
    | ConvTranspose2d 3x3 stride 2, ReLU | (N, 28, 28, 32) | 18,464 |
    | ConvTranspose2d 3x3 | (N, 28, 28, 1) | 289 |
    | all | | 134,165 |

    picture: (H, W, C), H and W multiples of 2^len(widths); hidden: width of the Linear before the
    code. With two numbers a code is a place on a plane, where a grid of decoded codes shows what
    was learnt. After Kingma and Welling 2014 (arXiv:1312.6114), whose networks are dense. Raises
    ConfigError; calls ShapeError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (28, 28, 1),
        widths: Sequence[int] = (32, 64),
        hidden: int = 16,
        latent: int = 2,
        beta: float = 1.0,
    ) -> None:
        super().__init__(latent, beta)
        H, W, C = self.picture = tuple(picture)
        shrink = 2 ** len(widths)
        if not widths or H % shrink or W % shrink:
            raise ConfigError(
                f"ConvVAE: the sides of a picture must be multiples of 2^{len(widths)} for the "
                f"widths {tuple(widths)}, got {self.picture}"
            )
        self.core = (H // shrink, W // shrink, widths[-1])  # what the last convolution gives
        cells = self.core[0] * self.core[1] * self.core[2]
        down: list[Module] = []
        for a, b in pairwise((C, *widths)):
            down += [Conv2d(a, b, 3, stride=2, padding="same"), ReLU()]
        down += [Flatten(), Linear(cells, hidden), ReLU(), Linear(hidden, 2 * latent)]
        self.encoder = Sequential(*down)
        self.start = Sequential(Linear(latent, cells), ReLU())
        up: list[Module] = []
        for a, b in pairwise((widths[-1], *reversed(widths))):
            up += [ConvTranspose2d(a, b, 3, stride=2, padding="same"), ReLU()]
        self.decoder = Sequential(*up, ConvTranspose2d(widths[0], C, 3, padding="same"))

    def encode(self, x: Tensor, *given: Tensor) -> tuple[Tensor, Tensor]:
        check_pictures("ConvVAE", x, self.picture)
        both = self.encoder(x)
        return both[:, : self.latent], both[:, self.latent :]

    def decode(self, z: Tensor, *given: Tensor) -> Tensor:
        return self.decoder(self.start(z).reshape(len(z), *self.core))
