"""GANs whose critic measures the Wasserstein distance: by clipped weights, by a penalty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ConfigError
from ...function import no_grad
from ...nn import Module, gradient_penalty, wasserstein_critic, wasserstein_generator
from ...random import Generator
from ...tensor import Tensor
from .game import Unlabelled
from .networks import down_critic, up_generator


class Wasserstein(Unlabelled):
    """Critic: D(G(z)) - D(x), generator: -D(G(z)).

    W(p, q) = max over functions D of slope at most 1 of E_p D(x) - E_q D(x) (Kantorovich and
    Rubinstein): minus the critic's loss at its best, if its slope is bounded by 1; K times that,
    if by K. Unlike -log D it has a slope also where the two distributions do not overlap. Arjovsky
    et al. 2017 (arXiv:1701.07875).
    """

    def told_apart(self, real: Tensor, fake: Tensor) -> Tensor:
        return wasserstein_critic(real, fake)

    def passed_off(self, fake: Tensor) -> Tensor:
        return wasserstein_generator(fake)


class Clipped(Wasserstein):
    """The slope is bounded, by a constant that nobody knows, because every weight of the critic is
    moved back into [-clip, clip] after each step (algorithm 1 of the paper). ConfigError for a clip
    that is not above 0."""

    def __init__(self, generator: Module, critic: Module, latent: int, clip: float = 0.01) -> None:
        super().__init__(generator, critic, latent)
        if not clip > 0:
            raise ConfigError(f"{type(self).__name__}: needs clip > 0, got {clip}")
        self.clip = clip

    def after_critic(self) -> None:
        for parameter in self.critic.parameters():
            parameter.assign(np.clip(parameter.numpy(), -self.clip, self.clip))


class Penalised(Wasserstein):
    """The slope is held near 1 where it matters, between real and generated samples:

    D(G(z)) - D(x) + penalty (|grad D(x^)| - 1)^2, x^ = e x + (1 - e) G(z), e uniform per sample.
    Its gradient is a second derivative through the critic, which must look at every sample by
    itself (no batch normalisation). Gulrajani et al. 2017 (arXiv:1704.00028), equation 3.
    """

    def __init__(
        self, generator: Module, critic: Module, latent: int, penalty: float = 10.0
    ) -> None:
        super().__init__(generator, critic, latent)
        self.penalty_weight = penalty

    def critic_loss(self, real: Tensor, rng: Generator) -> Tensor:
        with no_grad():
            fake = self(self.noise(len(real), rng))
        distance = self.told_apart(self.critic(real), self.critic(fake))
        return distance + self.penalty_weight * gradient_penalty(self.critic, real, fake, rng=rng)


class WGAN(Clipped):
    """The networks of `DCGAN` (2,470,786 parameters), weights of the critic in [-clip, clip].

    Arjovsky et al. 2017 (arXiv:1701.07875), algorithm 1: RMSProp with rate 0.00005, five steps of
    the critic for one of the generator, clip 0.01. Raises ConfigError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (32, 32, 1),
        widths: Sequence[int] = (64, 128, 256),
        latent: int = 100,
        clip: float = 0.01,
    ) -> None:
        generator, critic = up_generator(latent, widths, picture), down_critic(picture, widths)
        super().__init__(generator, critic, latent, clip)


class WGANGP(Penalised):
    """The networks of `DCGAN`, the critic without batch normalisation (1,030,145 parameters, all
    2,470,018), with the gradient penalty.

    Gulrajani et al. 2017 (arXiv:1704.00028), algorithm 1: penalty 10, Adam with rate 0.0001, beta1
    0 and beta2 0.9, five steps of the critic for one of the generator. Raises ConfigError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (32, 32, 1),
        widths: Sequence[int] = (64, 128, 256),
        latent: int = 100,
        penalty: float = 10.0,
    ) -> None:
        generator = up_generator(latent, widths, picture)
        critic = down_critic(picture, widths, normed=False)
        super().__init__(generator, critic, latent, penalty)
