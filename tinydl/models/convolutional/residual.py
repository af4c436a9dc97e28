"""Blocks of the residual networks: y = shortcut(x) + F(x), with F two or three convolutions.

Every convolution is without bias, because a batch normalisation follows; weights start He normal.
He, Zhang, Ren and Sun: Deep Residual Learning (2015, arXiv 1512.03385), Identity Mappings (2016,
arXiv 1603.05027).
"""

from __future__ import annotations

from collections.abc import Callable

from ...nn import BatchNorm, Conv2d, Module, Sequential
from ...ops import pad, relu
from ...tensor import Tensor

MOMENTUM, EPS = 0.9, 1e-5


def conv(in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1) -> Conv2d:
    """A convolution that keeps the size at stride 1: padding (kernel_size - 1) / 2, no bias."""
    padding = (kernel_size - 1) // 2
    return Conv2d(
        in_channels, out_channels, kernel_size, stride, padding, bias=False, weight_init="he_normal"
    )


def norm(channels: int) -> BatchNorm:
    return BatchNorm(channels, MOMENTUM, EPS)


class ZeroPadShortcut(Module):
    """Every `stride`-th row and column; channels beyond x's are 0. No parameters ("option A")."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        self.in_channels, self.out_channels, self.stride = in_channels, out_channels, stride

    def forward(self, x: Tensor) -> Tensor:
        if self.stride > 1:
            x = x[:, :: self.stride, :: self.stride]
        if self.in_channels == self.out_channels:
            return x
        return pad(x, [(0, 0)] * 3 + [(0, self.out_channels - self.in_channels)])


class ProjectionShortcut(Sequential):
    """x as it is, or, where the size changes, a 1x1 convolution and a normalisation ("B")."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        if stride == 1 and in_channels == out_channels:
            super().__init__()
        else:
            super().__init__(conv(in_channels, out_channels, 1, stride), norm(out_channels))


Shortcut = Callable[[int, int, int], Module]


class PlainBlock(Module):
    """relu(norm(conv(relu(norm(conv(x)))))): what stands beside the shortcut, without it."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        self.conv1, self.norm1 = conv(in_channels, channels, 3, stride), norm(channels)
        self.conv2, self.norm2 = conv(channels, channels), norm(channels)

    def residual(self, x: Tensor) -> Tensor:
        """F(x), before the last relu."""
        return self.norm2(self.conv2(relu(self.norm1(self.conv1(x)))))

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.residual(x))


class BasicBlock(PlainBlock):
    """relu(shortcut(x) + F(x)), F two 3x3 convolutions: He et al. 2015, figure 5 left."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        shortcut: Shortcut = ProjectionShortcut,
    ) -> None:
        super().__init__(in_channels, channels, stride)
        self.shortcut = shortcut(in_channels, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.shortcut(x) + self.residual(x))


class Bottleneck(Module):
    """relu(shortcut(x) + F(x)), F = 1x1 down to `channels`, 3x3, 1x1 up to four times as many.

    The 3x3 convolution has the stride, as in PyTorch; the paper strides the first 1x1, which
    ignores three quarters of its input. Parameters are the same. He et al. 2015, figure 5 right.
    """

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        out_channels = self.expansion * channels
        self.conv1, self.norm1 = conv(in_channels, channels, 1), norm(channels)
        self.conv2, self.norm2 = conv(channels, channels, 3, stride), norm(channels)
        self.conv3, self.norm3 = conv(channels, out_channels, 1), norm(out_channels)
        self.shortcut = ProjectionShortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        h = relu(self.norm1(self.conv1(x)))
        h = relu(self.norm2(self.conv2(h)))
        return relu(self.shortcut(x) + self.norm3(self.conv3(h)))


class PreActivationBlock(Module):
    """shortcut(x) + conv(relu(norm(conv(relu(norm(x)))))): the sum meets no relu behind it.

    So the identity runs through the whole network: He et al. 2016, figure 1b.
    """

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        self.norm1, self.conv1 = norm(in_channels), conv(in_channels, channels, 3, stride)
        self.norm2, self.conv2 = norm(channels), conv(channels, channels)
        self.shortcut = ZeroPadShortcut(in_channels, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(relu(self.norm1(x)))
        return self.shortcut(x) + self.conv2(relu(self.norm2(h)))
