"""The files of a folder, safely: regular files that lie below it once links are resolved.

Nothing is opened here: type and size come from the folder's own entries. A stranger's folder may
hold links to anywhere, links in circles, pipes, names of any bytes and folders that may not be
read; each is named and passed over.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ...doors import checked
from ...errors import ConfigError, DataError, MissingFileError
from ...quoting import quoted, shown
from .problems import Problem

MAX_FILES, MAX_DEPTH = 2_000_000, 64
#: What systems put into folders unasked; names that begin with a dot likewise.
SYSTEM = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini", "$RECYCLE.BIN"})
Key = tuple[int, int]  # device and number of a file: one folder, whatever it is called


class File(NamedTuple):
    """path: relative to the folder, with `/` between names. size: in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Listing:
    """root: the folder with links resolved. files: the regular files below it, by path. folders:
    those below it, by path. hidden: how many entries were passed over for their name."""

    root: str
    files: tuple[File, ...]
    folders: tuple[str, ...]
    problems: tuple[Problem, ...]
    hidden: int


class _Folder(NamedTuple):
    """A folder to be read: its relative and its real path; the keys of the folders it lies in and
    its own; whether a link led there."""

    path: str
    real: str
    chain: tuple[Key, ...]
    linked: bool


@checked
def walk(path: str | Path, follow_links: bool = False) -> Listing:
    """What lies below the folder `path`, or the one file that it is.

    A link inside the folder counts as what it leads to; one that leaves it is a problem and passed
    over unless `follow_links`. No folder is read twice through links, so circles end. Hidden names
    (a dot in front) are counted alone. Raises MissingFileError if there is nothing, DataError for
    more than two million files.
    """
    root = os.path.realpath(checked_path("walk", "path", path))
    try:
        found = os.stat(root)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        if isinstance(error, FileNotFoundError):
            raise MissingFileError(f"walk: there is no folder {shown(path)}") from None
        raise DataError(f"walk: cannot read {shown(path)} ({reason})") from None
    if stat.S_ISREG(found.st_mode):
        one = File(os.path.basename(root), found.st_size)
        return Listing(os.path.dirname(root), (one,), (), (), 0)
    if not stat.S_ISDIR(found.st_mode):
        raise DataError(f"walk: {shown(path)} is a pipe or a device")
    return _Walk(root, follow_links).all(_key(found))


def checked_path(op: str, name: str, value: str | Path) -> str:
    """A path as a text; ConfigError for anything else."""
    if not isinstance(value, str | Path):
        raise ConfigError(f"{op}: {name} must be a path, got {quoted(value)}")
    return os.fspath(value)


class _Walk:
    """One walk: what was found so far."""

    def __init__(self, root: str, follow_links: bool) -> None:
        self.root, self.follow_links = root, follow_links
        self.files: list[File] = []
        self.folders: list[str] = []
        self.problems: list[Problem] = []
        self.hidden = 0
        self.linked: set[Key] = set()  # folders that were read under a link
        self.waiting: list[_Folder] = []

    def all(self, key: Key) -> Listing:
        self.waiting = [_Folder("", self.root, (key,), False)]
        while self.waiting:
            folder = self.waiting.pop()
            for entry in self._entries(folder):
                self._take(folder, entry)
            if len(self.files) > MAX_FILES:
                raise DataError(f"walk: {shown(self.root)} has more than {MAX_FILES:,} files")
        self.files.sort()
        self.folders.sort()
        self.problems.sort(key=lambda p: (p.path, p.kind))
        return Listing(
            self.root, tuple(self.files), tuple(self.folders), tuple(self.problems), self.hidden
        )

    def _entries(self, folder: _Folder) -> Iterator[os.DirEntry[str]]:
        """In the order of their names: which of two links to one folder is read does not depend on
        the disk."""
        try:
            with os.scandir(folder.real) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._problem("unreadable", folder.path, f"cannot be listed ({error.strerror})")
            return
        yield from found

    def _take(self, folder: _Folder, entry: os.DirEntry[str]) -> None:
        name = entry.name
        if name[0] == "." or name in SYSTEM:
            self.hidden += 1
            return
        path = f"{folder.path}/{name}" if folder.path else name
        if not name.isascii() and not _is_text(name):
            self._problem("name", path, "has a name that is not UTF-8")
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError as error:
            self._problem("unreadable", path, f"cannot be looked at ({error.strerror})")
            return
        if stat.S_ISREG(found.st_mode):
            self.files.append(File(path, found.st_size))
        elif stat.S_ISDIR(found.st_mode):
            self._enter(_Folder(path, entry.path, (*folder.chain, _key(found)), folder.linked))
        elif stat.S_ISLNK(found.st_mode):
            self._follow(folder, path, entry.path)
        else:
            self._problem("special", path, "is a pipe, a socket or a device")

    def _enter(self, folder: _Folder) -> None:
        if len(folder.chain) > MAX_DEPTH:
            self._problem("unreadable", folder.path, f"lies deeper than {MAX_DEPTH} folders")
            return
        if folder.linked:
            if folder.chain[-1] in self.linked:
                self._problem("link", folder.path, "was read already, under another link")
                return
            self.linked.add(folder.chain[-1])
        self.folders.append(folder.path)
        self.waiting.append(folder)

    def _follow(self, folder: _Folder, path: str, full: str) -> None:
        """A link: the file or folder that it leads to, if that may be taken."""
        try:
            target = os.path.realpath(full, strict=True)
            found = os.stat(target)
        except OSError as error:
            circle = error.errno == errno.ELOOP
            gone = isinstance(error, FileNotFoundError)
            what = "in a circle" if circle else "to nothing" if gone else f"({error.strerror})"
            self._problem("link", path, f"is a link {what}")
            return
        if not (self.follow_links or _is_below(target, self.root)):
            self._problem("link", path, "is a link that leaves the folder; it is passed over")
        elif stat.S_ISREG(found.st_mode):
            self.files.append(File(path, found.st_size))
        elif not stat.S_ISDIR(found.st_mode):
            self._problem("special", path, "is a link to a pipe, a socket or a device")
        elif _key(found) in folder.chain or _is_below(self.root, target):
            self._problem("link", path, "is a link to a folder that it lies in")
        else:
            self._enter(_Folder(path, target, (*folder.chain, _key(found)), True))

    def _problem(self, kind: str, path: str, text: str) -> None:
        self.problems.append(Problem(kind, path, text))


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _key(found: os.stat_result) -> Key:
    return found.st_dev, found.st_ino


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
