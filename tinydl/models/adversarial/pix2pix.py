"""Pictures from pictures, learnt of pairs: a U-Net against a critic of patches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ... import ops
from ...errors import ConfigError, ShapeError
from ...function import no_grad
from ...nn import Conv2d, ConvTranspose2d, Dropout, Identity, Module, mae
from ...random import Generator
from ...tensor import Tensor
from .game import Translator
from .networks import FIRST, norm
from .patch import patch_critic


class UNetGenerator(Module):
    """Halved to the smallest map and doubled back, each doubling beside the map of its size.

    widths: channels of the halvings, from the first; x (N, H, W, channels), sides multiples of
    2^len(widths) -> (N, H, W, out_channels) in (-1, 1). Normalised are all maps but the first, the
    smallest and the result; dropout 0.5 follows the first `dropouts` doublings. ConfigError for
    fewer than two widths; the call ShapeError.
    """

    def __init__(
        self, channels: int, out_channels: int, widths: Sequence[int], dropouts: int
    ) -> None:
        if len(widths) < 2:
            raise ConfigError(f"UNetGenerator: needs at least two widths, got {tuple(widths)}")
        options: dict[str, Any] = {"stride": 2, "padding": 1, "bias": False, "weight_init": FIRST}
        self.down = [Conv2d(a, b, 4, **options) for a, b in pairwise((channels, *widths))]
        inner = widths[1:-1]
        self.down_norms = [Identity(), *[norm(b) for b in inner], Identity()]
        back = list(reversed(widths))
        ways = [(a if i == 0 else 2 * a, b) for i, (a, b) in enumerate(pairwise(back))]
        self.up = [ConvTranspose2d(a, b, 4, **options) for a, b in ways]
        self.up_norms = [norm(b) for _, b in ways]
        self.drop = [Dropout(0.5) if i < dropouts else Identity() for i in range(len(ways))]
        last = {**options, "bias": True}
        self.last = ConvTranspose2d(2 * widths[0], out_channels, 4, **last)

    def forward(self, x: Tensor) -> Tensor:
        step = 2 ** len(self.down)
        if x.ndim != 4 or x.shape[1] % step or x.shape[2] % step:
            raise ShapeError(
                f"UNetGenerator: x must be (N, H, W, C) with sides multiples of {step}, got "
                f"{x.shape}"
            )
        seen: list[Tensor] = []
        for i, (conv, normed) in enumerate(zip(self.down, self.down_norms, strict=True)):
            x = normed(conv(ops.leaky_relu(x, 0.2) if i else x))
            seen.append(x)
        beside = seen[-2::-1]
        for i, other in enumerate(beside):
            grown = self.up_norms[i](self.up[i](ops.relu(x)))
            x = ops.concat([other, self.drop[i](grown)], axis=3)
        return ops.tanh(self.last(ops.relu(x)))


class Pix2Pix(Translator):
    """G = arg min_G max_D V(D, G) + weight E |y - G(x)|, the critic looking at x and y together.

    | network | layers, pictures of 256x256x3 | parameters |
    |---|---|---|
    | generator | U-Net, 4x4 stride 2: 64-128-256-512-512-512-512-512 and back | 54,413,955 |
    | critic | patches of 70x70: 64-128-256-512-1, of 6 channels | 2,768,705 |
    | all | | 57,182,660 |

    Critic: `told_apart` / 2 of (x, y) and (x, G(x)); generator: `passed_off` of (x, G(x)) + weight
    |y - G(x)|. The absolute difference alone blurs what it does not know; the critic wants edges,
    of whatever place. The only noise is dropout, which the paper leaves on when it translates and
    `translate` leaves off. Isola et al. 2017 (arXiv:1611.07004), equation 4, section 3.3 and
    appendix 6.1; biases as in the authors' PyTorch code (none before a normalisation).

    in_channels, out_channels: of x and y; widths, dropouts: of `UNetGenerator`; critic_widths: of
    `patch_critic`; adversarial: weighs V in the generator's loss, 0 leaves the difference alone.
    Raises ConfigError; calls ShapeError.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        widths: Sequence[int] = (64, 128, 256, 512, 512, 512, 512, 512),
        critic_widths: Sequence[int] = (64, 128, 256, 512),
        dropouts: int = 3,
        weight: float = 100.0,
        adversarial: float = 1.0,
    ) -> None:
        super().__init__(
            UNetGenerator(in_channels, out_channels, widths, dropouts),
            patch_critic(in_channels + out_channels, critic_widths, norm, bias=False),
        )
        self.weight, self.adversarial = weight, adversarial

    def critic_loss(self, x: Tensor, y: Tensor, rng: Generator) -> Tensor:
        """For pairs x (N, H, W, in_channels) and y (N, H, W, out_channels) in [-1, 1]; the only
        noise is that of dropout."""
        with no_grad():
            fake = self(x)
        real = self.critic(ops.concat([x, y], axis=3))
        return self.told_apart(real, self.critic(ops.concat([x, fake], axis=3))) * 0.5

    def generator_loss(self, x: Tensor, y: Tensor, rng: Generator) -> Tensor:
        """For the same pairs."""
        fake = self(x)
        passed = self.passed_off(self.critic(ops.concat([x, fake], axis=3)))
        return passed * self.adversarial + self.weight * mae(fake, y)
