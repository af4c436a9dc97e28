"""A GAN for points of the plane: the smallest pair of networks that can fail by mode collapse."""

from __future__ import annotations

from ..feedforward.mlp import MLP
from .game import Unlabelled
from .wgan import Penalised


def _networks(latent: int, hidden: int) -> tuple[MLP, MLP]:
    return MLP((latent, hidden, hidden, 2)), MLP((2, hidden, hidden, 1))


class RingGAN(Unlabelled):
    """G: z ~ N(0, 1)^L -> a point; D: a point -> one number, high for points of the data.

    | network | layers | parameters for L = 2, hidden 64 |
    |---|---|---|
    | generator | L - H - H - 2, ReLU | 4,482 |
    | critic | 2 - H - H - 1, ReLU | 4,417 |
    | all | | 8,899 |

    The losses are those of Goodfellow et al. 2014 (arXiv:1406.2661), see `TwoPlayers`.
    """

    distribution = "normal"

    def __init__(self, latent: int = 2, hidden: int = 64) -> None:
        super().__init__(*_networks(latent, hidden), latent)


class RingWGAN(Penalised):
    """The same networks with the losses of WGAN-GP, Gulrajani et al. 2017 (arXiv:1704.00028):

    critic: D(G(z)) - D(x) + penalty (|grad D(x^)| - 1)^2, x^ between the two; generator: -D(G(z)).
    """

    distribution = "normal"

    def __init__(self, latent: int = 2, hidden: int = 64, penalty: float = 0.1) -> None:
        super().__init__(*_networks(latent, hidden), latent, penalty)
