"""Layers of the other forms of convolution; see tinydl/ops/conv_forms.py."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import ops
from ..doors import checked
from ..errors import ShapeError
from ..geometry import conv2d_geometry, pair
from ..ops.conv_forms import time_padding
from ..random import Generator, default_generator
from ..tensor import Tensor
from .conv import Padding, Pair, as_tuple, check_groups, check_padding
from .init import Initializer, draw
from .linear import Weighted, check_size
from .module import Parameter


def _check_channels(op: str, x: Tensor, ndim: int, channels: int) -> None:
    if x.ndim != ndim or x.shape[-1] != channels:
        axes = {3: "(N, T, C)", 4: "(N, H, W, C)"}.get(ndim, "(N, D, H, W, C)")
        raise ShapeError(f"{op}: x must be {axes} with {channels} channels, got {x.shape}")


class Conv1d(Weighted):
    """Convolution along time, see `tinydl.conv1d`: x (N, T, in_channels) -> (N, O, out_channels).

    weight (K, in_channels/groups, out_channels), bias (out_channels,) or None. padding: integer,
    (before, after), "valid", "same" or "causal". `penalties`: weight_penalty, bias_penalty and
    activity_penalty, as in Linear. Raises ConfigError; the call ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: str | int | tuple[int, int] = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        weight_init: str | Initializer = "glorot_uniform",
        bias_init: str | Initializer = "zeros",
        rng: Generator | None = None,
        **penalties: Any,
    ) -> None:
        check_size("Conv1d", in_channels=in_channels, out_channels=out_channels, groups=groups)
        check_size("Conv1d", kernel_size=kernel_size, stride=stride, dilation=dilation)
        check_groups("Conv1d", groups, in_channels, out_channels)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.dilation = kernel_size, stride, dilation
        self.padding = as_tuple(padding)
        check_padding("Conv1d", time_padding("Conv1d", self.padding, kernel_size, dilation))
        shape = (kernel_size, in_channels // groups, out_channels)
        super().__init__(shape, bias, weight_init, bias_init, rng=rng, **penalties)

    def forward(self, x: Tensor) -> Tensor:
        _check_channels("Conv1d", x, 3, self.in_channels)
        y = ops.conv1d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )  # fmt: skip
        return self.watched(y)

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        N, T, C = x_shape
        pads = time_padding("Conv1d", self.padding, self.kernel_size, self.dilation)
        return conv2d_geometry(
            (N, 1, T, C), (1, *self.weight.shape), (1, self.stride), pads, (1, self.dilation),
            self.groups,
        ).multiply_adds  # fmt: skip

    def arguments(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, {self.kernel_size}"


class ConvTranspose1d(Weighted):
    """Transposed convolution along time, see `tinydl.conv_transpose1d`: makes sequences longer by
    `stride`.

    x (N, T, in_channels) -> (N, O, out_channels); weight (K, out_channels/groups, in_channels),
    bias (out_channels,) or None. Penalties as in Linear. Raises ConfigError and ShapeError; the
    call ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: str | int | tuple[int, int] = 0,
        output_padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        weight_init: str | Initializer = "glorot_uniform",
        bias_init: str | Initializer = "zeros",
        rng: Generator | None = None,
        **penalties: Any,
    ) -> None:
        op = "ConvTranspose1d"
        check_size(op, in_channels=in_channels, out_channels=out_channels, groups=groups)
        check_size(op, kernel_size=kernel_size, stride=stride, dilation=dilation)
        check_groups(op, groups, in_channels, out_channels)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.dilation = kernel_size, stride, dilation
        self.padding, self.output_padding = as_tuple(padding), output_padding
        check_padding(op, time_padding(op, self.padding, kernel_size, dilation))
        if not 0 <= output_padding < max(stride, dilation):
            raise ShapeError(
                f"{op}: output_padding {output_padding} must be at least 0 and smaller than the "
                f"stride {stride} or the dilation {dilation}"
            )
        super().__init__(
            (kernel_size, out_channels // groups, in_channels), bias, weight_init, bias_init,
            rng=rng, bias_size=out_channels, **penalties,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        _check_channels("ConvTranspose1d", x, 3, self.in_channels)
        y = ops.conv_transpose1d(
            x, self.weight, self.bias, self.stride, self.padding, self.output_padding,
            self.dilation, self.groups,
        )  # fmt: skip
        return self.watched(y)

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        """Every input number meets every weight of its channel."""
        return prod(x_shape[:2]) * self.weight.size

    def arguments(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, {self.kernel_size}"
        return text + (f", stride={self.stride}" if self.stride != 1 else "")


class ConvTranspose2d(Weighted):
    """Transposed convolution, see `tinydl.conv_transpose2d`: makes images larger by `stride`.

    x (N, H, W, in_channels) -> (N, OH, OW, out_channels); weight (KH, KW, out_channels/groups,
    in_channels), bias (out_channels,) or None. Penalties as in Linear. Raises ConfigError and
    ShapeError; the call ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Padding = 0,
        output_padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        weight_init: str | Initializer = "glorot_uniform",
        bias_init: str | Initializer = "zeros",
        rng: Generator | None = None,
        **penalties: Any,
    ) -> None:
        op = "ConvTranspose2d"
        check_size(op, in_channels=in_channels, out_channels=out_channels, groups=groups)
        check_groups(op, groups, in_channels, out_channels)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = pair(op, "kernel_size", kernel_size, 1)
        self.stride, self.dilation = (
            pair(op, "stride", stride, 1),
            pair(op, "dilation", dilation, 1),
        )
        self.padding = as_tuple(padding)
        self.output_padding = pair(op, "output_padding", output_padding, 0)
        check_padding(op, self.padding)
        limits = map(max, self.stride, self.dilation)
        if any(e >= limit for e, limit in zip(self.output_padding, limits, strict=True)):
            raise ShapeError(
                f"{op}: output_padding {self.output_padding} must be smaller than the stride "
                f"{self.stride} or the dilation {self.dilation}"
            )
        super().__init__(
            (*self.kernel_size, out_channels // groups, in_channels), bias, weight_init, bias_init,
            rng=rng, bias_size=out_channels, **penalties,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        _check_channels("ConvTranspose2d", x, 4, self.in_channels)
        y = ops.conv_transpose2d(
            x, self.weight, self.bias, self.stride, self.padding, self.output_padding,
            self.dilation, self.groups,
        )  # fmt: skip
        return self.watched(y)

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        """Every input number meets every weight of its channel."""
        return prod(x_shape[:3]) * self.weight.size

    def arguments(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, {self.kernel_size}"
        return text + (f", stride={self.stride}" if self.stride != (1, 1) else "")


class DepthwiseConv2d(Weighted):
    """Every channel with its own `multiplier` filters, see `tinydl.depthwise_conv2d`.

    x (N, H, W, channels) -> (N, OH, OW, channels*multiplier); weight (KH, KW, channels,
    multiplier), bias (channels*multiplier,) or None. Penalties as in Linear. Raises ConfigError and
    ShapeError; the call ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Padding = 0,
        dilation: Pair = 1,
        multiplier: int = 1,
        bias: bool = True,
        *,
        weight_init: str | Initializer = "glorot_uniform",
        bias_init: str | Initializer = "zeros",
        rng: Generator | None = None,
        **penalties: Any,
    ) -> None:
        op = "DepthwiseConv2d"
        check_size(op, channels=channels, multiplier=multiplier)
        self.channels, self.multiplier = channels, multiplier
        self.kernel_size = pair(op, "kernel_size", kernel_size, 1)
        self.stride, self.dilation = (
            pair(op, "stride", stride, 1),
            pair(op, "dilation", dilation, 1),
        )
        self.padding = as_tuple(padding)
        check_padding(op, self.padding)
        super().__init__(
            (*self.kernel_size, channels, multiplier), bias, weight_init, bias_init,
            rng=rng, bias_size=channels * multiplier, **penalties,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        _check_channels("DepthwiseConv2d", x, 4, self.channels)
        y = ops.depthwise_conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation
        )
        return self.watched(y)

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        shape = (*self.kernel_size, 1, self.channels * self.multiplier)
        return conv2d_geometry(
            x_shape, shape, self.stride, self.padding, self.dilation, self.channels
        ).multiply_adds

    def arguments(self) -> str:
        text = f"{self.channels}, {self.kernel_size}"
        return text + (f", multiplier={self.multiplier}" if self.multiplier != 1 else "")


class SeparableConv2d(DepthwiseConv2d):
    """A depthwise convolution and a 1x1 one behind it, see `tinydl.separable_conv2d`.

    x (N, H, W, in_channels) -> (N, OH, OW, out_channels); weight (KH, KW, in_channels, multiplier),
    pointwise (1, 1, in_channels*multiplier, out_channels), bias (out_channels,) or None.
    weight_penalty is that of the depthwise weight. Raises ConfigError and ShapeError; the call
    ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Padding = 0,
        dilation: Pair = 1,
        multiplier: int = 1,
        bias: bool = True,
        *,
        weight_init: str | Initializer = "glorot_uniform",
        bias_init: str | Initializer = "zeros",
        rng: Generator | None = None,
        **penalties: Any,
    ) -> None:
        check_size("SeparableConv2d", in_channels=in_channels, out_channels=out_channels)
        rng = default_generator() if rng is None else rng
        super().__init__(
            in_channels, kernel_size, stride, padding, dilation, multiplier, False,
            weight_init=weight_init, rng=rng, **penalties,
        )  # fmt: skip
        self.out_channels = out_channels
        shape = (1, 1, in_channels * multiplier, out_channels)
        self.pointwise = Parameter(draw(weight_init, shape, rng))
        self.bias = Parameter(draw(bias_init, (out_channels,), rng)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        _check_channels("SeparableConv2d", x, 4, self.channels)
        y = ops.separable_conv2d(
            x, self.weight, self.pointwise, self.bias, self.stride, self.padding, self.dilation
        )
        return self.watched(y)

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        first = super().multiply_adds(x_shape)
        cells = first // (self.kernel_size[0] * self.kernel_size[1])
        return first + cells * self.out_channels

    def arguments(self) -> str:
        return f"{self.channels}, {self.out_channels}, {self.kernel_size}"
