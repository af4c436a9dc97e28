"""What `tinydl bench` says to people: a row per cell as it comes, then the means."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from ..tables import Column, Lines, Table
from .builds import MARK
from .cases import Case

OURS = "tinydl"
ABOVE_ONE = "ratio above 1: tinydl is faster"
Row = dict[str, Any]


# -- cells -----------------------------------------------------------------------------------------


def row_lines(cases: Sequence[Case], names: Sequence[str]) -> Lines:
    """The table of the cells, one column of milliseconds per library or build."""
    times = [
        Column(name.replace("_", " "), right=True, spare=0 if name == OURS else 99 - k)
        for k, name in enumerate(names)
    ]
    columns = [
        Column("cell", least=20),
        *times,
        Column("ratio", right=True),
        Column("of the rounds", right=True, spare=1),
        Column("to", least=8),
    ]
    longest = max((name for name in names), key=len, default="")
    samples = [
        [case.name, *["1.234e+04"] * len(times), "1.23", "1.23-1.23", longest] for case in cases
    ]
    return Lines(columns, samples)


def row_cells(row: Row, names: Sequence[str]) -> list[str]:
    """One row of it; where only builds were measured, the ratio to each stands in the last cell."""
    cells = [row["name"]]
    for name in names:
        value = row["seconds"] if name == OURS else row["peers"].get(name, {}).get("seconds")
        cells.append(f"{1e3 * value:.4g}" if value else "-")
    if row["ratio"]:
        low, high = row["spread"]
        return [*cells, f"{row['ratio']:.2f}", f"{low:.2f}-{high:.2f}", row["best_peer"]]
    builds = [n for n in row["peers"] if n.startswith(MARK) and "ratio" in row["peers"][n]]
    told = ", ".join(f"{row['peers'][n]['ratio']:.2f} to {n}" for n in builds)
    return [*cells, "-", "-", told or "-"]


# -- means -----------------------------------------------------------------------------------------


def geometric_means(rows: Sequence[Row]) -> dict[tuple[str, int], tuple[float, float, int]]:
    """(group, threads) -> geometric mean and smallest of the ratios to the best peer, and count."""
    found: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        if row["ratio"]:
            found.setdefault((row["group"], row["threads"]), []).append(row["ratio"])
    return {
        key: (math.exp(statistics.fmean(map(math.log, r))), min(r), len(r))
        for key, r in found.items()
    }


def build_means(rows: Sequence[Row]) -> dict[tuple[str, str, int], tuple[float, float, int]]:
    """(build, group, threads) -> geometric mean and smallest of the ratios to it, and count."""
    found: dict[tuple[str, str, int], tuple[float, float, int]] = {}
    for name in dict.fromkeys(n for row in rows for n in row["peers"] if n.startswith(MARK)):
        to_it = [row | {"ratio": row["peers"].get(name, {}).get("ratio")} for row in rows]
        for (group, threads), value in geometric_means(to_it).items():
            found[name, group, threads] = value
    return found


NUMBERS = tuple(
    Column(head, right=True) for head in ("threads", "cells", "geometric mean", "worst")
)


def means(rows: Sequence[Row]) -> list[Table | str]:
    """The geometric means: to the best library, and to each build of tinydl."""
    libraries, builds = geometric_means(rows), build_means(rows)
    parts: list[Table | str] = []
    if libraries or not builds:
        cells = [
            [group, str(threads), str(count), f"{mean:.2f}", f"{worst:.2f}"]
            for (group, threads), (mean, worst, count) in libraries.items()
        ]
        parts.append(Table((Column("group"), *NUMBERS), cells))
    if builds:
        cells = [
            [name, group, str(threads), str(count), f"{mean:.3f}", f"{worst:.3f}"]
            for (name, group, threads), (mean, worst, count) in builds.items()
        ]
        parts += [
            *([""] if parts else []),
            Table((Column("build", least=20), Column("group"), *NUMBERS), cells),
            "(above 1: the measured one is faster; tinydl@self is it again: the scatter)",
        ]
    return parts


def means_text(rows: Sequence[Row]) -> str:
    """The same for a file: plain, of one width whatever the terminal."""
    return "\n".join(p.text(100) if isinstance(p, Table) else p for p in means(rows))
