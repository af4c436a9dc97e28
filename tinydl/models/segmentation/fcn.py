"""Fully convolutional networks: a classifier slid over the picture, its scores made large again."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ConfigError
from ...nn import Conv2d, Dropout, MaxPool2d, Module, ReLU, Sequential
from ...tensor import Tensor
from .pixels import check_sides, upsampling


def stage(c_in: int, c_out: int, count: int) -> Sequential:
    """`count` 3x3 convolutions with ReLU, then a pooling that halves the sides."""
    layers: list[Module] = []
    for k in range(count):
        source = c_in if k == 0 else c_out
        layers += [Conv2d(source, c_out, 3, padding=1, weight_init="he_normal"), ReLU()]
    return Sequential(*layers, MaxPool2d(2))


class FCN32s(Module):
    """VGG16 whose linear layers are convolutions, and one upsampling by 32.

    | layer | output | for VGG16's widths and 21 classes |
    |---|---|---|
    | stages 1 ... 5 of 3x3 convolutions, each with a pooling | H/32 x W/32 | 14,714,688 |
    | conv6 7x7, ReLU, dropout | x hidden | 102,764,544 |
    | conv7 1x1, ReLU, dropout | x hidden | 16,781,312 |
    | score 1x1 | x classes | 86,037 |
    | transposed convolution 64x64, stride 32, first bilinear | H x W x classes | 1,806,336 |
    | all | | 136,152,917 |

    x (N, H, W, in_channels), sides multiples of 32 -> logits (N, H, W, classes) for
    `nn.cross_entropy`. The paper pads by 100 and crops; here every convolution keeps the size.
    All upsamplings are learned (the paper keeps the last one fixed). The scores start at 0, as
    there. Long et al. 2015 (arXiv 1411.4038). Raises ConfigError; the call ShapeError.
    """

    def __init__(
        self,
        classes: int = 21,
        in_channels: int = 3,
        widths: Sequence[int] = (64, 128, 256, 512, 512),
        counts: Sequence[int] = (2, 2, 3, 3, 3),
        hidden: int = 4096,
        dropout: float = 0.5,
    ) -> None:
        if len(widths) != 5 or len(counts) != 5:
            raise ConfigError(
                f"FCN: needs five widths and counts, got {tuple(widths)} and {tuple(counts)}"
            )
        sources = (in_channels, *widths[:-1])
        self.stages = [stage(*sizes) for sizes in zip(sources, widths, counts, strict=True)]
        self.classifier = Sequential(
            Conv2d(widths[-1], hidden, 7, padding=3, weight_init="he_normal"), ReLU(),
            Dropout(dropout),
            Conv2d(hidden, hidden, 1, weight_init="he_normal"), ReLU(), Dropout(dropout),
            Conv2d(hidden, classes, 1, weight_init="zeros"),
        )  # fmt: skip
        self.classes = classes
        self.add_decoder(widths)

    def add_decoder(self, widths: Sequence[int]) -> None:
        self.upsample = upsampling(self.classes, 32)

    def forward(self, x: Tensor) -> Tensor:
        check_sides(type(self).__name__, x, 32)
        pools = []
        for one in self.stages:
            x = one(x)
            pools.append(x)
        return self.decode(self.classifier(x), pools)

    def decode(self, score: Tensor, pools: list[Tensor]) -> Tensor:
        return self.upsample(score)


class FCN16s(FCN32s):
    """FCN-32s with the finer map of pool4: 2 x score + score of pool4, then upsampling by 16.

    134,815,994 parameters with VGG16's widths and 21 classes: FCN-32s less its upsampling, and
    score4 10,773, twice 7,056, upsampling 451,584.
    """

    def add_decoder(self, widths: Sequence[int]) -> None:
        self.twice = upsampling(self.classes, 2)
        self.score4 = Conv2d(widths[3], self.classes, 1, weight_init="zeros")
        self.upsample = upsampling(self.classes, 16)

    def decode(self, score: Tensor, pools: list[Tensor]) -> Tensor:
        return self.upsample(self.twice(score) + self.score4(pools[3]))


class FCN8s(FCN16s):
    """FCN-16s with the map of pool3 too: the sum doubled again, then upsampling by 8.

    134,489,759 parameters with VGG16's widths and 21 classes.
    """

    def add_decoder(self, widths: Sequence[int]) -> None:
        super().add_decoder(widths)
        self.twice3 = upsampling(self.classes, 2)
        self.score3 = Conv2d(widths[2], self.classes, 1, weight_init="zeros")
        self.upsample = upsampling(self.classes, 8)

    def decode(self, score: Tensor, pools: list[Tensor]) -> Tensor:
        both = self.twice(score) + self.score4(pools[3])
        return self.upsample(self.twice3(both) + self.score3(pools[2]))
