"""Pictures with boxes, VOC or COCO, for the detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data import fit_image, pad_rows, read_coco, read_voc
from ..data.folders.looking import unusable
from ..data.folders.problems import Problem
from ..data.folders.recognise import recognise
from ..data.types import Detections
from ..errors import ConfigError, DataError, FormatError
from ..experiment.card import Recipe
from ..foreign import read_regular
from ..quoting import shown
from .gathered import PARTS, TEST, TRAIN, Gathered, digest
from .kept import Own
from .models import picture_sides
from .options import Options

MOST = 1 << 31  # bytes of all pictures at their size: boxes are held in memory


def asked(recipe: Recipe, options: Options) -> dict[str, Any]:
    """The size that the recipe's model wants."""
    height, width = picture_sides(recipe, options.size)
    return {"height": height, "width": width}


def gather(path: str, options: Options, wanted: Mapping[str, Any]) -> Gathered:
    """Pictures fitted to the size as `detect` does it, and their boxes: what is damaged is named.
    Boxes that VOC calls difficult or COCO a crowd are left out, as are those without area."""
    options.only_for("boxes", target=options.target, group=options.group,
                     class_weights=options.class_weights)  # fmt: skip
    found, problems = _read(path, options)
    sides = (wanted["height"], wanted["width"])
    if len(found) * sides[0] * sides[1] * 3 > MOST:
        raise ConfigError(f"train: {len(found):,} pictures of {sides[0]}x{sides[1]} are too many "
                          "to be held in memory; --size makes them smaller")  # fmt: skip
    rows, content = [], []
    for k in range(len(found)):
        try:
            image, data = found.image(k), _bytes(found, k)
        except (FormatError, DataError) as error:
            problems.append(Problem("damaged", found.members[k], shown(str(error), 200)))
            continue
        pixels, scale = fit_image(image, *sides)
        kept = ~found.ignore[k]
        boxes, labels = _within(found.boxes[k][kept] * scale, found.labels[k][kept], image, scale)
        rows.append((k, np.rint(255 * pixels).astype(np.uint8), boxes, labels))
        truth = found.boxes[k].tobytes() + found.labels[k].tobytes()
        content.append((found.ids[k], data + truth))
    if not rows:
        raise DataError(f"train: none of the {len(found)} pictures of {shown(path)} can be used")
    y = pad_rows([boxes for *_, boxes, _ in rows], [labels for *_, labels in rows])
    ids = [found.ids[k] for k, *_ in rows]
    return Gathered(
        np.stack([pixels for _, pixels, *_ in rows]), y,
        tuple(shown(name, 190) for name in found.classes), ids, digest(content),
        parts=_parts(found, ids), problems=tuple(problems), extra={"boxes": True},
        told=(f"{found.skipped} boxes without area are left out",) if found.skipped else (),
    )  # fmt: skip


def _read(path: str, options: Options) -> tuple[Detections, list[Problem]]:
    """The set at a path, in either format, and what of it is passed over."""
    found = recognise(path, options.follow_links)
    damaged: list[tuple[str, str]] = []
    name = Path(found.root).name
    if found.kind == "voc":
        read = read_voc(found.root, name=name, damaged=damaged)
    elif len(found.annotations) != 1:
        raise ConfigError(
            f"train: {shown(path)} has {len(found.annotations)} files of COCO; one is read"
        )
    else:
        source = Path(found.root, found.annotations[0])
        read = read_coco(source, found.root, name, damaged)
    return read, [*found.problems, *unusable(found.root, damaged)]


def _bytes(found: Detections, index: int) -> bytes:
    archive: Any = found.archive
    return read_regular(Path(archive.path, found.members[index]))


def _within(
    boxes: np.ndarray, labels: np.ndarray, image: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """The boxes cut at the picture's borders, without those that have no area in it."""
    height, width = (n * scale for n in image.shape[:2])
    cut = np.clip(boxes, 0, [width, height, width, height]).astype(np.float32)
    kept = (cut[:, 2] > cut[:, 0]) & (cut[:, 3] > cut[:, 1])
    return cut[kept], labels[kept]


def _parts(found: Detections, ids: Sequence[str]) -> tuple[str, ...]:
    """By the lists of a VOC set, if they name every picture once: val is learned from too."""
    part: dict[str, str] = {}
    for name, members in found.splits.items():
        if (kind := PARTS.get(name)) is not None:
            part |= dict.fromkeys(members, TEST if kind == TEST else TRAIN)
    there = [part.get(one, "") for one in ids]
    return tuple(there) if {TRAIN, TEST} == set(there) else ()


def learn(
    gathered: Gathered, train: np.ndarray, options: Options, recipe: Recipe
) -> dict[str, Any]:
    """The size alone: pictures lie at the top left of it, their aspect kept."""
    return asked(recipe, options)


def remarks(gathered: Gathered, preparation: Mapping[str, Any]) -> list[str]:
    """How many boxes there are."""
    count = int((gathered.y[..., 4] >= 0).sum())
    size = f"{preparation['height']}x{preparation['width']}"
    return [f"{count:,} boxes on {len(gathered):,} pictures, fitted into {size}"]


def elsewhere(own: Own, path: str, options: Options) -> Gathered:
    """The pictures of another folder; its classes are the run's, by their names."""
    found = gather(path, options, own.preparation)
    place = {name: k for k, name in enumerate(own.classes)}
    if unknown := [name for name in found.classes if name not in place]:
        raise ConfigError(f"{shown(path)} has the class {shown(unknown[0], 60)!r}, which the run "
                          "does not know")  # fmt: skip
    numbers = np.array([place[name] for name in found.classes] + [-1], np.float32)
    found.y[..., 4] = numbers[found.y[..., 4].astype(np.int64)]
    return replace(found, classes=own.classes)


def inputs(gathered: Gathered, preparation: Mapping[str, Any]) -> np.ndarray:
    """(N, H, W, 3) float32 in 0 ... 1."""
    return gathered.x / np.float32(255)


def targets(gathered: Gathered, preparation: Mapping[str, Any]) -> np.ndarray:
    """Rows (N, K, 5) of boxes."""
    rows: np.ndarray = gathered.y
    return rows
