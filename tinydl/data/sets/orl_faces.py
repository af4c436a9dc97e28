"""The ORL (AT&T) faces: ten pictures of each of forty people."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ...doors import checked
from ...errors import FormatError
from ...foreign import reader
from ...quoting import shown
from ..download import locate
from ..formats.archives import members
from ..formats.pgm import read_pgm
from ..record import DataFile, DataSet
from ..types import Samples

ORL_FACES = DataSet(
    name="orl_faces",
    folder="orl_faces",
    files=(
        DataFile(
            "orl_faces.zip",
            "3e76bc13fc66b11bef23b5d4ca71c436aad85b358dc07c857289bc348874c96b",
            3_772_752,
        ),
    ),
    classes=tuple(f"s{k}" for k in range(1, 41)),
    records="400: 10 of each of 40 people, no split of its own",
    description="faces, 112 high x 92 wide, 8-bit grey, PGM",
    source="https://cam-orl.co.uk/facedatabase.html",
    licence='free for research, credit "AT&T Laboratories Cambridge"',
    citation=(
        "F. Samaria, A. Harter, Parameterisation of a stochastic model for human face "
        "identification, IEEE Workshop on Applications of Computer Vision (1994) 138-142, "
        "doi:10.1109/ACV.1994.341300"
    ),
    by_hand=(
        "get att_faces.zip from the source and read it with tinydl.data.read_orl_faces(path); "
        "beware of copies with students' photos in place of s1 or s40"
    ),
    fidelity="the original PGM files, packed anew",
)

PEOPLE, PICTURES, HEIGHT, WIDTH = 40, 10, 112, 92
_MEMBER = re.compile(r"(?:.*/)?s([0-9]{1,2})/([0-9]{1,2})\.pgm")


@checked
def orl_faces() -> Samples:
    """400 faces (Samaria and Harter 1994): x (400, 112, 92) uint8, y (400,) the person, 0 ... 39.

    Ten pictures of person 0, then ten of person 1, and so on. Each is 112 high and 92 wide; reading
    it as 92 x 112 shears the face. There is no official split; for few-shot learning hold out
    people, not pictures. Found in TINYDL_DATA/orl_faces or in the user cache. Raises DataError when
    it is not there, FormatError for a damaged file.
    """
    return read_orl_faces(locate(ORL_FACES, ORL_FACES.files[0]))


@reader("orl_faces")
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
                raise FormatError(
                    f"orl_faces: {shown(path)}: {shown(member)} is {picture.shape}, not (112, 92)"
                )
            key = int(match[1]), int(match[2])
            if key in found:
                raise FormatError(f"orl_faces: {shown(path)} has person {key[0]}'s {key[1]} twice")
            found[key] = picture
    wanted = [(s, k) for s in range(1, PEOPLE + 1) for k in range(1, PICTURES + 1)]
    if found.keys() != set(wanted):
        raise FormatError(
            f"orl_faces: {shown(path)} has {len(found)} pictures, not s1/1.pgm ... s40/10.pgm"
        )
    x = np.stack([found[key] for key in wanted])
    y = np.repeat(np.arange(PEOPLE, dtype=np.int64), PICTURES)
    return Samples("orl_faces", x, y, ORL_FACES.classes)
