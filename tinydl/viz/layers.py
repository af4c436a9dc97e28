"""Inside a convolutional network: its filters, and what a layer makes of an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ShapeError
from .figure import save_figure
from .grid import tiles


def plot_filters(weight: np.ndarray, path: str | Path | None = None, most: int = 64) -> Any:
    """The first `most` filters of a convolution's weight (KH, KW, C, F); returns the figure.

    Three channels: one coloured tile per filter, each from its own smallest value to its largest.
    Otherwise blue is negative, white 0 and red positive, on one scale for all: one tile per filter
    of one channel, else a row per filter with a column per channel (at most 16). Raises ShapeError.
    """
    weight = np.asarray(weight)
    if weight.ndim != 4 or 0 in weight.shape or most < 1:
        raise ShapeError(
            f"plot_filters: needs (KH, KW, C, F) and most >= 1, got {weight.shape} and {most}"
        )
    channels, shown = weight.shape[2], np.moveaxis(weight, 3, 0)[:most]
    names = [str(f) for f in range(len(shown))]
    if channels == 3:
        low, high = (f(shown, axis=(1, 2, 3), keepdims=True) for f in (np.min, np.max))
        coloured = (shown - low) / np.where(high > low, high - low, 1)
        return save_figure(tiles(coloured, 8, names, 0.8, None, None), path, dpi=150)
    largest = float(np.abs(shown).max())
    columns = min(channels, 16)
    if channels > 1:
        names = [f"{f}: {c}" for f in range(len(shown)) for c in range(columns)]
    planes = np.moveaxis(shown[..., :columns], 3, 1).reshape(-1, *weight.shape[:2])
    columns = 8 if channels == 1 else columns
    figure = tiles(planes, columns, names, 0.8, "RdBu_r", (-largest, largest))
    return save_figure(figure, path, dpi=150)


def plot_activations(maps: np.ndarray, path: str | Path | None = None, most: int = 64) -> Any:
    """The first `most` channels of one image's result (H, W, C) or (1, H, W, C); the figure.

    All on one scale, dark is the smallest value; titles are the channels. `nn.activations(model,
    image[None], "layers.0")` gives such results. Raises ShapeError.
    """
    maps = np.asarray(maps)
    maps = maps[0] if maps.ndim == 4 and len(maps) == 1 else maps
    if maps.ndim != 3 or 0 in maps.shape or most < 1:
        raise ShapeError(
            f"plot_activations: needs (H, W, C) of one image and most >= 1, got {maps.shape} and "
            f"{most}"
        )
    shown = np.moveaxis(maps, 2, 0)[:most]
    names = [str(c) for c in range(len(shown))]
    limits = (float(shown.min()), float(shown.max()))
    return save_figure(tiles(shown, 8, names, 1.0, "magma", limits), path, dpi=150)
