"""What a run keeps of the data that it was trained on: enough to read new files alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from ..train.schema import (
    Rule,
    boolean,
    check,
    integer,
    keyed,
    listed,
    mapped,
    number,
    optional,
    plain,
    text,
)
from .options import Options

PICTURES, TABLE, TEXTS, WRITING = "pictures", "table", "texts", "writing"
SOUNDS, BOXES = "sounds", "boxes"
#: Kind: what it is, in the sentences of errors.
KINDS = {
    PICTURES: "pictures in class folders",
    TABLE: "a table (CSV)",
    TEXTS: "texts in class folders",
    WRITING: "one text",
    SOUNDS: "sounds (WAV) in class folders",
    BOXES: "pictures with boxes (VOC or COCO)",
}
URI = "file://"
STRATIFIED, RANDOM, GROUPS, FOLDERS, END = "stratified", "random", "groups", "folders", "end"


@dataclass(frozen=True, slots=True)
class Division:
    """how: STRATIFIED, RANDOM, GROUPS, FOLDERS (train/, val/, test/ of the data) or END (the last
    part of a text). group: the column, or "prefix" of file names. told: the sentence about it."""

    how: str
    test: float
    seed: int = 0
    group: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Own:
    """kind: of `KINDS`. name: of the folder or file; path: where it lay. fingerprint: SHA-256 of
    what the files hold. samples: how many there are. classes: (): numbers, or text. preparation:
    how a sample becomes numbers, by the room of the kind. weights: of the classes in the loss; ():
    all count alike. source: what a fine-tuned run began from."""

    kind: str
    name: str
    path: str
    fingerprint: str
    samples: int
    classes: tuple[str, ...]
    division: Division
    preparation: Mapping[str, Any]
    weights: tuple[float, ...] = ()
    source: Mapping[str, Any] | None = None
    options: Options = field(default_factory=Options)

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "path": _printable(self.path)}


_SIDE = integer(1, 4_096)
_LEVEL = text(200)
_COLUMN = keyed(
    {
        "name": text(200),
        "kind": text(20, "number|date|category"),
        "fill": optional(number),
        "level": optional(_LEVEL),
        "mean": number,
        "std": number,
        "levels": listed(_LEVEL, 0, 100),
    }
)
#: Kind: what its preparation may say.
PREPARATIONS: dict[str, Rule] = {
    PICTURES: keyed(
        {"height": _SIDE, "width": _SIDE, "channels": integer(1, 3),
         "fit": text(20, "crop|stretch|pad")}
    ),
    TABLE: keyed(
        {
            "target": keyed(
                {"name": text(200), "kind": text(20, "category|number|date"), "mean": number,
                 "std": number}
            ),
            "columns": listed(_COLUMN, 1, 1_000),
        }
    ),
    TEXTS: keyed({"length": integer(1, 100_000), "words": integer(3, 10**6)}),
    WRITING: keyed({"tokens": integer(2, 10**6)}),
    SOUNDS: keyed({"steps": _SIDE, "bands": _SIDE, "rate": integer(1, 10**6)}),
    BOXES: keyed({"height": _SIDE, "width": _SIDE}),
}  # fmt: skip
_SOURCE = keyed(
    {"name": text(4_096), "sha256": text(64, "[0-9a-f]{64}"), "dataset": text(200),
     "frozen": integer(0, 10**9)}
)  # fmt: skip
_OPTIONS = keyed(
    {
        "target": text(200), "target_kind": text(20, "(classes|numbers)?"),
        "size": listed(_SIDE, 0, 2), "fit": text(20, "crop|stretch|pad"), "test": number,
        "group": text(200), "by_prefix": boolean, "class_weights": text(20, "(balanced)?"),
        "strict": boolean, "follow_links": boolean,
    }
)  # fmt: skip
RULE = keyed(
    {
        "kind": text(20, "|".join(KINDS)),
        "name": text(200),
        "path": text(4_096),
        "fingerprint": text(64, "[0-9a-f]{64}"),
        "samples": integer(1, 10**9),
        "classes": listed(text(200), 0, 1_000),
        "division": keyed(
            {"how": text(20), "test": number, "seed": integer(0, 2**63), "group": text(200),
             "told": text(1_000)}
        ),
        "preparation": mapped(plain(), 100),
        "weights": listed(number, 0, 1_000),
        "source": optional(_SOURCE),
        "options": _OPTIONS,
    }
)  # fmt: skip


def _printable(path: str) -> str:
    """A path as it is; one with characters that cannot be printed as a file: URI (RFC 8089)."""
    return path if path.isprintable() else Path(path).as_uri()


def _path(stored: str) -> str:
    """What `_printable` was given: an absolute path never begins with "file:"."""
    return os.fsdecode(unquote_to_bytes(stored[7:])) if stored.startswith(URI) else stored


def restored(stored: Any, where: object) -> Own:
    """What config.json keeps; FormatError, naming `where`, for anything else."""
    check(stored, RULE, where)
    check(stored["preparation"], PREPARATIONS[stored["kind"]], where)
    options = {**stored["options"], "size": tuple(stored["options"]["size"])}
    made = {
        **stored,
        "path": _path(stored["path"]),
        "division": Division(**stored["division"]),
        "options": Options(**options),
        "classes": tuple(stored["classes"]),
        "weights": tuple(stored["weights"]),
    }
    return Own(**made)
