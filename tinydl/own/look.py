"""Which kind of data lies at a path."""

from __future__ import annotations

from ..data.folders.recognise import recognise
from ..errors import ConfigError
from ..quoting import shown
from .kept import BOXES, KINDS, PICTURES, SOUNDS, TABLE, TEXTS, WRITING

OF_FOLDER = {"pictures": PICTURES, "wav": SOUNDS, "csv": TABLE, "voc": BOXES, "coco": BOXES}


def kind_at(path: str, follow_links: bool = False) -> str:
    """One of `KINDS`; ConfigError where nothing of them lies there."""
    found = recognise(path, follow_links)
    if found.kind == "text":
        return TEXTS if found.classes else WRITING
    if found.kind not in OF_FOLDER:
        raise ConfigError(
            f"train: {shown(path)} holds nothing to train on; it may be {', '.join(KINDS.values())}"
        )
    return OF_FOLDER[found.kind]
