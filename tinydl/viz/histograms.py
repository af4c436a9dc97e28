"""How numbers are distributed: weights, gradients, activations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, ShapeError
from ..nn import Module
from .figure import colour_of, new_figure, plain_axes, save_figure


def weights_of(model: Module) -> dict[str, np.ndarray]:
    """{name: values} of all parameters, to be plotted."""
    return {name: p.numpy() for name, p in model.named_parameters()}


def gradients_of(model: Module) -> dict[str, np.ndarray]:
    """{name: gradient} of the parameters that have one; ConfigError if none has."""
    found = {n: p.grad.numpy() for n, p in model.named_parameters() if p.grad is not None}
    if not found:
        raise ConfigError("gradients_of: no parameter has a gradient; call backward() before")
    return found


def plot_histograms(
    arrays: Mapping[str, np.ndarray], path: str | Path | None = None, bins: int = 40
) -> Any:
    """One panel per array: how many values in each of `bins` equal steps; returns the figure.

    The title has the name, mean and standard deviation of the finite values, and the number of NaN
    and infinities if there are any. Raises ShapeError without arrays or for an empty one.
    """
    empty = [name for name, array in arrays.items() if np.size(array) == 0]
    if not arrays or empty or bins < 1:
        raise ShapeError(
            f"plot_histograms: needs arrays with values and bins >= 1, got {len(arrays)} arrays, "
            f"empty: {empty}, bins {bins}"
        )
    columns = min(len(arrays), 4)
    rows = -(-len(arrays) // columns)
    figure = new_figure(2.8 * columns, 2.1 * rows)
    for i, (name, array) in enumerate(arrays.items()):
        values = np.ravel(array).astype(np.float64)
        finite = values[np.isfinite(values)]
        axes = figure.add_subplot(rows, columns, i + 1)
        text = name
        if finite.size:
            axes.hist(finite, bins=bins, color=colour_of(0))
            text += f"\nmean {finite.mean():.2g}, std {finite.std():.2g}"
        if finite.size < values.size:
            text += f", {values.size - finite.size} not finite"
        plain_axes(axes)
        axes.tick_params(labelsize=7)
        axes.set_title(text, fontsize=8)
    return save_figure(figure, path)
