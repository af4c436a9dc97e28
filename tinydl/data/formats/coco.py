"""Detection sets in COCO's JSON format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ...errors import FormatError
from ...foreign import boundary, parse_json, reader
from ...quoting import quoted, shown
from ..types import Detections
from .archives import Archive, is_safe_name, read_bytes
from .images import MAX_PICTURE

MAX_JSON = 1 << 29  # instances_train2017.json has 449 MB
Damaged = list[tuple[str, str]]
Box = tuple[list[float] | None, bool]  # corners, or None without an area; whether it is a crowd
T = TypeVar("T")


@reader("coco")
def read_coco(
    path: str | Path,
    images: str | Path | None = None,
    name: str = "coco",
    damaged: Damaged | None = None,
) -> Detections:
    """The set that a COCO JSON file (gzip or not) describes; images as in `coco2017`.

    Boxes x, y, width, height become corners. Boxes without area are skipped and counted; crowds are
    flagged in `ignore`; outlines ("segmentation") are not read. Classes are in the order of their
    ids. Raises FormatError for whatever is missing, of the wrong type or refers to nothing; or,
    where there is a list `damaged`, a picture with such an entry is left out and gets (file, what
    is wrong) there, and an annotation that refers to nothing likewise, under the JSON's name.
    """
    return parse_coco(read_bytes(path, MAX_JSON), str(path), images, name, damaged)


@reader("coco", called="source")
def parse_coco(
    data: bytes,
    source: str,
    images: str | Path | None = None,
    name: str = "coco",
    damaged: Damaged | None = None,
) -> Detections:
    """`read_coco` of the bytes of such a file; source: what errors call it."""
    content = parse_json(data, source, "coco")
    return _Reading(content, shown(source), damaged).detections(images, name)


class _Reading:
    """The parts of a COCO file, one after the other. gone: places of pictures that are left out."""

    def __init__(self, content: Any, source: str, damaged: Damaged | None) -> None:
        self.source, self.damaged, self.gone = source, damaged, set[int]()
        self.categories = sorted(content["categories"], key=lambda row: row["id"])
        self.pictures = sorted(content["images"], key=lambda row: row["file_name"])
        self.annotations = content["annotations"]
        self.kinds = {row["id"]: k for k, row in enumerate(self.categories)}
        self.places = {row["id"]: k for k, row in enumerate(self.pictures)}
        few = len(self.kinds) != len(self.categories) or len(self.places) != len(self.pictures)
        if few or not self.pictures:
            raise FormatError(f"coco: {source} has no pictures, or an id twice")

    def detections(self, images: str | Path | None, name: str) -> Detections:
        source = self.source
        classes = tuple(_class_name(row, source) for row in self.categories)
        ids, sizes = [], []
        for k, row in enumerate(self.pictures):
            sizes.append(self._or_gone(k, _size, row, (1, 1)))
            ids.append(self._or_gone(k, _file_name, row, ""))
        rows, skipped = self._boxes()
        archive, members = self._members(ids, images)
        found = Detections(
            name, classes, tuple(ids), np.array(sizes, np.int64),
            tuple(np.array([r[0] for r in part], np.float32).reshape(-1, 4) for part in rows),
            tuple(np.array([r[1] for r in part], np.int64) for part in rows),
            tuple(np.array([r[2] for r in part], bool) for part in rows),
            skipped, {}, members, archive,
        )  # fmt: skip
        if len(self.gone) == len(ids):
            raise FormatError(f"coco: none of the pictures of {source} can be used")
        kept = [k for k in range(len(ids)) if k not in self.gone]
        return found.take(kept) if self.gone else found

    def _boxes(self) -> tuple[list[list[tuple[list[float], int, bool]]], int]:
        """(corners, class, crowd) of every picture's boxes, and how many have no area."""
        rows: list[list[tuple[list[float], int, bool]]] = [[] for _ in self.pictures]
        skipped = 0
        for row in self.annotations:
            place = self.places.get(row["image_id"])
            if place is None or row["category_id"] not in self.kinds:
                told = f"annotation {quoted(row.get('id'), 20)} refers to nothing"
                self._wrong(place, FormatError(f"coco: {self.source}: {told}"))
                continue
            none: Box = (None, False)
            corners, crowd = self._or_gone(place, _box, row, none)
            if corners is None:
                skipped += place not in self.gone
            else:
                rows[place].append((corners, self.kinds[row["category_id"]], crowd))
        return rows, skipped

    def _or_gone(self, place: int, read: Callable[[Any, str], T], row: Any, instead: T) -> T:
        """What is read of a row about picture `place`; `instead` where that is left out."""
        try:
            with boundary(self.source, "coco"):
                return read(row, self.source)
        except FormatError as error:
            self._wrong(place, error)
            return instead

    def _wrong(self, place: int | None, error: FormatError) -> None:
        """The error, or the picture is left out with what is wrong; None: no picture is known."""
        if self.damaged is None:
            raise error
        text = str(error).replace(f"{self.source}: ", "").replace(f"{self.source} ", "")
        if place is None:
            self.damaged.append((self.source, text))
        elif place not in self.gone:
            self.gone.add(place)
            self.damaged.append((shown(self.pictures[place]["file_name"]), text))

    def _members(
        self, names: list[str], images: str | Path | None
    ) -> tuple[Archive | None, tuple[str, ...]]:
        """The archive and the names in it: at its top, or in one folder such as val2017/."""
        if images is None:
            return None, tuple(names)
        archive = Archive(images, MAX_PICTURE, 1 << 44)
        known = set(archive.names)
        folders = sorted({"", *(f"{name.split('/')[0]}/" for name in known if "/" in name)})
        there = {folder: sum(folder + name in known for name in names) for folder in folders}
        folder = max(folders, key=lambda one: there[one])
        for k, name in enumerate(names):
            if folder + name not in known and k not in self.gone:
                if self.damaged is None:
                    archive.close()
                    raise FormatError(
                        f"coco: {shown(images)} lacks pictures, such as {quoted(name)}"
                    )
                self._wrong(k, FormatError("coco: is not there"))
        return archive, tuple(folder + name for name in names)


