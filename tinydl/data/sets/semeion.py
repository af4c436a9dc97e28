"""Semeion: digits of eighty people from Italy, as 16x16 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...doors import checked
from ...errors import FormatError
from ...foreign import reader
from ...quoting import shown
from ..download import locate
from ..formats.archives import read_bytes
from ..formats.tables import read_numbers
from ..record import DataFile, DataSet
from ..types import Samples

SIDE, CLASSES = 16, tuple("0123456789")
MAX_BYTES = 1 << 24

SEMEION = DataSet(
    name="semeion",
    folder="uci_digits",
    files=(
        DataFile(
            "semeion.data.gz",
            "eb4f8d4c9ac44297ce7643d2be61fd7f264165e60a12e3e2cd7743cb6e508b59",
            40_253,
        ),
    ),
    classes=CLASSES,
    records="1593 pictures of 16x16 bits, 155 to 162 of each digit",
    description="handwritten digits, stretched to fill the frame, each pixel 0 or 1",
    source="https://archive.ics.uci.edu/dataset/178/semeion+handwritten+digit",
    licence="CC BY 4.0 (UCI)",
    citation=(
        "Semeion Research Center of Sciences of Communication, Rome; Tattile, Brescia: Semeion "
        "Handwritten Digit, UCI Machine Learning Repository (1998), doi:10.24432/C5SC8V"
    ),
    by_hand="download semeion.data from the source; read_semeion(path) reads it as it is",
    fidelity="complete; numbers written as integers, gzip-compressed",
)


@checked
def semeion() -> Samples:
    """Handwritten digits of 80 people, each wrote all ten twice: x (1593, 16, 16) uint8 of 0 and 1
    (ink), y (1593,).

    The digits fill the frame, as MNIST's do not. Found in TINYDL_DATA/uci_digits or in the user
    cache; DataError otherwise, FormatError for a damaged file.
    """
    return read_semeion(locate(SEMEION, SEMEION.files[0]))


@reader("semeion")
def read_semeion(path: str | Path) -> Samples:
    """A text file, gzip or not, of rows of 256 bits and 10 more of which one is 1, the class."""
    body = read_bytes(path, MAX_BYTES)
    lines = b"\n".join(line.strip() for line in body.splitlines())
    values = read_numbers(lines, " ", SIDE * SIDE + len(CLASSES), np.float64, str(path))
    if not np.isin(values, (0, 1)).all() or (values[:, SIDE * SIDE :].sum(axis=1) != 1).any():
        raise FormatError(f"semeion: {shown(path)} has rows that are no bits of one class")
    x = values[:, : SIDE * SIDE].reshape(-1, SIDE, SIDE).astype(np.uint8)
    return Samples("semeion", x, values[:, SIDE * SIDE :].argmax(axis=1), CLASSES)
