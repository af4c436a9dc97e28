"""What segmentation networks share: interpolation as first values of weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ...nn import ConvTranspose2d
from ...random import Generator
from ...tensor import Tensor


def bilinear(shape: tuple[int, ...], rng: Generator, dtype: Any) -> np.ndarray:
    """The weight (2s, 2s, C, C) with which a transposed convolution of stride s and padding s/2
    interpolates each channel linearly: (1 - |d|) (1 - |e|) at distances d, e in input pixels.

    The result is `resize(x, ..., "bilinear")` but at the border, where the zeros of the padding
    take part. Long et al. 2015 (arXiv 1411.4038), section 3.3. Nothing is drawn.
    """
    k, c_out, c_in = shape[0], shape[2], shape[3]
    if shape[1] != k or k % 2 or c_out != c_in:
        raise ShapeError(f"bilinear: the weight must be (2s, 2s, C, C), got {shape}")
    factor = k // 2
    line = 1 - np.abs(np.arange(k) + 0.5 - factor) / factor
    return np.asarray(np.multiply.outer(np.outer(line, line), np.eye(c_out)), dtype)


def upsampling(channels: int, factor: int) -> ConvTranspose2d:
    """A transposed convolution that makes maps `factor` (even) times larger, first bilinear."""
    return ConvTranspose2d(
        channels, channels, 2 * factor, stride=factor, padding=factor // 2, bias=False,
        weight_init=bilinear,
    )  # fmt: skip


def check_sides(op: str, x: Tensor, factor: int) -> None:
    """ShapeError unless height and width of x (N, H, W, C) are multiples of `factor`."""
    if x.ndim != 4 or x.shape[1] % factor or x.shape[2] % factor or not min(x.shape[1:3]):
        raise ShapeError(
            f"{op}: x must be (N, H, W, C) with sides that are multiples of {factor}, got {x.shape}"
        )
