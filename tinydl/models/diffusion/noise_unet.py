"""The network of a diffusion: what of this picture, of this class, is noise at this time?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from math import log

import numpy as np

from ... import ops
from ...arguments import whole
from ...errors import ConfigError
from ...nn import (
    Conv2d,
    ConvTranspose2d,
    Embedding,
    GroupNorm,
    Linear,
    Module,
    MultiHeadAttention,
    Sequential,
    SiLU,
)
from ...nn.init import normal
from ...tensor import Tensor
from ..segmentation.pixels import check_sides

GROUPS, SLOWEST = 8, 10_000.0
FINE = 16  # channels as large as the picture


class ToldBlock(Module):
    """x + conv(silu(norm(conv(silu(norm(x))) + W told))), where told (N, told_size) is added to
    every place; x goes through a 1x1 convolution where the numbers of channels differ."""

    def __init__(self, c_in: int, c_out: int, told_size: int) -> None:
        self.first = Sequential(
            GroupNorm(min(GROUPS, c_in), c_in), SiLU(), Conv2d(c_in, c_out, 3, padding=1)
        )
        self.told = Linear(told_size, c_out)
        self.second = Sequential(
            GroupNorm(min(GROUPS, c_out), c_out), SiLU(), Conv2d(c_out, c_out, 3, padding=1)
        )
        self.past = Conv2d(c_in, c_out, 1) if c_in != c_out else None

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        row = self.told(told)
        h = self.first(x) + row.reshape(len(x), 1, 1, row.shape[1])
        return self.second(h) + (x if self.past is None else self.past(x))


class SeesAll(Module):
    """x + attention(norm(x)): every place (N, H, W, C) of a small map looks at every other."""

    def __init__(self, channels: int, heads: int) -> None:
        self.norm = GroupNorm(min(GROUPS, channels), channels)
        self.attention = MultiHeadAttention(channels, heads)

    def forward(self, x: Tensor) -> Tensor:
        N, H, W, C = x.shape
        return x + self.attention(self.norm(x).reshape(N, H * W, C)).reshape(N, H, W, C)


class NoiseUNet(Module):
    """(x, t, labels) -> what `DDPM` makes noise of, like x.

    | layer | output | parameters for 28x28x1, widths 32, 64, 10 classes |
    |---|---|---|
    | told: sines of t, Linear, SiLU, Linear, beside a row of its own for each class and for none |
    (N, 128) | 34,432 |
    | 4x4 convolution, stride 2 | 14x14x32 | 544 |
    | block; 3x3 convolution, stride 2 | 14x14x32; 7x7x64 | 22,752; 18,496 |
    | block, attention of 4 heads, block | 7x7x64 | 82,368; 16,768; 82,368 |
    | 2x2 transposed convolution, stride 2, beside what was; block | 14x14x32 | 8,224; 34,112 |
    | norm, SiLU, 4x4 transposed convolution, stride 2, SiLU | 28x28x16 | 8,272 |
    | beside x: 3x3 convolution | 28x28x1 | 154 |

    x (N, H, W, C), sides multiples of 2^len(widths); t (N,) integers, the time; labels (N,) integer
    classes, `classes` itself for "none is told". All channels of widths multiples of 8, or below 8.
    Every block gets time and class as a bias of its channels. Ho et al. 2020 (arXiv:2006.11239),
    appendix B, made small: half as large from the first layer on, one block a level. Raises
    ConfigError; the call ShapeError.
    """

    def __init__(
        self,
        channels: int = 1,
        classes: int = 10,
        widths: Sequence[int] = (32, 64),
        told_size: int = 128,
        heads: int = 4,
    ) -> None:
        if not widths:
            raise ConfigError("NoiseUNet: needs at least one width")
        whole("NoiseUNet", "told_size", told_size, 2)
        self.classes, self.told_size = classes, told_size
        half = told_size // 2
        self.frequencies = np.exp(-log(SLOWEST) * np.arange(half) / half)
        self.time = Sequential(Linear(2 * half, told_size), SiLU(), Linear(told_size, told_size))
        self.kind = Embedding(classes + 1, told_size, weight_init=partial(normal, std=1.0))
        self.stem = Conv2d(channels, widths[0], 4, stride=2, padding=1)
        self.down = [ToldBlock(c, c, told_size) for c in widths[:-1]]
        self.shrink = [Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths)]
        deep = widths[-1]
        self.middle = [ToldBlock(deep, deep, told_size) for _ in range(2)]
        self.attention = SeesAll(deep, heads)
        self.grow = [ConvTranspose2d(b, a, 2, stride=2) for a, b in pairwise(widths)]
        self.up = [ToldBlock(2 * c, c, told_size) for c in widths[:-1]]
        first = widths[0]
        self.last = Sequential(
            GroupNorm(min(GROUPS, first), first),
            SiLU(),
            ConvTranspose2d(first, FINE, 4, stride=2, padding=1),
            SiLU(),
        )
        self.out = Conv2d(FINE + channels, channels, 3, padding=1)

    def told(self, t: Tensor, labels: Tensor) -> Tensor:
        """Time and class as rows (N, told_size)."""
        turns = Tensor(self.frequencies[None].astype(self.dtype), backend=self.backend)
        angles = ops.astype(t, self.dtype).reshape(len(t), 1) * turns
        sines = ops.concat([ops.sin(angles), ops.cos(angles)], axis=1)
        return ops.swish(self.time(sines) + self.kind(labels))

    def forward(self, x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        check_sides("NoiseUNet", x, 2 ** (len(self.up) + 1))
        told = self.told(t, labels)
        h, seen = self.stem(x), []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            seen.append(block(h, told))
            h = shrink(seen[-1])
        h = self.middle[1](self.attention(self.middle[0](h, told)), told)
        for grow, block, beside in zip(self.grow[::-1], self.up[::-1], seen[::-1], strict=True):
            h = block(ops.concat([beside, grow(h)], axis=3), told)
        return self.out(ops.concat([self.last(h), x], axis=3))
