"""The convolutional GAN with one layer in which every place of a picture sees every other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ... import ops
from ...errors import ConfigError
from ...nn import Linear, Module, Parameter, Sequential
from ...tensor import Tensor
from .game import Unlabelled
from .networks import FIRST, down_critic, up_generator


class SelfAttention(Module):
    """x + gain v(o), o_j = sum_i b_ji h(x_i), b_j = softmax over i of f(x_i) . g(x_j).

    i and j number the H W places of one map (N, H, W, C); f, g and h are 1x1 convolutions (here
    Linear layers without bias) to C / reduction channels, v one back to C. gain is a number that
    begins at 0: at first the layer hands on what it gets. 4 C^2 / reduction + 1 parameters. Zhang
    et al. 2019 (arXiv:1805.08318), equations 1 to 3. Raises ConfigError.
    """

    def __init__(self, channels: int, reduction: int = 8) -> None:
        if reduction < 1 or channels < reduction:
            raise ConfigError(
                f"SelfAttention: needs 1 <= reduction <= channels, got {reduction} and {channels}"
            )
        inner = channels // reduction
        self.f, self.g, self.h = (
            Linear(channels, inner, bias=False, weight_init=FIRST) for _ in range(3)
        )
        self.v = Linear(inner, channels, bias=False, weight_init=FIRST)
        self.gain = Parameter(np.zeros((), np.float32))

    def forward(self, x: Tensor) -> Tensor:
        N, H, W, C = x.shape
        places = ops.reshape(x, (N, H * W, C))
        alike = self.g(places) @ ops.transpose(self.f(places), (0, 2, 1))  # [N x j x i]
        seen = ops.softmax(alike) @ self.h(places)
        return x + self.gain * ops.reshape(self.v(seen), x.shape)


class SAGAN(Unlabelled):
    """`DCGAN` and a `SelfAttention` in both networks, where maps have half a picture's side.

    | network | layers for 32x32x1, widths 64-128-256 | parameters |
    |---|---|---|
    | generator | DCGAN's, attention to (N, 16, 16, 64) before the last convolution | 1,441,922 |
    | critic | DCGAN's, attention to (N, 16, 16, 64) after the first convolution | 1,032,962 |

    A convolution of 5x5 sees what is near; here a stroke's end can depend on its beginning. Nothing
    else of the paper is taken over (spectral norm in both networks, hinge losses, classes in the
    normalisation), so that what changes from DCGAN is this one layer. Zhang et al. 2019
    (arXiv:1805.08318), sizes of Liu and Mehta 2019, which names the idea in chapter 8 and credits
    one of its four authors. Raises ConfigError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (32, 32, 1),
        widths: Sequence[int] = (64, 128, 256),
        latent: int = 100,
        reduction: int = 8,
    ) -> None:
        reduction = min(reduction, widths[0])  # narrow networks look with one channel
        up, down = list(up_generator(latent, widths, picture)), list(down_critic(picture, widths))
        up.insert(len(up) - 2, SelfAttention(widths[0], reduction))  # before the last ones
        down.insert(2, SelfAttention(widths[0], reduction))
        super().__init__(Sequential(*up), Sequential(*down), latent)
