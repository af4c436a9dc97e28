"""The roofline: what a machine allows, and where computations lie below it."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan, degrees
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .figure import INK, MUTED, new_figure, save_figure


class Peaks(Protocol):
    """What is drawn of the roofs: `measure.machine.Peaks`."""

    @property
    def level(self) -> str: ...
    @property
    def threads(self) -> int: ...
    @property
    def gflops(self) -> dict[str, float]: ...
    @property
    def bandwidth(self) -> tuple[tuple[int, float], ...]: ...


class Row(Protocol):
    """What is drawn of an operation: a row of `measure.profiler`."""

    @property
    def op(self) -> str: ...
    @property
    def phase(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def flops(self) -> int: ...
    @property
    def intensity(self) -> float: ...


PHASES = {"forward": "#2563a8", "backward": "#d9622b", "update": "#2e8b57"}
NEGLIGIBLE = 0.005  # of the time: such points are left out
#: Where a name may stand: its own alignment, and the direction from its point.
SIDES = (
    ("right", "bottom", -0.7, 0.7), ("left", "top", 0.7, -0.7), ("left", "bottom", 0.7, 0.7),
    ("right", "top", -0.7, -0.7), ("center", "bottom", 0, 1), ("center", "top", 0, -1),
)  # fmt: skip


def plot_roofline(
    peaks: Sequence[Peaks], rows: Sequence[Row], path: str | Path | None = None, title: str = ""
) -> Any:
    """Operations per second over operations per byte, both logarithmic; returns the figure.

    The roofs: level lines for the measured multiply-add peak, slanted ones for the bandwidth of
    memory and of the caches. A point is one of `rows`, as large as its share of the time; what
    takes less than half a percent is left out. ConfigError without matplotlib. Williams, Waterman
    and Patterson 2009, doi:10.1145/1498765.1498785.
    """
    figure = new_figure(7.6, 4.8)
    axes = figure.add_subplot()
    total = sum(row.seconds for row in rows)
    shown = sorted((r for r in rows if r.seconds > NEGLIGIBLE * total), key=lambda r: -r.seconds)
    speeds = [row.flops / row.seconds / 1e9 for row in shown]
    x = [row.intensity for row in shown]
    left, right = min([0.05, *x]) / 2, max([100.0, *x]) * 2
    low, high = min([1.0, *speeds]) / 3, 2.5 * max(p.gflops["float32"] for p in peaks)
    axes.set(xscale="log", yscale="log", xlim=(left, right), ylim=(low, high))
    for peak in peaks:
        _draw_roofs(axes, peak, left, right, low)
    for row, at, speed in zip(shown, x, speeds, strict=True):
        size, color = 18 + 500 * row.seconds / total, PHASES.get(row.phase, MUTED)
        axes.scatter(at, speed, size, color, alpha=0.75, edgecolors="white", zorder=3)
    for phase in dict.fromkeys(row.phase for row in shown):
        axes.scatter([], [], 40, PHASES.get(phase, MUTED), label=phase)
    axes.set(xlabel="operations per byte", ylabel="GFLOP/s")
    axes.set_title(title or "roofline", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    if shown:
        axes.legend(frameon=False, fontsize=9, loc="lower right")
        _draw_names(axes, [row.op for row in shown], np.array([x, speeds]).T)
    return save_figure(figure, path)


def _draw_names(axes: Any, names: list[str], points: np.ndarray) -> None:
    """Each name beside its point (K, 2), where it covers least: other names, points, roof lines.

    Places are tried around the point, near ones first; names are measured as drawn.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(axes.figure)
    canvas.draw()  # lays out: now places in pixels are known
    renderer = canvas.get_renderer()
    at = axes.transData.transform(points)
    taken = [text.get_window_extent(renderer) for text in (*axes.texts, axes.get_legend())]
    dots = [line.get_transform().transform(line.get_xydata()) for line in axes.lines]
    marks = np.concatenate([at, *dots])  # 200 points along every roof
    order = np.argsort(at[:, 0], kind="stable")
    for k in order:
        found = []
        for far in (7, 16, 26):
            for ha, va, dx, dy in SIDES:
                offset = (dx * far, dy * far)
                text = axes.annotate(
                    names[k], points[k], offset, textcoords="offset points", ha=ha, va=va,
                    fontsize=7.5, color=INK, zorder=4,
                )  # fmt: skip
                box = text.get_window_extent(renderer)
                cost = 50 * sum(box.overlaps(other) for other in taken) + far / 10
                cost += 3 * box.count_contains(marks)
                cost += 200 * (not axes.bbox.fully_containsx(box.x0))
                cost += 200 * (not axes.bbox.fully_containsx(box.x1))
                found.append((cost, text))
        best = min(found, key=lambda pair: pair[0])[1]
        for _, text in found:
            if text is not best:
                text.remove()
        taken.append(best.get_window_extent(renderer))


def _draw_roofs(axes: Any, peaks: Peaks, left: float, right: float, low: float) -> None:
    """The level line of the peak; one slanted line per working set that was measured, the inner
    caches dashed, the fastest and the slowest with their names."""
    top = peaks.gflops["float32"]
    x = np.geomspace(left, right, 200)
    outermost = peaks.bandwidth[-1]
    fastest = max(peaks.bandwidth, key=lambda pair: pair[1])
    for pair in peaks.bandwidth:
        size, speed = pair
        color, width, style = (INK, 1.8, "-") if pair is outermost else (MUTED, 0.8, "--")
        axes.plot(x, np.minimum(speed * x, top), style, color=color, linewidth=width, zorder=1)
        if pair is outermost or pair is fastest:
            at = max(left, low / speed) * 1.2
            axes.text(
                at, speed * at, f"{_readable(size)}: {speed:.0f} GB/s", fontsize=7.5, color=color,
                rotation=degrees(atan(speed)), rotation_mode="anchor", transform_rotates_text=True,
                va="bottom",
            )  # fmt: skip
    threads = f"{peaks.threads} thread{'s'[: peaks.threads > 1]}"
    axes.text(
        right / 1.1, top * 1.1, f"{top:.0f} GFLOP/s ({peaks.level}, {threads})", fontsize=7.5,
        color=INK, ha="right",
    )  # fmt: skip


def _readable(size: int) -> str:
    return f"{size / 2**20:.0f} MiB" if size >= 2**20 else f"{size / 2**10:.0f} KiB"
