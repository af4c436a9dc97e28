"""Scores as pictures: confusion matrix, ROC, precision-recall and threshold curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, ShapeError
from ..metrics import average_precision, precision_recall_curve, roc_auc, roc_curve
from .figure import INK, MUTED, colour_of, new_figure, plain_axes, save_figure

Scores = np.ndarray | Mapping[str, np.ndarray]


def plot_confusion(
    matrix: np.ndarray, path: str | Path | None = None, names: Sequence[str] | None = None
) -> Any:
    """A confusion matrix (C, C) of counts, true classes down, predicted ones across; the figure.

    The colour is the share of the true class (rows sum to 1; a class without samples is white),
    the numbers are the counts. names: of the classes. Raises ShapeError.
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) == 0:
        raise ShapeError(f"plot_confusion: needs (C, C), got {matrix.shape}")
    names = [str(c) for c in range(len(matrix))] if names is None else list(names)
    if len(names) != len(matrix):
        raise ShapeError(f"plot_confusion: {len(names)} names for {len(matrix)} classes")
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = 1.6 + 0.42 * len(matrix)
    figure = new_figure(side + 0.6, side)
    axes = figure.add_subplot()
    drawn = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (i, j), count in np.ndenumerate(matrix):
        if count:
            colour = "white" if share[i, j] > 0.5 else INK
            axes.text(j, i, str(count), ha="center", va="center", fontsize=8, color=colour)
    slanted = {"rotation": 45, "ha": "right"} if max(map(len, names)) > 3 else {}
    axes.set_xticks(range(len(names)), names, fontsize=8, **slanted)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set(xlabel="predicted", ylabel="true")
    figure.colorbar(drawn, ax=axes, shrink=0.8, label="share of the true class")
    return save_figure(figure, path)


def plot_roc(labels: np.ndarray, scores: Scores, path: str | Path | None = None) -> Any:
    """True over false positive rate, with the area of each curve; returns the figure.

    labels (N,) of 0 and 1; scores (N,), or {name: scores} to compare several on the same labels.
    The dashed diagonal is a score that knows nothing. Errors of `metrics.roc_curve`.
    """
    figure, axes = _square("false positive rate", "true positive rate")
    for i, (name, values) in enumerate(_named(scores)):
        curve = roc_curve(labels, values)
        text = f"{name} (area {roc_auc(labels, values):.3f})".strip()
        x, y = curve.false_positive_rate, curve.true_positive_rate
        axes.plot(x, y, color=colour_of(i), label=text)
    axes.plot([0, 1], [0, 1], "--", color=MUTED, linewidth=1)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return save_figure(figure, path)


def plot_precision_recall(
    labels: np.ndarray, scores: Scores, path: str | Path | None = None
) -> Any:
    """Precision over recall in steps, with the average precision of each; returns the figure.

    labels (N,) of 0 and 1; scores (N,), or {name: scores} to compare several on the same labels.
    The dashed line is the share of positives, the precision of a score that knows nothing. Errors
    of `metrics.precision_recall_curve`.
    """
    figure, axes = _square("recall", "precision")
    for i, (name, values) in enumerate(_named(scores)):
        curve = precision_recall_curve(labels, values)
        text = f"{name} (average {average_precision(labels, values):.3f})".strip()
        x, y = curve.recall, curve.precision
        axes.step(x, y, where="post", color=colour_of(i), label=text)
    axes.axhline(float(np.mean(labels)), linestyle="--", color=MUTED, linewidth=1)
    axes.legend(frameon=False, fontsize=9, loc="lower left")
    return save_figure(figure, path)


def plot_thresholds(
    labels: np.ndarray,
    scores: np.ndarray,
    path: str | Path | None = None,
    threshold: float | None = None,
) -> Any:
    """Precision and recall against the threshold above which a score is a find; the figure.

    labels (N,) of 0 and 1; scores (N,) > 0 float. Each threshold stands over the precision and the
    recall that it gives: the point (recall 0, precision 1), which has none, is left out.
    threshold: one to mark. Errors of `metrics.precision_recall_curve`; ConfigError for a score that
    is not above 0, as the axis is logarithmic.
    """
    curve = precision_recall_curve(labels, scores)
    if not curve.thresholds[0] > 0:
        raise ConfigError(f"plot_thresholds: scores must be > 0, got {curve.thresholds[0]:g}")
    figure = new_figure(5.2, 3.6)
    axes = figure.add_subplot()
    plain_axes(axes, xlabel="threshold", xscale="log", ylim=(-0.02, 1.02))
    for i, name in enumerate(("precision", "recall")):
        axes.plot(curve.thresholds, getattr(curve, name)[:-1], color=colour_of(i), label=name)
    if threshold is not None:
        axes.axvline(threshold, linestyle="--", color=MUTED, linewidth=1)
    axes.legend(frameon=False, fontsize=9)
    return save_figure(figure, path)


def _named(scores: Scores) -> list[tuple[str, np.ndarray]]:
    return list(scores.items()) if isinstance(scores, Mapping) else [("", scores)]


def _square(xlabel: str, ylabel: str) -> tuple[Any, Any]:
    figure = new_figure(4.4, 4.2)
    axes = figure.add_subplot()
    plain_axes(axes, xlabel=xlabel, ylabel=ylabel, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return figure, axes
