"""Tables of any columns: CSV files of numbers, words and dates, some of them missing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import FormatError
from ...foreign import reader
from ...quoting import quoted, shown
from ..folders.problems import Problem
from .archives import read_bytes
from .tables import MAX_BYTES

MAX_COLUMNS, MAX_CELLS, MAX_FIELD = 1_000, 30_000_000, 100_000
MAX_NAME = 190
SEPARATORS = ",;\t"
#: What stands where a value is missing.
MISSING = frozenset({"", "NA", "N/A", "n/a", "na", "NaN", "nan", "null", "NULL", "None", "?"})


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """names: of the columns. cells: of each column its fields from top to bottom, as they stand.
    lines: of each row the line of the file in which it ends. problems: rows that were passed
    over."""

    names: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> tuple[str, ...]:
        """The fields of a column; FormatError if there is none of that name."""
        if name not in self.names:
            known = quoted(list(self.names), 300)
            raise FormatError(f"csv: there is no column {quoted(name)}, but {known}")
        return self.cells[self.names.index(name)]


@reader("csv")
def read_columns(path: str | Path, max_bytes: int = MAX_BYTES) -> Columns:
    """The fields of a table with a header, separated by commas, semicolons or tabs: whichever of
    them the header has most of.

    gzip is recognised; quotes around fields are allowed; the text is UTF-8. A row with another
    number of fields is passed over and named in `problems`. Raises FormatError for another
    encoding, a header with empty or equal names, no rows, an open quote, and for more than 1,000
    columns, 30 million fields or 100,000 characters in a field.
    """
    content = read_bytes(path, max_bytes)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FormatError(
            f"csv: {shown(path)} is not UTF-8: byte {content[error.start]:#04x} in line {line}"
        ) from None
    head = text.partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    csv.field_size_limit(MAX_FIELD)
    names = _names(rows, path)
    cells: list[list[str]] = [[] for _ in names]
    lines: list[int] = []
    problems: list[Problem] = []
    for line, row in _rows(rows, path):
        if len(row) != len(names):
            told = f"line {line} has {len(row)} fields, not {len(names)}"
            problems.append(Problem("damaged", Path(path).name, told))
            continue
        if (len(lines) + 1) * len(names) > MAX_CELLS:
            raise FormatError(f"csv: {shown(path)} has more than {MAX_CELLS:,} fields")
        lines.append(line)
        for column, field in zip(cells, row, strict=True):
            column.append(field.strip())
    if not lines:
        raise FormatError(f"csv: {shown(path)} has no rows of {len(names)} fields")
    return Columns(names, tuple(map(tuple, cells)), tuple(lines), tuple(problems))


def _names(rows: Any, path: str | Path) -> tuple[str, ...]:
    names = tuple(field.strip() for _, row in _rows(rows, path, 1) for field in row)
    if not 1 <= len(names) <= MAX_COLUMNS:
        raise FormatError(f"csv: {shown(path)} has {len(names)} columns, not 1 to {MAX_COLUMNS}")
    if len(set(names)) != len(names) or not all(names):
        raise FormatError(
            f"csv: {shown(path)}: the header {quoted(names, 200)} has no or equal names"
        )
    if odd := [name for name in names if len(name) > MAX_NAME or not name.isprintable()]:
        raise FormatError(
            f"csv: {shown(path)}: {quoted(odd[0], 60)} is no name of a column; at most {MAX_NAME} "
            "characters that can be printed are"
        )
    return names


def _rows(rows: Any, path: str | Path, most: int | None = None) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of the rows that are not empty, `most` at most."""
    given = 0
    while given != most:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise FormatError(
                f"csv: {shown(path)}, line {rows.line_num}: {shown(error, 160)}"
            ) from None
        if row:
            given += 1
            yield rows.line_num, row
