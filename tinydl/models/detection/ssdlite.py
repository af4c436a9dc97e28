"""SSDLite: SSD's idea on MobileNet v2, every further convolution depthwise separable."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ConfigError
from ...nn import BatchNorm, Conv2d, DepthwiseConv2d, Module, Sequential
from ...ops import relu6
from ...tensor import Tensor
from ..mobile.mobilenet_v2 import BLOCKS, InvertedResidual, divisible
from .anchors import boxes_per_cell, default_boxes, linear_scales
from .ssd import SSD

EXTRA = (512, 256, 256, 128)
FEW, MANY = (2.0,), (2.0, 1 / 2, 3.0, 1 / 3)


class ReLU6(Module):
    """min(max(x, 0), 6)."""

    def forward(self, x: Tensor) -> Tensor:
        return relu6(x)


def pointwise(c_in: int, c_out: int) -> list[Module]:
    conv = Conv2d(c_in, c_out, 1, bias=False, weight_init="he_normal")
    return [conv, BatchNorm(c_out, 0.9), ReLU6()]


def depthwise(channels: int, stride: int) -> list[Module]:
    conv = DepthwiseConv2d(channels, 3, stride, "same", bias=False, weight_init="he_normal")
    return [conv, BatchNorm(channels, 0.9), ReLU6()]


def separable_head(c_in: int, c_out: int) -> Module:
    """SSDLite's predictor: 3x3 depthwise with batch normalisation and ReLU6, then 1x1."""
    return Sequential(*depthwise(c_in, 1), Conv2d(c_in, c_out, 1))


class MobileFeatures(Module):
    """MobileNet v2's maps at strides 16 and 32, and four smaller ones behind them.

    The first map is the expansion inside the last block of stride 2 (the 14th, "layer 15"; 576
    channels); the second is the last 1x1 convolution (1280).
    """

    def __init__(
        self, width: float, blocks: Sequence[Sequence[int]], last: int, extra: Sequence[int]
    ) -> None:
        c = divisible(32 * width)
        conv = Conv2d(3, c, 3, 2, "same", bias=False, weight_init="he_normal")
        self.stem = Sequential(conv, BatchNorm(c, 0.9), ReLU6())
        layers: list[InvertedResidual] = []
        self.split, self.first, splits = -1, 0, False
        for expansion, channels, repeats, stride in blocks:
            for i in range(repeats):
                out = divisible(channels * width)
                if i == 0 and stride == 2:
                    self.split, self.first = len(layers), c * expansion
                    splits = expansion > 1
                layers.append(InvertedResidual(c, out, stride if i == 0 else 1, expansion))
                c = out
        if self.split < 0 or not splits:
            raise ConfigError("SSDLite: the last block of stride 2 must have an expansion above 1")
        self.blocks = layers
        self.last = Sequential(*pointwise(c, last))
        self.extra, c = [], last
        for out in extra:
            half = out // 2
            self.extra.append(
                Sequential(*pointwise(c, half), *depthwise(half, 2), *pointwise(half, out))
            )
            c = out

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        for block in self.blocks[: self.split]:
            x = block(x)
        middle = self.blocks[self.split]
        maps = [relu6(middle.norm1(middle.expand(x)))]
        x = middle.norm3(middle.project(relu6(middle.norm2(middle.depthwise(maps[0])))))
        for block in self.blocks[self.split + 1 :]:
            x = block(x)
        maps.append(self.last(x))
        for stage in self.extra:
            maps.append(stage(maps[-1]))
        return maps


class SSDLite(SSD):
    """SSD on MobileNet v2: maps of 19, 10, 5, 3, 2 and 1 cells per side for 300 pixels.

    1,917 default boxes: 3 per cell of the first map, 6 of the others; scales 0.2 ... 0.95 of the
    side. 4,303,925 parameters for the 80 classes of COCO, where the paper has 4.3 million:
    2,223,872 of MobileNet v2, 656,960 of the further maps, 1,423,093 of the heads.

    image: height and width; width, blocks, last: of MobileNet v2; extra: channels of the
    further maps. The zoo's "ssd_mobilenet_v2" is another network, with ordinary convolutions in its
    heads. Sandler et al. 2018 (arXiv 1801.04381), section 6.2. Output as in `SSD`.
    """

    def __init__(
        self,
        image: tuple[int, int] = (300, 300),
        classes: int = 80,
        width: float = 1.0,
        blocks: Sequence[Sequence[int]] = BLOCKS,
        last: int = 1280,
        extra: Sequence[int] = EXTRA,
    ) -> None:
        features = MobileFeatures(width, blocks, last, extra)
        stride = 2  # the stem's
        for block in blocks:
            stride *= block[3]
        count = 2 + len(extra)
        steps = [stride // 2 * 2**k for k in range(count)]
        maps = [(-(-int(image[0]) // s), -(-int(image[1]) // s)) for s in steps]
        ratios = [FEW, *[MANY] * (count - 1)]
        sizes = [min(image) * s for s in linear_scales(count, 0.2, 0.95)]
        super().__init__(
            features,
            (features.first, last, *extra),
            [boxes_per_cell(shapes) for shapes in ratios],
            default_boxes(maps, sizes, ratios, image),
            classes,
            (int(image[0]), int(image[1])),
            separable_head,
        )
