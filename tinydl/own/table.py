"""Rows of a table: one column is foretold by the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ..data.folders.problems import Problem
from ..data.folders.recognise import recognise
from ..data.formats.columns import Columns, read_columns
from ..errors import ConfigError, FormatError
from ..experiment.card import Recipe
from ..foreign import read_regular
from ..quoting import quoted, shown
from .columns import CATEGORY, Typed, as_kind, learned, numbers_of, said, typed, useless
from .gathered import Gathered, digest, numbered
from .kept import TABLE, Own
from .options import Options

FEW = 10  # different whole numbers that are classes, where nobody says what they are
MOST_CLASSES = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The table at a path, of one file, or of train.csv and test.csv (and val.csv) one below the
    other: parts says where each row is from, () for one file. names: of the rows."""

    columns: Columns
    parts: tuple[str, ...]
    names: list[str]
    fingerprint: str


def tables_at(path: str, follow_links: bool = False) -> Tables:
    """FormatError where the files have other columns, ConfigError where it is not clear which file
    is meant."""
    found = recognise(path, follow_links)
    if not found.files or found.kind != "csv":
        raise ConfigError(f"train: {shown(path)} holds no table (CSV)")
    if len(found.files) > 1 and len(set(found.part.tolist())) != len(found.files):
        raise ConfigError(f"train: {shown(path)} holds {len(found.files)} tables; name one of them")
    read = [read_columns(Path(found.root, file.path)) for file in found.files]
    first = read[0]
    if other := [t for t in read if t.names != first.names]:
        raise FormatError(
            f"csv: {shown(path)}: the columns of its files differ: {quoted(list(first.names), 120)}"
            f" and {quoted(list(other[0].names), 120)}"
        )
    cells = tuple(tuple(chain(*rows)) for rows in zip(*(t.cells for t in read), strict=True))
    several = len(read) > 1
    parts, names = [], []
    for file, place, table in zip(found.files, found.part.tolist(), read, strict=True):
        parts += [found.parts[place]] * len(table)
        names += [f"{shown(file.path)}, line {n}" if several else f"line {n}" for n in table.lines]
    content = [
        (part, read_regular(Path(found.root, file.path)))
        for part, file in zip(found.part.astype(str).tolist(), found.files, strict=True)
    ]
    whole = Columns(
        first.names, cells, tuple(chain(*(t.lines for t in read))),
        tuple(chain(*(t.problems for t in read))),
    )  # fmt: skip
    return Tables(whole, tuple(parts) if several else (), names, digest(content))


def gather(path: str, options: Options) -> Gathered:
    """The rows of a CSV file that have a target, typed column by column.

    ConfigError without --target or for a column that there is not; FormatError as `read_columns`.
    """
    options.only_for("a table", size=options.size, group_by_prefix=options.by_prefix)
    there = tables_at(path, options.follow_links)
    table = there.columns
    for name in filter(None, (options.target, options.group)):
        table.column(name)
    if not options.target:
        raise ConfigError(
            f"train: --target COLUMN says what is foretold; {shown(path)} has "
            f"{quoted(list(table.names), 300)}"
        )
    target = _target(typed(options.target, table.column(options.target)), options)
    kept = np.flatnonzero(~target.missing)
    if len(kept) < 2:
        raise FormatError(f"csv: {shown(path)}: only {len(kept)} rows have a {options.target}")
    told = [f"{len(table) - len(kept):,} rows without a target are left out"]
    told = told if len(kept) < len(table) else []
    columns, problems = _features(table, options)
    told += [f"column {shown(p.path)} {p.text}: left out" for p in problems]
    y, classes = _labels(target, kept)
    group = table.column(options.group) if options.group else ()
    return Gathered(
        [replace(c, values=c.values[kept]) for c in columns], y, classes,
        [there.names[k] for k in kept], there.fingerprint,
        parts=_at(there.parts, kept), groups=_at(group, kept),
        problems=(*table.problems, *_odd([target, *columns], there)), told=tuple(told),
        extra={"target": target.kind},
    )  # fmt: skip


def _at(values: Sequence[str], kept: np.ndarray) -> tuple[str, ...]:
    return tuple(values[k] for k in kept) if values else ()


def _target(column: Typed, options: Options) -> Typed:
    """As it is asked for: few whole numbers are classes where nobody says otherwise."""
    there = column.values[~column.missing]
    wanted = options.target_kind
    if column.kind == CATEGORY and wanted == "numbers":
        raise ConfigError(f"train: the target {quoted(column.name)} holds no numbers")
    if column.kind != CATEGORY and wanted != "numbers":
        few = len(there) and len(set(there.tolist())) <= FEW and np.all(there == np.floor(there))
        if wanted == "classes" or few:
            return _as_classes(column)
    return column


def _as_classes(column: Typed) -> Typed:
    texts = ["" if np.isnan(v) else f"{v:.10g}" for v in column.values.tolist()]
    return Typed(column.name, CATEGORY, np.array(texts, object), column.odd)


def _features(table: Columns, options: Options) -> tuple[list[Typed], list[Problem]]:
    """The columns that are learned from, and why others are not."""
    kept, problems = [], []
    for name in table.names:
        if name in (options.target, options.group):
            continue
        column = typed(name, table.column(name))
        if why := useless(column):
            problems.append(Problem("column", name, why))
        else:
            kept.append(column)
    if not kept:
        raise FormatError(f"csv: beside {quoted(options.target)} no column can be learned from")
    return kept, problems


