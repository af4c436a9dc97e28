"""Layers of volumes (N, D, H, W, C); see tinydl/ops/volumes.py."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import ops
from ..doors import checked
from ..geometry import output_size
from ..ops.volumes import triple, volume_padding
from ..random import Generator
from ..tensor import Tensor
from .conv import check_groups
from .conv_forms import _check_channels
from .init import Initializer
from .linear import Weighted, check_size
from .module import Module

Triple = int | tuple[int, int, int]
Padding = str | int | tuple


class Conv3d(Weighted):
    """Convolution of volumes, see `tinydl.conv3d`: x (N, D, H, W, in_channels) -> (N, OD, OH, OW,
    out_channels).

    weight (KD, KH, KW, in_channels/groups, out_channels), bias (out_channels,) or None. Penalties
    as in Linear. Raises ConfigError and ShapeError; the call ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Triple,
        stride: Triple = 1,
        padding: Padding = 0,
        dilation: Triple = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        weight_init: str | Initializer = "glorot_uniform",
        bias_init: str | Initializer = "zeros",
        rng: Generator | None = None,
        **penalties: Any,
    ) -> None:
        op = "Conv3d"
        check_size(op, in_channels=in_channels, out_channels=out_channels, groups=groups)
        check_groups(op, groups, in_channels, out_channels)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = triple(op, "kernel_size", kernel_size, 1)
        self.stride = triple(op, "stride", stride, 1)
        self.dilation, self.padding = triple(op, "dilation", dilation, 1), padding
        self._sides((1, 1, 1))
        shape = (*self.kernel_size, in_channels // groups, out_channels)
        super().__init__(shape, bias, weight_init, bias_init, rng=rng, **penalties)

    def _sides(self, size: tuple[int, ...]) -> Any:
        windows = self.kernel_size, self.stride, self.dilation
        return volume_padding("Conv3d", self.padding, size, *windows)

    def forward(self, x: Tensor) -> Tensor:
        _check_channels("Conv3d", x, 5, self.in_channels)
        y = ops.conv3d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )
        return self.watched(y)

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        windows = zip(
            x_shape[1:4], self.kernel_size, self.stride, self._sides(x_shape[1:4]), self.dilation,
            strict=True,
        )  # fmt: skip
        outputs = [output_size(n, k, s, a, b, d) for n, k, s, (a, b), d in windows]
        return x_shape[0] * prod(outputs) * self.weight.size

    def arguments(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, {self.kernel_size}"


class MaxPool3d(Module):
    """Largest value of each window: x (N, D, H, W, C) -> (N, OD, OH, OW, C), see
    `tinydl.max_pool3d`. Raises ShapeError; the call ShapeError and DTypeError."""

    @checked
    def __init__(
        self,
        kernel_size: Triple,
        stride: Triple | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
    ) -> None:
        op = type(self).__name__
        self.kernel_size = triple(op, "kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else triple(op, "stride", stride, 1)
        self.padding, self.ceil_mode = padding, ceil_mode
        volume_padding(op, padding, (1, 1, 1), self.kernel_size, self.stride, (1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return ops.max_pool3d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode)

    def arguments(self) -> str:
        text = f"{self.kernel_size}"
        return text + (f", stride={self.stride}" if self.stride != self.kernel_size else "")


class AvgPool3d(MaxPool3d):
    """Mean of each window: x (N, D, H, W, C) -> (N, OD, OH, OW, C), see `tinydl.avg_pool3d`.

    Arguments as in MaxPool3d; padded cells count only with `count_include_pad`. Raises ShapeError;
    the call ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        kernel_size: Triple,
        stride: Triple | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = count_include_pad

    def forward(self, x: Tensor) -> Tensor:
        windows = self.kernel_size, self.stride, self.padding
        return ops.avg_pool3d(x, *windows, self.ceil_mode, self.count_include_pad)
