"""Pooling layers and Flatten: no parameters."""

from __future__ import annotations

from math import prod

from .. import ops
from ..errors import ShapeError
from ..geometry import pair, resolve_padding
from ..tensor import Tensor
from .conv import Padding, Pair, as_tuple
from .module import Module


class Pool2d(Module):
    """What MaxPool2d and AvgPool2d share: the window. The stride defaults to the kernel size."""

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Padding = 0) -> None:
        op = type(self).__name__
        self.kernel_size = pair(op, "kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else pair(op, "stride", stride, 1)
        self.padding = as_tuple(padding)
        # Only the form of `padding` is looked at here; sizes are known when an image comes.
        resolve_padding(op, self.padding, (1, 1), self.kernel_size, self.stride, (1, 1))

    def arguments(self) -> str:
        text = f"{self.kernel_size}"
        text += f", stride={self.stride}" if self.stride != self.kernel_size else ""
        return text + (f", padding={self.padding!r}" if self.padding != 0 else "")


class MaxPool2d(Pool2d):
    """Largest value of each window: x (N, H, W, C) -> (N, OH, OW, C), see `tinydl.max_pool2d`.

    Raises ShapeError for arguments that do not fit; the call raises ShapeError and DTypeError.
    """

    def forward(self, x: Tensor) -> Tensor:
        return ops.max_pool2d(x, self.kernel_size, self.stride, self.padding)


class AvgPool2d(Pool2d):
    """Mean of each window, padded cells not counted: x (N, H, W, C) -> (N, OH, OW, C).

    Raises ShapeError for arguments that do not fit; the call raises ShapeError and DTypeError.
    """

    def forward(self, x: Tensor) -> Tensor:
        return ops.avg_pool2d(x, self.kernel_size, self.stride, self.padding)


class GlobalAvgPool(Module):
    """Mean of each channel over all places, see `tinydl.global_avg_pool`: (N, ..., C) -> (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.global_avg_pool(x)


class GlobalMaxPool(Module):
    """Largest of each channel over all places, see `tinydl.global_max_pool`: (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.global_max_pool(x)


class Flatten(Module):
    """x (N, ...) -> (N, everything else), in C order: for images row by row, channels innermost.

    Raises ShapeError for a single number.
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 1:
            raise ShapeError("Flatten: x needs a batch axis, got a single number")
        return ops.reshape(x, (x.shape[0], prod(x.shape[1:])))
