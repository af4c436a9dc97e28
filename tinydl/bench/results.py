"""What `tinydl bench --out FOLDER` writes: the rows, one table per group, one picture per group."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .builds import MARK
from .harness import OURS, Row
from .told import geometric_means, means_text

COLORS = {
    OURS: "#d9622b", "numpy": "#7b8794", "torch": "#9db8d6", "torch_channels_last": "#2563a8",
    "jax": "#2e8b57", "tensorflow": "#7a4fa3", "onnxruntime": "#c2a83e", "openvino": "#4fa3a5",
}  # fmt: skip


def write_results(rows: Sequence[Row], folder: str | Path) -> list[Path]:
    """`bench.json`, `bench.md` and `bench_<group>_<threads>.png` in `folder`, which is made.

    Rows of an earlier run stay if nothing in this one has their name and number of threads: a
    campaign can be run group by group. Without matplotlib there are no pictures.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    stored = folder / "bench.json"
    earlier = json.loads(stored.read_text()) if stored.exists() else []
    found = {(row["name"], row["threads"]): row for row in [*earlier, *rows]}
    merged = sorted(found.values(), key=lambda row: row["threads"])
    stored.write_text(json.dumps(merged, indent=1) + "\n")
    table = folder / "bench.md"
    table.write_text(markdown(merged))
    return [stored, table, *_pictures(merged, {(r["group"], r["threads"]) for r in rows}, folder)]


def markdown(rows: Sequence[Row]) -> str:
    """Milliseconds of every library, GFLOP/s, GB/s or tokens/s and share of the roof of ours, and
    the ratio to the best one with its smallest and largest round."""
    on_a_device = any("launches" in row for row in rows)
    lines = ["# tinydl beside other libraries", "", HEAD + DEVICE_HEAD * on_a_device, ""]
    lines += ["```", means_text(rows), "```", ""]
    for group, threads in dict.fromkeys((row["group"], row["threads"]) for row in rows):
        chosen = [r for r in rows if (r["group"], r["threads"]) == (group, threads)]
        peers = list(dict.fromkeys(name for row in chosen for name in row["peers"]))
        lines += [f"## {group}, {threads} thread{'s'[: threads > 1]}", "", _origin(chosen), ""]
        names = ["cell", f"{OURS} ms", "speed", "of roof", *(f"{p} ms" for p in peers), "ratio"]
        launched = any("launches" in row for row in chosen)
        names += ["launches"] * launched
        lines += [_cells(names), _cells(["---"] * len(names))]
        for row in chosen:
            counted = [str(row.get("launches", "-"))] * launched
            lines.append(_cells([*_row_cells(row, peers), *counted]))
        lines.append("")
    return "\n".join(lines)


HEAD = """\
Ratio: time of the best other library / ours, so above 1 means that tinydl is faster; in brackets
the smallest and largest of the rounds. One thread is measured in processor time (median), more in
wall time (best). "Of roof": what the machine's measured multiply-add peak and bandwidth allow /
ours. Written by `tinydl bench --out`."""
DEVICE_HEAD = """
"tinydl" is the backend that `--backend` named, tinydl@cpu the cpu backend in the same rounds, with
its time / ours in brackets; "launches" are the kernels that one call queues on the device."""


def _origin(rows: Sequence[Row]) -> str:
    """Machine, level, versions, commits and dates, once each."""
    versions = dict.fromkeys(v for row in rows for v in row["versions"].values())
    places = dict.fromkeys(f"{row['machine']}, {row['level']}" for row in rows)
    commits = dict.fromkeys(f"commit {row['commit']}, {row['date'][:10]}" for row in rows)
    return "; ".join([*places, *versions, *commits])


def _row_cells(row: Row, peers: Sequence[str]) -> list[str]:
    def ms(seconds: float | None) -> str:
        return f"{1e3 * seconds:.4g}" if seconds else "-"

    speed = f"{row['gflops']:.1f} GFLOP/s" if row["gflops"] else ""
    if not speed and row.get("gbps"):
        speed = f"{row['gbps']:.1f} GB/s"
    if not speed and row.get("tokens_per_second"):
        speed = f"{row['tokens_per_second']:,.0f} tokens/s"
    share = f"{100 * row['peak_share']:.0f} %" if row["peak_share"] else ""
    times = [ms(row["peers"].get(p, {}).get("seconds")) for p in peers]
    times = [f"**{t}**" if p == row["best_peer"] else t for p, t in zip(peers, times, strict=True)]
    for i, build in enumerate(peers):
        if build.startswith(MARK) and row["peers"].get(build, {}).get("ratio"):
            times[i] += f" ({row['peers'][build]['ratio']:.2f})"
    ratio = "-"
    if row["ratio"]:
        low, high = row["spread"]
        ratio = f"{row['ratio']:.2f} ({low:.2f}-{high:.2f})"
    return [row["name"], ms(row["seconds"]), speed, share, *times, ratio]


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _pictures(rows: Sequence[Row], groups: set[tuple[str, int]], folder: Path) -> list[Path]:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return []
    paths = []
    for group, threads in sorted(groups):
        chosen = [r for r in rows if (r["group"], r["threads"]) == (group, threads)]
        path = folder / f"bench_{group}_{threads}.png"
        _draw([r for r in chosen if r["seconds"]], f"{group}, threads: {threads}", path)
        paths.append(path)
    return paths


def _draw(rows: Sequence[Row], title: str, path: Path) -> None:
    """Every cell a row of points: how often a library does it while tinydl does it once."""
    from matplotlib.ticker import LogLocator, NullLocator

    from ..viz.figure import new_figure, save_figure

    figure = new_figure(8.0, 1.3 + 0.26 * len(rows))
    axes: Any = figure.add_subplot()
    peers = list(dict.fromkeys(name for row in rows for name in row["peers"]))
    axes.axvline(1.0, color=COLORS[OURS], linewidth=1.6, label=OURS)
    for peer in peers:
        points = [(1 / row["peers"][peer]["ratio"], i) for i, row in enumerate(rows)
                  if "ratio" in row["peers"].get(peer, {})]  # fmt: skip
        if points:
            x, y = zip(*points, strict=True)
            axes.scatter(x, y, 26, COLORS.get(peer, "black"), label=peer, alpha=0.85)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=7.5)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    axes.tick_params(axis="x", labelsize=7)
    axes.set_xlabel("speed, tinydl = 1 (left of the line: slower than tinydl)")
    mean = [f", geometric mean of the ratios to the best {m:.2f}"
            for m, _, _ in geometric_means(rows).values()]  # fmt: skip
    axes.set_title(title + "".join(mean), fontsize=10)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, fontsize=8, ncols=6, loc="outside lower center")
    save_figure(figure, path)
