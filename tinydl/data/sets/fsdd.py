"""The Free Spoken Digit Dataset: English digits of six speakers, at 8,000 samples a second."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...doors import checked
from ...errors import FormatError
from ...foreign import reader
from ...quoting import shown
from ..download import locate
from ..formats.archives import members
from ..formats.wav import decode_wav
from ..record import DataFile, DataSet

FSDD = DataSet(
    name="fsdd",
    folder="fsdd",
    files=(
        DataFile(
            "fsdd_0-19.zip",
            "2d2c0833ddfd5dc55caba3caba5fe788fd2fe9ee459ea96e7d60159cde50c180",
            6396710,
        ),
    ),
    classes=tuple("0123456789"),
    records="1200: 20 recordings of each digit by each of 6 speakers",
    description="spoken digits, WAV, 8 kHz, 0.14 to 2.28 s",
    source="https://github.com/Jakobovski/free-spoken-digit-dataset",
    licence="CC BY-SA 4.0",
    citation=(
        "Z. Jackson et al., Free Spoken Digit Dataset, v1.0.8 (2018), doi:10.5281/zenodo.1342401"
    ),
    by_hand=(
        "pack recordings/ of the source repository into a zip file; read_fsdd(path) reads it, all "
        "3000 too"
    ),
    fidelity="subset: the recordings with index 0 to 19 of 50, unchanged",
)
RATE, MAX_RECORDING = 8_000, 1 << 20
TESTED = 5  # recordings with a smaller index are the official test part
_MEMBER = re.compile(r"(?:.*/)?([0-9])_([a-z]{1,20})_([0-9]{1,3})\.wav")


@dataclass(frozen=True, slots=True, eq=False)
class Recordings:
    """N sounds of one rate: waves, N arrays (T,) int16; digits, speakers, takes (N,) int64.

    speakers index `names`; a take is the number of a repetition by the same speaker.
    """

    waves: tuple[np.ndarray, ...]
    digits: np.ndarray
    speakers: np.ndarray
    takes: np.ndarray
    names: tuple[str, ...]
    rate: int = RATE

    def __len__(self) -> int:
        return len(self.waves)


@checked
def fsdd() -> Recordings:
    """1,200 spoken digits (Jackson et al. 2018), by digit, then speaker, then take.

    The official split tests on takes 0 ... 4 of every speaker; whoever wants to know how strangers
    are understood holds out a speaker. Found in TINYDL_DATA/fsdd or in the user cache; DataError
    otherwise, FormatError for a damaged file.
    """
    return read_fsdd(locate(FSDD, FSDD.files[0]))


@reader("fsdd")
def read_fsdd(path: str | Path) -> Recordings:
    """`fsdd` of a zip file, tar file or folder with {digit}_{speaker}_{take}.wav in it."""
    found: dict[tuple[int, str, int], np.ndarray] = {}

    def select(member: str) -> bool:
        return _MEMBER.fullmatch(member) is not None

    for member, content in members(path, select, MAX_RECORDING, 1 << 28):
        match = _MEMBER.fullmatch(member)
        if match is not None:
            rate, wave = decode_wav(content, f"{path}: {member}")
            key = int(match[1]), match[2], int(match[3])
            if rate != RATE or len(wave) == 0 or key in found:
                raise FormatError(
                    f"fsdd: {shown(path)}: {shown(member)} has {len(wave)} samples at {rate} a "
                    f"second{', for the second time' * (key in found)}"
                )
            found[key] = wave
    if not found:
        raise FormatError(f"fsdd: {shown(path)} holds no recordings")
    keys = sorted(found)
    names = tuple(sorted({name for _, name, _ in keys}))
    digits, takes = (np.array([key[k] for key in keys], np.int64) for k in (0, 2))
    speakers = np.array([names.index(name) for _, name, _ in keys], np.int64)
    return Recordings(tuple(found[key] for key in keys), digits, speakers, takes, names)
