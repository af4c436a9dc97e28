"""Who rated what, and how: MovieLens 100K and 1M."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from ...doors import checked
from ...errors import ConfigError, FormatError
from ...foreign import reader
from ...quoting import quoted, shown
from ..download import first_present, locate
from ..formats.archives import members
from ..formats.tables import read_numbers
from ..record import DataFile, DataSet, Mirror
from ..types import Ratings

_GROUPLENS = (
    Mirror("https://files.grouplens.org/datasets/movielens/"),
    Mirror("http://files.grouplens.org/datasets/movielens/"),
)

_HARPER = (
    "F. M. Harper, J. A. Konstan, The MovieLens datasets: history and context, ACM TiiS 5 (2015) "
    "19, doi:10.1145/2827872"
)

_GROUPLENS_LICENCE = (
    "GroupLens: research use with acknowledgement; no redistribution and no commercial use without "
    "permission"
)

MOVIELENS_100K = DataSet(
    name="movielens_100k",
    folder="movielens",
    files=(
        DataFile(
            "ml-100k.zip",
            "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
            4_924_029,
            mirrors=_GROUPLENS,
        ),
    ),
    classes=(),
    records="100000 ratings of 1682 films by 943 users",
    description="film ratings of 1 to 5 stars, 1997-98",
    source="https://grouplens.org/datasets/movielens/100k/",
    licence=_GROUPLENS_LICENCE,
    citation=_HARPER,
)

MOVIELENS_100K_REPACKED = DataSet(
    name="movielens_100k_repacked",
    folder="movielens",
    files=(
        DataFile(
            "ml-100k.zip",
            "d1c1ea86319fff9560fc5af6975bab5ab40b1309ff32ebe5c515455b674ecc7b",
            2_029_488,
        ),
    ),
    classes=(),
    records="100000 ratings of 1682 films by 943 users",
    description="film ratings of 1 to 5 stars, 1997-98",
    source="https://grouplens.org/datasets/movielens/100k/",
    licence=_GROUPLENS_LICENCE,
    citation=_HARPER,
    by_hand="it was packed for this project's tests; use movielens_100k, which can be downloaded",
    fidelity="complete ratings and tables; of the official splits only u1 and ua; packed anew",
)

MOVIELENS_1M = DataSet(
    name="movielens_1m",
    folder="movielens",
    files=(
        DataFile(
            "ml-1m.zip",
            "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
            5_917_549,
            mirrors=_GROUPLENS,
        ),
    ),
    classes=(),
    records="1000209 ratings of 3706 films by 6040 users",
    description="film ratings of 1 to 5 stars, 2000-03",
    source="https://grouplens.org/datasets/movielens/1m/",
    licence=_GROUPLENS_LICENCE,
    citation=_HARPER,
)

MAX_TOTAL = 1 << 28
PARTS = ("u.data", *(f"u{k}.{p}" for k in "12345ab" for p in ("base", "test")))


@checked
def movielens_100k(part: str = "u.data") -> Ratings:
    """MovieLens 100K: 100000 ratings of 1682 films by 943 users, with titles.

    part: "u.data" (all), or one of the official splits "u1.base", "u1.test", ..., "ub.test", whose
    users and films are numbered as in "u.data". Found in TINYDL_DATA/movielens, else in the user
    cache, else downloaded (5 MB). Raises DataError when it cannot be had, FormatError for a damaged
    file. GroupLens allows research use only.
    """
    _check_part(part)
    dataset = first_present(MOVIELENS_100K, MOVIELENS_100K_REPACKED)
    return read_movielens_100k(locate(dataset, dataset.files[0]), part)


@checked
def movielens_1m() -> Ratings:
    """MovieLens 1M: 1000209 ratings of 3706 films by 6040 users, with titles.

    Found in TINYDL_DATA/movielens, else in the user cache, else downloaded (6 MB). Errors and
    licence of `movielens_100k`.
    """
    return read_movielens_1m(locate(MOVIELENS_1M, MOVIELENS_1M.files[0]))


def _check_part(part: str) -> None:
    if part not in PARTS:
        raise ConfigError(
            f"movielens_100k: part must be one of {', '.join(PARTS)}, got {quoted(part)}"
        )


@reader("movielens")
def read_movielens_100k(path: str | Path, part: str = "u.data") -> Ratings:
    """`movielens_100k` of a zip file or folder that holds u.data, u.item and `part`."""
    _check_part(part)
    found = _members(path, ("u.data", "u.item", part))
    ratings = _ratings("movielens_100k", found["u.data"], _titles(found["u.item"], "|", path), path)
    if part == "u.data":
        return ratings
    rows = _rows(found[part], path)
    users, items = (
        _places(ids, rows[:, k], path) for k, ids in enumerate((ratings.user_ids, ratings.item_ids))
    )
    return replace(ratings, users=users, items=items, stars=rows[:, 2], times=rows[:, 3])


@reader("movielens")
def read_movielens_1m(path: str | Path) -> Ratings:
    """`movielens_1m` of a zip file or folder that holds ratings.dat and movies.dat (`::` between
    fields, no header)."""
    found = _members(path, ("ratings.dat", "movies.dat"))
    data, titles = found["ratings.dat"], _titles(found["movies.dat"], "::", path)
    # A single character separates for NumPy; that it comes twice each time is checked first.
    if data.count(b":") != 2 * data.count(b"::") or b"\t" in data:
        raise FormatError(f"movielens: {shown(path)}: the fields are not separated by ::")
    return _ratings("movielens_1m", data.replace(b"::", b"\t"), titles, path)


def _members(path: str | Path, names: tuple[str, ...]) -> dict[str, bytes]:
    def select(member: str) -> bool:
        return PurePosixPath(member).name in names

    found: dict[str, bytes] = {}
    for member, data in members(path, select, MAX_TOTAL, MAX_TOTAL):
        if PurePosixPath(member).name in found:
            raise FormatError(f"movielens: {shown(path)} has {PurePosixPath(member).name} twice")
        found[PurePosixPath(member).name] = data
    if missing := [name for name in names if name not in found]:
        raise FormatError(f"movielens: {shown(path)} has no {', '.join(missing)}")
    return found


def _rows(data: bytes, path: str | Path) -> np.ndarray:
    rows = read_numbers(data, "\t", 4, np.int64, str(path))
    if rows[:, 2].min() < 1 or rows[:, 2].max() > 5:
        raise FormatError(f"movielens: {shown(path)}: a rating lies outside 1 ... 5")
    return rows


def _ratings(name: str, data: bytes, titles: dict[int, str], path: str | Path) -> Ratings:
    rows = _rows(data, path)
    user_ids, users = first_appearance(rows[:, 0])
    item_ids, items = first_appearance(rows[:, 1])
    known = tuple(titles.get(int(item), "") for item in item_ids)
    return Ratings(name, users, items, rows[:, 2], rows[:, 3], user_ids, item_ids, known)


def first_appearance(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the distinct values in the order of their first appearance, the place of each value
    there)."""
    distinct, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return distinct[order], place[inverse]


def _places(ids: np.ndarray, values: np.ndarray, path: str | Path) -> np.ndarray:
    order = np.argsort(ids)
    place = np.searchsorted(ids, values, sorter=order).clip(0, len(ids) - 1)
    if not np.array_equal(ids[order[place]], values):
        raise FormatError(f"movielens: {shown(path)}: a split has a user or film that u.data lacks")
    return order[place]


def _titles(data: bytes, separator: str, path: str | Path) -> dict[int, str]:
    titles = {}
    for number, line in enumerate(data.decode("latin1").split("\n"), 1):
        if not line.strip():
            continue
        fields = line.split(separator)
        if len(fields) < 3 or not re.fullmatch("[0-9]{1,9}", fields[0]):
            raise FormatError(
                f"movielens: {shown(path)}: line {number} of the films is {quoted(line)}"
            )
        if int(fields[0]) in titles:
            raise FormatError(f"movielens: {shown(path)}: film {fields[0]} comes twice")
        titles[int(fields[0])] = fields[1]
    return titles
