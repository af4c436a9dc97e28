"""The critic of the translating networks: a number for every patch of a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from ...nn import Conv2d, LeakyReLU, Module, Sequential
from .networks import FIRST


def patch_critic(
    channels: int, widths: Sequence[int], norm: Callable[[int], Module], bias: bool
) -> Sequential:
    """Pictures (N, H, W, channels) -> scores (N, H', W', 1), one for each overlapping patch.

    4x4 convolutions with padding 1, stride 2 but for the one to the last width and the one to the
    score; leaky ReLU 0.2; `norm` between the first and the last, whose convolutions have a bias if
    `bias`. Widths 64-128-256-512 see patches of 70x70. Isola et al. 2017, appendix 6.1.2.
    """
    layers: list[Module] = []
    for i, (a, b) in enumerate(pairwise((channels, *widths))):
        stride = 1 if i == len(widths) - 1 else 2
        with_bias = bias or i == 0
        layers.append(Conv2d(a, b, 4, stride, padding=1, bias=with_bias, weight_init=FIRST))
        layers += [norm(b), LeakyReLU(0.2)] if i else [LeakyReLU(0.2)]
    return Sequential(*layers, Conv2d(widths[-1], 1, 4, padding=1, weight_init=FIRST))
