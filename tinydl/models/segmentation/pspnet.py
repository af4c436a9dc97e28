"""PSPNet: every place of a dilated residual network also sees the means of large parts."""

from __future__ import annotations

from collections.abc import Sequence

from ... import ops
from ...errors import ConfigError
from ...nn import BatchNorm, Conv2d, MaxPool2d, Module, ReLU, Sequential
from ...tensor import Tensor
from .pixels import check_sides

BINS = (1, 2, 3, 6)


def conv(c_in: int, c_out: int, kernel: int, stride: int = 1, dilation: int = 1) -> list[Module]:
    """Convolution without bias that keeps the size (but for its stride), batch normalisation."""
    padding = dilation * (kernel // 2)
    layer = Conv2d(
        c_in, c_out, kernel, stride, padding, dilation, bias=False, weight_init="he_normal"
    )
    return [layer, BatchNorm(c_out, momentum=0.9)]


class Bottleneck(Module):
    """relu(shortcut(x) + 1x1, 3x3, 1x1), the last with four times the width; He et al. 2015."""

    def __init__(self, c_in: int, width: int, stride: int, dilation: int) -> None:
        self.residual = Sequential(
            *conv(c_in, width, 1), ReLU(), *conv(width, width, 3, stride, dilation), ReLU(),
            *conv(width, 4 * width, 1),
        )  # fmt: skip
        same = stride == 1 and c_in == 4 * width
        self.shortcut = None if same else Sequential(*conv(c_in, 4 * width, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        return ops.relu(self.residual(x) + (x if self.shortcut is None else self.shortcut(x)))


class PyramidPooling(Module):
    """x beside its means over n x n bins (n = 1, 2, 3, 6), each reduced to C / 4 channels by a 1x1
    convolution and interpolated back: (N, H, W, C) -> (N, H, W, 2 C)."""

    def __init__(self, channels: int) -> None:
        self.reduce = [Sequential(*conv(channels, channels // 4, 1), ReLU()) for _ in BINS]

    def forward(self, x: Tensor) -> Tensor:
        size = (x.shape[1], x.shape[2])
        parts = [
            ops.resize(reduce(ops.adaptive_avg_pool2d(x, bins)), size, "bilinear")
            for bins, reduce in zip(BINS, self.reduce, strict=True)
        ]
        return ops.concat([x, *parts], axis=3)


class PSPNet(Module):
    """A dilated ResNet, pyramid pooling, one more convolution, and interpolation to full size.

    | layer | output | for ResNet-50 and 21 classes |
    |---|---|---|
    | 7x7 stride 2, pooling 3x3 stride 2 | H/4, widths[0] | 9,536 |
    | bottlenecks: stride 1; stride 2; dilation 2; dilation 4 | H/8, 4 widths[3] | 23,498,496 |
    | pyramid pooling | H/8, 8 widths[3] | 4,198,400 |
    | 3x3, batch norm, ReLU; 1x1 | H/8, classes | 18,886,165 |
    | bilinear | H x W x classes | |
    | all | | 46,592,597 |

    x (N, H, W, in_channels), sides multiples of 8 -> logits (N, H, W, classes) for
    `nn.cross_entropy`. counts, widths: bottlenecks and their inner channels per stage. The
    paper's auxiliary loss on the third stage is left out. Zhao et al. 2017 (arXiv 1612.01105).
    Raises ConfigError; the call ShapeError.
    """

    def __init__(
        self,
        classes: int = 21,
        in_channels: int = 3,
        counts: Sequence[int] = (3, 4, 6, 3),
        widths: Sequence[int] = (64, 128, 256, 512),
    ) -> None:
        if len(counts) != 4 or len(widths) != 4:
            raise ConfigError(
                f"PSPNet: needs four counts and widths, got {tuple(counts)} and {tuple(widths)}"
            )
        self.stem = Sequential(*conv(in_channels, widths[0], 7, 2), ReLU(), MaxPool2d(3, 2, 1))
        blocks, channels = [], widths[0]
        for count, width, stride, dilation in zip(
            counts, widths, (1, 2, 1, 1), (1, 1, 2, 4), strict=True
        ):
            for k in range(count):
                blocks.append(Bottleneck(channels, width, stride if k == 0 else 1, dilation))
                channels = 4 * width
        self.stages = Sequential(*blocks)
        self.pyramid = PyramidPooling(channels)
        self.head = Sequential(
            *conv(2 * channels, channels // 4, 3), ReLU(), Conv2d(channels // 4, classes, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        check_sides("PSPNet", x, 8)
        scores = self.head(self.pyramid(self.stages(self.stem(x))))
        return ops.resize(scores, (x.shape[1], x.shape[2]), "bilinear")
