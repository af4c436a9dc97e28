"""What a folder holds, from the names of its files: which kind, which classes, which parts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from ...doors import checked
from ...errors import FormatError
from ...foreign import read_json
from ...quoting import quoted
from ..formats.images import MAX_BYTES as MAX_PICTURE_FILE
from .problems import Problem
from .walk import File, Listing, walk

#: What files of a kind are called; "" would be those without a suffix.
SUFFIXES = {
    "pictures": (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"),
    "wav": (".wav",),
    "csv": (".csv", ".csv.gz"),
    "text": (".txt", ".text", ".txt.gz"),
}
#: The largest file of a kind that its reader takes.
LARGEST = {"pictures": MAX_PICTURE_FILE, "wav": 1 << 28, "csv": 1 << 29, "text": 1 << 28}
#: Names of folders, and of single files, that hold a part of the data.
PARTS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
PART_OF = {name: part for part, names in PARTS.items() for name in names}
WHOLE = ""  # the only part of what is not divided
KIND_OF = {suffix: kind for kind, suffixes in SUFFIXES.items() for suffix in suffixes}
FEW = 10  # samples; a class with fewer is named
MAX_COCO = 1 << 29
_JSON_FILES = 20  # more would be something else than annotations


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What `recognise` found.

    root: the folder, links resolved. kind: "pictures", "wav", "csv", "text", "voc" (boxes in XML),
    "coco" (boxes in JSON), or "nothing". base: the folder below the root in which classes or parts
    lie, "" or ending in "/". parts: "train", "val", "test" as far as they are there, or ("",).
    classes: names of the class folders, sorted; () if the files lie in none. files: those of the
    kind, by path. part, label (N,) int64: of each file the place in `parts` and in `classes`, -1
    without a class. annotations: of "coco", its JSON files. hidden: names passed over.
    """

    root: str
    kind: str
    base: str
    parts: tuple[str, ...]
    classes: tuple[str, ...]
    files: tuple[File, ...]
    part: np.ndarray
    label: np.ndarray
    annotations: tuple[str, ...]
    problems: tuple[Problem, ...]
    hidden: int

    def counts(self) -> np.ndarray:
        """(classes, parts) int64: how many files each has; one row where there are no classes."""
        rows = max(1, len(self.classes))
        places = np.maximum(self.label, 0) * len(self.parts) + self.part
        return np.bincount(places, minlength=rows * len(self.parts)).reshape(rows, -1)


@checked
def recognise(path: str | Path, follow_links: bool = False) -> Found:
    """What the folder `path` holds, without opening any of its pictures, sounds, tables or texts.

    The kind is that of most files. Class folders are the first folders below the root, or below
    train/, val/ and test/ if these (train/ among them) hold all files of the kind; what lies deeper
    belongs to them. A root that holds one folder of folders alone is entered. Raises the errors of
    `walk`.
    """
    return _recognised(walk(path, follow_links))


def kind_of(path: str) -> str:
    """The kind of a file of this name, "" if none is known."""
    name = path.rpartition("/")[2].lower()
    stem, _, last = name.rpartition(".")
    if last == "gz":
        return KIND_OF.get(f".{stem.rpartition('.')[2]}.gz", "")
    return KIND_OF.get(f".{last}", "") if stem else ""


def _recognised(listing: Listing) -> Found:
    counted = Counter(kind for file in listing.files if (kind := kind_of(file.path)))
    kind = max(counted, key=lambda k: (counted[k], -list(SUFFIXES).index(k)), default="nothing")
    boxes, annotations = _boxes(listing)
    sought = "pictures" if boxes else kind
    own = [file for file in listing.files if kind_of(file.path) == sought]
    used = {*annotations, *(_voc_files(listing) if boxes == "voc" else ())}
    problems = [*listing.problems]
    problems += [
        Problem("other", file.path, "is of another kind")
        for file in listing.files
        if kind_of(file.path) != sought and file.path not in used
    ]
    own, unfit = _of_a_size(own, sought)
    problems += unfit
    if boxes or not own:
        none = np.zeros(len(own), np.int64)
        return Found(
            listing.root, boxes or kind, "", (WHOLE,), (), tuple(own), none, none - 1, annotations,
            tuple(problems), listing.hidden,
        )  # fmt: skip
    places = _Places(listing, own, kind)
    return Found(
        listing.root, kind, places.base, places.parts, places.classes, tuple(places.files),
        places.part, places.label, (), (*problems, *places.problems), listing.hidden,
    )  # fmt: skip


def _of_a_size(files: list[File], kind: str) -> tuple[list[File], list[Problem]]:
    """Those whose size their reader takes, and what is wrong with the others."""
    fit, problems = [], []
    for file in files:
        if not file.size:
            problems.append(Problem("damaged", file.path, "is empty"))
        elif file.size > LARGEST[kind]:
            problems.append(Problem("large", file.path, f"has {file.size:,} bytes"))
        else:
            fit.append(file)
    return fit, problems


# -- boxes -----------------------------------------------------------------------------------------


