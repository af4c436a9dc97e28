"""Pictures from pictures, learnt without pairs: there and back must give the same."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from ... import ops
from ...errors import ConfigError
from ...function import no_grad
from ...nn import (
    Apply,
    Conv2d,
    ConvTranspose2d,
    InstanceNorm,
    Module,
    ReLU,
    Sequential,
    Tanh,
    least_squares_discriminator,
    least_squares_generator,
    looking,
    mae,
)
from ...random import Generator
from ...tensor import Tensor
from .game import Translator
from .networks import FIRST
from .patch import patch_critic

plain_norm = partial(InstanceNorm, eps=1e-5, affine=False)


def mirrored(c_in: int, c_out: int, kernel: int) -> list[Module]:
    """A convolution that keeps the size, the border mirrored."""
    reach = kernel // 2
    border = ((0, 0), (reach, reach), (reach, reach), (0, 0))
    return [
        Apply(ops.pad, widths=border, mode="reflect"),
        Conv2d(c_in, c_out, kernel, weight_init=FIRST),
    ]


class Block(Module):
    """x + norm conv relu norm conv x, 3x3."""

    def __init__(self, channels: int) -> None:
        first, second = mirrored(channels, channels, 3), mirrored(channels, channels, 3)
        self.layers = Sequential(
            *first, plain_norm(channels), ReLU(), *second, plain_norm(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def residual_generator(c_in: int, c_out: int, widths: Sequence[int], blocks: int) -> Sequential:
    """7x7 to widths[0]; 3x3 of stride 2 to each further width; blocks; transposed back; 7x7,
    tanh."""
    layers = [*mirrored(c_in, widths[0], 7), plain_norm(widths[0]), ReLU()]
    for a, b in pairwise(widths):
        halved = Conv2d(a, b, 3, stride=2, padding=1, weight_init=FIRST)
        layers += [halved, plain_norm(b), ReLU()]
    layers += [Block(widths[-1]) for _ in range(blocks)]
    for b, a in pairwise(reversed(widths)):
        doubled = ConvTranspose2d(b, a, 3, stride=2, padding=1, output_padding=1, weight_init=FIRST)
        layers += [doubled, plain_norm(a), ReLU()]
    return Sequential(*layers, *mirrored(widths[0], c_out, 7), Tanh())


class Both(Module):
    """The two networks of one player: for y of x, and for x of y."""

    def __init__(self, y: Module, x: Module) -> None:
        self.y, self.x = y, x

    def forward(self, picture: Tensor) -> Tensor:
        return self.y(picture)


class CycleGAN(Translator):
    """Two games, G: X -> Y and F: Y -> X, with F(G(x)) = x and G(F(y)) = y.

    | network | layers, pictures of 3 channels | parameters |
    |---|---|---|
    | generator, twice | 7x7 64, 128 and 256 by stride 2, 9 residual blocks, back | 11,378,179 |
    | critic, twice | patches of 70x70: 64-128-256-512-1 | 2,764,737 |
    | all | | 28,285,832 |

    L = L_GAN(G, D_Y) + L_GAN(F, D_X) + cycle (|F(G(x)) - x| + |G(F(y)) - y|), equation 3, and with
    `identity` above 0 also identity (|G(y) - y| + |F(x) - x|), which keeps colours (section 5.2:
    half of cycle) and needs channels alike. The games are those of least squares. Instance
    normalisation has no scale and shift. `critic_loss` may be handed older pictures in place of the
    newest ones (section 4: a pool of 50, which the program keeps). `translate(x)` is G(x),
    `translate_back(y)` F(y).

    in_channels, out_channels: of x and y; widths, blocks: of a generator, sides of pictures are
    multiples of 2^(len(widths) - 1); critic_widths: of `patch_critic`. Zhu et al. 2017
    (arXiv:1703.10593). Raises ConfigError.
    """

    generator: Both
    critic: Both

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        widths: Sequence[int] = (64, 128, 256),
        blocks: int = 9,
        critic_widths: Sequence[int] = (64, 128, 256, 512),
        cycle: float = 10.0,
        identity: float = 0.0,
    ) -> None:
        if identity and in_channels != out_channels:
            raise ConfigError(
                f"CycleGAN: identity needs as many channels on both sides, got {in_channels} and "
                f"{out_channels}"
            )
        sides = (in_channels, out_channels)
        super().__init__(
            Both(*[residual_generator(a, b, widths, blocks) for a, b in (sides, sides[::-1])]),
            Both(*[patch_critic(c, critic_widths, plain_norm, bias=True) for c in sides[::-1]]),
        )
        self.cycle, self.identity = cycle, identity

    def told_apart(self, real: Tensor, fake: Tensor) -> Tensor:
        return least_squares_discriminator(real, fake)

    def passed_off(self, fake: Tensor) -> Tensor:
        return least_squares_generator(fake) * 2.0  # equation 1 of section 4 has no 1/2

    def translate_back(self, y: Tensor) -> Tensor:
        """F(y), nothing recorded."""
        with looking(self):
            return self.generator.x(y)

    def fakes(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """(G(x), F(y)), through which nothing flows back."""
        with no_grad():
            return self.generator.y(x), self.generator.x(y)

    def critic_loss(
        self, x: Tensor, y: Tensor, rng: Generator, fakes: tuple[Tensor, Tensor] | None = None
    ) -> Tensor:
        """For pictures x (N, H, W, in_channels) and y (N, H, W, out_channels) in [-1, 1], of which
        none belong together; half of equation 1 for each critic, and no noise. fakes: of y's kind
        and of x's, None: `fakes(x, y)`."""
        fake_y, fake_x = self.fakes(x, y) if fakes is None else fakes
        first = self.told_apart(self.critic.y(y), self.critic.y(fake_y))
        return first + self.told_apart(self.critic.x(x), self.critic.x(fake_x))

    def generator_loss(self, x: Tensor, y: Tensor, rng: Generator) -> Tensor:
        """For the same pictures."""
        to_y, to_x = self.generator.y, self.generator.x
        fake_y, fake_x = to_y(x), to_x(y)
        loss = self.passed_off(self.critic.y(fake_y)) + self.passed_off(self.critic.x(fake_x))
        loss = loss + self.cycle * (mae(to_x(fake_y), x) + mae(to_y(fake_x), y))
        if self.identity:
            loss = loss + self.identity * (mae(to_y(y), y) + mae(to_x(x), x))
        return loss
