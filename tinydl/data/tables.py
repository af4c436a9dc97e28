"""Columns of numbers with names: CSV files checked strictly, and the credit-card fraud set."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import ConfigError, FormatError, ShapeError
from .archives import read_bytes
from .catalog import CATALOG
from .datasets import Samples
from .download import locate

MAX_BYTES = 1 << 29
PAYMENT_COLUMNS = ("Time", *(f"V{k}" for k in range(1, 29)), "Amount")


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Labelled rows of named numbers: x (N, D) float64, one column per name; y (N,) int64."""

    name: str
    columns: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]

    def column(self, name: str) -> np.ndarray:
        """The column `name` (N,); ConfigError if there is none."""
        return self.x[:, self._place(name)]

    def drop(self, *names: str) -> Table:
        """The table without these columns."""
        gone = {self._place(name) for name in names}
        kept = [k for k in range(len(self.columns)) if k not in gone]
        columns = tuple(self.columns[k] for k in kept)
        return replace(self, columns=columns, x=np.ascontiguousarray(self.x[:, kept]))

    def to_samples(self) -> Samples:
        """The same rows as float32 samples, to be split and batched."""
        return Samples(self.name, self.x.astype(np.float32), self.y, self.classes)

    def _place(self, name: str) -> int:
        if name not in self.columns:
            raise ConfigError(f"{self.name}: no column {name!r}, there are {self.columns}")
        return self.columns.index(name)


def creditcard(edition: str = "full") -> Table:
    """Card payments, 492 of them frauds (Dal Pozzolo et al. 2015): x (N, 30), y 1 for a fraud.

    Columns Time (seconds), V1 ... V28 (principal components, not scaled to unit variance), Amount.
    edition: "full" (N 284807, 0.172 % frauds, 151 MB), "subset" (6621, 7.4 %) or "sample" (5412,
    9.1 %): in the last two the legitimate payments are a selection, so precision means another
    thing. Found in TINYDL_DATA/creditcard, else in the user cache, else (only "full") downloaded.
    Raises DataError when it cannot be had, FormatError for a damaged file.
    """
    entries = {"full": "creditcard", "subset": "creditcard_subset", "sample": "creditcard_sample"}
    if edition not in entries:
        raise ConfigError(
            f"creditcard: edition must be one of {', '.join(entries)}, got {edition!r}"
        )
    dataset = CATALOG[entries[edition]]
    return read_creditcard(locate(dataset, dataset.files[0]), dataset.name)


def read_creditcard(path: str | Path, name: str = "creditcard") -> Table:
    """The payments in a CSV file (gzip or not) with the columns Time, V1 ... V28, Amount, Class."""
    columns, values = read_csv(path)
    if columns != (*PAYMENT_COLUMNS, "Class"):
        raise FormatError(f"creditcard: {path} has the columns {columns}, not Time ... Class")
    y = values[:, -1]
    if not np.isin(y, (0, 1)).all():
        raise FormatError(f"creditcard: {path} has a Class other than 0 and 1")
    x = np.ascontiguousarray(values[:, :-1])
    return Table(name, PAYMENT_COLUMNS, x, y.astype(np.int64), CATALOG["creditcard"].classes)


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
        raise FormatError(f"csv: {path}: the header is not UTF-8 text") from None
    if len(set(columns)) != len(columns) or not all(columns):
        raise FormatError(f"csv: {path}: the header {columns!r:.200} has no or equal names")
    values = read_numbers(body, ",", len(columns), np.float64, str(path))
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise FormatError(f"csv: {path}: row {row + 1} has a value that is not finite")
    return columns, values


def read_numbers(body: bytes, separator: str, columns: int, dtype: type, name: str) -> np.ndarray:
    """The rows of a text of numbers, (N, columns); FormatError if one does not fit."""
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
        raise FormatError(f"data: {name}: not a table of numbers ({error})") from None
    if values.shape[1] != columns:
        raise FormatError(f"data: {name}: rows have {values.shape[1]} fields, expected {columns}")
    return values


def standardize(x: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """x and the others with x's column means subtracted and divided by x's standard deviations.

    x (N, D): the training rows, which alone decide, so that nothing of the others leaks into them;
    others: (M, D). A column that does not vary in x is only shifted.
    """
    if x.ndim != 2 or any(other.ndim != 2 or other.shape[1] != x.shape[1] for other in others):
        shapes = [array.shape for array in (x, *others)]
        raise ShapeError(f"standardize: the arrays must be (N, D) with the same D, got {shapes}")
    mean, std = x.mean(axis=0), x.std(axis=0)
    std = np.where(std > 0, std, 1)
    return tuple((array - mean) / std for array in (x, *others))
