"""Many small images on one page, as the books show their data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import ShapeError
from .figure import new_figure, save_figure


def image_grid(
    images: np.ndarray,
    path: str | Path,
    columns: int = 5,
    titles: Sequence[str] | None = None,
    inches: float = 1.0,
) -> None:
    """Draw images (N, H, W), (N, H, W, 1) or (N, H, W, 3) row by row into a PNG, `inches` wide
    each.

    Grey images go from their common smallest value (black) to the largest (white); colour is uint8,
    or float in [0, 1]. titles: one text above each image. Raises ShapeError, and ConfigError
    without matplotlib.
    """
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    colour = images.ndim == 4 and images.shape[3] == 3
    if not (images.ndim == 3 or colour) or len(images) == 0 or columns < 1:
        raise ShapeError(
            f"image_grid: needs (N, H, W) or (N, H, W, 3) and columns >= 1, got {images.shape}"
        )
    if titles is not None and len(titles) != len(images):
        raise ShapeError(f"image_grid: {len(titles)} titles for {len(images)} images")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    taller = 0.2 if titles is not None else 0.0
    figure = new_figure(inches * columns, (inches + taller) * rows)
    low, high = (None, None) if colour else (images.min(), images.max())
    for i, image in enumerate(images):
        axes = figure.add_subplot(rows, columns, i + 1)
        axes.imshow(
            image, cmap=None if colour else "gray", vmin=low, vmax=high, interpolation="nearest"
        )
        axes.set_axis_off()
        if titles is not None:
            axes.set_title(titles[i], fontsize=8, pad=2)
    save_figure(figure, path, dpi=150)
