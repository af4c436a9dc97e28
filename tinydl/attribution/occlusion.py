"""Occlusion: what the score loses when a part of the picture is hidden."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import whole
from ..doors import checked
from ..errors import ShapeError
from ..nn import Module, looking
from .asking import chosen, classes_of, on_model, outputs_of, samples


@checked
def occlusion(
    model: Module,
    x: np.ndarray,
    target: Any = None,
    size: int = 4,
    stride: int | None = None,
    value: float = 0.0,
) -> np.ndarray:
    """f(x) - f(x with a square hidden), at each pixel the mean over the squares that cover it.

    No gradient is asked, so the model may be any function; it is called once per square. A linear
    model has, with squares of one pixel, w_i (x_i - value) summed over the channels.

    x (N, H, W, C), target, errors: as in `saliency`. size: side of the square in pixels, stride:
    from one to the next (None: half of the side); the last row and column of squares are moved
    inwards so that every pixel is covered. value: what stands in the square. Result: (N, H, W)
    float64, above 0 where hiding harms the class. Zeiler and Fergus 2014 (arXiv:1311.2901), section
    4.2, whose pictures show f itself at each place of the square.
    """
    x = samples("occlusion", model, x)
    if x.ndim != 4:
        raise ShapeError(f"occlusion: x must be (N, H, W, C), got {x.shape}")
    N, H, W, _ = x.shape
    size = whole("occlusion", "size", size, 1, min(H, W))
    stride = whole("occlusion", "stride", max(1, size // 2) if stride is None else stride, 1, size)
    lost, covered = np.zeros((N, H, W)), np.zeros((H, W))
    with looking(model):
        whole_picture = outputs_of("occlusion", model, on_model(model, x)).numpy()
        classes = classes_of("occlusion", whole_picture, target)
        score = chosen(whole_picture, classes)
        for square in squares((H, W), size, stride):
            hidden = x.copy()
            hidden[:, *square] = value
            outputs = outputs_of("occlusion", model, on_model(model, hidden)).numpy()
            lost[:, *square] += (score - chosen(outputs, classes))[:, None, None]
            covered[square] += 1
    return lost / covered


def squares(sides: tuple[int, int], size: int, stride: int) -> list[tuple[slice, slice]]:
    """Squares of `size` that cover a picture of these sides, row by row."""
    return [
        (slice(top, top + size), slice(left, left + size))
        for top in _starts(sides[0], size, stride)
        for left in _starts(sides[1], size, stride)
    ]


def _starts(length: int, size: int, stride: int) -> list[int]:
    """Where the squares begin: every `stride` pixels, the last one at the border."""
    return sorted({*range(0, length - size, stride), length - size})
