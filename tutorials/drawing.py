"""What the tutorials share: where figures go, how they look, and whether to hurry.

TINYDL_FIGURES: the folder for figures (default: `figures` beside this file, which git ignores).
TINYDL_FAST=1: small sizes, so that the test suite can run every tutorial.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # draws into files; needs no screen

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

FAST = os.environ.get("TINYDL_FAST", "0") not in ("", "0")
FIGURES = Path(os.environ.get("TINYDL_FIGURES") or Path(__file__).resolve().parent / "figures")

INK, MUTED, PAPER = "#1f2933", "#7b8794", "#e4e9ee"
BLUE, ORANGE, GREEN, VIOLET = "#2563a8", "#d9622b", "#2e8b57", "#7a4fa3"
PALE_BLUE, PALE_ORANGE, PALE_GREEN = "#cfe0f2", "#f9d9c8", "#cfe8d8"

plt.rcParams.update(
    {
        "figure.dpi": 110,
        "font.size": 10,
        "axes.titlesize": 11,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": PAPER,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "lines.linewidth": 1.8,
        "legend.frameon": False,
    }
)


def save(figure: Figure, name: str, alt: str = "") -> None:
    """Write FIGURES/name, show it where a notebook is looking, and say so.

    `alt` says in words what is seen; it is kept in the file (the PNG text "Description").
    """
    FIGURES.mkdir(parents=True, exist_ok=True)
    path = FIGURES / name
    figure.savefig(path, bbox_inches="tight", pad_inches=0.15, metadata={"Description": alt})
    if in_notebook():
        from IPython.display import Image, display  # only where IPython runs already

        display(Image(filename=str(path), alt=alt or None))
    plt.close(figure)
    print(f"[figure] {path}")


def in_notebook() -> bool:
    """Whether IPython runs this page in a kernel, whose front end can show pictures."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def blank(axes: Axes, title: str = "") -> Axes:
    """Axes as a sheet of paper: square units, no ticks, y pointing down as in a matrix."""
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(title)
    return axes


def draw_cells(
    axes: Axes,
    values: np.ndarray,
    left: float = 0.0,
    top: float = 0.0,
    colors: dict[tuple[int, int], str] | None = None,
    text: str = "{:g}",
    size: float = 10,
) -> None:
    """A matrix as a grid of numbered unit cells; `colors` fills chosen cells (row, column)."""
    colors = colors or {}
    for (i, j), value in np.ndenumerate(np.atleast_2d(values)):
        x, y = left + j, -(top + i)
        face = colors.get((i, j), "white")
        axes.add_patch(Rectangle((x, y - 1), 1, 1, facecolor=face, edgecolor=MUTED, linewidth=0.8))
        if text:
            axes.text(x + 0.5, y - 0.5, text.format(value), ha="center", va="center", fontsize=size)
    axes.autoscale_view()