def _boxes(listing: Listing) -> tuple[str, tuple[str, ...]]:
    """("voc", ()), ("coco", its JSON files) or ("", ())."""
    pictures = any(kind_of(file.path) == "pictures" for file in listing.files)
    if pictures and any(_is_voc(file.path) for file in listing.files):
        return "voc", ()
    json = [f for f in listing.files if f.path.lower().endswith(".json") and f.size <= MAX_COCO]
    if not pictures or len(json) > _JSON_FILES:
        return "", ()
    coco = tuple(f.path for f in json if _is_coco(listing.root, f.path))
    return ("coco", coco) if coco else ("", ())


def _is_voc(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.parent.name == "Annotations" and pure.suffix.lower() == ".xml"


def _voc_files(listing: Listing) -> set[str]:
    return {f.path for f in listing.files if f.path.endswith((".xml", ".txt"))}


def _is_coco(root: str, path: str) -> bool:
    try:
        content = read_json(Path(root, path), MAX_COCO, "coco")
    except FormatError:
        return False
    return isinstance(content, dict) and {"images", "annotations", "categories"} <= content.keys()


# -- classes and parts -----------------------------------------------------------------------------


@dataclass
class _Places:
    """Of the files of one kind: where each belongs."""

    listing: Listing
    given: list[File]
    kind: str
    base: str = ""
    parts: tuple[str, ...] = (WHOLE,)
    classes: tuple[str, ...] = ()
    files: list[File] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.base = self._entered()
        cut = [file.path[len(self.base) :].split("/") for file in self.given]
        divided = self._divided(cut)
        rows: list[tuple[File, str, str]] = []  # file, part, class; "" is none
        for file, names in zip(self.given, cut, strict=True):
            part, names = self._part(names) if divided else (WHOLE, names)
            rows.append((file, part, names[0] if len(names) > 1 else ""))
        if any(name for *_, name in rows):
            rows = self._without_strays(rows, [bool(name) for *_, name in rows], "class folder")
        elif divided:
            rows = self._without_strays(rows, [bool(part) for _, part, _ in rows], "part")
        self.files = [file for file, *_ in rows]
        self.parts = tuple(p for p in PARTS if any(row[1] == p for row in rows)) or (WHOLE,)
        self.classes = tuple(sorted({name for *_, name in rows if name}))
        place = {name: k for k, name in enumerate(self.classes)} | {"": -1}
        self.part = np.array([self.parts.index(part) for _, part, _ in rows], np.int64)
        self.label = np.array([place[name] for *_, name in rows], np.int64)
        self._judge()

    def _without_strays(
        self, rows: list[tuple[File, str, str]], kept: list[bool], where: str
    ) -> list[tuple[File, str, str]]:
        self.problems += [
            Problem("stray", row[0].path, f"lies in no {where}")
            for row, keep in zip(rows, kept, strict=True)
            if not keep
        ]
        return [row for row, keep in zip(rows, kept, strict=True) if keep]

    def _entered(self) -> str:
        """The folder below the root that alone holds all files, most of them in folders of its own;
        with a slash, or ""."""
        base = ""
        while True:
            within = [f.path[len(base) :] for f in self.given]
            heads = {path.partition("/")[0] for path in within}
            deeper = sum(path.count("/") > 1 for path in within)
            if len(heads) != 1 or 2 * deeper <= len(within):
                return base
            base += f"{heads.pop()}/"

    def _divided(self, cut: list[list[str]]) -> bool:
        """Whether all folders (or all single tables and texts) are called like parts."""
        tables = self.kind in ("csv", "text")
        heads = {self._part(names)[0] for names in cut if tables or len(names) > 1}
        return "train" in heads and WHOLE not in heads and len(heads) > 1

    def _part(self, names: list[str]) -> tuple[str, list[str]]:
        """The part that the first folder says, and the rest; of pictures and sounds no file is a
        part."""
        if len(names) > 1:
            return PART_OF.get(names[0].lower(), WHOLE), names[1:]
        tables = self.kind in ("csv", "text")
        stem = names[0].partition(".")[0].lower()
        return PART_OF.get(stem, WHOLE) if tables else WHOLE, names

    def _judge(self) -> None:
        """What is to be said of the classes."""
        if not self.classes:
            return
        counts = np.zeros((len(self.classes), len(self.parts)), np.int64)
        np.add.at(counts, (self.label, self.part), 1)
        for name, row in zip(self.classes, counts, strict=True):
            if 0 < row[0] < FEW:
                where = f" in {self.parts[0]}" if self.parts[0] else ""
                self._class(name, f"has only {row[0]} of at least {FEW} samples{where}")
            for part, count in zip(self.parts, row, strict=True):
                if not count:
                    self._class(name, f"has no sample in {part}")
        folded: dict[str, str] = {}
        for name in self.classes:
            other = folded.setdefault(name.casefold(), name)
            if other != name:
                self._class(name, f"differs from {quoted(other)} in capitals alone")
        told = {p.path for p in self.listing.problems}  # such as those that may not be listed
        self.problems += [
            Problem("class", folder, "is a folder without any sample")
            for folder in self.listing.folders
            if folder not in told and self._could_be_class(folder)
        ]

    def _could_be_class(self, folder: str) -> bool:
        """A folder at the place of classes that is none."""
        if not folder.startswith(self.base):
            return False
        names = folder[len(self.base) :].split("/")
        if self.parts != (WHOLE,):
            names = names[1:]
        return len(names) == 1 and names[0] not in self.classes

    def _class(self, name: str, text: str) -> None:
        self.problems.append(Problem("class", "", f"class {quoted(name)} {text}"))
