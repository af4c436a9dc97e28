"""Texts in class folders: one file a sample."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from ...doors import checked
from ...errors import DataError, FormatError, TinydlError
from ...quoting import shown
from ..formats.plain_text import read_text
from .problems import Problem
from .recognise import Found, recognise

T = TypeVar("T")
MAX_TEXT = 1 << 24  # bytes of one of many texts


@dataclass(frozen=True, slots=True, eq=False)
class TextFolder:
    """N texts, by file. y (N,) int64 into `classes`; files: their paths below the folder; parts:
    of each "train", "val" or "test" where folders say so, else (). problems: what was passed
    over."""

    name: str
    texts: tuple[str, ...]
    y: np.ndarray
    classes: tuple[str, ...]
    files: tuple[str, ...]
    parts: tuple[str, ...]
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.texts)


@checked
def text_folder(path: str | Path, follow_links: bool = False) -> TextFolder:
    """The texts (UTF-8) of a folder of class folders, each at most 16 MiB; `recognise` says how
    folders become classes and parts.

    A file that is no text is passed over and named in `problems`. Raises DataError where no text
    lies in a class folder, and the errors of `walk`.
    """
    found = recognise(path, follow_links)
    if found.kind != "text" or not found.classes:
        raise DataError(f"text_folder: {shown(path)} has no texts (.txt) in class folders")
    rows, problems = read_each(found, lambda path: read_text(path, MAX_TEXT))
    if not rows:
        raise DataError(f"text_folder: none of the {len(found.files)} files of {shown(path)} is "
                        "a text in UTF-8")  # fmt: skip
    kept = np.array([k for k, _ in rows])
    return TextFolder(
        Path(found.root).name, tuple(text for _, text in rows), found.label[kept], found.classes,
        tuple(found.files[k].path for k in kept), parts_of(found, kept), tuple(problems),
    )  # fmt: skip


def read_each(found: Found, read: Callable[[Path], T]) -> tuple[list[tuple[int, T]], list[Problem]]:
    """(its place, what `read` makes of it) of every file that is read, and the folder's problems
    with one for every other."""
    rows, problems = [], list(found.problems)
    for k, file in enumerate(found.files):
        path = Path(found.root, file.path)
        try:
            rows.append((k, read(path)))
        except (FormatError, DataError) as error:
            problems.append(Problem("damaged", file.path, reason(error, path)))
    return rows, problems


def parts_of(found: Found, kept: np.ndarray) -> tuple[str, ...]:
    """The part of each file that was kept; () where no folders say so."""
    return tuple(found.parts[k] for k in found.part[kept]) if found.parts != ("",) else ()


def reason(error: TinydlError, path: Path) -> str:
    """What is wrong with a file, for a problem that names it already."""
    text = str(error).replace(f"{shown(path)} ", "").replace(shown(path), "it")
    text = re.sub("<_io.BytesIO object at 0x[0-9a-f]+>", "it", text)  # Pillow's name of bytes
    text = re.sub("^[a-z_]+: ", "", text)  # who says it
    return shown(f"cannot be used: {text}", 200)
