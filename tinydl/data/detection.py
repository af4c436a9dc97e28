"""Pictures with boxes: the VOC XML format (BCCD, PASCAL VOC 2007) and the COCO JSON format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from ..errors import ConfigError, FormatError
from .archives import Archive
from .catalog import CATALOG
from .download import locate
from .images import decode_image

MAX_XML = 1 << 20
MAX_ANNOTATIONS = 1 << 28
MAX_PICTURE = 1 << 26
MAX_DEPTH = 50
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N pictures, each with its K boxes; pictures are decoded when asked for.

    ids: names of the pictures, ascending. sizes (N, 2) int64: height, width. boxes: per picture
    (K, 4) float32 as x_min, y_min, x_max, y_max in pixels, x to the right, y down. labels: per
    picture (K,) int64 into `classes`. ignore: per picture (K,) bool, boxes that count neither as
    found nor as missed ("difficult" in VOC, crowds in COCO). skipped: boxes that were left out for
    having no area. splits: name -> ids, as the set defines them. members: per picture its name in
    `archive`, which is None if there are only annotations.
    """

    name: str
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    sizes: np.ndarray
    boxes: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray, ...]
    ignore: tuple[np.ndarray, ...]
    skipped: int
    splits: dict[str, tuple[str, ...]]
    members: tuple[str, ...]
    archive: Archive | None

    def __len__(self) -> int:
        return len(self.ids)

    def image(self, index: int) -> np.ndarray:
        """Picture `index` as uint8 (H, W, 3); needs Pillow. FormatError if it has another size."""
        if self.archive is None:
            raise ConfigError(f"{self.name}: only annotations were read, no pictures")
        member = self.members[index]
        image = decode_image(self.archive.read(member), f"{self.archive.path}: {member}")
        if image.ndim == 2:
            image = np.repeat(image[:, :, None], 3, axis=2)
        if image.shape[:2] != tuple(self.sizes[index]):
            raise FormatError(
                f"{self.name}: {member} is {image.shape[:2]}, annotated as {self.sizes[index]}"
            )
        return image

    def part(self, split: str) -> Detections:
        """The pictures of one of `splits`; ConfigError if there is none of that name."""
        if split not in self.splits:
            known = ", ".join(self.splits) or "none"
            raise ConfigError(f"{self.name}: no split {split!r}, there are {known}")
        place = {name: k for k, name in enumerate(self.ids)}
        if missing := [name for name in self.splits[split] if name not in place]:
            raise FormatError(
                f"{self.name}: split {split} names {missing[0]!r}, which is not there"
            )
        return self.take([place[name] for name in self.splits[split]])

    def take(self, indices: list[int]) -> Detections:
        """Only these pictures, in this order; `skipped` stays that of the whole set."""
        pick = ("ids", "boxes", "labels", "ignore", "members")
        chosen: dict[str, Any] = {n: tuple(getattr(self, n)[k] for k in indices) for n in pick}
        return replace(self, sizes=self.sizes[indices], **chosen)


def bccd() -> Detections:
    """Blood cells (Shenggan 2017, MIT): 364 pictures 640x480, classes Platelets, RBC, WBC.

    4886 boxes after two without area were skipped; splits train 205, val 87, test 72. Found in
    TINYDL_DATA/detection or in the user cache; DataError otherwise.
    """
    dataset = CATALOG["bccd"]
    return read_voc(locate(dataset, dataset.files[0]), dataset.classes, "bccd")


def voc2007(part: str = "trainval") -> Detections:
    """PASCAL VOC 2007 (Everingham et al. 2010): 20 classes; part "trainval" (5011) or "test"
    (4952).

    Coordinates are the official ones less 1 at the left and top, which makes the inclusive pixel
    range that starts at 1 the half-open range of this module. Found in TINYDL_DATA/voc2007, else in
    the user cache, else downloaded (450 MB each).
    """
    dataset = CATALOG["voc2007"]
    files = {"trainval": dataset.files[0], "test": dataset.files[1]}
    if part not in files:
        raise ConfigError(f"voc2007: part must be 'trainval' or 'test', got {part!r}")
    return read_voc(locate(dataset, files[part]), dataset.classes, "voc2007", one_based=True)


