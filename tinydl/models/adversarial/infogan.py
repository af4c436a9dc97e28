"""A GAN that finds the classes by itself: parts of its noise must be readable from its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ... import ops
from ...creation import normal
from ...function import no_grad
from ...nn import LeakyReLU, Linear, Module, Sequential, cross_entropy, looking
from ...random import Generator
from ...tensor import Tensor
from .game import Game
from .networks import FIRST, down, norm, start_shape, up_generator


class Recogniser(Module):
    """A picture -> (how real it looks (N, 1), mean of Q(c|x) (N, codes), logits of Q(k|x) (N,
    classes))."""

    def __init__(
        self,
        picture: Sequence[int],
        widths: Sequence[int],
        hidden: Sequence[int],
        codes: int,
        classes: int,
    ) -> None:
        cells, (first, second) = prod(start_shape(picture, widths)), hidden
        self.features = Sequential(
            *down(picture[2], widths),
            Linear(cells, first, weight_init=FIRST), norm(first), LeakyReLU(0.2),
            Linear(first, second, weight_init=FIRST),
        )  # fmt: skip
        self.source = Linear(second, 1, weight_init=FIRST)
        self.codes = Linear(second, codes, weight_init=FIRST)
        self.kind = Linear(second, classes, weight_init=FIRST)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        seen = self.features(x)
        return self.source(seen), self.codes(seen), self.kind(seen)


class InfoGAN(Game):
    """min_{G,Q} max_D V(D, G) - lambda L_I with L_I = E log Q(c|x) + H(c) <= I(c; G(z, c)).

    | network | | parameters for 32x32x1, widths 64-128-256, 1 code, 10 classes |
    |---|---|---|
    | generator | as DCGAN's for noise 100, code 1, class 10 | 1,484,929 |
    | critic | DCGAN's convolutions | 1,026,816 |
    | | Linear to 1024, BatchNorm, leaky ReLU 0.2 | 4,197,376 |
    | | Linear to 128 | 131,200 |
    | | Linear to 1: the source; to 1: the code; to 10: the class | 1,548 |
    | all | | 6,841,869 |

    Codes c are drawn from N(0, 1), classes k evenly. Both networks minimise, beside their part of
    the game, -log Q of generated pictures: code_weight mean (c - Q's mean)^2 / 2, a Gaussian of
    variance 1 without its constant, and class_weight times the cross-entropy of k.

    Chen et al. 2016 (arXiv:1606.03657), equations 5 and 6, in the sizes of Liu and Mehta 2019,
    chapter 7. The book's loss of the code is sum (Q's mean)^2: c is not in it, so that nothing
    makes the picture tell it, and as a sum it grows with the batch; its formula lacks lambda; its
    total names a variable that does not exist. Kept from the book: the layer of 128 without an
    activation, and that D's head stands on it (the paper's layer is normalised, with leaky ReLU,
    and only Q's). Raises ConfigError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (32, 32, 1),
        widths: Sequence[int] = (64, 128, 256),
        hidden: Sequence[int] = (1024, 128),
        latent: int = 100,
        codes: int = 1,
        classes: int = 10,
        code_weight: float = 0.1,
        class_weight: float = 1.0,
    ) -> None:
        generator = up_generator(latent + codes + classes, widths, picture)
        super().__init__(generator, Recogniser(picture, widths, hidden, codes, classes), latent)
        self.codes, self.classes = codes, classes
        self.code_weight, self.class_weight = code_weight, class_weight

    def forward(self, z: Tensor, *given: Tensor) -> Tensor:
        """G(z, c, k) for noise (N, latent), codes (N, codes) and classes (N,)."""
        code, kind = given
        rows = ops.one_hot(kind, self.classes, self.dtype)
        return self.generator(ops.concat([z, code, rows], axis=1))

    def told(self, count: int, rng: Generator) -> tuple[Tensor, Tensor]:
        """(codes (count, codes), classes (count,)), drawn."""
        room = self.backend
        code = normal((count, self.codes), dtype=self.dtype, rng=rng, backend=room)
        return code, Tensor(rng.integers(0, self.classes, count), backend=room)

    def information(self, told: tuple[Tensor, Tensor], mean: Tensor, logits: Tensor) -> Tensor:
        """-lambda log Q(c, k | x), without its constant."""
        code, kind = told
        missed = ((code - mean) ** 2).mean() * 0.5
        return self.code_weight * missed + self.class_weight * cross_entropy(logits, kind)

    def critic_loss(self, real: Tensor, rng: Generator) -> Tensor:
        """For samples `real` (N, ...) and as many generated ones."""
        told = self.told(len(real), rng)
        with no_grad():
            fake = self(self.noise(len(real), rng), *told)
        score, *read = self.critic(fake)
        return self.told_apart(self.critic(real)[0], score) + self.information(told, *read)

    def generator_loss(self, count: int, rng: Generator) -> Tensor:
        """For `count` noise vectors, codes and classes."""
        told = self.told(count, rng)
        score, *read = self.critic(self(self.noise(count, rng), *told))
        return self.passed_off(score) + self.information(told, *read)

    def sample(
        self, count: int, rng: Generator, code: Tensor | None = None, kind: Tensor | None = None
    ) -> Tensor:
        """`count` generated samples for these codes and classes; None: codes -3, -1, 1, 3 by rows
        of one sample a class, as the book shows them. Nothing recorded."""
        z, turn = self.noise(count, rng), np.arange(count)
        if kind is None:
            kind = Tensor(turn % self.classes, backend=self.backend)
        if code is None:
            steps = np.array([-3, -1, 1, 3], self.dtype)[turn // self.classes % 4]
            code = Tensor(np.repeat(steps[:, None], self.codes, axis=1), backend=self.backend)
        with looking(self):
            return self(z, code, kind)
