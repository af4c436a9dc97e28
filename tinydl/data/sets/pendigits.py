"""Pendigits: digits as the track of the pen, of 30 writers to learn from and 14 others to test."""

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

POINTS, EXTENT = 8, 100  # points of a track; the largest coordinate
MAX_BYTES = 1 << 24

PENDIGITS = DataSet(
    name="pendigits",
    folder="uci_digits",
    files=(
        DataFile(
            "pendigits.tra.gz",
            "e83ff4a9713263ec222e462b2b274abb04bce52fa38ab1509b6507bd4e4f2507",
            125_406,
        ),
        DataFile(
            "pendigits.tes.gz",
            "b47b50c85c4284f61c6fd92cbcc6ec3244a80b023516a1fff2195b4ef02ba761",
            59_114,
        ),
    ),
    classes=tuple("0123456789"),
    records="7494 to train, of 30 writers; 3498 of 14 others to test",
    description="pen tracks of handwritten digits, 8 points each, evenly spaced along the way",
    source="https://archive.ics.uci.edu/dataset/81/pen+based+recognition+of+handwritten+digits",
    licence="CC BY 4.0 (UCI)",
    citation=(
        "E. Alpaydin, F. Alimoglu, Pen-Based Recognition of Handwritten Digits, UCI Machine "
        "Learning Repository (1996), doi:10.24432/C5MG6K"
    ),
    by_hand="download both files from the source; read_pendigits(path) reads each as it is",
    fidelity="complete; gzip-compressed",
)


@checked
def pendigits() -> Dataset:
    """The official split: x_train (7494, 8, 2), x_test (3498, 8, 2) float32, the points (x, y) of a
    pen track in the order of writing, 0 ... 100, y upwards.

    No writer of the test part wrote for the training part. Found in TINYDL_DATA/uci_digits or in
    the user cache; DataError otherwise, FormatError for a damaged file.
    """
    train, test = (read_pendigits(locate(PENDIGITS, file)) for file in PENDIGITS.files)
    return Dataset("pendigits", train.x, train.y, test.x, test.y, PENDIGITS.classes)


@reader("pendigits")
def read_pendigits(path: str | Path) -> Samples:
    """A text file, gzip or not, of rows of x1, y1 ... x8, y8 (0 ... 100) and the digit."""
    columns = 2 * POINTS + 1
    body = b"\n".join(line.replace(b" ", b"") for line in read_bytes(path, MAX_BYTES).splitlines())
    rows = read_numbers(body, ",", columns, np.int64, str(path))
    x, y = rows[:, :-1], rows[:, -1]
    if x.min() < 0 or x.max() > EXTENT or y.min() < 0 or y.max() > 9:
        raise FormatError(
            f"pendigits: {shown(path)} has a point outside 0 ... {EXTENT} or no digit in a row"
        )
    tracks = x.reshape(len(x), POINTS, 2).astype(np.float32)
    return Samples("pendigits", tracks, np.ascontiguousarray(y), PENDIGITS.classes)
