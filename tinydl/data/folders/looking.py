"""A look at a folder before any training: what is there, and everything that is wrong with it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...doors import checked
from ...errors import DataError, FormatError
from ..formats.coco import read_coco
from ..formats.voc import read_voc
from ..types import Detections
from .contents import Facts, broken, counted, look_at_sounds, look_at_texts
from .copies import Copies
from .problems import KINDS, UNUSABLE, Problem
from .recognise import Found, recognise
from .scan import Scan, picture_names, scan_pictures
from .spreadsheets import look_at_tables


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """found: what the folder holds, by names. facts: (what, sentence) of what was opened. problems:
    all of them, in the order of `KINDS` and by path. boxes: of "voc" and "coco", what was read."""

    found: Found
    facts: tuple[tuple[str, str], ...]
    problems: tuple[Problem, ...]
    boxes: Detections | None = None

    @property
    def serious(self) -> tuple[Problem, ...]:
        """The problems that are no notes."""
        return tuple(p for p in self.problems if not p.is_note)

    @property
    def unusable(self) -> frozenset[str]:
        """The paths of files that cannot be used, for `image_folder(leave_out=...)`."""
        return frozenset(p.path for p in self.problems if p.kind in UNUSABLE and p.path)

    def to_json(self) -> dict[str, Any]:
        """Everything, with paths relative to the folder."""
        found = self.found
        counts = found.counts().tolist()
        rows = found.classes or ("",)
        return {
            "kind": found.kind,
            "base": found.base,
            "files": len(found.files),
            "hidden": found.hidden,
            "parts": list(found.parts),
            "classes": list(found.classes),
            "counts": {name: dict(zip(found.parts, row, strict=True))
                       for name, row in zip(rows, counts, strict=True)},
            "facts": dict(self.facts),
            "problems": [p.to_json() for p in self.problems],
        }  # fmt: skip


@checked
def look(
    path: str | Path, follow_links: bool = False, progress: Callable[[int, int], None] | None = None
) -> Look:
    """Open every file below `path` once and wholly, and say what is there; nothing is changed.

    Of pictures: sizes, modes, formats; which are damaged, too large, of another format than their
    name; which have the same pixels, or nearly the same (a 64-bit difference hash within 4 bits and
    a correlation of 0.98 of the small pictures): within a part, and across parts, which is a leak.
    Of texts, sounds and tables likewise, of tables also columns that are constant or lack values.
    progress(done, files) is called now and then. Raises the errors of `walk`; pictures need Pillow.
    """
    found = recognise(path, follow_links)
    copies = Copies(found)
    facts: Facts = []
    problems: list[Problem] = []
    boxes = None
    if found.kind in ("pictures", "voc", "coco"):
        scan = scan_pictures(found.root, found.files, copies, progress)
        facts, problems = _of_pictures(scan), list(scan.problems)
        if found.kind != "pictures":
            boxes, more, wrong = _boxes(found)
            facts, problems = facts + more, problems + wrong
    elif found.kind == "wav":
        facts, problems = look_at_sounds(found, copies)
    elif found.kind == "text":
        facts, problems = look_at_texts(found, copies)
    elif found.kind == "csv":
        facts, problems = look_at_tables(found)
    return Look(found, tuple(facts), _all(found, [*problems, *copies.problems]), boxes)


def _all(found: Found, problems: list[Problem]) -> tuple[Problem, ...]:
    """Those of the names and those of the contents; a file that is a picture under a foreign name
    is told once."""
    others = [p for p in found.problems if p.kind == "other"]
    misnamed = picture_names(found.root, others)
    gone = {p.path for p in misnamed}
    kept = [p for p in found.problems if p.kind != "other" or p.path not in gone]
    order = {kind: k for k, kind in enumerate(KINDS)}
    both = [*kept, *problems, *misnamed]
    return tuple(sorted(both, key=lambda p: (order[p.kind], p.path, p.text)))


def _of_pictures(scan: Scan) -> Facts:
    """What is said of the pictures that could be read."""
    if not scan.readable.any():
        return []
    return [
        ("sizes", _sizes(scan.sizes[scan.readable])),
        ("modes", counted(mode for mode in scan.modes if mode)),
        ("formats", counted(kind for kind in scan.formats if kind)),
    ]


def _sizes(sizes: np.ndarray) -> str:
    """Rows x columns: one size, or the smallest, the middle and the largest by area."""
    different = np.unique(sizes, axis=0)
    if len(different) == 1:
        return f"all {different[0, 0]} x {different[0, 1]}"
    order = sizes[np.argsort(sizes.prod(axis=1), kind="stable")]
    least, middle, most = (f"{h} x {w}" for h, w in order[[0, len(order) // 2, -1]])
    return f"{len(different):,} from {least} to {most}, the middle one {middle}"


# -- boxes -----------------------------------------------------------------------------------------


def _boxes(found: Found) -> tuple[Detections | None, Facts, list[Problem]]:
    """The annotations, what is said of them, and what is wrong."""
    damaged: list[tuple[str, str]] = []
    try:
        if found.kind == "voc":
            read = read_voc(found.root, damaged=damaged)
        else:
            source = Path(found.root, found.annotations[0])
            read = read_coco(source, found.root, damaged=damaged)
    except (FormatError, DataError) as error:
        return None, [], [broken("", error, found.root), *unusable(found.root, damaged)]
    per_class = Counter(read.classes[k] for labels in read.labels for k in labels)
    boxes = sum(per_class.values())
    facts = [("boxes", f"{boxes:,} in {len(read):,} pictures: {counted(per_class.elements())}")]
    facts += [(f"split {name}", f"{len(ids):,} pictures") for name, ids in read.splits.items()]
    problems = unusable(found.root, damaged)
    if read.skipped:
        problems.append(Problem("damaged", "", f"{read.skipped:,} boxes have no area"))
    empty = sum(not len(labels) for labels in read.labels)
    if empty:
        problems.append(Problem("class", "", f"{empty:,} pictures have no box"))
    unlabelled = len(found.files) - len(read)
    if unlabelled > 0:
        problems.append(
            Problem("stray", "", f"{unlabelled:,} pictures have no annotation that is read")
        )
    more = found.annotations[1:]
    problems += [Problem("other", name, "was not read: one file of boxes is") for name in more]
    return read, facts, problems


def unusable(root: str, damaged: list[tuple[str, str]]) -> list[Problem]:
    """What `read_voc` and `read_coco` passed over, as problems."""
    return [
        Problem(
            "damaged",
            name.removeprefix(f"{root}{os.sep}"),
            f"cannot be used: {text.partition(': ')[2]}",
        )
        for name, text in damaged
    ]
