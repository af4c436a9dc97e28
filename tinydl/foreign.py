"""Files from strangers: opened, bounded, decoded, and their faults turned into tinydl's errors.

Every reader goes through three doors. `open_regular` and `read_regular` accept a regular file of
bounded size: a pipe would be waited for, a device or a sparse file would fill the memory.
`boundary` (or the decorator `reader`) turns whatever decoding raises, `MemoryError` and
`RecursionError` included, into one error with the file's name; there is no list of exception types
that could have gaps. `parse_integer`, `parse_number` and `parse_json` read what the format says and
nothing else.
"""

from __future__ import annotations

import errno
import inspect
import json
import os
import re
import stat
from collections.abc import Callable
from functools import wraps
from io import BufferedReader
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

from .errors import DataError, FormatError, MissingFileError, TinydlError
from .quoting import quoted, shown

MAX_BYTES = 1 << 30
MAX_JSON = 1 << 24
_CHUNK = 1 << 20
_INTEGER = re.compile("-?[0-9]{1,19}")
_NUMBER = re.compile(
    r"-?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?"
)
# Without waiting, so that a pipe is opened and refused; each flag where the system has it.
_FLAGS = os.O_RDONLY
for _flag in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):
    _FLAGS |= getattr(os, _flag, 0)
#: What an operating system reports of a file that is there: not the file's content is at fault.
_OUTSIDE = {errno.EIO, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ESTALE}
F = TypeVar("F", bound=Callable[..., Any])


def open_regular(
    path: str | Path, max_bytes: int | None = None, op: str = "data"
) -> BufferedReader:
    """The regular file `path`, open for reading.

    max_bytes: how many bytes it may have (None: any). Raises MissingFileError if there is none,
    DataError if it is a folder, a pipe, a device or may not be read, FormatError if it is larger.
    Never waits: a pipe without a writer is refused like any other.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError as error:
        raise MissingFileError(f"{op}: there is no file {shown(path)}") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{op}: cannot read {shown(path)} ({reason})") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
            raise DataError(f"{op}: {shown(path)} is {kind}, not a regular file")
        file = os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
    if max_bytes is not None:
        check_size(file, path, max_bytes, op)
    return file


def check_size(file: BufferedReader, path: str | Path, max_bytes: int, op: str = "data") -> None:
    """FormatError, and the file closed, if it has more than `max_bytes` bytes."""
    size = os.fstat(file.fileno()).st_size
    if size > max_bytes:
        file.close()
        raise FormatError(f"{op}: {shown(path)} holds more than {max_bytes} bytes ({size})")


def read_regular(path: str | Path, max_bytes: int = MAX_BYTES, op: str = "data") -> bytes:
    """The content of a regular file of at most `max_bytes` bytes, also if it grows meanwhile; the
    errors of `open_regular`."""
    with open_regular(path, max_bytes, op) as file, boundary(path, op):
        return read_bounded(file, path, max_bytes, op)


def read_start(path: str | Path, count: int, op: str = "data") -> tuple[bytes, int]:
    """The first `count` bytes of a regular file, and how many it has; the errors of
    `open_regular`."""
    with open_regular(path, None, op) as file, boundary(path, op):
        return file.read(count), os.fstat(file.fileno()).st_size


def read_bounded(file: Any, path: str | Path, max_bytes: int, op: str = "data") -> bytes:
    """What is left in an open file, in pieces; FormatError above `max_bytes`."""
    data = bytearray()
    while piece := file.read(min(_CHUNK, max_bytes + 1 - len(data))):
        data += piece
        if len(data) > max_bytes:
            raise FormatError(f"{op}: {shown(path)} holds more than {max_bytes} bytes")
    return bytes(data)


class boundary:
    """`with boundary(name):` any exception inside becomes a tinydl error that names the file;
    tinydl's own go through.

    A missing file is a MissingFileError, what the system refuses a DataError, everything else, of
    whatever type, a FormatError. The original is the `__cause__`.
    """

    __slots__ = ("name", "op")

    def __init__(self, name: str | Path, op: str = "data") -> None:
        self.name, self.op = name, op

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, TinydlError):
            raise self._told(error) from error

    def _told(self, error: Exception) -> TinydlError:
        place = f"{self.op}: {shown(self.name)}"
        if isinstance(error, FileNotFoundError):
            return MissingFileError(f"{self.op}: there is no file {shown(self.name)}")
        if isinstance(error, MemoryError):
            return FormatError(f"{place} needs more memory than there is")
        if isinstance(error, RecursionError):
            return FormatError(f"{place} is nested too deeply")
        if isinstance(error, OSError) and error.errno in _OUTSIDE:
            return DataError(f"{self.op}: cannot read {shown(self.name)} ({error.strerror})")
        reason = f"{type(error).__name__}: {shown(error, 160)}"
        return FormatError(f"{place} is damaged or of another format ({reason})")


def reader(op: str, called: str = "path") -> Callable[[F], F]:
    """Decorator: the whole function is inside `boundary`, under what its parameter `called` is."""

    def decorate(function: F) -> F:
        place = list(inspect.signature(function).parameters).index(called)

        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            name = args[place] if len(args) > place else kwargs.get(called, "?")
            with boundary(name, op):
                return function(*args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate


def parse_integer(text: str | bytes, low: int = -(2**63), high: int = 2**63 - 1) -> int:
    """The integer in low ... high that `text` spells with ASCII digits and perhaps a minus.

    No plus sign, blank, underscore, other script's digit, or more than 19 digits: FormatError.
    """
    plain = _plain(text)
    if plain is None or _INTEGER.fullmatch(plain) is None:
        raise FormatError(f"{quoted(text, 40)} is no integer")
    if not low <= int(plain) <= high:
        raise FormatError(f"{quoted(text, 40)} lies outside {low} ... {high}")
    return int(plain)


def parse_number(text: str | bytes) -> float:
    """The finite float64 that `text` spells in decimal, with or without an exponent.

    No leading plus, blank, underscore, hexadecimal, other script's digit, `nan` or `inf`, and
    nothing beyond float64's range: FormatError.
    """
    plain = _plain(text)
    if plain is None or _NUMBER.fullmatch(plain) is None or not isfinite(float(plain)):
        raise FormatError(f"{quoted(text, 40)} is no finite number")
    return float(plain)


def _plain(text: str | bytes) -> str | None:
    if isinstance(text, str):
        return text
    return text.decode("ascii") if text.isascii() else None


def parse_json(data: bytes, name: str | Path, op: str = "json") -> Any:
    """The value of a JSON text (RFC 8259) in UTF-8; errors name `name`.

    Stricter than `json.loads`: a key that comes twice, NaN, Infinity, a number beyond float64 and
    another encoding are FormatErrors, and so is deep nesting.
    """
    with boundary(name, op):
        try:
            return json.loads(
                data.decode("utf-8-sig"),
                object_pairs_hook=_object,
                parse_constant=_no_constant,
                parse_float=parse_number,
            )
        except FormatError as error:
            raise FormatError(f"{op}: {shown(name)}: {error}") from None


def read_json(path: str | Path, max_bytes: int = MAX_JSON, op: str = "json") -> Any:
    """`parse_json` of a regular file of at most `max_bytes` bytes."""
    return parse_json(read_regular(path, max_bytes, op), path, op)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in found if keys.count(key) > 1)
        raise FormatError(f"the key {quoted(twice, 40)} comes twice")
    return found


def _no_constant(text: str) -> float:
    raise FormatError(f"{text} is no number of JSON")
