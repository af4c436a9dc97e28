"""Detection sets in COCO's JSON format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FormatError
from ...foreign import parse_json, reader
from ...quoting import quoted, shown
from ..types import Detections
from .archives import Archive, is_safe_name, read_bytes
from .images import MAX_PICTURE

MAX_JSON = 1 << 29  # instances_train2017.json has 449 MB


@reader("coco")
def read_coco(path: str | Path, images: str | Path | None = None, name: str = "coco") -> Detections:
    """The set that a COCO JSON file (gzip or not) describes; images as in `coco2017`.

    Boxes x, y, width, height become corners. Boxes without area are skipped and counted; crowds are
    flagged in `ignore`; outlines ("segmentation") are not read. Classes are in the order of their
    ids. Raises FormatError for whatever is missing, of the wrong type or refers to nothing.
    """
    return parse_coco(read_bytes(path, MAX_JSON), str(path), images, name)


@reader("coco", called="source")
def parse_coco(
    data: bytes, source: str, images: str | Path | None = None, name: str = "coco"
) -> Detections:
    """`read_coco` of the bytes of such a file; source: what errors call it."""
    return _detections(parse_json(data, source, "coco"), shown(source), images, name)


def _detections(content: Any, source: str, images: str | Path | None, name: str) -> Detections:
    categories = sorted(content["categories"], key=lambda row: row["id"])
    place = {row["id"]: k for k, row in enumerate(categories)}
    pictures = sorted(content["images"], key=lambda row: row["file_name"])
    rows: dict[Any, list[tuple[list[float], int, bool]]] = {row["id"]: [] for row in pictures}
    if len(place) != len(categories) or len(rows) != len(pictures) or not pictures:
        raise FormatError(f"coco: {source} has no pictures, or an id twice")
    skipped = 0
    for row in content["annotations"]:
        corners, kind = _corners(row["bbox"], source), row["category_id"]
        if row["image_id"] not in rows or kind not in place:
            raise FormatError(
                f"coco: {source}: annotation {quoted(row.get('id'), 20)} refers to nothing"
            )
        if corners is None:
            skipped += 1
        else:
            rows[row["image_id"]].append((corners, place[kind], _crowd(row, source)))
    found = [rows[row["id"]] for row in pictures]
    return Detections(
        name=name,
        classes=tuple(_class_name(row, source) for row in categories),
        ids=tuple(_file_name(row["file_name"], source) for row in pictures),
        sizes=np.array([_size(row, source) for row in pictures], np.int64),
        boxes=tuple(np.array([r[0] for r in part], np.float32).reshape(-1, 4) for part in found),
        labels=tuple(np.array([r[1] for r in part], np.int64) for part in found),
        ignore=tuple(np.array([r[2] for r in part], bool) for part in found),
        skipped=skipped,
        splits={},
        **_pictures([row["file_name"] for row in pictures], images),
    )


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


def _file_name(name: Any, source: str) -> str:
    if type(name) is not str or not is_safe_name(name):
        raise FormatError(f"coco: {source}: the file name {quoted(name)} leaves the folder")
    return name


def _pictures(names: list[str], images: str | Path | None) -> dict[str, Any]:
    """The archive and the names in it: at its top, or in one folder such as val2017/."""
    if images is None:
        return {"archive": None, "members": tuple(names)}
    archive = Archive(images, MAX_PICTURE, 1 << 44)
    known = set(archive.names)
    folders = {"", *(f"{name.split('/')[0]}/" for name in known if "/" in name)}
    for folder in sorted(folders):
        if all(folder + name in known for name in names):
            return {"archive": archive, "members": tuple(folder + name for name in names)}
    archive.close()
    raise FormatError(f"coco: {shown(images)} lacks pictures, such as {quoted(names[0])}")
