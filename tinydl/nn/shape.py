"""Layers that move, repeat or surround elements, without parameters."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import ops
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..geometry import pair, whole_numbers
from ..ops.resize import check_mode, size_or_factor
from ..quoting import quoted
from ..tensor import Tensor
from .module import Module

Sides = tuple[tuple[int, int], tuple[int, int]]


class Flatten(Module):
    """x (N, ...) -> (N, everything else), in C order: for images row by row, channels innermost.

    Raises ShapeError for a single number.
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 1:
            raise ShapeError("Flatten: x needs a batch axis, got a single number")
        return ops.reshape(x, (x.shape[0], prod(x.shape[1:])))


class Reshape(Module):
    """x (N, ...) -> (N, *shape): the sizes of a sample, separate or one tuple, one of them may be
    -1.

    The batch axis is not named, as in Keras. The call raises ShapeError if the sizes do not fit.
    """

    def __init__(self, *shape: int | tuple[int, ...]) -> None:
        one = len(shape) == 1 and isinstance(shape[0], tuple | list)
        self.shape = whole_numbers("Reshape", "sizes", shape[0] if one else shape)
        if any(n < -1 for n in self.shape) or self.shape.count(-1) > 1:
            raise ShapeError(f"Reshape: one size may be -1, others are >= 0, got {self.shape}")

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 1:
            raise ShapeError("Reshape: x needs a batch axis, got a single number")
        if -1 in self.shape and x.shape[0] == 0:
            known = -prod(self.shape)
            left = prod(x.shape[1:]) // known if known else 0
            return ops.reshape(x, (0, *[left if n == -1 else n for n in self.shape]))
        return ops.reshape(x, (x.shape[0], *self.shape))

    def arguments(self) -> str:
        return ", ".join(map(str, self.shape))


class ZeroPad2d(Module):
    """Images (N, H, W, C) with rows and columns of zeros around them: (N, H + top + bottom, W +
    left + right, C).

    padding: an integer >= 0 for all sides, (height, width) or ((top, bottom), (left, right)). Four
    numbers in a row are a ConfigError: PyTorch reads them left, right, top, bottom. ShapeError for
    what is none of these; the call ShapeError.
    """

    def __init__(self, padding: int | tuple[int, int] | Sides) -> None:
        given: Any = padding if isinstance(padding, tuple | list) else (padding, padding)
        if len(given) == 4:
            a, b, c, d = map(quoted, given)
            raise ConfigError(
                f"ZeroPad2d: takes ((top, bottom), (left, right)); PyTorch's ({a}, {b}, {c}, {d}), "
                f"left, right, top, bottom, is (({c}, {d}), ({a}, {b}))"
            )
        if len(given) != 2:
            raise ShapeError(
                "ZeroPad2d: padding must be an integer, (height, width) or ((top, bottom), (left, "
                f"right)), got {quoted(padding)}"
            )
        rows, columns = (pair("ZeroPad2d", "padding", side, 0) for side in given)
        self.padding: Sides = (rows, columns)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4:
            raise ShapeError(f"ZeroPad2d: x must be (N, H, W, C), got {x.shape}")
        return ops.pad(x, ((0, 0), *self.padding, (0, 0)))

    def arguments(self) -> str:
        return f"{self.padding}"


class Upsample(Module):
    """Images (N, H, W, C) in another size, see `tinydl.resize`: (N, OH, OW, C).

    size: (OH, OW), or scale_factor, a number > 0 or two of them; mode: "nearest", "bilinear",
    "bicubic" or "area"; antialias: average where it shrinks.
    Raises ConfigError; the call ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        size: tuple[int, int] | None = None,
        scale_factor: float | tuple[float, float] | None = None,
        mode: str = "nearest",
        align_corners: bool = False,
        antialias: bool = False,
    ) -> None:
        self.size, self.scale_factor = size_or_factor("Upsample", size, scale_factor)
        check_mode("Upsample", mode, align_corners, antialias)
        self.mode, self.align_corners, self.antialias = mode, align_corners, antialias

    def forward(self, x: Tensor) -> Tensor:
        options = {"scale_factor": self.scale_factor, "antialias": self.antialias}
        return ops.resize(x, self.size, self.mode, self.align_corners, **options)

    def arguments(self) -> str:
        text = f"{self.size}" if self.size else f"scale_factor={self.scale_factor}"
        text += f", mode={self.mode!r}" if self.mode != "nearest" else ""
        text += ", antialias=True" if self.antialias else ""
        return text + (", align_corners=True" if self.align_corners else "")
