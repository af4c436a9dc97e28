"""Members of untrusted archives: zip, tar, tar.gz or a plain folder. Read in memory, never
unpacked.

An archive is refused as a whole (FormatError) for a member name that leaves it (`..`, an absolute
path), a name that comes twice, a link, a device, encryption, an unusual compression, or more
members or bytes than the caller allows. What an archive declares is checked before it is
decompressed, and no more is decompressed than was declared: a bomb costs nothing.

Every check that a container has is finished: CRC and length of each gzip stream and each zip member
that is read, the two places in which a zip file describes a member (`zip_layout`), the checksum of
each tar header and the two blocks of zeros at the end, and nothing may follow. What none of them
covers is the content of a member in a tar file that is not compressed.
"""

from __future__ import annotations

import gzip
import os
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from ...doors import checked
from ...errors import FormatError
from ...foreign import boundary, check_size, open_regular, read_bounded, read_regular, reader
from ...quoting import quoted, shown
from .zip_layout import check_layout

MAX_MEMBERS = 400_000
MAX_BYTES = 1 << 30
_MAX_PADDING = 1 << 22  # zeros that fill the last record of a tape
_GZIP = b"\x1f\x8b"
_ZIP = b"PK"


@reader("data")
def read_bytes(path: str | Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of a regular file, decompressed if it starts like gzip.

    A name that ends in .gz promises gzip. Raises FormatError for damaged gzip or more than
    `max_bytes`, DataError (MissingFileError if there is none) for what cannot be read.
    """
    path = Path(path)
    with open_regular(path) as raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        check_suffix(path, packed)
        if not packed:
            check_size(raw, path, max_bytes)
        file: Any = gzip.GzipFile(fileobj=raw, mode="rb") if packed else raw
        return read_bounded(file, path, max_bytes)


def check_suffix(path: Path, packed: bool) -> None:
    """FormatError for a file called .gz that does not start like one."""
    if not packed and path.suffix in (".gz", ".tgz"):
        raise FormatError(f"data: {shown(path)} is damaged: it does not start like gzip")


def members(
    path: str | Path,
    select: Callable[[str], bool],
    max_member: int = MAX_BYTES,
    max_total: int = MAX_BYTES,
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the regular members whose name is selected, in one pass, in their order.

    max_member, max_total: bytes that one, and all the selected, may have; of a compressed tar,
    which has no table of contents, `max_total` bounds everything up to the last member. Raises
    FormatError for whatever this module refuses; a member further on may do so after others were
    yielded.
    """
    with Archive(path, max_member, max_total, compressed_tar=True) as archive:
        yield from archive.stream(select)


class Archive:
    """An open zip file, uncompressed tar file or folder, whose members are read in any order.

    names: the regular members, in the order of the archive (sorted, for a folder). Safe to read
    from several threads for zip files and folders. Use as a context manager, or call `close`.
    """

    @checked
    def __init__(
        self,
        path: str | Path,
        max_member: int = MAX_BYTES,
        max_total: int = MAX_BYTES,
        compressed_tar: bool = False,
    ) -> None:
        self.path = Path(path)
        self.max_member, self.max_total = max_member, max_total
        self._names: dict[str, Any] | None = None
        self._file: IO[bytes] | None = None
        self._zip: zipfile.ZipFile | None = None
        self._tar: tarfile.TarFile | None = None
        self._ended = False
        if not self.path.is_dir():
            self._file = open_regular(self.path)
            try:
                self._open(self._file, compressed_tar)
            except BaseException:
                self.close()
                raise

    def _open(self, file: IO[bytes], compressed_tar: bool) -> None:
        start = file.read(2)
        file.seek(0)
        if start == _GZIP and not compressed_tar:
            raise FormatError(f"data: {shown(self.path)} is compressed as a whole: unpack it first")
        with boundary(self.path):
            if start == _ZIP:
                self._zip = zipfile.ZipFile(file)
                check_layout(file, self._zip.infolist(), self.path)
            else:
                check_suffix(self.path, start == _GZIP)
                source: Any = gzip.GzipFile(fileobj=file, mode="rb") if start == _GZIP else file
                limit = self.max_total if start == _GZIP else None
                self._bounded = _Bounded(source, self.path, self.max_member, limit)
                readable: Any = self._bounded
                self._tar = tarfile.TarFile(fileobj=readable)

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *rest: object) -> None:
        self.close()

    def close(self) -> None:
        for part in (self._zip, self._tar, self._file):
            if part is not None:
                part.close()

    def __del__(self) -> None:
        if hasattr(self, "_tar"):  # else __init__ failed before it opened anything
            self.close()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all regular members."""
        return tuple(self._index())

    def read(self, name: str) -> bytes:
        """The content of the member `name`; FormatError if there is none, it is damaged or too
        large."""
        index = self._index()
        if name not in index:
            raise FormatError(f"data: {shown(self.path)} has no member {quoted(name)}")
        with boundary(self.path):
            return self._read(index[name])

    def stream(self, select: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
        """(name, content) of the selected members, one pass."""
        if self._tar is not None:
            yield from self._stream_tar(select)
            return
        chosen = [(name, member) for name, member in self._index().items() if select(name)]
        self._check_total(sum(_size(member) for _, member in chosen))
        for name, member in chosen:
            with boundary(self.path):
                data = self._read(member)
            yield name, data

    def _stream_tar(self, select: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
        seen: dict[str, Any] = {}
        total = 0
        for member in self._tar_members():
            self._add(seen, member.name, member)
            if member.isreg() and select(member.name):
                total += member.size
                self._check_total(total)
                with boundary(self.path):
                    data = self._read(member)
                yield member.name, data

    def _index(self) -> dict[str, Any]:
        if self._names is None:
            found: list[tuple[str, Any]]
            if self._tar is not None:
                found = [(m.name, m) for m in self._tar_members() if m.isreg()]
            elif self._zip is not None:
                names = [(m.orig_filename, m) for m in self._zip.infolist()]
                found = [(name, m) for name, m in names if not name.endswith("/")]
            else:
                found = list(_folder_files(self.path))
            index: dict[str, Any] = {}
            for name, member in found:
                self._add(index, name, member)
            self._names = index
        return self._names

    def _tar_members(self) -> Iterator[tarfile.TarInfo]:
        tar: Any = self._tar
        with boundary(self.path):
            for member in tar:
                if not (member.isreg() or member.isdir()) or member.issparse():
                    raise FormatError(
                        f"data: {shown(self.path)}: {quoted(member.name)} is a link, a device or "
                        "sparse"
                    )
                yield member
            if not self._ended:
                self._bounded.check_end()
                self._ended = True

    def _add(self, index: dict[str, Any], name: str, member: Any) -> None:
        if not is_safe_name(name):
            raise FormatError(
                f"data: {shown(self.path)}: the member name {quoted(name)} leaves the archive"
            )
        if name in index:
            raise FormatError(f"data: {shown(self.path)}: the member {quoted(name)} comes twice")
        if len(index) >= MAX_MEMBERS:
            raise FormatError(f"data: {shown(self.path)} has more than {MAX_MEMBERS} members")
        index[name] = member

    def _check_total(self, total: int) -> None:
        if total > self.max_total:
            raise FormatError(
                f"data: {shown(self.path)} unpacks to {total} bytes or more, above {self.max_total}"
            )

    def _read(self, member: Any) -> bytes:
        size, name = _size(member), _name(member)
        if size > self.max_member:
            raise FormatError(
                f"data: {shown(self.path)}: {quoted(name)} declares {size} bytes, above "
                f"{self.max_member}"
            )
        if self._tar is not None:
            data = self._tar.extractfile(member).read()  # type: ignore[union-attr]
        elif self._zip is not None:
            if member.flag_bits & 1 or member.compress_type not in (0, 8):
                raise FormatError(
                    f"data: {shown(self.path)}: {quoted(name)} is encrypted or not deflated"
                )
            with self._zip.open(member) as file:
                data = file.read(size + 1)
        else:
            data = read_regular(member, self.max_member)
        if len(data) != size:
            raise FormatError(
                f"data: {shown(self.path)}: {quoted(name)} has {len(data)} of {size} bytes"
            )
        return data


def is_safe_name(name: str) -> bool:
    """True for a relative path with forward slashes that stays below its folder."""
    if not name or "\\" in name or "\0" in name or re.match("[A-Za-z]:", name):
        return False
    return not name.startswith("/") and ".." not in name.split("/")


def _size(member: Any) -> int:
    if isinstance(member, Path):
        return member.stat().st_size
    return member.file_size if isinstance(member, zipfile.ZipInfo) else member.size


def _name(member: Any) -> str:
    return member.orig_filename if isinstance(member, zipfile.ZipInfo) else member.name


def _folder_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Regular files below `folder`, sorted; links are not followed."""
    found = []
    for base, _, names in os.walk(folder, followlinks=False):
        for name in names:
            path = Path(base) / name
            if stat.S_ISREG(path.lstat().st_mode):
                found.append((path.relative_to(folder).as_posix(), path))
    return iter(sorted(found))


