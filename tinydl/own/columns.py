"""What a column of a table holds, and how it becomes numbers: by a rule that the run keeps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from ..data.formats.columns import MISSING
from ..errors import FormatError
from ..foreign import parse_number
from ..quoting import quoted, shown

NUMBER, DATE, CATEGORY = "number", "date", "category"
MOST_LEVELS, MOST_TEXT = 50, 190
#: A column of numbers may have so many fields that are none: they are named, and count as missing.
ODD = 0.05
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?.*)?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(frozen=True, slots=True, eq=False)
class Typed:
    """A column: its kind, its values (N,), float64 with NaN or texts with "" where one is missing,
    and the places of fields that are no numbers among numbers."""

    name: str
    kind: str
    values: np.ndarray
    odd: tuple[int, ...] = ()

    @property
    def missing(self) -> np.ndarray:
        """bool (N,)."""
        return self.values == "" if self.kind == CATEGORY else np.isnan(self.values)


def typed(name: str, cells: Sequence[str]) -> Typed:
    """Numbers where at least 95 % of what is there is one, dates where all are, else categories."""
    there = [cell for cell in cells if cell not in MISSING]
    for kind, parse in ((NUMBER, _number), (DATE, _ordinal)):
        tried = there[:200]  # most columns are told by their beginning
        if there and sum(parse(c) is None for c in tried) <= ODD * len(tried):
            found = [None if cell in MISSING else parse(cell) for cell in cells]
            odd = tuple(
                k for k, v in enumerate(found) if v is None and cells[k] not in MISSING
            )  # fmt: skip
            if len(odd) <= (ODD * len(there) if kind == NUMBER else 0):
                values = np.array([np.nan if v is None else v for v in found], np.float64)
                return Typed(name, kind, values, odd)
    return Typed(name, CATEGORY, _texts(cells))


def as_kind(name: str, kind: str, cells: Sequence[str]) -> np.ndarray:
    """The cells as values of a kind that is known: NaN or "" where one is missing, or is none."""
    if kind == CATEGORY:
        return _texts(cells)
    parse = _number if kind == NUMBER else _ordinal
    found = [None if cell in MISSING else parse(cell) for cell in cells]
    wrong = [k for k, v in enumerate(found) if v is None and cells[k] not in MISSING]
    if wrong:
        raise FormatError(
            f"csv: column {quoted(name)} holds {quoted(cells[wrong[0]], 40)}, which is no {kind}"
        )
    return np.array([np.nan if v is None else v for v in found], np.float64)


def _texts(cells: Sequence[str]) -> np.ndarray:
    """Categories as they are kept: printable, of at most about 190 characters."""
    return np.array(["" if c in MISSING else shown(c, MOST_TEXT) for c in cells], object)


def _number(cell: str) -> float | None:
    try:
        return parse_number(cell)
    except FormatError:
        return None


def _ordinal(cell: str) -> float | None:
    """The day of a date (1 is the first of the year 1), with the time as a fraction."""
    if found := _DATE.fullmatch(cell):
        year, month, day = (int(found[k]) for k in (1, 2, 3))
        seconds = sum(int(found[k] or 0) * s for k, s in ((4, 3_600), (5, 60), (6, 1)))
    elif found := _DAY_FIRST.fullmatch(cell):
        day, month, year = (int(found[k]) for k in (1, 2, 3))
        seconds = 0
    else:
        return None
    try:
        return date(year, month, day).toordinal() + seconds / 86_400
    except ValueError:
        return None


def useless(column: Typed) -> str:
    """Why a column cannot help: constant, an identifier, too many categories; "": it may."""
    there = column.values[~column.missing]
    if not len(there):
        return "is empty"
    distinct = len(set(there.tolist()))
    if distinct == 1:
        value = quoted(there[0], 40) if column.kind == CATEGORY else f"{there[0]:.6g}"
        return f"has one value alone ({value})"
    if column.kind == CATEGORY:
        if distinct > max(20, 0.9 * len(there)):
            return f"looks like an identifier: {distinct:,} of {len(there):,} values differ"
        return f"has {distinct:,} categories, more than {MOST_LEVELS}" * (distinct > MOST_LEVELS)
    steps = set(np.diff(there[:20_000]).tolist())
    counts = len(there) > 20 and steps in ({1.0}, {-1.0})
    return "looks like an identifier: it counts the rows" if counts else ""


def learned(column: Typed, train: np.ndarray) -> dict[str, Any]:
    """The rule of a column, from the rows that train: what fills a gap (the median, or the most
    frequent category), mean and deviation after filling, the categories by name."""
    values = column.values[train]
    there = values[~column.missing[train]]
    rule: dict[str, Any] = {
        "name": column.name, "kind": column.kind, "fill": None, "level": None, "mean": 0.0,
        "std": 1.0, "levels": [],
    }  # fmt: skip
    if column.kind == CATEGORY:
        counts = Counter(there.tolist())
        rule["level"] = min(counts, key=lambda level: (-counts[level], level), default=None)
        return rule | {"levels": sorted(counts)}
    fill = float(np.median(there)) if len(there) else 0.0
    filled = np.where(np.isnan(values), fill, values)
    std = float(filled.std())
    return rule | {"fill": fill, "mean": float(filled.mean()), "std": std if std > 0 else 1.0}


def numbers_of(rule: Mapping[str, Any], values: np.ndarray) -> np.ndarray:
    """(N, 1) standardised numbers, or (N, levels) of 0 and 1; a category that no row trained on is
    none of them."""
    if rule["kind"] != CATEGORY:
        filled = np.where(np.isnan(values), rule["fill"], values)
        return ((filled - rule["mean"]) / rule["std"])[:, None]
    filled = np.where(values == "", rule["level"], values)
    return (filled[:, None] == np.array(rule["levels"], object)).astype(np.float64)


def said(rule: Mapping[str, Any]) -> str:
    """What fills a gap, in words."""
    if rule["kind"] == CATEGORY:
        return f"the most frequent category {quoted(rule['level'], 40)}"
    if rule["kind"] == DATE:
        return f"the median day ({date.fromordinal(max(1, int(rule['fill']))).isoformat()})"
    return f"the median {rule['fill']:.6g}"
