"""Grey pictures in binary PGM files (P5), read without Pillow."""

from __future__ import annotations

import re

import numpy as np

from ...errors import FormatError
from ...foreign import reader
from ...quoting import shown

MAX_PIXELS = 50_000_000

# The header of a P5 file: magic, width, height, maximum; comments may stand between them.
_GAP = rb"(?:\s|#[^\n\r]*[\n\r])+"
_HEADER = re.compile(rb"P5" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,5})\s")


@reader("pgm", called="name")
def read_pgm(data: bytes, name: str) -> np.ndarray:
    """The (H, W) uint8 picture in a binary PGM file (P5, at most 255 levels, one picture).

    Values are as stored, not stretched to 255. FormatError for any other header, a value above the
    declared maximum, or another number of bytes than H W.
    """
    header = _HEADER.match(data[:4096])
    if header is None:
        raise FormatError(f"pgm: {shown(name)} does not begin with a P5 header")
    width, height, maximum = (int(number) for number in header.groups())
    if not 1 <= maximum <= 255 or width == 0 or height == 0 or width * height > MAX_PIXELS:
        raise FormatError(f"pgm: {shown(name)} declares {width} x {height} pixels up to {maximum}")
    pixels = np.frombuffer(data, np.uint8, offset=header.end())
    if pixels.size != width * height:
        raise FormatError(
            f"pgm: {shown(name)} has {pixels.size} pixels, declares {width} x {height}"
        )
    if pixels.max() > maximum:
        raise FormatError(f"pgm: {shown(name)} has the value {pixels.max()} above its {maximum}")
    return pixels.reshape(height, width).copy()
