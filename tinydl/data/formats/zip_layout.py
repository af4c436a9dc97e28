"""The parts of a zip file that have no checksum, compared with each other.

A zip file says everything about a member twice, in its local header and in the central directory,
and the directory's own place, size and number of entries at the end. Readers usually believe the
directory alone: one changed bit in a name there, and a member is silently gone. Contents have a
CRC-32 each, which `zipfile` compares when a member has been read.
Layout: PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import IO

from ...errors import FormatError
from ...quoting import quoted, shown

_END, _END64 = b"PK\x05\x06", b"PK\x06\x06"
_LOCAL, _LOCAL_SIZE = b"PK\x03\x04", 30
_DESCRIPTOR = b"PK\x07\x08"
_UNKNOWN16, _UNKNOWN32 = 0xFFFF, 0xFFFFFFFF  # "see the 64-bit field"
_HAS_DESCRIPTOR = 8  # sizes and CRC come after the content


def check_layout(file: IO[bytes], members: list[zipfile.ZipInfo], path: Path) -> None:
    """FormatError unless the end record, the directory and all local headers agree, nothing stands
    before the first or behind the end record, and no two members overlap."""
    start = _check_end(file, len(members), path)
    free = 0
    for member in sorted(members, key=lambda m: m.header_offset):
        if member.header_offset < free or (free == 0 and member.header_offset):
            raise FormatError(f"data: {shown(path)}: {quoted(member.orig_filename)} overlaps")
        free = _check_local(file, member, path)
    if free > start:
        raise FormatError(f"data: {shown(path)}: a member overlaps the directory")


def _check_end(file: IO[bytes], count: int, path: Path) -> int:
    """Where the central directory starts, if the end record fits the file."""
    size = file.seek(0, 2)
    tail_size = min(size, 22 + 0xFFFF)
    file.seek(size - tail_size)
    tail = file.read(tail_size)
    place = tail.rfind(_END)
    while place >= 0 and place + 22 + int.from_bytes(tail[place + 20 : place + 22], "little") != (
        tail_size
    ):
        place = tail.rfind(_END, 0, place)
    if place < 0:
        raise FormatError(f"data: {shown(path)} does not end like a zip file: cut, or followed")
    _, disk, start_disk, here, total, length, start, _ = struct.unpack_from("<4s4H2IH", tail, place)
    end = size - tail_size + place
    if tail[place - 20 : place - 16] == b"PK\x06\x07" and place >= 20:
        position = int.from_bytes(tail[place - 12 : place - 4], "little")
        file.seek(min(position, size))
        record = file.read(56)
        if record[:4] != _END64 or len(record) < 56:
            raise FormatError(f"data: {shown(path)}: the 64-bit end record is not where it should")
        _, _, _, _, disk64, start64, here64, total64, length64, start_64 = struct.unpack(
            "<4sQHHIIQQQQ", record
        )
        wide = ((total, total64, _UNKNOWN16), (length, length64, _UNKNOWN32))
        agree = all(narrow in (value, unknown) for narrow, value, unknown in wide)
        if not agree or start not in (start_64, _UNKNOWN32) or disk64 or start64:
            raise FormatError(f"data: {shown(path)}: the two end records differ")
        disk, start_disk = 0, 0
        here, total, length, start, end = here64, total64, length64, start_64, position
    if disk or start_disk or here != total or total != count or start + length != end:
        raise FormatError(
            f"data: {shown(path)}: the end record announces {total} members in {length} bytes at "
            f"{start}, found are {count} before byte {end}"
        )
    return start


def _check_local(file: IO[bytes], member: zipfile.ZipInfo, path: Path) -> int:
    """Where the record of `member` ends, if its local header says what the directory says."""
    file.seek(member.header_offset)
    header = file.read(_LOCAL_SIZE)
    if len(header) < _LOCAL_SIZE or header[:4] != _LOCAL:
        raise FormatError(f"data: {shown(path)}: no header of {quoted(member.orig_filename)}")
    flags, method, _, _, crc, packed, size, name_size, extra_size = struct.unpack_from(
        "<4H3I2H", header, 6
    )
    name = file.read(name_size).decode("utf-8" if flags & 0x800 else "cp437")
    data_end = file.seek(extra_size, 1) + member.compress_size
    sizes = (crc, packed, size)
    if flags & _HAS_DESCRIPTOR:
        agree = all(value in (0, _UNKNOWN32) for value in sizes) or sizes == _sizes(member)
        file.seek(data_end)
        data_end += _check_descriptor(file.read(24), member, path)
    else:
        wide = _UNKNOWN32  # then the 64-bit field counts, which zipfile reads in the directory
        agree = crc == member.CRC and all(
            own in (told, wide)
            for own, told in ((packed, member.compress_size), (size, member.file_size))
        )
    same = (flags, method, name) == (member.flag_bits, member.compress_type, member.orig_filename)
    if not (same and agree):
        raise FormatError(
            f"data: {shown(path)}: the directory and the header of "
            f"{quoted(member.orig_filename)} differ"
        )
    return data_end


def _sizes(member: zipfile.ZipInfo) -> tuple[int, int, int]:
    return member.CRC, member.compress_size, member.file_size


def _check_descriptor(data: bytes, member: zipfile.ZipInfo, path: Path) -> int:
    """The length of the record behind the content: with or without mark, 32 or 64 bits wide."""
    for mark in (_DESCRIPTOR, b""):
        for layout in ("<III", "<IQQ"):
            if layout == "<IQQ" or max(_sizes(member)) <= _UNKNOWN32:
                record = mark + struct.pack(layout, *_sizes(member))
                if data.startswith(record):
                    return len(record)
    raise FormatError(f"data: {shown(path)}: what follows {quoted(member.orig_filename)} differs")
