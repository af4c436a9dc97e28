"""Detection sets in COCO's JSON format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, FormatError
from .archives import Archive, is_safe_name, members, read_bytes
from .catalog import CATALOG
from .detection import MAX_PICTURE, Detections
from .download import locate

MAX_JSON = 1 << 29  # instances_train2017.json has 449 MB


def coco2017(part: str = "val2017", images: str | Path | None = None) -> Detections:
    """COCO 2017 (Lin et al. 2014, arXiv:1405.0312), 80 classes; part "train2017" or "val2017".

    The annotations are found in TINYDL_DATA/coco2017, else in the user cache, else downloaded (253
    MB). images: a folder or zip file with the pictures, which are not downloaded (val 0.8 GB, train
    19 GB); None reads only annotations. Errors of `read_coco`.
    """
    if part not in ("train2017", "val2017"):
        raise ConfigError(f"coco2017: part must be 'train2017' or 'val2017', got {part!r}")
    dataset = CATALOG["coco2017"]
    path = locate(dataset, dataset.files[0])
    wanted = f"annotations/instances_{part}.json"
    found = dict(members(path, wanted.__eq__, MAX_JSON, MAX_JSON))
    if wanted not in found:
        raise FormatError(f"coco: {path} has no {wanted}")
    return parse_coco(found[wanted], f"{path}: {wanted}", images, "coco2017")


def read_coco(path: str | Path, images: str | Path | None = None, name: str = "coco") -> Detections:
    """The set that a COCO JSON file (gzip or not) describes; images as in `coco2017`.

    Boxes x, y, width, height become corners. Boxes without area are skipped and counted; crowds are
    flagged in `ignore`; outlines ("segmentation") are not read. Classes are in the order of their
    ids. Raises FormatError for whatever is missing, of the wrong type or refers to nothing.
    """
    return parse_coco(read_bytes(path, MAX_JSON), str(path), images, name)


def parse_coco(
    data: bytes, source: str, images: str | Path | None = None, name: str = "coco"
) -> Detections:
    """`read_coco` of the bytes of such a file; source: what errors call it."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"coco: {source} is no JSON text ({type(error).__name__})") from None
    try:
        return _detections(content, source, images, name)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise FormatError(
            f"coco: {source} lacks what it needs ({type(error).__name__}: {error})"
        ) from None


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
            raise FormatError(f"coco: {source}: annotation {row.get('id')!r:.20} refers to nothing")
        if corners is None:
            skipped += 1
        else:
            rows[row["image_id"]].append((corners, place[kind], bool(row.get("iscrowd", 0))))
    found = [rows[row["id"]] for row in pictures]
    return Detections(
        name=name,
        classes=tuple(str(row["name"]) for row in categories),
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
        raise FormatError(f"coco: {source}: a bbox is {box!r:.60}, not four numbers")
    x, y, width, height = box
    return [x, y, x + width, y + height] if width > 0 and height > 0 else None


def _size(row: dict[str, Any], source: str) -> tuple[int, int]:
    size = (row["height"], row["width"])
    if not all(type(n) is int and 1 <= n <= 10**6 for n in size):
        raise FormatError(f"coco: {source}: a picture has a size of {size!r:.60}")
    return size


def _file_name(name: Any, source: str) -> str:
    if type(name) is not str or not is_safe_name(name):
        raise FormatError(f"coco: {source}: the file name {name!r:.80} leaves the folder")
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
    raise FormatError(f"coco: {images} lacks pictures, such as {names[0]!r}")
