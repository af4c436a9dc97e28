"""Points of the plane: what a generator draws, beside where it should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ShapeError
from .figure import colour_of, new_figure, plain_axes, save_figure


def plot_points(
    points: np.ndarray, modes: np.ndarray | None = None, path: str | Path | None = None
) -> Any:
    """Points (n, 2), and as crosses the modes (m, 2) of their distribution; the figure.

    Raises ShapeError for other shapes.
    """
    for name, array in (("points", points), ("modes", modes)):
        if array is not None and (array.ndim != 2 or array.shape[1] != 2):
            raise ShapeError(f"plot_points: {name} must be (n, 2), got {array.shape}")
    figure = new_figure(4, 4)
    axes = figure.add_subplot()
    axes.plot(*points.T, ".", ms=2, alpha=0.4, color=colour_of(0), label=f"{len(points):,} samples")
    if modes is not None:
        axes.plot(*modes.T, "+", ms=10, color=colour_of(4), label=f"{len(modes)} modes")
    reach = 1.6 if modes is None else 1.6 * np.abs(modes).max()
    plain_axes(axes, xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axes.legend(loc="upper right", frameon=False)
    return save_figure(figure, path)
