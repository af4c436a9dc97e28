"""A stack of two GANs: one makes the features of a class, the other the picture of features."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ... import ops
from ...errors import ConfigError
from ...function import no_grad
from ...nn import (
    Conv2d,
    Flatten,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    cross_entropy,
    mse,
)
from ...quoting import quoted
from ...random import Generator
from ...tensor import Tensor
from .game import Labelled
from .networks import FIRST, dense, down, norm, start_shape, up_generator


class Levels(Module):
    """Two networks, one for each level: of features, and of pictures."""

    def __init__(self, features: Module, pictures: Module) -> None:
        self.features, self.pictures = features, pictures


class Encoder(Module):
    """The classifier of real pictures that the stack turns around: picture -> features h >= 0
    (N, hidden) -> logits (N, classes)."""

    def __init__(
        self, picture: Sequence[int], filters: Sequence[int], hidden: int, classes: int
    ) -> None:
        H, W, C = picture
        first, second = filters
        self.features = Sequential(
            Conv2d(C, first, 3, padding="same"), ReLU(), MaxPool2d(2),
            Conv2d(first, second, 3, padding="same"), ReLU(), MaxPool2d(2),
            Flatten(), Linear(H // 4 * (W // 4) * second, hidden), ReLU(),
        )  # fmt: skip
        self.classes = Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.features(x))


class ScoreAndNoise(Module):
    """A sample -> (how real it looks (N, 1), the noise it was made of (N, latent))."""

    def __init__(self, features: Sequence[Module], width: int, latent: int) -> None:
        self.features = Sequential(*features)
        self.source = Linear(width, 1, weight_init=FIRST)
        self.noise = Linear(width, latent, weight_init=FIRST)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.features(x)
        return self.source(seen), self.noise(seen)


class StackedGAN(Labelled):
    """y, z1 -> features h of the class;  h, z0 -> a picture. Each level has a critic of its own.

    | network | layers for 32x32x1, 10 classes, noise of 50 for each level | parameters |
    |---|---|---|
    | encoder | 3x3 32, pool, 3x3 64, pool, Linear 256 = h; Linear 10 | 1,070,218 |
    | generator of h | 60-512-512-256, BatchNorm, ReLU | 427,264 |
    | generator of pictures | DCGAN's of 256+50 inputs | 2,283,649 |
    | critic of h | 256-256-256, leaky ReLU 0.2; to 1 and to 50 | 144,691 |
    | critic of pictures | DCGAN's convolutions; to 1 and to 50 | 1,235,763 |
    | all | | 5,161,585 |

    The encoder E is trained first, as a classifier (`fit(model.encoder, ..., cross_entropy)`), and
    then frozen (`model.encoder.freeze()`); its features of real pictures are what the critic of h
    takes for real. On each level the generator minimises

    - adversarial: `passed_off`
    - conditional: E reads back what was asked for: cross-entropy of y from h, mse of h from the
      picture; times `conditional`
    - entropy: the critic's second head reads back the noise, mse times `entropy` (of features, of
      pictures), so that noise matters; the critic minimises this too

    and the critic `told_apart`. In the paper's first stage each level is trained by itself: the
    generator of pictures gets the encoder's h of real pictures (`apart` and `real` of the losses).
    In its second the pictures are made of generated h, and both levels learn together; what the
    picture's level asks for does not reach back into h, which would become what is easily drawn:
    one h for each class. Huang et al. 2017 (arXiv:1612.04357), equations 5 to 8; sizes and weights
    are chosen here. Raises ConfigError.
    """

    generator: Levels
    critic: Levels

    def __init__(
        self,
        picture: Sequence[int] = (32, 32, 1),
        widths: Sequence[int] = (64, 128, 256),
        latent: int = 50,
        classes: int = 10,
        hidden: int = 256,
        filters: Sequence[int] = (32, 64),
        dense_width: int = 512,
        conditional: float = 1.0,
        entropy: Sequence[float] = (10.0, 1.0),
    ) -> None:
        cells = prod(start_shape(picture, widths))
        makes_features = Sequential(
            Linear(classes + latent, dense_width, weight_init=FIRST), norm(dense_width), ReLU(),
            Linear(dense_width, dense_width, weight_init=FIRST), norm(dense_width), ReLU(),
            Linear(dense_width, hidden, weight_init=FIRST), ReLU(),
        )  # fmt: skip
        judges_features = ScoreAndNoise(
            [*dense((hidden, hidden, hidden)), LeakyReLU(0.2)], hidden, latent
        )
        judges_pictures = ScoreAndNoise(down(picture[2], widths), cells, latent)
        super().__init__(
            Levels(makes_features, up_generator(hidden + latent, widths, picture)),
            Levels(judges_features, judges_pictures),
            2 * latent,
            classes,
        )
        self.encoder = Encoder(picture, filters, hidden, classes)
        self.conditional, self.entropy = conditional, tuple(entropy)
        if len(self.entropy) != 2:
            raise ConfigError(
                f"StackedGAN: entropy is (of features, of pictures), got {quoted(entropy)}"
            )

    def levels(
        self, z: Tensor, labels: Tensor, given: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """(features, pictures) for noise (N, 2 latent) of both levels and labels (N,); the pictures
        are those of the features, or of given ones (N, hidden)."""
        upper, lower = self.halves(z)
        h = self.generator.features(ops.concat([self.rows(labels), upper], axis=1))
        asked = h.detach() if given is None else given
        return h, self.generator.pictures(ops.concat([asked, lower], axis=1))

    def critics(self) -> tuple[Module, Module]:
        """Of the features, and of the pictures."""
        return self.critic.features, self.critic.pictures

    def halves(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The noise of the features, and that of the pictures."""
        half = self.latent // 2
        return z[:, :half], z[:, half:]

    def forward(self, z: Tensor, *given: Tensor) -> Tensor:
        return self.levels(z, *given)[1]

    def critic_loss(
        self, real: Tensor, labels: Tensor, rng: Generator, apart: bool = False
    ) -> Tensor:
        """apart: generated pictures are those of real features."""
        z = self.noise(len(real), rng)
        with no_grad():
            h = self.encoder.features(real)
            fakes, reals = self.levels(z, labels, h if apart else None), (h, real)
        parts = []
        for critic, x, fake, noise, weight in zip(
            self.critics(), reals, fakes, self.halves(z), self.entropy, strict=True
        ):
            score, read = critic(fake)
            parts.append(self.told_apart(critic(x)[0], score) + weight * mse(read, noise))
        return parts[0] + parts[1]

    def generator_loss(self, count: int, rng: Generator, real: Tensor | None = None) -> Tensor:
        """real: pictures (count, ...), of whose features pictures are made; None: of generated
        ones."""
        labels, z = self.labels(count, rng), self.noise(count, rng)
        given = None if real is None else self.encoder.features(real)
        h, x = self.levels(z, labels, given)
        asked = h.detach() if given is None else given
        loss = self.conditional * (
            cross_entropy(self.encoder.classes(h), labels) + mse(self.encoder.features(x), asked)
        )
        for critic, fake, noise, weight in zip(
            self.critics(), (h, x), self.halves(z), self.entropy, strict=True
        ):
            score, read = critic(fake)
            loss = loss + self.passed_off(score) + weight * mse(read, noise)
        return loss
