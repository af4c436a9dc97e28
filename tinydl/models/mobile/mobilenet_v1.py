"""MobileNet version 1: a convolution, then depthwise and 1x1 convolutions in turn."""

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

#: (channels, stride) of the thirteen blocks. The book's table gives the last block stride 2, but
#: its next row continues at the same size: 1 is right.
BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)


class SeparableBlock(Module):
    """relu6(norm(conv1x1(relu6(norm(depthwise3x3(x)))))): filters space, then mixes channels.

    Beside a 3x3 convolution to `out_channels` it costs 1/out_channels + 1/9 of the multiply-adds.
    x (N, H, W, in_channels) -> (N, ceil(H/stride), ceil(W/stride), out_channels).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        self.depthwise = DepthwiseConv2d(
            in_channels, 3, stride, "same", bias=False, weight_init="he_normal"
        )
        self.norm1 = BatchNorm(in_channels, 0.9)
        self.pointwise = Conv2d(in_channels, out_channels, 1, bias=False, weight_init="he_normal")
        self.norm2 = BatchNorm(out_channels, 0.9)

    def forward(self, x: Tensor) -> Tensor:
        h = relu6(self.norm1(self.depthwise(x)))
        return relu6(self.norm2(self.pointwise(h)))


class MobileNetV1(Module):
    """conv 3x3 to 32 channels, norm, relu6; thirteen separable blocks; mean; linear.

    4,231,976 parameters and 568.7 million multiply-adds for 224x224x3 and 1000 classes. width: the
    width multiplier alpha, a factor on every channel count (0.75, 0.5, 0.25 in the paper); the
    resolution multiplier is the size of x. blocks: (channels, stride) each. stem_stride: 1 for
    small images such as CIFAR's. x: (N, H, W, in_channels) float; result: logits (N, classes).
    Raises ConfigError for a width that is not positive.

    Howard et al. 2017 (arXiv 1704.04861), table 1; dropout as in Keras.
    """

    def __init__(
        self,
        width: float = 1.0,
        in_channels: int = 3,
        classes: int = 1000,
        blocks: Sequence[tuple[int, int]] = BLOCKS,
        stem_stride: int = 2,
        dropout: float = 1e-3,
    ) -> None:
        if not width > 0:
            raise ConfigError(f"MobileNetV1: width must be > 0, got {width!r}")
        c = max(1, int(32 * width))
        self.conv = Conv2d(
            in_channels, c, 3, stem_stride, "same", bias=False, weight_init="he_normal"
        )
        self.norm = BatchNorm(c, 0.9)
        layers: list[Module] = []
        for channels, stride in blocks:
            scaled = max(1, int(channels * width))
            layers.append(SeparableBlock(c, scaled, stride))
            c = scaled
        self.blocks = Sequential(*layers)
        self.head = Sequential(GlobalAvgPool(), Dropout(dropout), Linear(c, classes))

    def forward(self, x: Tensor) -> Tensor:
        h = relu6(self.norm(self.conv(x)))
        return self.head(self.blocks(h))
