"""GoogLeNet: inception modules, four branches each, and two auxiliary classifiers."""

from __future__ import annotations

from ...errors import ConfigError
from ...nn import (
    AvgPool2d,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    cross_entropy,
)
from ...ops import concat
from ...tensor import Tensor

# Channels of the modules 3a to 5b: 1x1 | 3x3 reduce, 3x3 | 5x5 reduce, 5x5 | behind the pooling.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
AUXILIARY_WEIGHT = 0.3


def _conv(c_in: int, c_out: int, kernel_size: int, stride: int = 1) -> Sequential:
    return Sequential(
        Conv2d(c_in, c_out, kernel_size, stride, "same", weight_init="he_normal"), ReLU()
    )


class Inception(Module):
    """Four views of the same x, (N, H, W, in_channels), side by side as channels.

    1x1 | 1x1 -> 3x3 | 1x1 -> 5x5 | 3x3 max pool -> 1x1: (N, H, W, c1 + c3 + c5 + pool). The 1x1
    before the 3x3 and the 5x5 make these cheap. Szegedy et al. 2014, figure 2b.
    """

    def __init__(
        self, in_channels: int, c1: int, reduce3: int, c3: int, reduce5: int, c5: int, pool: int
    ) -> None:
        self.out_channels = c1 + c3 + c5 + pool
        self.branch1 = _conv(in_channels, c1, 1)
        self.branch3 = Sequential(_conv(in_channels, reduce3, 1), _conv(reduce3, c3, 3))
        self.branch5 = Sequential(_conv(in_channels, reduce5, 1), _conv(reduce5, c5, 5))
        self.branch_pool = Sequential(MaxPool2d(3, 1, "same"), _conv(in_channels, pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        return concat(
            [self.branch1(x), self.branch3(x), self.branch5(x), self.branch_pool(x)], axis=-1
        )


class Auxiliary(Sequential):
    """A classifier on a map in the middle: 5x5 mean stride 3, 1x1, two linear layers."""

    def __init__(
        self,
        in_channels: int,
        side: int,
        channels: int,
        hidden: int,
        classes: int,
        dropout: float,
    ) -> None:
        side = (side - 5) // 3 + 1
        super().__init__(
            *(AvgPool2d(5, 3), _conv(in_channels, channels, 1), Flatten()),
            *(Linear(side * side * channels, hidden), ReLU(), Dropout(dropout)),
            Linear(hidden, classes),
        )


class GoogLeNet(Module):
    """Stem, nine inception modules with three poolings between, global mean, one linear layer.

    6,998,552 parameters for 1000 classes without the auxiliary classifiers (on 4a and 4d), which
    add 3,188,840 and 3,190,888 for 224 pixels. x: (N, image_size, image_size, in_channels) float;
    result: logits (N, classes); in training (logits, auxiliary 4a, auxiliary 4d), for
    `auxiliary_cross_entropy`. width: factor on every channel count. Raises ConfigError for images
    below 65 pixels.

    Szegedy et al. 2014 (arXiv 1409.4842), table 1: without normalisation but the two local ones.
    """

    def __init__(
        self,
        image_size: int = 224,
        in_channels: int = 3,
        classes: int = 1000,
        width: float = 1.0,
        dropout: float = 0.4,
        auxiliary_dropout: float = 0.7,
    ) -> None:
        side = -(-image_size // 16)  # the map of the modules 4
        if side < 5:
            raise ConfigError(f"GoogLeNet: needs images of at least 65 pixels, got {image_size}")

        def scaled(*channels: int) -> list[int]:
            return [max(1, round(width * c)) for c in channels]

        c1, c2, hidden, middle = scaled(64, 192, 1024, 128)
        self.stem = Sequential(
            *(_conv(in_channels, c1, 7, 2), MaxPool2d(3, 2, "same"), LocalResponseNorm(5)),
            *(_conv(c1, c1, 1), _conv(c1, c2, 3), LocalResponseNorm(5), MaxPool2d(3, 2, "same")),
        )
        modules: dict[str, Inception] = {}
        c = c2
        for name, channels in MODULES.items():
            modules[name] = Inception(c, *scaled(*channels))
            c = modules[name].out_channels
        self.stage3 = Sequential(modules["3a"], modules["3b"], MaxPool2d(3, 2, "same"))
        self.stage4a = modules["4a"]
        self.stage4bcd = Sequential(modules["4b"], modules["4c"], modules["4d"])
        self.stage4e = Sequential(modules["4e"], MaxPool2d(3, 2, "same"))
        self.stage5 = Sequential(modules["5a"], modules["5b"])
        self.head = Sequential(GlobalAvgPool(), Dropout(dropout), Linear(c, classes))
        self.auxiliary = [
            Auxiliary(modules[name].out_channels, side, middle, hidden, classes, auxiliary_dropout)
            for name in ("4a", "4d")
        ]

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        first = self.stage4a(self.stage3(self.stem(x)))
        second = self.stage4bcd(first)
        logits = self.head(self.stage5(self.stage4e(second)))
        if not self.training:
            return logits
        return logits, self.auxiliary[0](first), self.auxiliary[1](second)


def auxiliary_cross_entropy(outputs: Tensor | tuple[Tensor, ...], labels: Tensor) -> Tensor:
    """cross_entropy(logits) + 0.3 times that of each auxiliary classifier, if there are any."""
    logits, *others = outputs if isinstance(outputs, tuple) else (outputs,)
    loss = cross_entropy(logits, labels)
    for other in others:
        loss = loss + cross_entropy(other, labels) * AUXILIARY_WEIGHT
    return loss
