"""What the catalogue says of a data set: its files, where they come from, under which licence."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ..errors import ConfigError
from ..quoting import quoted


@dataclass(frozen=True, slots=True)
class Mirror:
    """A folder on the web. `checked` is False when it could not be opened when this was written;
    `tinydl data verify --online` tries them all."""

    base: str
    checked: bool = False

    def address(self, file_name: str) -> str:
        return self.base + file_name


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of `size` bytes as downloaded. `shape` is that of the uint8 array in an idx file,
    and empty for every other format. Without mirrors, the file can only be put in place by hand."""

    name: str
    sha256: str
    size: int
    shape: tuple[int, ...] = ()
    mirrors: tuple[Mirror, ...] = ()

    @property
    def unpacked_size(self) -> int:
        """Bytes of an idx file after decompression: 4 magic, 4 per axis, 1 per element."""
        return 4 + 4 * len(self.shape) + prod(self.shape)


@dataclass(frozen=True, slots=True)
class DataSet:
    """A catalogue entry; the files lie in `folder` below TINYDL_DATA or below the user cache.

    by_hand: for files without mirrors, where to get them. fidelity: how these files differ from
    those that the authors published ("" if they do not), above all whether this is a subset.
    """

    name: str
    folder: str
    files: tuple[DataFile, ...]
    classes: tuple[str, ...]
    records: str
    description: str
    source: str
    licence: str
    citation: str
    by_hand: str = ""
    fidelity: str = ""

    def file(self, name: str) -> DataFile:
        for file in self.files:
            if file.name == name:
                return file
        known = ", ".join(file.name for file in self.files) or "none"
        raise ConfigError(f"data: {self.name} has no file {quoted(name)}, it has {known}")
