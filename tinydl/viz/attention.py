"""Attention maps: which keys each query looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ShapeError
from .figure import new_figure, save_figure


def plot_attention(
    weights: np.ndarray,
    path: str | Path | None = None,
    queries: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
) -> Any:
    """Weights (T, S) of one sample, or (heads, T, S), a panel per head; returns the figure.

    Rows are the T queries (such as the words that are written), columns the S keys (those that are
    read), with their texts if given; white is 0 and dark the largest weight. Raises ShapeError.
    """
    weights = np.asarray(weights)
    heads = weights[None] if weights.ndim == 2 else weights
    if heads.ndim != 3 or 0 in heads.shape:
        raise ShapeError(f"plot_attention: needs (T, S) or (heads, T, S), got {weights.shape}")
    H, T, S = heads.shape
    for what, texts, n in (("queries", queries, T), ("keys", keys, S)):
        if texts is not None and len(texts) != n:
            raise ShapeError(f"plot_attention: {len(texts)} {what} for weights {weights.shape}")
    columns = min(H, 4)
    rows = -(-H // columns)
    width, height = (0.9 + min(max(0.24 * n, 1.6), 6.0) for n in (S, T))
    figure = new_figure(width * columns + 0.8, height * rows)
    panels, largest = [], float(heads.max())
    upright = keys is not None and max(map(len, keys)) > 2
    for i, head in enumerate(heads):
        axes = figure.add_subplot(rows, columns, i + 1)
        drawn = axes.imshow(head, cmap="Greens", vmin=0, vmax=largest, aspect="auto")
        panels.append(axes)
        if keys is not None:
            axes.set_xticks(range(S), keys, fontsize=8, rotation=90 * upright)
        if queries is not None:
            axes.set_yticks(range(T), queries, fontsize=8)
        axes.set(xlabel="keys", ylabel="queries" if i % columns == 0 else "")
        if H > 1:
            axes.set_title(f"head {i}", fontsize=9)
    figure.colorbar(drawn, ax=panels, shrink=0.8, label="weight")
    return save_figure(figure, path)
