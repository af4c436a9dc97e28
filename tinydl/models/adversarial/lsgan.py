"""The GAN of least squares."""

from __future__ import annotations

from ...nn import least_squares_discriminator, least_squares_generator
from ...tensor import Tensor
from .dcgan import DCGAN


class LSGAN(DCGAN):
    """The networks of `DCGAN`; critic: (D(x) - 1)^2/2 + D(G(z))^2/2, generator: (D(G(z)) - 1)^2/2.

    A fake on the right side of the boundary and far from it still pulls, where the logarithm is
    flat; with labels 1 and 0 this is equation 9 of Mao et al. 2017 (arXiv:1611.04076). The optimal
    critic is p / (p + q), as that of the first GAN is after its sigmoid. 2,470,786 parameters.
    """

    def told_apart(self, real: Tensor, fake: Tensor) -> Tensor:
        return least_squares_discriminator(real, fake)

    def passed_off(self, fake: Tensor) -> Tensor:
        return least_squares_generator(fake)
