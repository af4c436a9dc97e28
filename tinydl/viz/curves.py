"""Loss and metrics over the epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..train import History
from .figure import new_figure, plain_axes, save_figure

TRAIN, VALIDATION = "#2b5f8a", "#d1702a"


def plot_curves(history: History, path: str | Path | None = None, title: str = "") -> Any:
    """One panel per quantity of `history` ("loss", "accuracy", ...), training and validation in
    each; returns the figure, and writes it as PNG.

    Training values are means over an epoch while the weights changed, with dropout on; validation
    values were taken after it: early in a run the validation curve is therefore the better one.
    ConfigError without matplotlib.
    """
    names = [
        n for n in history.columns if n not in ("epoch", "seconds") and not n.startswith("val_")
    ]
    figure = new_figure(4.4 * max(len(names), 1), 3.4)
    epochs = history["epoch"]
    marker = "o" if len(epochs) <= 25 else None
    for i, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), i + 1)
        axes.plot(epochs, history[name], color=TRAIN, marker=marker, markersize=3, label="training")
        if f"val_{name}" in history.columns:
            values = history[f"val_{name}"]
            axes.plot(
                epochs, values, color=VALIDATION, marker=marker, markersize=3, label="validation"
            )
        plain_axes(axes, xlabel="epoch")
        axes.set_title(name, fontsize=10)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False, fontsize=9)
    if title:
        figure.suptitle(title, fontsize=11)
    return save_figure(figure, path)