def read_voc(
    path: str | Path,
    classes: tuple[str, ...] | None = None,
    name: str = "voc",
    one_based: bool = False,
) -> Detections:
    """A set with Annotations/*.xml, JPEGImages/ and (optional) ImageSets/Main/<split>.txt, in a zip
    file, an uncompressed tar file or a folder.

    classes: their names in order; None takes all that occur, sorted. one_based: subtract 1 from
    x_min and y_min. Boxes without area are skipped and counted; an annotation without <size>, with
    a document type (entities), an unknown class or a missing picture is a FormatError.
    """
    archive = Archive(path, MAX_PICTURE, 1 << 40)
    try:
        files = _by_folder(archive.names)
        found = [
            _annotation(archive.read(member), f"{path}: {member}", one_based)
            for _, member in sorted(files.get("Annotations", {}).items())
        ]
        if not found:
            raise FormatError(f"voc: {path} has no Annotations/*.xml")
        splits = {
            PurePosixPath(member).stem: _ids(archive.read(member))
            for file, member in files.get("Main", {}).items()
            if "_" not in file  # aeroplane_train.txt and its like hold labels, not a split
        }
        ids = tuple(stem for stem, _ in sorted(files["Annotations"].items()))
        members = tuple(_picture(files.get("JPEGImages", {}), stem, path) for stem in ids)
        names = classes or tuple(sorted({label for _, rows, _ in found for label, *_ in rows}))
        columns = [
            _boxes(rows, names, f"{path}: {stem}")
            for stem, (_, rows, _) in zip(ids, found, strict=True)
        ]
    except BaseException:
        archive.close()
        raise
    boxes, labels, ignore = zip(*columns, strict=True)
    sizes = np.array([size for size, _, _ in found], np.int64)
    skipped = sum(count for _, _, count in found)
    return Detections(
        *(name, names, ids, sizes, boxes, labels, ignore, skipped, splits, members, archive)
    )


Row = tuple[str, tuple[float, float, float, float], bool]


def _by_folder(names: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """{name of the folder: {stem of the file: member}} of what a VOC set consists of."""
    folders = {"Annotations": (".xml",), "JPEGImages": (".jpg", ".jpeg", ".png"), "Main": (".txt",)}
    result: dict[str, dict[str, str]] = {}
    for name in names:
        path = PurePosixPath(name)
        if path.suffix.lower() in folders.get(path.parent.name, ()):
            result.setdefault(path.parent.name, {})[path.stem] = name
    return result


def _ids(data: bytes) -> tuple[str, ...]:
    return tuple(data.decode("latin1").split())


def _picture(pictures: dict[str, str], stem: str, path: str | Path) -> str:
    if stem not in pictures:
        raise FormatError(f"voc: {path} has no picture for the annotation {stem}")
    return pictures[stem]


def _annotation(data: bytes, name: str, one_based: bool) -> tuple[tuple[int, int], list[Row], int]:
    """((height, width), [(class, box, difficult)], boxes without area) of one XML file."""
    root = parse_xml(data, name)
    width, height = (_number(root, f"size/{part}", name) for part in ("width", "height"))
    if not (1 <= width <= 1e6 and 1 <= height <= 1e6):
        raise FormatError(f"voc: {name} has a size of {width} x {height}")
    rows, skipped = [], 0
    for thing in root.iter("object"):
        label = (thing.findtext("name") or "").strip()
        x0, y0, x1, y1 = (_number(thing, f"bndbox/{corner}", name) for corner in _CORNERS)
        x0, y0 = (x0 - 1, y0 - 1) if one_based else (x0, y0)
        if x1 <= x0 or y1 <= y0:
            skipped += 1
            continue
        difficult = (thing.findtext("difficult") or "0").strip() == "1"
        rows.append((label, (x0, y0, x1, y1), difficult))
    return (int(height), int(width)), rows, skipped


def _number(element: Element, path: str, name: str) -> float:
    text = element.findtext(path)
    if text is None:
        raise FormatError(f"voc: {name} has no <{path.replace('/', '><')}>")
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) <= 1e6:
        raise FormatError(f"voc: {name}: <{path.replace('/', '><')}> is {text!r:.40}")
    return value


def _boxes(
    rows: list[Row], classes: tuple[str, ...], name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if unknown := {label for label, _, _ in rows} - set(classes):
        raise FormatError(f"{name}: unknown class {sorted(unknown)[0]!r:.80}")
    boxes = np.array([box for _, box, _ in rows], np.float32).reshape(-1, 4)
    labels = np.array([classes.index(label) for label, _, _ in rows], np.int64)
    return boxes, labels, np.array([ignored for _, _, ignored in rows], bool)


def parse_xml(data: bytes, name: str) -> Element:
    """The root element of an XML text from a stranger.

    A document type is refused, and with it every entity that could expand or read another file; so
    are more than 1 MiB or 50 levels. FormatError also for text that is not well-formed.
    """
    if len(data) > MAX_XML:
        raise FormatError(f"xml: {name} has {len(data)} bytes, more than {MAX_XML}")
    builder, depth = TreeBuilder(), 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise FormatError(f"xml: {name} is nested deeper than {MAX_DEPTH}")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*rest: object) -> None:
        raise FormatError(f"xml: {name} has a document type, which could define entities")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
        return builder.close()
    except FormatError:
        raise
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise FormatError(f"xml: {name} is not well-formed ({error})") from None
