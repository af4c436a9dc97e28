"""The convolutional GAN."""

from __future__ import annotations

from collections.abc import Sequence

from .game import Unlabelled
from .networks import down_critic, up_generator


class DCGAN(Unlabelled):
    """Strided convolutions in place of pooling, transposed ones in place of the dense layers.

    | generator | output for widths 64-128-256 | parameters |
    |---|---|---|
    | Linear, ReLU | (N, 4, 4, 256) | 413,696 |
    | ConvTranspose2d 5x5 stride 2, BatchNorm, ReLU | (N, 8, 8, 128) | 819,584 |
    | ConvTranspose2d 5x5 stride 2, BatchNorm, ReLU | (N, 16, 16, 64) | 204,992 |
    | ConvTranspose2d 5x5 stride 2, tanh | (N, 32, 32, 1) | 1,601 |
    | all | | 1,439,873 |

    | critic | output | parameters |
    |---|---|---|
    | Conv2d 5x5 stride 2, leaky ReLU 0.2 | (N, 16, 16, 64) | 1,664 |
    | Conv2d 5x5 stride 2, BatchNorm, leaky ReLU | (N, 8, 8, 128) | 205,184 |
    | Conv2d 5x5 stride 2, BatchNorm, leaky ReLU | (N, 4, 4, 256) | 819,968 |
    | Linear | (N, 1) | 4,097 |
    | all | | 1,030,913 |

    Pictures (N, *picture) in [-1, 1], sides multiples of 2^len(widths). Radford et al. 2016
    (arXiv:1511.06434), section 3, in the sizes of Liu and Mehta 2019, chapter 7: the book pads
    28x28 to 32x32 with 0 after scaling to [-1, 1], a grey frame that the generator has to learn
    (-1 is black), says 28x28 of what is 32x32, and that the layers' outputs are normalised where it
    is their inputs. Real and generated pictures are normalised as two batches. Losses:
    `TwoPlayers`. Raises ConfigError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (32, 32, 1),
        widths: Sequence[int] = (64, 128, 256),
        latent: int = 100,
    ) -> None:
        super().__init__(
            up_generator(latent, widths, picture), down_critic(picture, widths), latent
        )
