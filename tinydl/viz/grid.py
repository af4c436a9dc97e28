"""Many small images on one page, as the books show their data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ShapeError
from .figure import new_figure, save_figure


def image_grid(
    images: np.ndarray,
    path: str | Path | None = None,
    columns: int = 5,
    titles: Sequence[str] | None = None,
    inches: float = 1.0,
) -> Any:
    """Draw images (N, H, W), (N, H, W, 1) or (N, H, W, 3) row by row, `inches` wide each; returns
    the figure, and writes it as PNG.

    Grey images go from their common smallest value (black) to the largest (white); colour is uint8,
    or float in [0, 1]. titles: one text above each image. Raises ShapeError, and ConfigError
    without matplotlib.
    """
    images, colour = drawable("image_grid", images)
    if columns < 1:
        raise ShapeError(f"image_grid: needs columns >= 1, got {columns}")
    if titles is not None and len(titles) != len(images):
        raise ShapeError(f"image_grid: {len(titles)} titles for {len(images)} images")
    limits = None if colour else (images.min(), images.max())
    figure = tiles(images, columns, titles, inches, None if colour else "gray", limits)
    return save_figure(figure, path, dpi=150)


def drawable(op: str, images: np.ndarray) -> tuple[np.ndarray, bool]:
    """(images without an axis of one channel, whether they are coloured); ShapeError."""
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    colour = images.ndim == 4 and images.shape[3] == 3
    if not (images.ndim == 3 or colour) or len(images) == 0:
        raise ShapeError(f"{op}: needs (N, H, W) or (N, H, W, 3), N >= 1, got {images.shape}")
    return images, colour


def tiles(
    images: np.ndarray,
    columns: int,
    titles: Sequence[str] | None,
    inches: float,
    colours: str | None,
    limits: tuple[float, float] | None,
) -> Any:
    """A figure of the images row by row, all on the scale `limits` of the map `colours`."""
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    taller = 0.2 if titles is not None else 0.0
    height = inches * min(max(images.shape[1] / images.shape[2], 0.2), 5.0)
    figure = new_figure(inches * columns, (height + taller) * rows)
    low, high = (None, None) if limits is None else limits
    for i, image in enumerate(images):
        axes = figure.add_subplot(rows, columns, i + 1)
        axes.imshow(image, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
        axes.set_axis_off()
        if titles is not None:
            axes.set_title(titles[i], fontsize=8, pad=2)
    return figure
