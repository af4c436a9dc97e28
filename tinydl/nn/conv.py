"""The convolution layer."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..geometry import conv2d_geometry, pair, resolve_padding
from ..quoting import quoted
from ..random import Generator
from ..tensor import Tensor
from .init import Initializer
from .linear import Weighted, check_size
from .penalties import Penalty

Pair = int | tuple[int, int]
Padding = str | int | tuple


def as_tuple(padding: Any) -> Padding:
    """Lists become tuples, so that geometries can be cached."""
    if not isinstance(padding, list | tuple):
        return padding
    if len(padding) > 2:
        raise ShapeError(f"padding must be an integer or pairs of them, got {quoted(padding)}")
    return tuple([tuple(p) if isinstance(p, list) else p for p in padding])


def check_groups(op: str, groups: int, in_channels: int, out_channels: int) -> None:
    if in_channels % groups or out_channels % groups:
        raise ConfigError(
            f"{op}: groups {groups} must divide both in_channels {in_channels} and out_channels "
            f"{out_channels}"
        )


def check_padding(op: str, padding: Padding) -> None:
    """Only the form is looked at here; sizes are known when an image comes."""
    resolve_padding(op, padding, (1, 1), (1, 1), (1, 1), (1, 1))


class Conv2d(Weighted):
    """Cross-correlation of images with `out_channels` filters, see `tinydl.conv2d`.

    x (N, H, W, in_channels) -> (N, OH, OW, out_channels); weight (KH, KW, in_channels/groups,
    out_channels), bias (out_channels,) or None. padding: integer, (height, width), ((top, bottom),
    (left, right)), "valid" (none) or "same" (OH = ceil(H / stride)). The other arguments are those
    of Linear. LeCun et al. 1989. Raises ConfigError and ShapeError for arguments that do not fit;
    the call raises ShapeError and DTypeError.
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
        groups: int = 1,
        bias: bool = True,
        *,
        weight_init: str | Initializer = "glorot_uniform",
        bias_init: str | Initializer = "zeros",
        weight_penalty: Penalty | None = None,
        bias_penalty: Penalty | None = None,
        activity_penalty: Penalty | None = None,
        rng: Generator | None = None,
    ) -> None:
        check_size("Conv2d", in_channels=in_channels, out_channels=out_channels, groups=groups)
        check_groups("Conv2d", groups, in_channels, out_channels)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = pair("Conv2d", "kernel_size", kernel_size, 1)
        self.stride = pair("Conv2d", "stride", stride, 1)
        self.dilation = pair("Conv2d", "dilation", dilation, 1)
        self.padding = as_tuple(padding)
        check_padding("Conv2d", self.padding)
        super().__init__(
            (*self.kernel_size, in_channels // groups, out_channels), bias, weight_init, bias_init,
            weight_penalty, bias_penalty, activity_penalty, rng,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[-1] != self.in_channels:
            found = f"{x.shape[-1]} channels" if x.ndim == 4 else f"{x.ndim} axes, not (N, H, W, C)"
            raise ShapeError(
                f"Conv2d: x has {found} but in_channels is {self.in_channels} (x {x.shape}; images "
                f"are (N, H, W, C))"
            )
        y = ops.conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )  # fmt: skip
        return self.watched(y)

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        shape = self.weight.shape
        return conv2d_geometry(
            x_shape, shape, self.stride, self.padding, self.dilation, self.groups
        ).multiply_adds

    def arguments(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, {self.kernel_size}"
        text += f", stride={self.stride}" if self.stride != (1, 1) else ""
        text += f", padding={self.padding!r}" if self.padding != 0 else ""
        text += f", dilation={self.dilation}" if self.dilation != (1, 1) else ""
        return text + (f", groups={self.groups}" if self.groups != 1 else "")
