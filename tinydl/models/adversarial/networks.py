"""The networks of the adversarial models: dense ones, and convolutions of stride 2 down and up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from math import prod

from ... import ops
from ...errors import ConfigError
from ...nn import (
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    LeakyReLU,
    Linear,
    Module,
    ReLU,
    Sequential,
    Tanh,
    init,
)
from ...tensor import Tensor

FIRST = partial(init.normal, std=0.02)  # weights begin as in Radford et al. 2016


class AsPicture(Module):
    """Rows (N, H W C) as maps (N, H, W, C)."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        return ops.reshape(x, (x.shape[0], *self.shape))


def dense(sizes: Sequence[int]) -> list[Module]:
    """Linear layers with leaky ReLU between them."""
    layers: list[Module] = []
    for a, b in pairwise(sizes):
        layers += [Linear(a, b, weight_init=FIRST), LeakyReLU(0.2)]
    return layers[:-1]


def dense_generator(inputs: int, widths: Sequence[int], picture: Sequence[int]) -> Sequential:
    """(N, inputs) -> pictures in (-1, 1)."""
    return Sequential(*dense((inputs, *widths, prod(picture))), Tanh(), AsPicture(picture))


def dense_critic(inputs: int, widths: Sequence[int]) -> Sequential:
    """(N, ...) of `inputs` numbers -> (N, 1)."""
    return Sequential(Flatten(), *dense((inputs, *widths, 1)))


def norm(channels: int) -> BatchNorm:
    """Batch normalisation with the book's settings."""
    return BatchNorm(channels, momentum=0.9, eps=1e-5)


def start_shape(picture: Sequence[int], widths: Sequence[int]) -> tuple[int, int, int]:
    """The maps from which len(widths) doublings lead to a picture; ConfigError if none do."""
    H, W, shrink = picture[0], picture[1], 2 ** len(widths)
    if not widths or H % shrink or W % shrink:
        raise ConfigError(
            f"adversarial networks: the sides of a picture must be multiples of 2^{len(widths)} "
            f"for the widths {tuple(widths)}, got {tuple(picture)}"
        )
    return H // shrink, W // shrink, widths[-1]


def up_generator(inputs: int, widths: Sequence[int], picture: Sequence[int]) -> Sequential:
    """(N, inputs) -> pictures in (-1, 1): a Linear, then transposed convolutions 5x5 of stride 2
    with the channels `widths` backwards, batch normalisation and ReLU between them."""
    start = start_shape(picture, widths)
    layers = [Linear(inputs, prod(start), weight_init=FIRST), ReLU(), AsPicture(start)]
    for a, b in pairwise(reversed(widths)):
        layers += [
            ConvTranspose2d(a, b, 5, stride=2, padding="same", weight_init=FIRST), norm(b), ReLU(),
        ]  # fmt: skip
    last = ConvTranspose2d(widths[0], picture[2], 5, stride=2, padding="same", weight_init=FIRST)
    return Sequential(*layers, last, Tanh())


def down(channels: int, widths: Sequence[int], normed: bool = True) -> list[Module]:
    """Convolutions 5x5 of stride 2, leaky ReLU after each, batch normalisation from the second on,
    and the flattening."""
    layers: list[Module] = []
    for i, (a, b) in enumerate(pairwise((channels, *widths))):
        layers.append(Conv2d(a, b, 5, stride=2, padding="same", weight_init=FIRST))
        layers += [norm(b), LeakyReLU(0.2)] if normed and i else [LeakyReLU(0.2)]
    return [*layers, Flatten()]


def down_critic(picture: Sequence[int], widths: Sequence[int], normed: bool = True) -> Sequential:
    """Pictures (N, H, W, C) -> (N, 1)."""
    cells = prod(start_shape(picture, widths))
    head = Linear(cells, 1, weight_init=FIRST)
    return Sequential(*down(picture[2], widths, normed), head)
