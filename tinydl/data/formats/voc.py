"""Detection sets in PASCAL's format, VOC: an XML file for each picture."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import NamedTuple
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from ...errors import DataError, FormatError, TinydlError
from ...foreign import parse_number, reader
from ...quoting import quoted, shown
from ..types import Detections
from .archives import Archive
from .images import MAX_PICTURE

MAX_XML = 1 << 20
MAX_DEPTH = 50
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@reader("voc")
def read_voc(
    path: str | Path,
    classes: tuple[str, ...] | None = None,
    name: str = "voc",
    one_based: bool = False,
    damaged: list[tuple[str, str]] | None = None,
) -> Detections:
    """A set with Annotations/*.xml, JPEGImages/ and (optional) ImageSets/Main/<split>.txt, in a zip
    file, an uncompressed tar file or a folder.

    classes: their names in order; None takes all that occur, sorted. one_based: subtract 1 from
    x_min and y_min. Boxes without area are skipped and counted; an annotation without <size>, with
    a document type (entities), an unknown class or a missing picture is a FormatError; or, where
    there is a list `damaged`, is passed over with its picture and gets (file, what is wrong) there.
    """
    archive = Archive(path, MAX_PICTURE, 1 << 40)
    try:
        files = _by_folder(archive.names)
        if "Annotations" not in files:
            raise FormatError(f"voc: {shown(path)} has no Annotations/*.xml")
        found: dict[str, _Annotated] = {}
        for stem, member in sorted(files["Annotations"].items()):
            where = f"{path}: {member}"
            try:
                picture = _picture(files.get("JPEGImages", {}), stem, path)
                found[stem] = _annotation(archive.read(member), where, one_based, picture, classes)
            except (FormatError, DataError) as error:
                if damaged is None:
                    raise
                damaged.append((member, _without_place(error, where, path)))
        if not found:
            raise FormatError(f"voc: none of the annotations of {shown(path)} can be used")
        splits = {
            PurePosixPath(member).stem: _ids(archive.read(member))
            for file, member in files.get("Main", {}).items()
            if "_" not in file  # aeroplane_train.txt and its like hold labels, not a split
        }
    except BaseException:
        archive.close()
        raise
    rows = list(found.values())
    names = classes or tuple(sorted({label for one in rows for label, *_ in one.rows}))
    boxes, labels, ignore = zip(*(_boxes(one.rows, names) for one in rows), strict=True)
    return Detections(
        name, names, tuple(found), np.array([one.size for one in rows], np.int64), boxes, labels,
        ignore, sum(one.skipped for one in rows), splits, tuple(one.picture for one in rows),
        archive,
    )  # fmt: skip


Row = tuple[str, tuple[float, float, float, float], bool]


class _Annotated(NamedTuple):
    """Of one XML file: (height, width), (class, box, difficult) of each box with an area, how many
    have none, and the member that is its picture."""

    size: tuple[int, int]
    rows: list[Row]
    skipped: int
    picture: str


def _without_place(error: TinydlError, where: str, path: str | Path) -> str:
    """What is wrong, for those who name the file themselves."""
    text = str(error)
    for place in (shown(where), shown(path)):
        text = text.replace(f"{place}: ", "").replace(f"{place} ", "").replace(place, "it")
    return text


def _by_folder(names: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """{name of the folder: {stem of the file: member}} of what a VOC set consists of."""
    folders = {"Annotations": (".xml",), "JPEGImages": (".jpg", ".jpeg", ".png"), "Main": (".txt",)}
    result: dict[str, dict[str, str]] = {}
    for name in names:
        path = PurePosixPath(name)
        if path.suffix.lower() in folders.get(path.parent.name, ()):
            stems = result.setdefault(path.parent.name, {})
            if path.stem in stems:
                raise FormatError(
                    f"voc: {quoted(name)} and {quoted(stems[path.stem])} are one file"
                )
            stems[path.stem] = name
    return result


def _ids(data: bytes) -> tuple[str, ...]:
    return tuple(data.decode("latin1").split())


def _picture(pictures: dict[str, str], stem: str, path: str | Path) -> str:
    if stem not in pictures:
        raise FormatError(f"voc: {shown(path)} has no picture for the annotation {shown(stem)}")
    return pictures[stem]


def _annotation(
    data: bytes, name: str, one_based: bool, picture: str, classes: tuple[str, ...] | None
) -> _Annotated:
    """One XML file; FormatError for a class that is not among `classes`."""
    root = parse_xml(data, name)
    width, height = (_side(root, part, name) for part in ("width", "height"))
    rows, skipped = [], 0
    for thing in root.iter("object"):
        label = (thing.findtext("name") or "").strip()
        x0, y0, x1, y1 = (_number(thing, f"bndbox/{corner}", name) for corner in _CORNERS)
        x0, y0 = (x0 - 1, y0 - 1) if one_based else (x0, y0)
        if x1 <= x0 or y1 <= y0:
            skipped += 1
            continue
        if classes and label not in classes:
            raise FormatError(f"voc: {shown(name)}: unknown class {quoted(label)}")
        rows.append((label, (x0, y0, x1, y1), _flag(thing, "difficult", name)))
    return _Annotated((height, width), rows, skipped, picture)


def _number(element: Element, path: str, name: str) -> float:
    text = element.findtext(path)
    if text is None:
        raise FormatError(f"voc: {shown(name)} has no <{path.replace('/', '><')}>")
    try:
        value = parse_number(text.strip(" \t\r\n"))
    except FormatError:
        value = float("nan")
    if not abs(value) <= 1e6:
        raise FormatError(f"voc: {shown(name)}: <{path.replace('/', '><')}> is {quoted(text, 40)}")
    return value


def _side(root: Element, part: str, name: str) -> int:
    value = _number(root, f"size/{part}", name)
    if not 1 <= value <= 1e6 or value != int(value):
        raise FormatError(f"voc: {shown(name)} has a size of {value:g} in its {part}")
    return int(value)


def _flag(thing: Element, part: str, name: str) -> bool:
    """0 or 1, 0 if it is not there."""
    text = (thing.findtext(part) or "0").strip(" \t\r\n")
    if text not in ("0", "1"):
        raise FormatError(f"voc: {shown(name)}: <{part}> is {quoted(text, 40)}, not 0 or 1")
    return text == "1"


def _boxes(rows: list[Row], classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    boxes = np.array([box for _, box, _ in rows], np.float32).reshape(-1, 4)
    labels = np.array([classes.index(label) for label, _, _ in rows], np.int64)
    return boxes, labels, np.array([ignored for _, _, ignored in rows], bool)


@reader("xml", called="name")
def parse_xml(data: bytes, name: str) -> Element:
    """The root element of an XML text from a stranger.

    A document type is refused, and with it every entity that could expand or read another file; so
    are more than 1 MiB or 50 levels. FormatError also for text that is not well-formed.
    """
    if len(data) > MAX_XML:
        raise FormatError(f"xml: {shown(name)} has {len(data)} bytes, more than {MAX_XML}")
    builder, depth = TreeBuilder(), 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise FormatError(f"xml: {shown(name)} is nested deeper than {MAX_DEPTH}")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*rest: object) -> None:
        raise FormatError(f"xml: {shown(name)} has a document type, which could define entities")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError) as error:
        raise FormatError(f"xml: {shown(name)} is not well-formed ({error})") from None
    return builder.close()
