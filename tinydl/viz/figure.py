"""Figures without pyplot: nothing global, no window, the same on a machine without a screen."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ..errors import ConfigError, how_to_install
from ..train import write_atomically

INK, MUTED = "#1f2933", "#7b8794"
COLOURS = (
    *("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00"),
    *("#56b4e9", "#8c6d1f", "#5e3c99", "#999933", "#444444"),
)


def new_figure(width: float, height: float) -> Any:
    """An empty matplotlib figure of that size in inches; ConfigError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError(f"viz: drawing needs matplotlib: {how_to_install('plot')}") from None
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: str | Path | None, dpi: int = 120) -> Any:
    """Write the figure as PNG, atomically, unless path is None; returns it."""
    if path is not None:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=dpi)
        write_atomically(path, buffer.getvalue())
    return figure


def plain_axes(axes: Any, **settings: Any) -> None:
    """Without a box around, with a faint grid; settings are those of `axes.set`."""
    axes.set(**settings)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)


def ink_on(colour: str) -> str:
    """White, or dark on a light colour "#rrggbb" (luma of ITU-R BT.601 above a half)."""
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return INK if 0.299 * r + 0.587 * g + 0.114 * b > 0.5 else "white"


def colour_of(i: int) -> str:
    """The i-th of ten colours that are told apart, also by most colour-blind people."""
    return COLOURS[i % len(COLOURS)]
