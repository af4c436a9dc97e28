"""Who rated what, and how: MovieLens 100K and 1M."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from ..errors import ConfigError, FormatError
from .archives import members
from .catalog import CATALOG
from .download import first_present, locate
from .tables import read_numbers

MAX_TOTAL = 1 << 28
PARTS = ("u.data", *(f"u{k}.{p}" for k in "12345ab" for p in ("base", "test")))


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """K ratings: users and items (K,) int64 index `user_ids` (U,) and `item_ids` (I,).

    stars (K,) int64, times (K,) int64 seconds since 1970. titles: one per item, "" if unknown. Ids
    are numbered in the order of their first appearance.
    """

    name: str
    users: np.ndarray
    items: np.ndarray
    stars: np.ndarray
    times: np.ndarray
    user_ids: np.ndarray
    item_ids: np.ndarray
    titles: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.stars)

    def take(self, indices: np.ndarray) -> Ratings:
        """Only these of the K ratings; the numbering of users and items stays."""
        chosen = (array[indices] for array in (self.users, self.items, self.stars, self.times))
        users, items, stars, times = chosen
        return replace(self, users=users, items=items, stars=stars, times=times)

    def matrix(self) -> np.ndarray:
        """(U, I) float32, the stars, 0 where there is no rating."""
        table = np.zeros((len(self.user_ids), len(self.item_ids)), dtype=np.float32)
        table[self.users, self.items] = self.stars
        return table


def movielens_100k(part: str = "u.data") -> Ratings:
    """MovieLens 100K: 100000 ratings of 1682 films by 943 users, with titles.

    part: "u.data" (all), or one of the official splits "u1.base", "u1.test", ..., "ub.test", whose
    users and films are numbered as in "u.data". Found in TINYDL_DATA/movielens, else in the user
    cache, else downloaded (5 MB). Raises DataError when it cannot be had, FormatError for a damaged
    file. GroupLens allows research use only.
    """
    dataset = first_present("movielens_100k", "movielens_100k_repacked")
    return read_movielens_100k(locate(dataset, dataset.files[0]), part)


def movielens_1m() -> Ratings:
    """MovieLens 1M: 1000209 ratings of 3706 films by 6040 users, with titles.

    Found in TINYDL_DATA/movielens, else in the user cache, else downloaded (6 MB). Errors and
    licence of `movielens_100k`.
    """
    dataset = CATALOG["movielens_1m"]
    return read_movielens_1m(locate(dataset, dataset.files[0]))


def read_movielens_100k(path: str | Path, part: str = "u.data") -> Ratings:
    """`movielens_100k` of a zip file or folder that holds u.data, u.item and `part`."""
    if part not in PARTS:
        raise ConfigError(f"movielens_100k: part must be one of {', '.join(PARTS)}, got {part!r}")
    found = _members(path, ("u.data", "u.item", part))
    ratings = _ratings("movielens_100k", found["u.data"], _titles(found["u.item"], "|", path), path)
    if part == "u.data":
        return ratings
    rows = _rows(found[part], path)
    users, items = (
        _places(ids, rows[:, k], path) for k, ids in enumerate((ratings.user_ids, ratings.item_ids))
    )
    return replace(ratings, users=users, items=items, stars=rows[:, 2], times=rows[:, 3])


def read_movielens_1m(path: str | Path) -> Ratings:
    """`movielens_1m` of a zip file or folder that holds ratings.dat and movies.dat (`::` between
    fields, no header)."""
    found = _members(path, ("ratings.dat", "movies.dat"))
    data, titles = found["ratings.dat"], _titles(found["movies.dat"], "::", path)
    # A single character separates for NumPy; that it comes twice each time is checked first.
    if data.count(b":") != 2 * data.count(b"::") or b"\t" in data:
        raise FormatError(f"movielens: {path}: the fields are not separated by ::")
    return _ratings("movielens_1m", data.replace(b"::", b"\t"), titles, path)


def _members(path: str | Path, names: tuple[str, ...]) -> dict[str, bytes]:
    def select(member: str) -> bool:
        return PurePosixPath(member).name in names

    found: dict[str, bytes] = {}
    for member, data in members(path, select, MAX_TOTAL, MAX_TOTAL):
        if PurePosixPath(member).name in found:
            raise FormatError(f"movielens: {path} has {PurePosixPath(member).name} twice")
        found[PurePosixPath(member).name] = data
    if missing := [name for name in names if name not in found]:
        raise FormatError(f"movielens: {path} has no {', '.join(missing)}")
    return found


def _rows(data: bytes, path: str | Path) -> np.ndarray:
    rows = read_numbers(data, "\t", 4, np.int64, str(path))
    if rows[:, 2].min() < 1 or rows[:, 2].max() > 5:
        raise FormatError(f"movielens: {path}: a rating lies outside 1 ... 5")
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
        raise FormatError(f"movielens: {path}: a split has a user or film that u.data lacks")
    return order[place]


def _titles(data: bytes, separator: str, path: str | Path) -> dict[int, str]:
    titles = {}
    for number, line in enumerate(data.decode("latin1").split("\n"), 1):
        if not line.strip():
            continue
        fields = line.split(separator)
        if len(fields) < 3 or not fields[0].isdecimal() or len(fields[0]) > 9:
            raise FormatError(f"movielens: {path}: line {number} of the films is {line!r:.80}")
        titles[int(fields[0])] = fields[1]
    return titles
