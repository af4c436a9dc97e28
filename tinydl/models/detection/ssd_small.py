"""A small SSD for pictures of any shape: a plain strided base, maps at strides 8, 16 and 32."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ...errors import ConfigError
from ...nn import BatchNorm, Conv2d, Module, ReLU, Sequential
from ...tensor import Tensor
from .anchors import boxes_per_cell, default_boxes
from .ssd import SSD


def block(c_in: int, c_out: int, stride: int) -> list[Module]:
    """3x3 convolution without bias, batch normalisation, ReLU."""
    conv = Conv2d(
        c_in, c_out, 3, stride=stride, padding="same", bias=False, weight_init="he_normal"
    )
    return [conv, BatchNorm(c_out, momentum=0.9), ReLU()]


class StridedFeatures(Module):
    """Stages of two blocks, the first with stride 2; the last three stages are the maps."""

    def __init__(self, widths: Sequence[int]) -> None:
        self.stem = Sequential(*block(3, widths[0], 2))
        self.stages = [Sequential(*block(a, b, 2), *block(b, b, 1)) for a, b in pairwise(widths)]

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = [self.stem(x)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps[-3:]


class SmallSSD(SSD):
    """SSD on a base of 3x3 convolutions: the aspect of the picture is kept, nothing is pre-trained.

    | layer | output for 240x320 and widths 16, 32, 64, 128, 128 |
    |---|---|
    | 3x3 stride 2 | 120x160x16 |
    | 3x3 stride 2, 3x3 | 60x80x32 |
    | 3x3 stride 2, 3x3 | **30x40x64** |
    | 3x3 stride 2, 3x3 | **15x20x128** |
    | 3x3 stride 2, 3x3 | **8x10x128** |

    image: height and width; classes; widths: channels of the stem and of each stage, at least four;
    sizes: sides in pixels of the square boxes of the three maps, and one more; ratios: further
    aspect ratios of each map. Output as in `SSD`. Raises ConfigError.
    """

    def __init__(
        self,
        image: tuple[int, int] = (240, 320),
        classes: int = 3,
        widths: Sequence[int] = (16, 32, 64, 128, 128),
        sizes: Sequence[float] = (20, 48, 90, 140),
        ratios: Sequence[Sequence[float]] = ((), (2.0, 1 / 2), (2.0, 1 / 2)),
    ) -> None:
        if len(widths) < 4:
            raise ConfigError(f"SmallSSD: needs at least four widths, got {tuple(widths)}")
        maps, side = [], (int(image[0]), int(image[1]))
        for _ in widths:
            side = (-(-side[0] // 2), -(-side[1] // 2))
            maps.append(side)
        super().__init__(
            StridedFeatures(widths),
            widths[-3:],
            [boxes_per_cell(shapes) for shapes in ratios],
            default_boxes(maps[-3:], sizes, ratios, image),
            classes,
            (int(image[0]), int(image[1])),
        )
