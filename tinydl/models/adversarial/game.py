"""What adversarial networks share: the noise, who minimises what, and the samples."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ... import ops
from ...creation import normal, uniform
from ...errors import ConfigError
from ...function import no_grad
from ...nn import Module, looking
from ...ops import softplus
from ...random import Generator
from ...tensor import Tensor


class TwoPlayers(Module):
    """A generator G and a critic D, which says how real a sample looks: any number, high is real.

    With D(x) = sigmoid(critic(x)) it is min_G max_D E log D(x) + E log(1 - D(G(z))), Goodfellow et
    al. 2014 (arXiv:1406.2661), equation 1. The critic minimises -log D(x) - log(1 - D(G(z))); the
    generator does not minimise log(1 - D(G(z))), which is flat where it loses, but -log D(G(z))
    (section 3). For G perfect and D = 1/2: 2 log 2 = 1.386 and log 2 = 0.693. Other games override
    `told_apart` and `passed_off`; `critic_loss` and `generator_loss` say what the networks are fed
    with.

    Training: an optimiser for `generator.parameters()`, one for `critic.parameters()`, and
    `after_critic()` after each step of the critic.
    """

    def __init__(self, generator: Module, critic: Module) -> None:
        self.generator, self.critic = generator, critic

    def told_apart(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the critic minimises of its outputs for real and for generated samples."""
        # -log sigmoid(d) = softplus(-d), -log(1 - sigmoid(d)) = softplus(d)
        return (softplus(-real) + softplus(fake)).mean()

    def passed_off(self, fake: Tensor) -> Tensor:
        """What the generator minimises of the critic's outputs for generated samples."""
        return softplus(-fake).mean()

    def after_critic(self) -> None:
        """Called after every step of the critic: nothing, unless its weights are bounded."""


class Game(TwoPlayers):
    """Two players, the generator fed with noise: `latent` numbers, uniform on [-1, 1).

    `sample(count, rng)` draws. Samples are in [-1, 1]. Raises ConfigError for a latent below 1.
    """

    distribution: ClassVar[str] = "uniform"

    def __init__(self, generator: Module, critic: Module, latent: int) -> None:
        if latent < 1:
            raise ConfigError(f"{type(self).__name__}: needs latent >= 1, got {latent}")
        super().__init__(generator, critic)
        self.latent = latent

    def noise(self, count: int, rng: Generator) -> Tensor:
        """Noise vectors (count, latent): uniform on [-1, 1), or standard normal."""
        shape, kind, room = (count, self.latent), self.dtype, self.backend
        if self.distribution == "normal":
            return normal(shape, dtype=kind, rng=rng, backend=room)
        return uniform(shape, low=-1.0, high=1.0, dtype=kind, rng=rng, backend=room)

    def forward(self, z: Tensor, *given: Tensor) -> Tensor:
        """G(z): samples for noise vectors (N, latent)."""
        return self.generator(z)


class Unlabelled(Game):
    """The critic is fed with x, the generator with noise."""

    def critic_loss(self, real: Tensor, rng: Generator) -> Tensor:
        """For samples `real` (N, ...) and as many generated ones, through which nothing flows."""
        with no_grad():
            fake = self(self.noise(len(real), rng))
        return self.told_apart(self.critic(real), self.critic(fake))

    def generator_loss(self, count: int, rng: Generator) -> Tensor:
        """For `count` noise vectors."""
        return self.passed_off(self.critic(self(self.noise(count, rng))))

    def sample(self, count: int, rng: Generator) -> Tensor:
        """`count` generated samples, with running statistics, nothing recorded."""
        z = self.noise(count, rng)
        with looking(self):
            return self(z)


class Labelled(Game):
    """Both networks are told the class y: E log D(x|y) + E log(1 - D(G(z|y)|y)).

    The generator gets noise beside the one-hot row of y; `beside` puts y beside a sample for the
    critic. Real and generated samples of a step of the critic have the same labels; a step of the
    generator draws its labels evenly. Mirza and Osindero 2014 (arXiv:1411.1784), equation 2.
    """

    def __init__(self, generator: Module, critic: Module, latent: int, classes: int) -> None:
        super().__init__(generator, critic, latent)
        self.classes = classes

    def forward(self, z: Tensor, *given: Tensor) -> Tensor:
        """G(z|y): samples for noise vectors (N, latent) and labels (N,)."""
        return self.generator(ops.concat([z, self.rows(*given)], axis=1))

    def rows(self, labels: Tensor) -> Tensor:
        """One-hot rows (N, classes) of labels (N,)."""
        return ops.one_hot(labels, self.classes, self.dtype)

    def labels(self, count: int, rng: Generator) -> Tensor:
        """Labels (count,), each class as probable as the others."""
        return Tensor(rng.integers(0, self.classes, count), backend=self.backend)

    def beside(self, x: Tensor, labels: Tensor) -> Tensor:
        """What the critic is fed with."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its critic is fed with")

    def critic_loss(self, real: Tensor, labels: Tensor, rng: Generator) -> Tensor:
        """For samples `real` (N, ...) of classes `labels` (N,), and generated ones of the same."""
        with no_grad():
            fake = self(self.noise(len(real), rng), labels)
        return self.told_apart(
            self.critic(self.beside(real, labels)), self.critic(self.beside(fake, labels))
        )

    def generator_loss(self, count: int, rng: Generator) -> Tensor:
        """For `count` noise vectors and labels."""
        labels = self.labels(count, rng)
        fake = self(self.noise(count, rng), labels)
        return self.passed_off(self.critic(self.beside(fake, labels)))

    def sample(self, count: int, rng: Generator, labels: Tensor | None = None) -> Tensor:
        """`count` generated samples of these classes, None: of 0, 1, ... in turn; nothing
        recorded."""
        z = self.noise(count, rng)
        if labels is None:
            labels = Tensor(np.arange(count) % self.classes, backend=self.backend)
        with looking(self):
            return self(z, labels)


class Translator(TwoPlayers):
    """Two players, the generator fed with pictures of another kind: both losses take (x, y, rng),
    and `translate(x)` draws."""

    def forward(self, x: Tensor) -> Tensor:
        """G(x): what of the kind of y belongs to x."""
        return self.generator(x)

    def translate(self, x: Tensor) -> Tensor:
        """G(x) without dropout, with running statistics, nothing recorded."""
        with looking(self):
            return self(x)
