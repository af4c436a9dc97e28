"""The idx format of MNIST: 0 0, type code, number of axes, the axes (big-endian u32), the values.

The file is untrusted. Sizes are checked in Python integers before anything is allocated, no more is
decompressed than the header declares, and the header may declare no more than the caller allows: a
gzip bomb costs one buffer.
"""

from __future__ import annotations

import gzip
from math import prod
from pathlib import Path
from typing import Protocol

import numpy as np

from ...errors import FormatError
from ...foreign import open_regular, reader
from ...quoting import shown
from .archives import check_suffix

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_AXES = 8
MAX_BYTES = 1 << 30
_CHUNK = 1 << 20


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@reader("idx")
def read_idx(
    path: str | Path, *, shape: tuple[int, ...] | None = None, max_bytes: int = MAX_BYTES
) -> np.ndarray:
    """The array in an idx file, gzip-compressed or not (its first bytes tell), in native order.

    shape: what the header must declare; None accepts anything up to `max_bytes` of values.
    Raises FormatError for a wrong magic number or type code, another shape, a size above
    `max_bytes`, a truncated file, trailing bytes, or damaged gzip; DataError for what cannot be
    read (MissingFileError if there is none).
    """
    path = Path(path)
    with open_regular(path, op="idx") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        check_suffix(path, packed)
        if not packed:
            return _read(raw, path, shape, max_bytes)
        with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
            return _read(unpacked, path, shape, max_bytes)


def _read(file: _Readable, path: Path, shape: tuple[int, ...] | None, max_bytes: int) -> np.ndarray:
    dtype, declared = _read_header(file, path)
    if shape is not None and declared != tuple(shape):
        raise FormatError(
            f"idx: {shown(path)}: the header declares {declared}, expected {tuple(shape)}"
        )
    # Axes of length 0 count as 1: NumPy refuses shapes such as (0, 2^32 - 1, 2^32 - 1, 2^32 - 1).
    if prod(max(n, 1) for n in declared) * dtype.itemsize > max_bytes:
        raise FormatError(
            f"idx: {shown(path)}: the header declares {declared}, above {max_bytes} bytes"
        )
    size = prod(declared) * dtype.itemsize
    data = _read_exactly(file, size, path)
    if file.read(1):  # reading to the end also makes gzip compare its checksum
        raise FormatError(f"idx: {shown(path)}: bytes follow the {size} that the header declares")
    return np.frombuffer(data, dtype).reshape(declared).astype(dtype.newbyteorder("="), copy=False)


def _read_header(file: _Readable, path: Path) -> tuple[np.dtype, tuple[int, ...]]:
    magic = _read_exactly(file, 4, path)
    if magic[:2] != b"\0\0" or magic[2] not in TYPES or not 1 <= magic[3] <= MAX_AXES:
        raise FormatError(
            f"idx: {shown(path)}: magic number {magic.hex()} is not 0000, a known type code and "
            f"1 to {MAX_AXES} axes"
        )
    axes = _read_exactly(file, 4 * magic[3], path)
    return np.dtype(TYPES[magic[2]]), tuple(int(n) for n in np.frombuffer(axes, ">u4"))


def _read_exactly(file: _Readable, size: int, path: Path) -> bytearray:
    """`size` bytes, in pieces: memory grows with what the file holds, not with what it claims."""
    data = bytearray()
    while len(data) < size:
        piece = file.read(min(_CHUNK, size - len(data)))
        if not piece:
            raise FormatError(
                f"idx: {shown(path)}: truncated, {len(data)} of {size} bytes are there"
            )
        data += piece
    return data
