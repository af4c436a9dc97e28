"""The ORL (AT&T) faces and the PGM format in which they come."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..errors import FormatError
from .archives import members
from .catalog import CATALOG
from .datasets import Samples
from .download import locate

PEOPLE, PICTURES, HEIGHT, WIDTH = 40, 10, 112, 92
MAX_PIXELS = 50_000_000
_MEMBER = re.compile(r"(?:.*/)?s(\d{1,2})/(\d{1,2})\.pgm")
# The header of a P5 file: magic, width, height, maximum; comments may stand between them.
_GAP = rb"(?:\s|#[^\n\r]*[\n\r])+"
_HEADER = re.compile(rb"P5" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,5})\s")


def orl_faces() -> Samples:
    """400 faces (Samaria and Harter 1994): x (400, 112, 92) uint8, y (400,) the person, 0 ... 39.

    Ten pictures of person 0, then ten of person 1, and so on. Each is 112 high and 92 wide; reading
    it as 92 x 112 shears the face. There is no official split; for few-shot learning hold out
    people, not pictures. Found in TINYDL_DATA/orl_faces or in the user cache. Raises DataError when
    it is not there, FormatError for a damaged file.
    """
    dataset = CATALOG["orl_faces"]
    return read_orl_faces(locate(dataset, dataset.files[0]))


def read_orl_faces(path: str | Path) -> Samples:
    """`orl_faces` of a zip file, tar file or folder with s1/1.pgm ... s40/10.pgm in it."""
    found = {}

    def select(member: str) -> bool:
        return _MEMBER.fullmatch(member) is not None

    for member, data in members(path, select, 1 << 20, 1 << 26):
        match = _MEMBER.fullmatch(member)
        if match is not None:
            picture = read_pgm(data, f"{path}: {member}")
            if picture.shape != (HEIGHT, WIDTH):
                raise FormatError(f"orl_faces: {path}: {member} is {picture.shape}, not (112, 92)")
            found[int(match[1]), int(match[2])] = picture
    wanted = [(s, k) for s in range(1, PEOPLE + 1) for k in range(1, PICTURES + 1)]
    if found.keys() != set(wanted):
        raise FormatError(
            f"orl_faces: {path} has {len(found)} pictures, not s1/1.pgm ... s40/10.pgm"
        )
    x = np.stack([found[key] for key in wanted])
    y = np.repeat(np.arange(PEOPLE, dtype=np.int64), PICTURES)
    return Samples("orl_faces", x, y, CATALOG["orl_faces"].classes)


def read_pgm(data: bytes, name: str) -> np.ndarray:
    """The (H, W) uint8 picture in a binary PGM file (P5, at most 255 levels, one picture).

    Values are as stored, not stretched to 255. FormatError for any other header, a value above the
    declared maximum, or another number of bytes than H W.
    """
    header = _HEADER.match(data[:4096])
    if header is None:
        raise FormatError(f"pgm: {name} does not begin with a P5 header")
    width, height, maximum = (int(number) for number in header.groups())
    if not 1 <= maximum <= 255 or width == 0 or height == 0 or width * height > MAX_PIXELS:
        raise FormatError(f"pgm: {name} declares {width} x {height} pixels up to {maximum}")
    pixels = np.frombuffer(data, np.uint8, offset=header.end())
    if pixels.size != width * height:
        raise FormatError(f"pgm: {name} has {pixels.size} pixels, declares {width} x {height}")
    if pixels.max() > maximum:
        raise FormatError(f"pgm: {name} has the value {pixels.max()} above its {maximum}")
    return pixels.reshape(height, width).copy()
