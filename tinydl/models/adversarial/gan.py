"""The first GAN of pictures: two dense networks, each the other's mirror."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from .game import Unlabelled
from .networks import dense_critic, dense_generator


class GAN(Unlabelled):
    """Noise -> 256 -> 512 -> 1024 -> a picture;  a picture -> 1024 -> 512 -> 256 -> one number.

    | network | layers | parameters for 28x28x1, noise of 100 |
    |---|---|---|
    | generator | 100-256-512-1024-784, leaky ReLU 0.2, tanh at the end | 1,486,352 |
    | critic | 784-1024-512-256-1, leaky ReLU 0.2 | 1,460,225 |
    | all | | 2,946,577 |

    Pictures (N, *picture) in [-1, 1]; widths: of the generator, the critic has them backwards;
    losses: `TwoPlayers`. Goodfellow et al. 2014 (arXiv:1406.2661). Liu and Mehta 2019, chapter 7,
    take Adam with rate 0.0002 and beta1 0.5 for both, weights from N(0, 0.02), and two steps of the
    generator for each one of the critic, all three with the same noise; here every step draws its
    own. The book's text has the labels of the critic's loss exchanged (its code is right), and says
    "in each epoch" where it means each step.
    """

    def __init__(
        self,
        picture: Sequence[int] = (28, 28, 1),
        widths: Sequence[int] = (256, 512, 1024),
        latent: int = 100,
    ) -> None:
        pixels, back = prod(picture), tuple(reversed(widths))
        super().__init__(
            dense_generator(latent, widths, picture), dense_critic(pixels, back), latent
        )
