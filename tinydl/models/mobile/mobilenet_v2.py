"""MobileNet version 2: inverted residuals with linear bottlenecks."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ConfigError
from ...nn import (
    BatchNorm,
    Conv2d,
    DepthwiseConv2d,
    Dropout,
    GlobalAvgPool,
    Linear,
    Module,
    Sequential,
)
from ...ops import relu6
from ...tensor import Tensor

#: (expansion t, channels c, repeats n, stride s of the first): seventeen blocks, not the book's 19.
BLOCKS = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)


def divisible(channels: float, by: int = 8) -> int:
    """`channels` rounded to a multiple of `by`, at least `by`, and never below nine tenths."""
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * channels else rounded


class InvertedResidual(Module):
    """x + norm(conv1x1(relu6(norm(depthwise3x3(relu6(norm(conv1x1(x))))))).

    Wide inside (expansion * in_channels), narrow outside, and no activation at the narrow end: a
    relu there would destroy information. The sum only where stride is 1 and x has out_channels; no
    first 1x1 for expansion 1. x (N, H, W, in_channels) -> (N, ceil(H/stride), ceil(W/stride),
    out_channels).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        c = in_channels * expansion
        if expansion > 1:
            self.expand = Conv2d(in_channels, c, 1, bias=False, weight_init="he_normal")
            self.norm1 = BatchNorm(c, 0.9)
        self.depthwise = DepthwiseConv2d(c, 3, stride, "same", bias=False, weight_init="he_normal")
        self.norm2 = BatchNorm(c, 0.9)
        self.project = Conv2d(c, out_channels, 1, bias=False, weight_init="he_normal")
        self.norm3 = BatchNorm(out_channels, 0.9)
        self.expansion, self.skip = expansion, stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.expansion == 1 else relu6(self.norm1(self.expand(x)))
        h = relu6(self.norm2(self.depthwise(h)))
        h = self.norm3(self.project(h))
        return x + h if self.skip else h


class MobileNetV2(Module):
    """conv 3x3 to 32 channels; seventeen inverted residuals; conv 1x1 to 1280; mean; linear.

    3,504,872 parameters and 300.8 million multiply-adds for 224x224x3 and 1000 classes. width: a
    factor on the channel counts, rounded to multiples of 8; the last 1280 only grow. blocks: (t, c,
    n, s) each; stem_stride: 1 for small images. x: (N, H, W, in_channels) float; result: logits
    (N, classes). Raises ConfigError for a width that is not positive.

    Sandler et al. 2018 (arXiv 1801.04381), table 2.
    """

    def __init__(
        self,
        width: float = 1.0,
        in_channels: int = 3,
        classes: int = 1000,
        blocks: Sequence[tuple[int, int, int, int]] = BLOCKS,
        stem_stride: int = 2,
        last: int = 1280,
        dropout: float = 0.2,
    ) -> None:
        if not width > 0:
            raise ConfigError(f"MobileNetV2: width must be > 0, got {width!r}")
        c = divisible(32 * width)
        self.conv = Conv2d(
            in_channels, c, 3, stem_stride, "same", bias=False, weight_init="he_normal"
        )
        self.norm = BatchNorm(c, 0.9)
        layers: list[Module] = []
        for expansion, channels, repeats, stride in blocks:
            out = divisible(channels * width)
            for i in range(repeats):
                layers.append(InvertedResidual(c, out, stride if i == 0 else 1, expansion))
                c = out
        self.blocks = Sequential(*layers)
        last = divisible(last * max(1.0, width))
        self.conv_last = Conv2d(c, last, 1, bias=False, weight_init="he_normal")
        self.norm_last = BatchNorm(last, 0.9)
        self.head = Sequential(GlobalAvgPool(), Dropout(dropout), Linear(last, classes))

    def forward(self, x: Tensor) -> Tensor:
        h = self.blocks(relu6(self.norm(self.conv(x))))
        return self.head(relu6(self.norm_last(self.conv_last(h))))
