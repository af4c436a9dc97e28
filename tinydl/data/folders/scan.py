"""Every picture of a folder opened once and wholly: sizes, modes, what is broken, what is twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from ...errors import DataError, FormatError
from ...foreign import read_regular, read_start
from ..formats.images import (
    MAX_BYTES,
    MAX_PIXELS,
    describe,
    has_too_many_pixels,
    open_picture,
    pillow,
)
from .alike import small_grey
from .copies import Copies, as_numbers
from .pictures import processors
from .problems import Problem
from .walk import File

#: What files of a format are called; the first name is the usual one.
NAMES = {
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "PPM": (".ppm", ".pgm"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
#: The first bytes of these formats, by which a file under a foreign name is known.
STARTS = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"BM": "BMP"}
CHUNK = 64  # files that a thread takes at once
MOST_SNIFFED = 1_000
Progress = Callable[[int, int], None]


class Fact(NamedTuple):
    """Of one picture: format, Pillow's mode, (rows, columns) as stored, 16 bytes that stand for its
    pixels, its small grey picture (8, 9)."""

    format: str
    mode: str
    size: tuple[int, int]
    digest: bytes
    grey: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """Of the N files that were opened: readable (N,) bool; sizes (N, 2) int64 rows and columns, 0
    where one is not; formats and modes (N,) texts, "" likewise."""

    readable: np.ndarray
    sizes: np.ndarray
    formats: tuple[str, ...]
    modes: tuple[str, ...]
    problems: tuple[Problem, ...]


def scan_pictures(
    root: str, files: tuple[File, ...], copies: Copies, progress: Progress | None = None
) -> Scan:
    """Open every file, tell `copies` which are twice; progress(done, N) is called now and then.
    DataError without Pillow."""
    pillow()
    N = len(files)
    sizes, greys = np.zeros((N, 2), np.int64), np.zeros((N, 8, 9), np.uint8)
    digests = np.zeros((N, 2), np.uint64)
    formats, modes = [""] * N, [""] * N
    problems: list[Problem] = []
    for start, facts in _in_threads(root, files):
        for k, fact in enumerate(facts, start):
            if isinstance(fact, Problem):
                problems.append(fact)
                continue
            formats[k], modes[k] = fact.format, fact.mode
            sizes[k], greys[k], digests[k] = fact.size, fact.grey, as_numbers(fact.digest)
            if (misnamed := _misnamed(files[k].path, fact.format)) is not None:
                problems.append(misnamed)
        if progress is not None:
            progress(start + len(facts), N)
    readable = sizes[:, 0] > 0
    first = copies.same(np.flatnonzero(readable), digests, "has the same pixels as")
    copies.near(first, greys)
    return Scan(readable, sizes, tuple(formats), tuple(modes), tuple(problems))


def picture_names(root: str, others: list[Problem]) -> list[Problem]:
    """Those of the files of another kind (`others`) that begin as pictures do, by the format that
    their first bytes say; at most a thousand are opened."""
    found = []
    for other in others[:MOST_SNIFFED]:
        try:
            start, _ = read_start(os.path.join(root, other.path), 8, "look")
        except DataError:
            continue
        for begin, kind in STARTS.items():
            if start.startswith(begin):
                text = f"begins as a {kind} picture; under this name it is not taken"
                found.append(Problem("extension", other.path, text))
    return found


def _in_threads(root: str, files: tuple[File, ...]) -> Iterator[tuple[int, list[Fact | Problem]]]:
    """(place of the first, facts) of each stretch of files, in their order."""
    pool = ThreadPoolExecutor(processors(), "tinydl-look")
    try:
        starts = range(0, len(files), CHUNK)
        facts = pool.map(lambda k: _facts(root, files[k : k + CHUNK]), starts)
        yield from zip(starts, facts, strict=True)
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupted look ends at once


# -- one file --------------------------------------------------------------------------------------


def _facts(root: str, files: tuple[File, ...]) -> list[Fact | Problem]:
    return [_fact(root, file.path) for file in files]


def _fact(root: str, path: str) -> Fact | Problem:
    try:
        data = read_regular(os.path.join(root, path), MAX_BYTES, "read_image")
        kind, mode, (rows, columns) = describe(data, path)
        if rows * columns > MAX_PIXELS:
            return Problem("large", path, f"has {columns:,} x {rows:,} pixels")
        image = open_picture(data, path)
    except FormatError as error:
        kind = "large" if has_too_many_pixels(error) else "damaged"
        return Problem(kind, path, _reason(str(error)))
    except DataError as error:
        return Problem("unreadable", path, f"cannot be read{_bracket(str(error))}")
    digest = blake2b(image.tobytes(), digest_size=16)
    digest.update(f"{image.mode} {image.size}".encode())
    return Fact(kind, mode, (rows, columns), digest.digest(), small_grey(image))


def _reason(message: str) -> str:
    """What `read_image` says of a file, without its name."""
    for begin in (" is not a readable image", " has no readable head"):
        if begin in message:
            return begin[1:] + message.partition(begin)[2]
    return f"cannot be read{_bracket(message)}"


def _bracket(message: str) -> str:
    """The reason in brackets at the end of a message, with a blank before it."""
    return f" ({message.rpartition(' (')[2]}" if message.endswith(")") else ""


def _misnamed(path: str, kind: str) -> Problem | None:
    suffix = os.path.splitext(path)[1].lower()
    if suffix in NAMES.get(kind, (suffix,)):
        return None
    return Problem("extension", path, f"is a {kind} picture")
