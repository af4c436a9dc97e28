"""One curve for several trainings: their mean, and a band of how far apart they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import array
from ..errors import ConfigError, ShapeError
from .figure import new_figure, plain_axes, save_figure

COLOURS = ("#2b5f8a", "#d1702a", "#2e8b57", "#7a4fa3", "#7b8794")


def plot_bands(
    courses: Mapping[str, Any],
    path: str | Path | None = None,
    xlabel: str = "epoch",
    ylabel: str = "return",
) -> Any:
    """For every name the course of several seeds, an array (seeds, epochs): the mean as a line, the
    smallest and the largest as a band. Returns the figure, and writes it as PNG.

    At most five names. ConfigError for none or more, ShapeError for what is no table.
    """
    if not isinstance(courses, Mapping) or not 1 <= len(courses) <= len(COLOURS):
        raise ConfigError(f"plot_bands: needs 1 to {len(COLOURS)} named courses")
    figure = new_figure(6.0, 3.6)
    axes = figure.add_subplot(1, 1, 1)
    for colour, (name, course) in zip(COLOURS, courses.items(), strict=False):
        rows = array("plot_bands", str(name), course)
        if rows.ndim != 2 or not rows.size:
            raise ShapeError(f"plot_bands: {name} must be (seeds, epochs), got {rows.shape}")
        epochs = np.arange(1, rows.shape[1] + 1)
        axes.fill_between(epochs, rows.min(axis=0), rows.max(axis=0), color=colour, alpha=0.2)
        axes.plot(epochs, rows.mean(axis=0), color=colour, label=str(name))
    plain_axes(axes, xlabel=xlabel, ylabel=ylabel)
    axes.legend(frameon=False, fontsize=9)
    return save_figure(figure, path)
