"""Where detectors look: boxes of a few sizes and shapes at every cell of a feature map."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

from ...errors import ConfigError


def linear_scales(count: int, low: float = 0.2, high: float = 0.9) -> list[float]:
    """count + 1 scales s_k = low + (high - low) (k - 1) / (count - 1), k = 1 ... count + 1.

    Liu et al. 2016 (arXiv 1512.02325), equation 4; the last one only serves the box between two
    scales of the last map.
    """
    if count < 2:
        raise ConfigError(f"linear_scales: needs at least two feature maps, got {count}")
    return [low + (high - low) * k / (count - 1) for k in range(count + 1)]


def boxes_per_cell(ratios: Sequence[float]) -> int:
    """2 for the square, of its own and of the next scale, and one per further ratio."""
    return 2 + len(ratios)


def default_boxes(
    maps: Sequence[tuple[int, int]],
    sizes: Sequence[float],
    ratios: Sequence[Sequence[float]],
    image: tuple[int, int],
) -> np.ndarray:
    """SSD's default boxes: (A, 4) float64, centre x, centre y, width, height as fractions.

    maps: rows and columns of each feature map. sizes: one more than maps, in pixels of the picture
    `image` (height, width). ratios: per map, the aspect ratios width / height apart from 1. Order:
    map by map, row by row, column by column, and in a cell

        (s, s), (s', s') with s' = sqrt(s_k s_(k+1)), (s sqrt(a), s / sqrt(a)) for each ratio a.

    A box may reach beyond the picture. Raises ConfigError for lists of different lengths.
    """
    if not len(maps) == len(ratios) == len(sizes) - 1:
        raise ConfigError(
            f"default_boxes: {len(maps)} maps need as many lists of ratios and one more size, got "
            f"{len(ratios)} and {len(sizes)}"
        )
    height, width = image
    parts = []
    for (rows, columns), own, following, shapes in zip(
        maps, sizes[:-1], sizes[1:], ratios, strict=True
    ):
        between = sqrt(own * following)
        forms = [(own, own), (between, between)]
        forms += [(own * sqrt(a), own / sqrt(a)) for a in shapes]
        size = np.array(forms) / (width, height)
        parts.append(_at_cells(rows, columns, size, 1 / columns, 1 / rows))
    return np.concatenate(parts)


def grid_anchors(
    rows: int,
    columns: int,
    stride: int,
    sizes: Sequence[float],
    ratios: Sequence[float] = (0.5, 1.0, 2.0),
) -> np.ndarray:
    """Faster R-CNN's anchors: (rows * columns * k, 4), centre-size in pixels, k = sizes x ratios.

    Each has the area size^2 and width / height = ratio; centres are those of the cells of `stride`
    pixels. Ren et al. 2015 (arXiv 1506.01497), section 3.1.1: sizes 128, 256, 512 at stride 16.
    """
    forms = np.array([(s * sqrt(a), s / sqrt(a)) for s in sizes for a in ratios])
    return _at_cells(rows, columns, forms, stride, stride)


def _at_cells(
    rows: int, columns: int, size: np.ndarray, step_x: float, step_y: float
) -> np.ndarray:
    """(rows * columns * k, 4): the k sizes (k, 2) at the middle of every cell, row by row."""
    y, x = np.meshgrid(np.arange(rows) + 0.5, np.arange(columns) + 0.5, indexing="ij")
    middle = np.stack([x * step_x, y * step_y], axis=-1).reshape(-1, 1, 2)
    k = len(size)
    both = [
        np.broadcast_to(middle, (rows * columns, k, 2)),
        np.broadcast_to(size, (len(middle), k, 2)),
    ]
    return np.concatenate(both, axis=-1).reshape(-1, 4)
