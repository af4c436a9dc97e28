"""Pooling layers: no parameters."""

from __future__ import annotations

from .. import ops
from ..doors import checked
from ..geometry import pair
from ..tensor import Tensor
from .conv import Padding, Pair, as_tuple, check_padding
from .linear import check_size
from .module import Module


class Pool2d(Module):
    """What MaxPool2d and AvgPool2d share: the window. The stride defaults to the kernel size."""

    @checked
    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
    ) -> None:
        op = type(self).__name__
        self.kernel_size = pair(op, "kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else pair(op, "stride", stride, 1)
        self.padding, self.ceil_mode = as_tuple(padding), ceil_mode
        check_padding(op, self.padding)

    def arguments(self) -> str:
        text = f"{self.kernel_size}"
        text += f", stride={self.stride}" if self.stride != self.kernel_size else ""
        text += f", padding={self.padding!r}" if self.padding != 0 else ""
        return text + (", ceil_mode=True" if self.ceil_mode else "")


class MaxPool2d(Pool2d):
    """Largest value of each window: x (N, H, W, C) -> (N, OH, OW, C), see `tinydl.max_pool2d`.

    Raises ShapeError for arguments that do not fit; the call raises ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        dilation: Pair = 1,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.dilation = pair("MaxPool2d", "dilation", dilation, 1)

    def forward(self, x: Tensor) -> Tensor:
        windows = self.kernel_size, self.stride, self.padding, self.ceil_mode
        if self.dilation == (1, 1):
            return ops.max_pool2d(x, *windows)
        return ops.max_pool2d(x, *windows, dilation=self.dilation)

    def arguments(self) -> str:
        text = super().arguments()
        return text + (f", dilation={self.dilation}" if self.dilation != (1, 1) else "")


class AvgPool2d(Pool2d):
    """Mean of each window: x (N, H, W, C) -> (N, OH, OW, C), see `tinydl.avg_pool2d`.

    Padded cells count only with `count_include_pad`. Raises ShapeError for arguments that do not
    fit; the call raises ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = count_include_pad

    def forward(self, x: Tensor) -> Tensor:
        return ops.avg_pool2d(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )


class MaxPool1d(Module):
    """Largest value of each window of time: x (N, T, C) -> (N, O, C), see `tinydl.max_pool1d`.

    The stride defaults to the kernel size. The call raises ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        kernel_size: int,
        stride: int | None = None,
        padding: str | int | tuple[int, int] = 0,
        ceil_mode: bool = False,
    ) -> None:
        op = type(self).__name__
        check_size(op, kernel_size=kernel_size, stride=kernel_size if stride is None else stride)
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = as_tuple(padding), ceil_mode

    def forward(self, x: Tensor) -> Tensor:
        return ops.max_pool1d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode)

    def arguments(self) -> str:
        text = f"{self.kernel_size}"
        return text + (f", stride={self.stride}" if self.stride != self.kernel_size else "")


class AvgPool1d(MaxPool1d):
    """Mean of each window of time: x (N, T, C) -> (N, O, C), see `tinydl.avg_pool1d`.

    Arguments as in MaxPool1d; padded cells count only with `count_include_pad`. The call raises
    ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        kernel_size: int,
        stride: int | None = None,
        padding: str | int | tuple[int, int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = count_include_pad

    def forward(self, x: Tensor) -> Tensor:
        return ops.avg_pool1d(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )


class AdaptiveAvgPool1d(Module):
    """Mean of each of `size` bins of time: x (N, T, C) -> (N, size, C), see
    `tinydl.adaptive_avg_pool1d`. Raises ConfigError; the call ShapeError and DTypeError."""

    @checked
    def __init__(self, size: int) -> None:
        check_size(type(self).__name__, size=size)
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        return ops.adaptive_avg_pool1d(x, self.size)

    def arguments(self) -> str:
        return f"{self.size}"


class AdaptiveMaxPool1d(AdaptiveAvgPool1d):
    """Largest of each of `size` bins of time, see `tinydl.adaptive_max_pool1d`."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.adaptive_max_pool1d(x, self.size)


class AdaptiveAvgPool2d(Module):
    """Mean of each of OH x OW bins, see `tinydl.adaptive_avg_pool2d`; size: integer or (OH, OW)."""

    @checked
    def __init__(self, size: Pair) -> None:
        self.size = pair(type(self).__name__, "size", size, 1)

    def forward(self, x: Tensor) -> Tensor:
        return ops.adaptive_avg_pool2d(x, self.size)

    def arguments(self) -> str:
        return f"{self.size}"


class AdaptiveMaxPool2d(AdaptiveAvgPool2d):
    """Largest of each of OH x OW bins, see `tinydl.adaptive_max_pool2d`."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.adaptive_max_pool2d(x, self.size)


class GlobalAvgPool(Module):
    """Mean of each channel over all places, see `tinydl.global_avg_pool`: (N, ..., C) -> (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.global_avg_pool(x)


class GlobalMaxPool(Module):
    """Largest of each channel over all places, see `tinydl.global_max_pool`: (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.global_max_pool(x)
