"""What a training run measured: one row per epoch."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from math import isinf
from pathlib import Path

from ..errors import ConfigError, FormatError
from ..files import write_atomically
from ..foreign import read_regular
from ..habits import install
from ..quoting import shown
from .schema import KINDS, check

Row = dict[str, float]


class History:
    """Rows of one epoch each: {"epoch": 1, "loss": ..., "accuracy": ..., "val_loss": ...,
    "seconds": ...}.

    `history["loss"]` is the column over all epochs, `history.last` the newest row. Losses are means
    over samples, accuracies fractions of 1, seconds wall-clock time of the epoch with its
    validation.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows: list[Row] = [dict(row) for row in rows]

    def append(self, row: Row) -> None:
        self.rows.append(dict(row))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, column: str) -> list[float]:
        """The values of one column; ConfigError names the columns there are."""
        if self.rows and column not in self.columns:
            raise ConfigError(f"history: no column {column!r}, there are {', '.join(self.columns)}")
        return [row.get(column, float("nan")) for row in self.rows]

    @property
    def columns(self) -> list[str]:
        """Names in order of first appearance."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    @property
    def last(self) -> Row:
        """The newest row; an empty dict before the first epoch."""
        return self.rows[-1] if self.rows else {}

    def __repr__(self) -> str:
        last = ", ".join(f"{k} {v:.4g}" for k, v in self.last.items() if k != "epoch")
        return f"History({len(self)} epochs{'; last: ' + last if last else ''})"

    def to_csv(self, path: str | Path) -> None:
        """Header and one line per epoch, atomically; floats in full, so that they survive."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_atomically(path, text.getvalue().encode())

    @classmethod
    def from_csv(cls, path: str | Path) -> History:
        """Read what `to_csv` wrote; FormatError for anything else, and for no file."""
        kind = KINDS["history"]
        content = read_regular(path, kind.most, "history")
        where = f"history: {path} is not a history file"
        try:
            head, *lines = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
            rows = [
                {k: _number(v) for k, v in zip(head, line, strict=True) if v != ""}
                for line in lines
            ]
        except (csv.Error, ValueError) as error:  # also of decoding, and of no line at all
            raise FormatError(f"{where} ({shown(error, 160)})") from None
        if len(set(head)) != len(head):
            raise FormatError(f"{where} (a column stands twice)")
        check(rows, kind.rule, f"{where}:")
        return cls(rows)


INTEGER = re.compile(r"-?[0-9]{1,18}")
FLOAT = re.compile(r"-?([0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?|inf|nan)")


def _number(text: str) -> float:
    """A number as Python writes it; ValueError for what only float() reads (1_0, +1, infinity)."""
    if INTEGER.fullmatch(text):
        return int(text)
    value = float(text) if FLOAT.fullmatch(text) else None
    if value is None or (isinf(value) and "inf" not in text):
        raise ValueError(f"{text!r} is no number")
    return value


install(History, "history")
