"""A GAN whose critic names the class instead of being told it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...function import no_grad
from ...nn import Linear, Module, Sequential, cross_entropy
from ...random import Generator
from ...tensor import Tensor
from .game import Labelled
from .networks import FIRST, down, start_shape, up_generator


class TwoHeads(Module):
    """A picture -> (how real it looks (N, 1), logits of its class (N, classes))."""

    def __init__(self, picture: Sequence[int], widths: Sequence[int], classes: int) -> None:
        cells = prod(start_shape(picture, widths))
        self.features = Sequential(*down(picture[2], widths))
        self.source = Linear(cells, 1, weight_init=FIRST)
        self.kind = Linear(cells, classes, weight_init=FIRST)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.features(x)
        return self.source(seen), self.kind(seen)


class ACGAN(Labelled):
    """Both networks minimise, beside their part of the game, the cross-entropy of the class.

    | network | as DCGAN's, and | parameters for 32x32x1, widths 64-128-256, 10 classes |
    |---|---|---|
    | generator | 10 more inputs | 1,480,833 |
    | critic | Linear to 10 logits of the class | 1,071,883 |
    | all | | 2,552,716 |

    Critic: `told_apart` - log P(y|x) - log P(y|G(z|y)); generator: `passed_off` - log P(y|G(z|y)).
    Odena et al. 2017 (arXiv:1610.09585), equations 2 and 3: L_S and L_C, which the critic wants
    large as a sum, the generator L_C - L_S. Raises ConfigError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (32, 32, 1),
        widths: Sequence[int] = (64, 128, 256),
        latent: int = 100,
        classes: int = 10,
    ) -> None:
        generator = up_generator(latent + classes, widths, picture)
        super().__init__(generator, TwoHeads(picture, widths, classes), latent, classes)

    def critic_loss(self, real: Tensor, labels: Tensor, rng: Generator) -> Tensor:
        with no_grad():
            fake = self(self.noise(len(real), rng), labels)
        (real_score, real_class), (fake_score, fake_class) = self.critic(real), self.critic(fake)
        named = cross_entropy(real_class, labels) + cross_entropy(fake_class, labels)
        return self.told_apart(real_score, fake_score) + named

    def generator_loss(self, count: int, rng: Generator) -> Tensor:
        labels = self.labels(count, rng)
        score, named = self.critic(self(self.noise(count, rng), labels))
        return self.passed_off(score) + cross_entropy(named, labels)
