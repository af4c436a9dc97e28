"""`tinydl predict` and `classify` of runs on a person's own data."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..console import print_json, teller
from ..errors import ConfigError
from ..quoting import shown
from ..tables import Column, Table

if TYPE_CHECKING:
    from ..runs.imported import ImportedRun
    from ..runs.run import OpenRun

Arguments = argparse.Namespace
FILES = ("pictures", "table", "texts", "sounds")


def takes_files(run: Any) -> bool:
    """Whether the run is on a person's own data and says something about files of such."""
    own = run.config.get("own")
    return own is not None and own["kind"] in FILES


def foretell_command(
    args: Arguments, run: OpenRun | ImportedRun, op: str, top: int | None = None
) -> int:
    """What the run says about every row, text or sound of the files; top: so many classes each."""
    from ..own.bind import Bound
    from ..own.foretell import foretold
    from ..runs.run import OpenRun

    if not args.images:
        raise ConfigError(f"{op}: name at least one file")
    recipe = run.recipe if isinstance(run, OpenRun) else None
    if not isinstance(recipe, Bound):
        raise ConfigError(f"{op}: {run.folder} is no run on data of your own")
    rows = foretold(recipe, run.model(args.backend), args.images, op)
    tell = teller(args)
    for file in dict.fromkeys(row["file"] for row in rows):
        tell(f"{shown(file)}:")
        tell(_table([row for row in rows if row["file"] == file], top))
    if args.json:
        print_json([_entry(row, top) for row in rows])
    return 0


def _best(row: dict[str, Any], top: int | None) -> list[tuple[str, float]]:
    """The classes, the likeliest first."""
    order = sorted(row["classes"].items(), key=lambda pair: -pair[1])
    return order if top is None else order[:top]


def _table(rows: list[dict[str, Any]], top: int | None) -> Table:
    """A line for each row; of a single sample one for each class."""
    if "number" in rows[0]:
        cells = [(row["sample"], f"{row['number']:.6g}") for row in rows]
        return Table((Column(""), Column("foretold", right=True)), cells)
    if len(rows) == 1 or top is not None:
        columns = (Column(""), Column("", right=True), Column("", least=20))
        told = [(r["sample"], f"{100 * p:.2f} %", n) for r in rows for n, p in _best(r, top)]
        return Table(columns, told)
    columns = (Column(""), Column("class", least=12), Column("", right=True))
    firsts = [(row["sample"], *_best(row, 1)[0]) for row in rows]
    return Table(columns, [(sample, name, f"{100 * p:.2f} %") for sample, name, p in firsts])


def _entry(row: dict[str, Any], top: int | None) -> dict[str, Any]:
    named = {key: row[key] for key in ("file", "sample") if row[key]}
    if "number" in row:
        return {**named, "number": row["number"]}
    best = _best(row, top)
    if top is None:
        return {**named, "class": best[0][0], "probabilities": row["classes"]}
    return {**named, "top": [{"class": name, "probability": p} for name, p in best]}
