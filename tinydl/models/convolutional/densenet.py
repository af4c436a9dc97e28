"""Densely connected networks: every layer sees the maps of all layers before it."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ConfigError
from ...nn import AvgPool2d, GlobalAvgPool, Linear, MaxPool2d, Module, Sequential
from ...ops import concat, relu
from ...tensor import Tensor
from .residual import conv, norm


class DenseLayer(Module):
    """[x, conv3x3(relu(norm(x)))]: `growth` channels more than x, (N, H, W, in_channels)."""

    def __init__(self, in_channels: int, growth: int) -> None:
        self.norm, self.conv = norm(in_channels), conv(in_channels, growth)

    def forward(self, x: Tensor) -> Tensor:
        return concat([x, self.conv(relu(self.norm(x)))], axis=-1)


class BottleneckLayer(Module):
    """[x, conv3x3(relu(norm(conv1x1(relu(norm(x))))))], the 1x1 to 4 growth channels ("B")."""

    def __init__(self, in_channels: int, growth: int) -> None:
        self.norm1, self.conv1 = norm(in_channels), conv(in_channels, 4 * growth, 1)
        self.norm2, self.conv2 = norm(4 * growth), conv(4 * growth, growth)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(relu(self.norm1(x)))
        return concat([x, self.conv2(relu(self.norm2(h)))], axis=-1)


class Transition(Module):
    """norm, relu, conv 1x1, 2x2 mean: half the size, `out_channels` channels."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        self.norm, self.conv = norm(in_channels), conv(in_channels, out_channels, 1)
        self.pool = AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.conv(relu(self.norm(x))))


class Dense(Module):
    """What all DenseNets share: a stem, dense blocks with transitions between, a head."""

    layer: type[DenseLayer] | type[BottleneckLayer] = BottleneckLayer
    compression = 0.5  # channels that a transition keeps ("C")

    def __init__(
        self, stem: Module, channels: int, layers: Sequence[int], growth: int, classes: int
    ) -> None:
        self.stem = stem
        modules: list[Module] = []
        for i, count in enumerate(layers):
            if i:
                kept = int(channels * self.compression)
                modules.append(Transition(channels, kept))
                channels = kept
            for _ in range(count):
                modules.append(self.layer(channels, growth))
                channels += growth
        self.blocks = Sequential(*modules)
        self.norm = norm(channels)
        self.head = Sequential(GlobalAvgPool(), Linear(channels, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(relu(self.norm(self.blocks(self.stem(x)))))


class DenseNetCifar(Dense):
    """DenseNet for 32x32 images: conv 3x3 to 16 channels, three blocks of (depth - 4) / 3 layers.

    depth 40, growth 12: 1,019,722 parameters. x: (N, H, W, in_channels) float; result: logits
    (N, classes). Raises ConfigError unless depth is 3 n + 4. Huang, Liu, van der Maaten and
    Weinberger 2016 (arXiv 1608.06993), section 4.2.
    """

    layer = DenseLayer
    compression = 1.0

    def __init__(
        self, depth: int = 40, growth: int = 12, in_channels: int = 3, classes: int = 10
    ) -> None:
        n, rest = divmod(depth - 4, 3)
        if n < 1 or rest:
            raise ConfigError(f"DenseNetCifar: depth must be 3 n + 4, got {depth}")
        super().__init__(conv(in_channels, 16), 16, (n, n, n), growth, classes)


class DenseNetBC(Dense):
    """DenseNet-BC for 32x32 images: conv 3x3 to 2 growth channels, three blocks of bottlenecks.

    depth 100, growth 12: 769,162 parameters; a bottleneck counts as two layers. x: (N, H, W,
    in_channels) float; result: logits (N, classes). Raises ConfigError unless depth is 6 n + 4.
    Huang et al. 2016, table 2.
    """

    def __init__(
        self, depth: int = 100, growth: int = 12, in_channels: int = 3, classes: int = 10
    ) -> None:
        n, rest = divmod(depth - 4, 6)
        if n < 1 or rest:
            raise ConfigError(f"DenseNetBC: depth must be 6 n + 4, got {depth}")
        super().__init__(conv(in_channels, 2 * growth), 2 * growth, (n, n, n), growth, classes)


class DenseNet(Dense):
    """DenseNet-121 for ImageNet (7,978,856 parameters), and the others by `layers`.

    conv 7x7 stride 2, norm, relu, 3x3 max pool stride 2, then blocks of bottlenecks. layers:
    (6, 12, 24, 16) for 121, (6, 12, 32, 32) for 169, (6, 12, 48, 32) for 201. x: (N, H, W,
    in_channels) float, H and W at least 32; result: logits (N, classes). Huang et al. 2016,
    table 1.
    """

    def __init__(
        self,
        layers: Sequence[int] = (6, 12, 24, 16),
        growth: int = 32,
        in_channels: int = 3,
        classes: int = 1000,
    ) -> None:
        stem = DenseStem(in_channels, 2 * growth)
        super().__init__(stem, 2 * growth, layers, growth, classes)


class DenseStem(Module):
    """conv 7x7 stride 2, norm, relu, 3x3 max pool stride 2: a quarter of the size."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        self.conv, self.norm = conv(in_channels, out_channels, 7, 2), norm(out_channels)
        self.pool = MaxPool2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(relu(self.norm(self.conv(x))))
