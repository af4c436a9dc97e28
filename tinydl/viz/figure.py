"""Figures without pyplot: nothing global, no window, the same on a machine without a screen."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..train import write_atomically


def new_figure(width: float, height: float) -> Any:
    """An empty matplotlib figure of that size in inches; ConfigError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError('viz: drawing needs matplotlib: pip install "tinydl[plot]"') from None
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: str | Path, dpi: int = 120) -> None:
    """Write the figure as PNG, atomically."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    write_atomically(path, buffer.getvalue())