class _Bounded:
    """A readable, seekable file for tarfile, which believes sizes in headers: single reads and the
    position are limited."""

    def __init__(self, file: Any, path: Path, max_read: int, max_position: int | None) -> None:
        self._file, self._path = file, path
        self._max_read, self._max_position = max_read, max_position
        self._last = b""

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= self._max_read + tarfile.RECORDSIZE:
            raise FormatError(f"data: {shown(self._path)}: a header declares {size} bytes")
        data = self._last = self._file.read(size)
        self._check(self._file.tell())
        return data

    def seek(self, position: int, whence: int = 0) -> int:
        if whence == 0:
            self._check(position)
        return self._file.seek(position, whence)

    def tell(self) -> int:
        return self._file.tell()

    def check_end(self) -> None:
        """Where tarfile found no further header: two blocks of zeros, then zeros to the end, which
        also makes gzip compare its CRC. tarfile itself takes damage for the end."""
        if len(self._last) != tarfile.BLOCKSIZE or any(self._last):
            at = self._file.tell()
            raise FormatError(f"data: {shown(self._path)}: no header and no end at byte {at}")
        second = self.read(tarfile.BLOCKSIZE)
        if len(second) != tarfile.BLOCKSIZE or any(second):
            raise FormatError(f"data: {shown(self._path)} is cut: its end is not marked")
        padding = 0
        while rest := self.read(tarfile.RECORDSIZE):
            padding += len(rest)
            if any(rest) or padding > _MAX_PADDING:
                raise FormatError(f"data: {shown(self._path)}: bytes follow the end of the archive")
            if len(rest) % tarfile.BLOCKSIZE:
                # A byte was lost or came in between: the sum of a shifted header can be right.
                raise FormatError(f"data: {shown(self._path)} is no whole number of blocks")

    def _check(self, position: int) -> None:
        if self._max_position is not None and position > self._max_position:
            raise FormatError(
                f"data: {shown(self._path)} unpacks to more than {self._max_position} bytes"
            )
