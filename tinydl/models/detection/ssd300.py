"""SSD300: VGG16 without its fully connected layers, and four smaller maps behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...nn import Conv2d, L2Normalize, MaxPool2d, Module, ReLU, Sequential
from ...tensor import Tensor
from .anchors import boxes_per_cell, default_boxes, linear_scales
from .ssd import SSD

IMAGE = (300, 300)
MAPS = ((38, 38), (19, 19), (10, 10), (5, 5), (3, 3), (1, 1))
FEW, MANY = (2.0, 1 / 2), (2.0, 1 / 2, 3.0, 1 / 3)
RATIOS = (FEW, MANY, MANY, MANY, FEW, FEW)


def conv(c_in: int, c_out: int, kernel: int, **options: Any) -> list[Module]:
    return [Conv2d(c_in, c_out, kernel, weight_init="he_normal", **options), ReLU()]


class VGGFeatures(Module):
    """The six maps of SSD300, for widths (64, 128, 256, 512) and extra 1024:

    | layers | map |
    |---|---|
    | conv1_1, 1_2, pool, conv2_1, 2_2, pool, conv3_1 ... 3_3, pool (75 -> 38: ceiling) | 38x38 |
    | conv4_1 ... 4_3, every place scaled to length 20 | **38x38x512** |
    | pool, conv5_1 ... 5_3, pool 3x3 stride 1 | 19x19x512 |
    | conv6 3x3x1024 dilation 6, conv7 1x1x1024 | **19x19x1024** |
    | conv8_1 1x1x256, conv8_2 3x3x512 stride 2 | **10x10x512** |
    | conv9_1 1x1x128, conv9_2 3x3x256 stride 2 | **5x5x256** |
    | conv10_1 1x1x128, conv10_2 3x3x256 without padding | **3x3x256** |
    | conv11_1 1x1x128, conv11_2 3x3x256 without padding | **1x1x256** |
    """

    def __init__(self, widths: Sequence[int], extra: int) -> None:
        a, b, c, d = widths
        pool = MaxPool2d(2, padding="same")  # half, rounded up
        early: list[Module] = [*conv(3, a, 3, padding=1), *conv(a, a, 3, padding=1), pool]
        early += [*conv(a, b, 3, padding=1), *conv(b, b, 3, padding=1), pool]
        early += [*conv(b, c, 3, padding=1), *conv(c, c, 3, padding=1)]
        early += [*conv(c, c, 3, padding=1), pool, *conv(c, d, 3, padding=1)]
        early += [*conv(d, d, 3, padding=1), *conv(d, d, 3, padding=1)]
        self.conv4_3 = Sequential(*early)
        self.scaled = L2Normalize(d)
        late: list[Module] = [pool, *(m for _ in range(3) for m in conv(d, d, 3, padding=1))]
        late += [MaxPool2d(3, 1, 1), *conv(d, extra, 3, padding=6, dilation=6)]
        self.conv7 = Sequential(*late, *conv(extra, extra, 1))
        self.conv8 = Sequential(*conv(extra, c, 1), *conv(c, d, 3, stride=2, padding=1))
        self.conv9 = Sequential(*conv(d, b, 1), *conv(b, c, 3, stride=2, padding=1))
        self.conv10 = Sequential(*conv(c, b, 1), *conv(b, c, 3))
        self.conv11 = Sequential(*conv(c, b, 1), *conv(b, c, 3))

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.conv4_3(x)
        maps = [self.scaled(x)]
        for stage in (self.conv7, self.conv8, self.conv9, self.conv10, self.conv11):
            x = stage(x)
            maps.append(x)
        return maps


class SSD300(SSD):
    """SSD with 300x300 pictures: 8,732 default boxes, 26,285,486 parameters for 20 classes.

    Boxes per cell: 4, 6, 6, 6, 4, 4. Scales are those of the formula, 0.2 ... 0.9 of the side
    (`linear_scales`), as the book has it; the authors' released models have 0.1 for the first map
    and 0.2 ... 0.9 for the other five. widths, extra: channels of the base, smaller for a toy.
    x (N, 300, 300, 3) -> (N, 8732, 5 + classes), see `SSD`. Liu et al. 2016 (arXiv 1512.02325).
    """

    def __init__(
        self,
        classes: int = 20,
        widths: Sequence[int] = (64, 128, 256, 512),
        extra: int = 1024,
    ) -> None:
        _, _, c, d = widths
        sizes = [300 * s for s in linear_scales(len(MAPS))]
        super().__init__(
            VGGFeatures(widths, extra),
            (d, extra, d, c, c, c),
            [boxes_per_cell(shapes) for shapes in RATIOS],
            default_boxes(MAPS, sizes, RATIOS, IMAGE),
            classes,
            IMAGE,
        )