def _odd(columns: list[Typed], there: Tables) -> list[Problem]:
    """Fields that are no numbers among numbers, each a problem with its line."""
    return [
        Problem(
            "column", "",
            f"{there.names[k]}: {quoted(there.columns.column(column.name)[k], 40)} in the column "
            f"{quoted(column.name)} is no number; it counts as missing",
        )
        for column in columns
        for k in column.odd
    ]  # fmt: skip


def _labels(target: Typed, kept: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    values = target.values[kept]
    if target.kind != CATEGORY:
        return values, ()
    classes = tuple(sorted(set(values.tolist()), key=_as_number))
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise ConfigError(
            f"train: the target {quoted(target.name)} has {len(classes)} classes, not 2 to "
            f"{MOST_CLASSES:,}"
        )
    place = {name: k for k, name in enumerate(classes)}
    return np.array([place[v] for v in values.tolist()], np.int64), classes


def _as_number(text: str) -> tuple[float, str]:
    """Classes called 2 and 10 in the order of numbers."""
    try:
        return float(text), text
    except ValueError:
        return float("inf"), text


def learn(
    gathered: Gathered, train: np.ndarray, options: Options, recipe: Recipe
) -> dict[str, Any]:
    """The rules of the columns and of the target, from the rows that train."""
    target = {"name": options.target, "kind": gathered.extra["target"], "mean": 0.0, "std": 1.0}
    if not gathered.classes:
        std = float(gathered.y[train].std())
        target |= {"mean": float(gathered.y[train].mean()), "std": std if std > 0 else 1.0}
    return {"target": target, "columns": [learned(c, train) for c in gathered.x]}


def remarks(gathered: Gathered, preparation: Mapping[str, Any]) -> list[str]:
    """What fills the gaps, a line for each column that has some."""
    lines = []
    for column, rule in zip(gathered.x, preparation["columns"], strict=True):
        if count := int(column.missing.sum()):
            gaps = "1 gap" if count == 1 else f"{count:,} gaps"
            lines.append(f"column {shown(column.name)}: {gaps} filled with {said(rule)}")
    return lines


def inputs(gathered: Gathered, preparation: Mapping[str, Any]) -> np.ndarray:
    """(N, D) float64 of all rows."""
    pairs = zip(preparation["columns"], gathered.x, strict=True)
    return np.concatenate([numbers_of(rule, column.values) for rule, column in pairs], axis=1)


def targets(gathered: Gathered, preparation: Mapping[str, Any]) -> np.ndarray:
    """(N,) classes, or (N, 1) standardised numbers."""
    if gathered.classes:
        return gathered.y
    target = preparation["target"]
    return ((gathered.y - target["mean"]) / target["std"])[:, None]


def shape(preparation: Mapping[str, Any]) -> tuple[int, ...]:
    """Of one row as the model takes it."""
    return (sum(len(r["levels"]) if r["kind"] == CATEGORY else 1 for r in preparation["columns"]),)


def elsewhere(own: Own, path: str, options: Options) -> Gathered:
    """The rows of another file by what the run keeps: it has the columns, and a target."""
    there = tables_at(path, options.follow_links)
    rules, target = own.preparation["columns"], own.preparation["target"]
    cells = there.columns.column(target["name"])
    if own.classes:
        given = typed(target["name"], cells)
        texts = (given if given.kind == CATEGORY else _as_classes(given)).values
        kept = np.flatnonzero(texts != "")
        y = numbered(texts[kept].tolist(), own.classes, path)
    else:
        values = as_kind(target["name"], target["kind"], cells)
        kept = np.flatnonzero(~np.isnan(values))
        y = values[kept]
    columns = [replace(c, values=c.values[kept]) for c in _by_rules(there.columns, rules)]
    names = [there.names[k] for k in kept]
    return Gathered(
        columns, y, own.classes, names, there.fingerprint, problems=there.columns.problems
    )


def _by_rules(table: Columns, rules: list[dict[str, Any]]) -> list[Typed]:
    """The columns that the run knows."""
    found = []
    for rule in rules:
        values = as_kind(rule["name"], rule["kind"], table.column(rule["name"]))
        found.append(Typed(rule["name"], rule["kind"], values))
    return found


def rows_of(own: Own, path: str) -> tuple[np.ndarray, list[str]]:
    """(inputs (N, D), the line of each row) of a file without a target; FormatError where a column
    that the run was trained on is missing."""
    table = read_columns(path)
    rules = own.preparation["columns"]
    if gone := [r["name"] for r in rules if r["name"] not in table.names]:
        raise FormatError(
            f"predict: {shown(path)} lacks {len(gone)} of the {len(rules)} columns that the run "
            f"was trained on: {quoted(gone[0])}"
        )
    pairs = zip(rules, _by_rules(table, rules), strict=True)
    x = np.concatenate([numbers_of(rule, column.values) for rule, column in pairs], axis=1)
    return x, [f"line {line}" for line in table.lines]


def unit_of(own: Own) -> float:
    """What 1 of the standardised target is in its own units."""
    return 1.0 if own.kind != TABLE else float(own.preparation["target"]["std"])