def _box(row: dict[str, Any], source: str) -> Box:
    return _corners(row["bbox"], source), _crowd(row, source)


def _corners(box: Any, source: str) -> list[float] | None:
    """x, y, width, height -> corners; None for a box without area."""
    numbers = type(box) is list and all(type(v) in (int, float) and abs(v) <= 1e6 for v in box)
    if not numbers or len(box) != 4:
        raise FormatError(f"coco: {source}: a bbox is {quoted(box, 60)}, not four numbers")
    x, y, width, height = box
    return [x, y, x + width, y + height] if width > 0 and height > 0 else None


def _size(row: dict[str, Any], source: str) -> tuple[int, int]:
    size = (row["height"], row["width"])
    if not all(type(n) is int and 1 <= n <= 10**6 for n in size):
        raise FormatError(f"coco: {source}: a picture has a size of {quoted(size, 60)}")
    return size


def _crowd(row: dict[str, Any], source: str) -> bool:
    """`iscrowd` is the number 0 or 1; "0" would be true."""
    value = row.get("iscrowd", 0)
    if type(value) is not int or value not in (0, 1):
        raise FormatError(f"coco: {source}: iscrowd is {quoted(value, 40)}, not 0 or 1")
    return value == 1


def _class_name(row: dict[str, Any], source: str) -> str:
    if type(row["name"]) is not str:
        raise FormatError(f"coco: {source}: a class is called {quoted(row['name'], 40)}")
    return row["name"]


def _file_name(row: dict[str, Any], source: str) -> str:
    name = row["file_name"]
    if type(name) is not str or not is_safe_name(name):
        raise FormatError(f"coco: {source}: the file name {quoted(name)} leaves the folder")
    return name
