"""Residual networks for ImageNet: 18 to 152 layers, and the plain network of the same depth."""

from __future__ import annotations

from collections.abc import Sequence

from ...nn import GlobalAvgPool, Linear, MaxPool2d, Module, Sequential
from ...ops import relu
from ...tensor import Tensor
from .residual import BasicBlock, Bottleneck, PlainBlock, conv, norm

#: Blocks per stage; 18 and 34 layers in basic blocks, 50, 101 and 152 in bottlenecks.
RESNET18, RESNET34 = (2, 2, 2, 2), (3, 4, 6, 3)
RESNET50, RESNET101, RESNET152 = (3, 4, 6, 3), (3, 4, 23, 3), (3, 8, 36, 3)


class ResNet(Module):
    """conv 7x7 stride 2, norm, relu, 3x3 max pool stride 2; stages of basic blocks; mean; linear.

    | layer | output for 224x224x3 | parameters of ResNet-34 |
    |---|---|---|
    | conv 7x7 stride 2, norm, relu | (N, 112, 112, 64) | 9,536 |
    | MaxPool2d 3 stride 2 | (N, 56, 56, 64) | 0 |
    | blocks[0] blocks, 64 channels | (N, 56, 56, 64) | 221,952 |
    | blocks[1] blocks, 128 channels | (N, 28, 28, 128) | 1,116,416 |
    | blocks[2] blocks, 256 channels | (N, 14, 14, 256) | 6,822,400 |
    | blocks[3] blocks, 512 channels | (N, 7, 7, 512) | 13,114,368 |
    | GlobalAvgPool, Linear | (N, 1000) | 513,000 |
    | all | | 21,797,672 |

    x: (N, H, W, in_channels) float; result: logits (N, classes). Where the size changes, the
    shortcut is a 1x1 convolution with a normalisation. ResNet-18: 11,689,512.

    He, Zhang, Ren and Sun 2015 (arXiv 1512.03385), table 1.
    """

    block: type[PlainBlock] | type[Bottleneck] = BasicBlock

    def __init__(
        self,
        blocks: Sequence[int] = RESNET34,
        widths: Sequence[int] = (64, 128, 256, 512),
        in_channels: int = 3,
        classes: int = 1000,
    ) -> None:
        c = widths[0]
        self.conv, self.norm = conv(in_channels, c, 7, 2), norm(c)
        self.pool = MaxPool2d(3, 2, 1)
        layers: list[Module] = []
        for stage, (count, channels) in enumerate(zip(blocks, widths, strict=True)):
            for i in range(count):
                layers.append(self.block(c, channels, 2 if stage and i == 0 else 1))
                c = self.block.expansion * channels
        self.blocks = Sequential(*layers)
        self.head = Sequential(GlobalAvgPool(), Linear(c, classes))

    def forward(self, x: Tensor) -> Tensor:
        h = self.pool(relu(self.norm(self.conv(x))))
        return self.head(self.blocks(h))


class BottleneckResNet(ResNet):
    """ResNet-50 (25,557,032 parameters), -101 (44,549,160) and -152 (60,192,808) by `blocks`."""

    block = Bottleneck


class PlainNet(ResNet):
    """ResNet-34 without shortcuts, the book's and the paper's control: 21,623,848 parameters."""

    block = PlainBlock
