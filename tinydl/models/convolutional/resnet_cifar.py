"""Residual networks for 32x32 images, version 1 and 2, and the same depth without shortcuts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ...errors import ConfigError
from ...nn import GlobalAvgPool, Linear, Module, Sequential
from ...ops import relu
from ...tensor import Tensor
from .residual import BasicBlock, PlainBlock, PreActivationBlock, ZeroPadShortcut, conv, norm


def stages(
    name: str,
    block: Callable[[int, int, int], Module],
    depth: int,
    widths: Sequence[int],
) -> Sequential:
    """(depth - 2) / 6 blocks of two convolutions at each of three widths; the second and third
    width start with stride 2. ConfigError unless depth is 6 n + 2 and there are three widths."""
    n, rest = divmod(depth - 2, 6)
    if n < 1 or rest or len(widths) != 3:
        raise ConfigError(
            f"{name}: depth must be 6 n + 2 (8, 14, 20, ...) with three widths, got {depth} and "
            f"{tuple(widths)}"
        )
    blocks, in_channels = [], widths[0]
    for stage, channels in enumerate(widths):
        for i in range(n):
            blocks.append(block(in_channels, channels, 2 if stage and i == 0 else 1))
            in_channels = channels
    return Sequential(*blocks)


class ResNetCifar(Module):
    """conv 3x3, norm, relu; 6 n convolutions in basic blocks; global mean; linear: 6 n + 2 layers.

    | layer | output for 32x32x3 | parameters at depth 20 |
    |---|---|---|
    | conv 3x3, norm, relu | (N, 32, 32, 16) | 464 |
    | n blocks, 16 channels | (N, 32, 32, 16) | 14,016 |
    | n blocks, 32 channels | (N, 16, 16, 32) | 51,072 |
    | n blocks, 64 channels | (N, 8, 8, 64) | 203,520 |
    | GlobalAvgPool, Linear | (N, 10) | 650 |
    | all | | 269,722 |

    Depth 32 has 464,154 and depth 56 853,018. Shortcuts have no parameters (`ZeroPadShortcut`).
    x: (N, H, W, in_channels) float; result: logits (N, classes). Raises ConfigError.

    He, Zhang, Ren and Sun 2015 (arXiv 1512.03385), section 4.2.
    """

    def __init__(
        self,
        depth: int = 20,
        in_channels: int = 3,
        classes: int = 10,
        widths: Sequence[int] = (16, 32, 64),
    ) -> None:
        self.conv, self.norm = conv(in_channels, widths[0]), norm(widths[0])
        self.blocks = self._stages(depth, widths)
        self.pool = GlobalAvgPool()
        self.linear = Linear(widths[-1], classes)

    def _stages(self, depth: int, widths: Sequence[int]) -> Sequential:
        block = partial(BasicBlock, shortcut=ZeroPadShortcut)
        return stages("ResNetCifar", block, depth, widths)

    def forward(self, x: Tensor) -> Tensor:
        h = relu(self.norm(self.conv(x)))
        return self.linear(self.pool(self.blocks(h)))


class PlainCifar(ResNetCifar):
    """ResNetCifar without shortcuts: the same parameters, and at depth 56 worse than at 20.

    He et al. 2015, section 4.2 and figure 6 left: the degradation that shortcuts cure.
    """

    def _stages(self, depth: int, widths: Sequence[int]) -> Sequential:
        return stages("PlainCifar", PlainBlock, depth, widths)


class ResNetV2Cifar(Module):
    """Version 2: every convolution in a block comes after its norm and relu, and a last norm and
    relu stand before the global mean.

    As many parameters, the same arguments, result and errors as ResNetCifar. He, Zhang, Ren and
    Sun 2016 (arXiv 1603.05027), table 2.
    """

    def __init__(
        self,
        depth: int = 20,
        in_channels: int = 3,
        classes: int = 10,
        widths: Sequence[int] = (16, 32, 64),
    ) -> None:
        self.conv = conv(in_channels, widths[0])
        self.blocks = stages("ResNetV2Cifar", PreActivationBlock, depth, widths)
        self.norm = norm(widths[-1])
        self.pool = GlobalAvgPool()
        self.linear = Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        h = self.blocks(self.conv(x))
        return self.linear(self.pool(relu(self.norm(h))))
