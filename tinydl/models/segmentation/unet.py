"""U-Net: down to small maps with many channels, and up again beside what was seen on the way."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ... import ops
from ...errors import ConfigError
from ...nn import Conv2d, ConvTranspose2d, MaxPool2d, Module, ReLU, Sequential
from ...tensor import Tensor
from .pixels import check_sides


def double(c_in: int, c_out: int) -> Sequential:
    """Two 3x3 convolutions with ReLU."""
    return Sequential(
        Conv2d(c_in, c_out, 3, padding=1, weight_init="he_normal"), ReLU(),
        Conv2d(c_out, c_out, 3, padding=1, weight_init="he_normal"), ReLU(),
    )  # fmt: skip


class UNet(Module):
    """Four times double convolution and pooling, then back up with 2x2 transposed convolutions.

    | layer | output | channels, widths 64, 128, 256, 512, 1024 |
    |---|---|---|
    | double convolution k, pooling: k = 1 ... 4 | H/2^k | 64, 128, 256, 512 |
    | double convolution | H/16 | 1024 |
    | 2x2 stride 2 up, beside the map of level k, double convolution: k = 4 ... 1 | H/2^(k-1) | 512,
    256, 128, 64 |
    | 1x1 | H x W x classes | classes |
    | all, 1 channel in, 2 classes | | 31,030,658 parameters |

    x (N, H, W, in_channels), sides multiples of 2^(levels - 1) -> logits (N, H, W, classes) for
    `nn.cross_entropy`. The paper's convolutions are without padding (572x572 -> 388x388); here
    they keep the size, with the same weights. widths: channels of each level. Ronneberger et al.
    2015 (arXiv 1505.04597), figure 1. Raises ConfigError; the call ShapeError.
    """

    def __init__(
        self,
        in_channels: int = 1,
        classes: int = 2,
        widths: Sequence[int] = (64, 128, 256, 512, 1024),
    ) -> None:
        if len(widths) < 2:
            raise ConfigError(f"UNet: needs at least two widths, got {tuple(widths)}")
        self.down = [double(a, b) for a, b in pairwise((in_channels, *widths))]
        self.pool = MaxPool2d(2)
        self.grow = [ConvTranspose2d(b, a, 2, stride=2) for a, b in pairwise(widths)]
        self.up = [double(2 * a, a) for a in widths[:-1]]
        self.score = Conv2d(widths[0], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        check_sides("UNet", x, 2 ** len(self.up))
        seen = []
        for block in self.down[:-1]:
            seen.append(block(x))
            x = self.pool(seen[-1])
        x = self.down[-1](x)
        for grow, block, beside in zip(self.grow[::-1], self.up[::-1], seen[::-1], strict=True):
            x = block(ops.concat([beside, grow(x)], axis=3))
        return self.score(x)
