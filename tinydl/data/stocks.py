"""Daily share prices as Yahoo Finance exports them."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from ..errors import ConfigError, FormatError
from .archives import read_bytes
from .catalog import CATALOG
from .download import locate
from .sequences import windows

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


def stocks(symbol: str = "DJI") -> Prices:
    """Daily prices of "DJI" (from 1985), "GOOGL" (2004) or "TSLA" (2010) to 2019-05-03.

    Found in TINYDL_DATA/stocks or in the user cache; Yahoo's terms forbid a download on your
    behalf. The open, high and low of DJI on 2015-08-31 are scrambled at the source
    (`inconsistent()` names that row); its close is right.
    """
    dataset = CATALOG["stocks"]
    known = {file.name.partition(".")[0]: file for file in dataset.files}
    if symbol not in known:
        raise ConfigError(f"stocks: symbol must be one of {', '.join(known)}, got {symbol!r}")
    return read_prices(locate(dataset, known[symbol]))


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
        raise FormatError(f"stocks: {path} is no CSV text ({error})") from None
    columns = _columns(rows[0] if rows else [], path)
    kept, skipped, symbols = [], 0, set()
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(rows[0]):
            raise FormatError(
                f"stocks: {path}: row {number} has {len(row)} of {len(rows[0])} fields"
            )
        if any(row[columns[name]].strip().lower() in _MISSING for name in _PRICES):
            skipped += 1
            continue
        kept.append(_row(row, columns, number, path))
        symbols |= {row[columns["symbol"]]} if "symbol" in columns else set()
    if not kept or len(symbols) > 1:
        raise FormatError(f"stocks: {path} has {len(kept)} rows of {len(symbols)} symbols")
    return _prices(kept, skipped, next(iter(symbols), ""), path)


def scaled_windows(prices: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Windows of `length` prices and the next price, each divided by the last price of its window.

    prices (N,); returns x (M, length, 1) float32 whose last value is 1, y (M, 1) float32 = 1 + the
    next day's return, last (M,) float64 to multiply with, M = N - length. Unlike a minimum and
    maximum over all days, this needs nothing of the future.
    """
    x, y = windows(np.asarray(prices, np.float64), length)
    last = x[:, -1].copy()
    return (
        (x / last[:, None]).astype(np.float32)[:, :, None],
        (y / last).astype(np.float32)[:, None],
        last,
    )


def _columns(header: list[str], path: str | Path) -> dict[str, int]:
    columns = {name.strip().lower(): k for k, name in enumerate(header)}
    needed = ("date", *_PRICES, "volume")
    if missing := [name for name in needed if name not in columns]:
        raise FormatError(f"stocks: {path} has no column {', '.join(missing)}: {header!r:.200}")
    if len(columns) != len(header):
        raise FormatError(f"stocks: {path} has a column twice: {header!r:.200}")
    return columns


def _row(
    row: list[str], columns: dict[str, int], number: int, path: str | Path
) -> tuple[np.datetime64, list[float]]:
    try:
        date = _date(row[columns["date"]].strip())
        values = [float(row[columns[name]]) for name in _PRICES]
        values.append(float(row[columns.get(_ADJUSTED, columns["close"])]))
        values.append(float(row[columns["volume"]]))
    except ValueError as error:
        raise FormatError(f"stocks: {path}: row {number}: {error}") from None
    if not all(np.isfinite(values)) or min(values[:4]) <= 0 or values[5] < 0:
        raise FormatError(f"stocks: {path}: row {number} has a price that is none: {row!r:.200}")
    return date, values


def _date(text: str) -> np.datetime64:
    if american := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
        month, day, year = american.groups()
        text = f"{year}-{int(month):02}-{int(day):02}"
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError(f"{text!r:.40} is neither YYYY-MM-DD nor M/D/YYYY")
    return np.datetime64(text, "D")


def _prices(
    rows: list[tuple[np.datetime64, list[float]]], skipped: int, symbol: str, path: str | Path
) -> Prices:
    dates = np.array([date for date, _ in rows], dtype="datetime64[D]")
    if (late := np.flatnonzero(np.diff(dates) <= np.timedelta64(0, "D"))).size:
        raise FormatError(f"stocks: {path}: {dates[late[0] + 1]} does not follow {dates[late[0]]}")
    columns = np.array([values for _, values in rows], dtype=np.float64).T.copy()
    return Prices(symbol, dates, *columns, skipped)  # type: ignore[call-arg]
