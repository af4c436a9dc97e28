"""What Pillow leaves unchecked of a picture: whether all of it was there.

Pillow takes the rows of a PNG that never came as black, those of a JPEG as grey, and compares
neither the CRC of a PNG's pixels nor their Adler-32. Here a PNG's chunks are walked and its stream
counted (PNG specification, third edition, 5 and 10); a JPEG, which declares rows but no length, is
decoded again with other bytes behind its data (ITU-T T.81, B.1.1): whoever still reads there had
too little.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np

from ...errors import FormatError

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = (1, 2, 4, 8, 16)
_ADAM7 = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2),
          (1, 2, 0, 1))  # first row, row step, first column, column step  # fmt: skip
_PIECE = 1 << 20
# A marker inside or behind a JPEG's coded data: FF and neither 00 (a data byte) nor another FF.
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_FILLING = b"\x5a\xa5\x3c\xc3" * 16


def check_png(data: bytes, whole: bool = True) -> None:
    """FormatError unless every chunk up to IEND has its length and its CRC-32, and (`whole`) the
    pixels are exactly as many bytes as IHDR declares, with their Adler-32."""
    position, ended = len(PNG), False
    pixels = zlib.decompressobj()
    left = 0
    while not ended:
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        body = memoryview(data)[position + 8 : position + 8 + length]
        stored = data[position + 8 + length : position + 12 + length]
        if len(stored) != 4 or zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(stored, "big"):
            raise FormatError(f"the chunk at byte {position} is cut or its CRC is wrong")
        if (kind == b"IHDR") != (position == len(PNG)):
            raise FormatError("IHDR is not the first chunk, or comes twice")
        if kind == b"IHDR":
            left = _expected(bytes(body))
        elif kind == b"IDAT" and whole:
            left -= _count(pixels, body, left)
        position += 12 + length
        ended = kind == b"IEND"
    if whole and (left or not pixels.eof):
        raise FormatError(f"the pixels end {left} bytes early")


def _expected(header: bytes) -> int:
    """Bytes of the filtered rows of an image with this IHDR."""
    if len(header) != 13:
        raise FormatError("IHDR has another size")
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    depth, colour, compression, filtering, interlaced = header[8:]
    if colour not in _CHANNELS or depth not in _DEPTHS or compression or filtering:
        raise FormatError("IHDR describes no known kind of picture")
    bits = depth * _CHANNELS[colour]
    passes = _ADAM7 if interlaced else ((0, 1, 0, 1),)
    total = 0
    for top, down, first, across in passes:
        rows, columns = ceil((height - top) / down), ceil((width - first) / across)
        if rows > 0 and columns > 0:
            total += rows * (1 + ceil(columns * bits / 8))
    return total


def _count(pixels: Any, body: memoryview, left: int) -> int:
    """How many bytes this piece of the stream unpacks to; nothing is kept."""
    count = 0
    waiting: Any = body
    while waiting:
        if pixels.eof:
            raise FormatError("bytes follow the end of the pixels")
        count += len(pixels.decompress(waiting, _PIECE))
        if count > left:
            raise FormatError("there are more pixels than declared")
        waiting = pixels.unconsumed_tail or pixels.unused_data
    return count


def check_jpeg(data: bytes, pixels: np.ndarray, decode: Callable[[bytes], np.ndarray]) -> None:
    """FormatError if decoding used what lies behind the coded data: then rows are missing.

    pixels: what `decode(data)` gave. A JPEG has no checksum: other damage in its coded data
    changes the picture and cannot be found.
    """
    if not np.array_equal(decode(_padded(data)), pixels):
        raise FormatError("the coded data end before the last row")


def _padded(data: bytes) -> bytes:
    """The file with other data before each marker that ends coded data; decoders skip them."""
    parts, position = [data[:2]], 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in (0xD9, 0xFF):
            break
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == 0xDA:  # a scan: its coded data follow the header
            end = _end_of_scan(data, parts, position, end)
        else:
            parts.append(data[position:end])
        position = end
    return b"".join([*parts, data[position:]])


def _end_of_scan(data: bytes, parts: list[bytes], position: int, start: int) -> int:
    while True:
        found = _MARKER.search(data, start)
        if found is None:
            raise FormatError("the coded data have no end")
        parts += [data[position : found.start()], _FILLING]
        position = found.start()
        if not 0xD0 <= data[position + 1] <= 0xD7:
            return position
        start = position + 2  # a restart marker: the scan goes on
