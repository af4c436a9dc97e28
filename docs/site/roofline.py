"""The cells of a benchmark below the machine's roof, as a picture of a few lines of SVG."""

from __future__ import annotations

import html
from dataclasses import dataclass
from math import log10

LEFT, RIGHT, TOP, BOTTOM = 56, 630, 10, 260
FENCE = "``````````"


@dataclass(frozen=True)
class Axes:
    """Where numbers lie on two logarithmic axes."""

    low: float
    high: float
    floor: float
    top: float

    def x(self, value: float) -> str:
        share = log10(value / self.low) / log10(self.high / self.low)
        return f"{LEFT + (RIGHT - LEFT) * share:.1f}"

    def y(self, value: float) -> str:
        share = log10(self.top / value) / log10(self.top / self.floor)
        return f"{TOP + (BOTTOM - TOP) * share:.1f}"

    def ticks(self) -> str:
        made = []
        for value in [10.0**power for power in range(-4, 6)]:
            if self.low < value < self.high:
                at = self.x(value)
                made.append(f'<text x="{at}" y="278" text-anchor="middle">{value:g}</text>')
            if self.floor < value < self.top:
                at = self.y(value)
                made.append(f'<text x="50" y="{at}" text-anchor="end">{value:g}</text>')
        return "".join(made)


def roofline(name: str, rows: list[dict]) -> str:
    """GFLOP/s over FLOP per byte of the cells that count both; nothing for others. The roof is the
    measured peak of float32 and the bandwidth of the largest measured size, which is memory's."""
    points = [
        (r["gflops"] / r["gbps"], r["gflops"], r["name"])
        for r in rows
        if r.get("gflops") and r.get("gbps")
    ]
    if not points:
        return ""
    peak, bandwidth = rows[0]["peaks"]["gflops"]["float32"], rows[0]["peaks"]["bandwidth"][-1][1]
    reach = [peak / bandwidth, *(p[0] for p in points)]
    axes = Axes(min(reach) / 2, max(reach) * 2, min(p[1] for p in points) / 3, peak * 2)
    best = max(p[1] for p in points)
    label = (
        f"Roofline of {name}: {len(points)} cells, the fastest {best:.3g} GFLOP/s of a peak of "
        f"{peak:.3g}; memory gives {bandwidth:.3g} GB/s."
    )
    return f"{FENCE}{{raw}} html\n{_picture(axes, points, peak, bandwidth, label)}\n{FENCE}"


def _picture(axes: Axes, points: list, peak: float, bandwidth: float, label: str) -> str:
    start = max(axes.low, axes.floor / bandwidth)
    corners = [(start, start * bandwidth), (peak / bandwidth, peak), (axes.high, peak)]
    roof = " ".join(f"{axes.x(a)},{axes.y(b)}" for a, b in corners)
    dots = "".join(
        f'<circle cx="{axes.x(a)}" cy="{axes.y(b)}" r="4"><title>{html.escape(n)}: {b:.3g} GFLOP/s '
        f"at {a:.3g} FLOP per byte</title></circle>"
        for a, b, n in points
    )
    return (
        f'<figure class="roof"><svg viewBox="0 0 640 300" role="img" '
        f'aria-label="{html.escape(label)}">'
        f'<path class="axis" d="M{LEFT},{TOP} V{BOTTOM} H{RIGHT}"/><polyline points="{roof}"/>'
        f'{dots}{axes.ticks()}<text x="343" y="296" text-anchor="middle">FLOP per byte</text>'
        f'<text x="14" y="135" transform="rotate(-90 14 135)" text-anchor="middle">GFLOP/s</text>'
        f"</svg><figcaption>{html.escape(label)}</figcaption></figure>"
    )
