"""Columns of numbers: CSV files and other separated text, checked strictly."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path

import numpy as np

from ...errors import FormatError
from ...foreign import reader
from ...quoting import quoted, shown
from .archives import read_bytes

MAX_BYTES = 1 << 29
_PLUS = re.compile(rb"(?<![eE])\+")


@reader("csv")
def read_csv(path: str | Path, max_bytes: int = MAX_BYTES) -> tuple[tuple[str, ...], np.ndarray]:
    """(column names, values (N, D) float64) of a comma-separated file of numbers with a header.

    gzip is recognised; quotes around fields are allowed. Raises FormatError for a row with another
    number of fields, a field that is no finite number, a name that comes twice, or no rows.
    """
    lines = read_bytes(path, max_bytes).split(b"\n", 1)
    header, body = lines[0], lines[1] if len(lines) == 2 else b""
    try:
        columns = tuple(c.strip().strip('"') for c in header.decode("utf-8-sig").split(","))
    except UnicodeDecodeError:
        raise FormatError(f"csv: {shown(path)}: the header is not UTF-8 text") from None
    if len(set(columns)) != len(columns) or not all(columns):
        raise FormatError(
            f"csv: {shown(path)}: the header {quoted(columns, 200)} has no or equal names"
        )
    values = read_numbers(body, ",", len(columns), np.float64, str(path))
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise FormatError(f"csv: {shown(path)}: row {row + 1} has a value that is not finite")
    return columns, values


@reader("data", called="name")
def read_numbers(body: bytes, separator: str, columns: int, dtype: type, name: str) -> np.ndarray:
    """The rows of a text of numbers, (N, columns); FormatError if one does not fit.

    Numbers are decimal, with or without an exponent, as `parse_number` takes them: NumPy alone
    would also take `nan`, `inf`, a leading plus and other scripts' digits.
    """
    foreign = body.translate(None, b'0123456789.,-+eE"\t\r\n ' + separator.encode())
    if foreign or _PLUS.search(body):
        raise FormatError(
            f"data: {shown(name)}: not a table of numbers ({quoted(foreign[:20] or b'+')} in it)"
        )
    try:
        with warnings.catch_warnings():
            # Both "no data" and "an integer read through a float" are faults here.
            warnings.simplefilter("error")
            values: np.ndarray = np.loadtxt(
                io.BytesIO(body),
                dtype=dtype,
                delimiter=separator,
                quotechar='"',
                comments=None,
                ndmin=2,
                encoding="utf-8",
            )
    except (ValueError, Warning, OverflowError) as error:
        reason = shown(error, 160)
        raise FormatError(f"data: {shown(name)}: not a table of numbers ({reason})") from None
    if values.shape[1] != columns:
        raise FormatError(
            f"data: {shown(name)}: rows have {values.shape[1]} fields, expected {columns}"
        )
    return values
