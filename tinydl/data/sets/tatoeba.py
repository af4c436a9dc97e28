"""Tatoeba: sentences of volunteers and their translations, here Swedish and English."""

from __future__ import annotations

from pathlib import Path

from ...doors import checked
from ...errors import FormatError
from ...foreign import reader
from ...quoting import shown
from ..download import locate
from ..formats.plain_text import read_text
from ..pairs import Pairs
from ..record import DataFile, DataSet

TATOEBA = DataSet(
    name="tatoeba_swe",
    folder="tatoeba",
    files=(
        DataFile(
            "swe-eng.txt.gz",
            "c29a23d236951d11c0bd8950fc86eaf53534a94d3f75b8cae139c49faad50901",
            810_790,
        ),
    ),
    classes=(),
    records="25286 pairs of sentences",
    description="everyday sentences in Swedish and English, by length",
    source="https://www.manythings.org/anki/",
    licence="CC BY 2.0 FR; each line names its two authors",
    citation="Tatoeba Project, https://tatoeba.org, as exported by manythings.org (2023)",
    by_hand="unpack swe-eng.zip of the source; read_tatoeba(path) reads swe.txt as it is",
    fidelity="complete: the export of 29 November 2023, gzip-compressed",
)


@checked
def tatoeba() -> Pairs:
    """25286 pairs of a Swedish sentence and an English one, the short ones first, with the authors
    of both: one sentence may have several translations, so split by sentence, not by pair.

    Found in TINYDL_DATA/tatoeba or in the user cache; DataError otherwise, FormatError for a
    damaged file.
    """
    return read_tatoeba(locate(TATOEBA, TATOEBA.files[0]))


@reader("tatoeba")
def read_tatoeba(path: str | Path) -> Pairs:
    """A text file, gzip or not, of lines English, other language, attribution, with tabs between
    them: the other language is the source, English the target, the attribution the credit."""
    lines = read_text(path).split("\n")
    if lines[-1] == "":
        lines.pop()
    rows = [tuple(line.split("\t")) for line in lines]
    for number, row in enumerate(rows, 1):
        if len(row) != 3 or not all(row):
            raise FormatError(f"tatoeba: {shown(path)}: line {number} is no two texts and credit")
    if not rows:
        raise FormatError(f"tatoeba: {shown(path)} has no lines")
    targets, sources, credits = zip(*rows, strict=True)
    return Pairs("tatoeba_swe", sources, targets, credits)
