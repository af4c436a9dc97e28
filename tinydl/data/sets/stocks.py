"""Daily share prices as Yahoo Finance exports them."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from ...doors import checked
from ...errors import ConfigError, FormatError
from ...foreign import parse_number, reader
from ...quoting import quoted, shown
from ..download import locate
from ..formats.archives import read_bytes
from ..record import DataFile, DataSet

STOCKS = DataSet(
    name="stocks",
    folder="stocks",
    files=(
        DataFile(
            "DJI.csv.gz",
            "64485e909f80ea55be10422d4fbe967a01d76c3604fbc7a6161ac5cc0eac20a2",
            192_304,
        ),
        DataFile(
            "GOOGL.csv.gz",
            "9f21d64140836ac75ace33ca0e882d7346dd58ca0d5582e7ba1386b3cf304328",
            86_900,
        ),
        DataFile(
            "TSLA.csv.gz",
            "c2c931ba069552de5740fc5e16f90c2a2f18b8fe41c61b53c33ec0a418e3e436",
            43_059,
        ),
    ),
    classes=(),
    records="8636, 3702 and 2227 trading days up to 2019-05-03",
    description="daily prices of the Dow Jones index, Alphabet and Tesla",
    source="https://finance.yahoo.com",
    licence="terms of Yahoo Finance: personal and research use",
    citation="Yahoo Finance, historical data of ^DJI, GOOGL and TSLA",
    by_hand="export a CSV file from the source and read it with tinydl.data.read_prices(path)",
    fidelity="as exported; the open, high and low of DJI on 2015-08-31 are scrambled",
)

MAX_BYTES = 1 << 27
_PRICES = ("open", "high", "low", "close")
_ADJUSTED = "adj close"
_MISSING = ("", "null", "nan", "-")


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """One row per trading day, dates strictly ascending: dates (N,) datetime64[D], the others (N,)
    float64.

    symbol: "" if the file names none. skipped: rows without prices ("null"), which were left out.
    """

    symbol: str
    dates: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    adjusted_close: np.ndarray
    volume: np.ndarray
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.dates)

    def inconsistent(self) -> np.ndarray:
        """The rows where not low <= open, close <= high; they are kept, the caller decides."""
        inside = (self.low <= np.minimum(self.open, self.close)) & (
            np.maximum(self.open, self.close) <= self.high
        )
        return np.flatnonzero(~inside)

    def between(self, first: str, last: str) -> Prices:
        """The days from `first` to `last` (ISO dates), both included."""
        chosen = (self.dates >= np.datetime64(first)) & (self.dates <= np.datetime64(last))
        arrays = [f.name for f in fields(self) if f.name not in ("symbol", "skipped")]
        return replace(self, **{name: getattr(self, name)[chosen] for name in arrays})


@checked
def stocks(symbol: str = "DJI") -> Prices:
    """Daily prices of "DJI" (from 1985), "GOOGL" (2004) or "TSLA" (2010) to 2019-05-03.

    Found in TINYDL_DATA/stocks or in the user cache; Yahoo's terms forbid a download on your
    behalf. The open, high and low of DJI on 2015-08-31 are scrambled at the source
    (`inconsistent()` names that row); its close is right.
    """
    dataset = STOCKS
    known = {file.name.partition(".")[0]: file for file in dataset.files}
    if symbol not in known:
        raise ConfigError(f"stocks: symbol must be one of {', '.join(known)}, got {quoted(symbol)}")
    return read_prices(locate(dataset, known[symbol]))


@reader("stocks")
def read_prices(path: str | Path) -> Prices:
    """The prices in a CSV file (gzip or not) with columns called Date, Open, High, Low, Close,
    Adj Close, Volume, in any order and case; a column Symbol is optional, Adj Close falls back to
    Close.

    Dates are YYYY-MM-DD or M/D/YYYY. Raises FormatError for a missing column, a row with another
    number of fields, a price that is not positive, or dates that do not ascend.
    """
    try:
        text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"stocks: {shown(path)} is no CSV text ({error})") from None
    columns = _columns(rows[0] if rows else [], path)
    kept, skipped, symbols = [], 0, set()
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(rows[0]):
            raise FormatError(
                f"stocks: {shown(path)}: row {number} has {len(row)} of {len(rows[0])} fields"
            )
        if any(row[columns[name]].strip().lower() in _MISSING for name in _PRICES):
            skipped += 1
            continue
        kept.append(_row(row, columns, number, path))
        symbols |= {row[columns["symbol"]]} if "symbol" in columns else set()
    if not kept or len(symbols) > 1:
        raise FormatError(f"stocks: {shown(path)} has {len(kept)} rows of {len(symbols)} symbols")
    return _prices(kept, skipped, next(iter(symbols), ""), path)


def _columns(header: list[str], path: str | Path) -> dict[str, int]:
    columns = {name.strip().lower(): k for k, name in enumerate(header)}
    needed = ("date", *_PRICES, "volume")
    if missing := [name for name in needed if name not in columns]:
        raise FormatError(
            f"stocks: {shown(path)} has no column {', '.join(missing)}: {quoted(header, 200)}"
        )
    if len(columns) != len(header):
        raise FormatError(f"stocks: {shown(path)} has a column twice: {quoted(header, 200)}")
    return columns


def _row(
    row: list[str], columns: dict[str, int], number: int, path: str | Path
) -> tuple[np.datetime64, list[float]]:
    try:
        date = _date(row[columns["date"]].strip(" "))
        values = [parse_number(row[columns[name]].strip(" ")) for name in _PRICES]
        values.append(parse_number(row[columns.get(_ADJUSTED, columns["close"])].strip(" ")))
        values.append(parse_number(row[columns["volume"]].strip(" ")))
    except ValueError as error:
        raise FormatError(f"stocks: {shown(path)}: row {number}: {error}") from None
    if not all(np.isfinite(values)) or min(values[:4]) <= 0 or values[5] < 0:
        raise FormatError(
            f"stocks: {shown(path)}: row {number} has a price that is none: {quoted(row, 200)}"
        )
    return date, values


def _date(text: str) -> np.datetime64:
    if american := re.fullmatch(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", text):
        month, day, year = american.groups()
        text = f"{year}-{int(month):02}-{int(day):02}"
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(f"{quoted(text, 40)} is neither YYYY-MM-DD nor M/D/YYYY")
    return np.datetime64(text, "D")


def _prices(
    rows: list[tuple[np.datetime64, list[float]]], skipped: int, symbol: str, path: str | Path
) -> Prices:
    dates = np.array([date for date, _ in rows], dtype="datetime64[D]")
    if (late := np.flatnonzero(np.diff(dates) <= np.timedelta64(0, "D"))).size:
        raise FormatError(
            f"stocks: {shown(path)}: {dates[late[0] + 1]} does not follow {dates[late[0]]}"
        )
    columns = np.array([values for _, values in rows], dtype=np.float64).T.copy()
    return Prices(symbol, dates, *columns, skipped)  # type: ignore[call-arg]
