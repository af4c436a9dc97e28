"""What doubt is worth: reliability diagram, rejection curve, doubt here and elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..metrics import calibration_curve, calibration_error, rejection_auc, rejection_curve
from .figure import MUTED, colour_of, new_figure, plain_axes, save_figure


def plot_calibration(
    labels: np.ndarray,
    probabilities: Mapping[str, np.ndarray],
    path: str | Path | None = None,
    bins: int = 10,
) -> Any:
    """Reliability diagrams: the share that is right over the mean confidence of each bin, with the
    calibration error, and below how many samples a bin has; returns the figure.

    labels (N,), probabilities {name: (N, C)}. On the diagonal what is said is what happens; below
    it too much is said. Errors of `metrics.calibration_curve`.
    """
    figure = new_figure(4.4, 5.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    plain_axes(upper, ylabel="share that is right", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    plain_axes(lower, xlabel="confidence", ylabel="samples", yscale="log")
    upper.plot([0, 1], [0, 1], "--", color=MUTED, linewidth=1)
    width = 1 / bins / (len(probabilities) + 0.5)
    for i, (name, p) in enumerate(probabilities.items()):
        curve = calibration_curve(labels, p, bins)
        there, text = curve.samples > 0, f"{name} ({calibration_error(labels, p, bins):.3f})"
        points = curve.confidence[there], curve.accuracy[there]
        upper.plot(*points, "o-", color=colour_of(i), label=text, markersize=4)
        edges = np.arange(bins) / bins + (i + 0.25) * width
        lower.bar(edges, curve.samples, width, align="edge", color=colour_of(i))
    upper.legend(frameon=False, fontsize=9, loc="upper left")
    return save_figure(figure, path)


def plot_rejection(
    guesses: Mapping[str, tuple[np.ndarray, np.ndarray]], path: str | Path | None = None
) -> Any:
    """Accuracy of what is kept over the share that is rejected, with the area; returns the figure.

    guesses: {name: (right (N,), doubt (N,))}. The last hundredth is left out, where a handful of
    samples decides. Errors of `metrics.rejection_curve`.
    """
    figure = new_figure(4.6, 3.4)
    axes = figure.add_subplot()
    plain_axes(
        axes, xlabel="share rejected, the most doubtful first", ylabel="accuracy of the rest"
    )
    for i, (name, (right, doubt)) in enumerate(guesses.items()):
        curve = rejection_curve(right, doubt)
        seen = curve.rejected <= 0.99
        text = f"{name} (area {rejection_auc(right, doubt):.4f})"
        axes.plot(curve.rejected[seen], curve.accuracy[seen], color=colour_of(i), label=text)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return save_figure(figure, path)


def plot_distributions(
    values: Mapping[str, np.ndarray],
    path: str | Path | None = None,
    xlabel: str = "",
    bins: int = 40,
) -> Any:
    """Several distributions over one axis, each as shares of its own count, in the same bins;
    returns the figure. values: {name: (N,)}. ShapeError without values."""
    if not values or any(np.size(v) == 0 for v in values.values()):
        raise ShapeError("plot_distributions: needs arrays with values")
    everything = np.concatenate([np.ravel(v) for v in values.values()])
    edges = np.histogram_bin_edges(everything, bins)
    figure = new_figure(5.2, 3.2)
    axes = figure.add_subplot()
    plain_axes(axes, xlabel=xlabel, ylabel="share of the pictures")
    for i, (name, some) in enumerate(values.items()):
        share = np.histogram(some, edges)[0] / np.size(some)
        axes.stairs(share, edges, color=colour_of(i), label=name, fill=True, alpha=0.25)
        axes.stairs(share, edges, color=colour_of(i))
    axes.legend(frameon=False, fontsize=9)
    return save_figure(figure, path)
