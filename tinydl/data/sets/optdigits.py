"""Optdigits whole: digits of 30 writers to learn from, of 13 others to be tested on."""

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
from ..types import Dataset, Samples
from .bundled import DIGITS, digits

SIDE, INK = 8, 16  # pixels a side; each counts the ink of 4x4 finer ones
MAX_BYTES = 1 << 24

OPTDIGITS = DataSet(
    name="optdigits",
    folder="uci_digits",
    files=(
        DataFile(
            "optdigits.tra.gz",
            "3273a01fdf5de3baade88e85bc0057491dd425404ac58f87879824e19fd06502",
            112_530,
        ),
    ),
    classes=DIGITS.classes,
    records="3823 to train; 1797 of other writers, in scikit-learn, to test",
    description="handwritten digits, 8x8, values 0..16",
    source="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    licence="CC BY 4.0 (UCI)",
    citation=DIGITS.citation,
    by_hand="download optdigits.tra from the source; read_optdigits(path) reads it as it is",
    fidelity="complete; gzip-compressed",
)


@checked
def optdigits() -> Dataset:
    """The official split: x_train (3823, 8, 8), x_test (1797, 8, 8) float32 of 0 ... 16, ink high.

    No writer of the test part wrote for the training part. The latter is found in
    TINYDL_DATA/uci_digits or in the user cache, the test part is `digits()`, inside scikit-learn.
    DataError where either is missing, FormatError for a damaged file.
    """
    test = digits()  # first: who lacks scikit-learn need not look for the file
    train = read_optdigits(locate(OPTDIGITS, OPTDIGITS.files[0]))
    return Dataset("optdigits", train.x, train.y, test.x, test.y, DIGITS.classes)


@reader("optdigits")
def read_optdigits(path: str | Path) -> Samples:
    """A text file, gzip or not, of rows of 64 numbers 0 ... 16 and the digit, with commas."""
    columns = SIDE * SIDE + 1
    rows = read_numbers(read_bytes(path, MAX_BYTES), ",", columns, np.int64, str(path))
    x, y = rows[:, :-1], rows[:, -1]
    if x.min() < 0 or x.max() > INK or y.min() < 0 or y.max() > 9:
        raise FormatError(
            f"optdigits: {shown(path)} has a pixel outside 0 ... {INK} or no digit in a row"
        )
    pictures = x.reshape(len(x), SIDE, SIDE).astype(np.float32)
    return Samples("optdigits", pictures, np.ascontiguousarray(y), DIGITS.classes)
