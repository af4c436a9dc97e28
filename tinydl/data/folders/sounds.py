"""Sounds in class folders: one WAV file a sample."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...doors import checked
from ...errors import DataError, FormatError
from ...foreign import read_regular
from ...quoting import shown
from ..formats.wav import decode_wav
from .problems import Problem
from .recognise import recognise
from .texts import parts_of, read_each

MAX_SOUND = 1 << 26  # bytes of one of many sounds: half an hour at 16,000 samples a second


@dataclass(frozen=True, slots=True, eq=False)
class AudioFolder:
    """N sounds of one rate, by file. waves: N arrays (T,) int16; rate: samples a second; the rest
    as in `TextFolder`."""

    name: str
    waves: tuple[np.ndarray, ...]
    rate: int
    y: np.ndarray
    classes: tuple[str, ...]
    files: tuple[str, ...]
    parts: tuple[str, ...]
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.waves)


@checked
def audio_folder(path: str | Path, follow_links: bool = False) -> AudioFolder:
    """The sounds (WAV, 16-bit PCM, one channel, at most 64 MiB) of a folder of class folders;
    `recognise` says how folders become classes and parts.

    All have the rate of most; a file of another rate, one that is empty or damaged is passed over
    and named in `problems`. Raises DataError where no sound lies in a class folder, and the errors
    of `walk`.
    """
    found = recognise(path, follow_links)
    if found.kind != "wav" or not found.classes:
        raise DataError(f"audio_folder: {shown(path)} has no sounds (.wav) in class folders")
    rows, problems = read_each(found, _heard)
    heard = [(k, *sound) for k, sound in rows]
    if not heard:
        raise DataError(f"audio_folder: none of the {len(found.files)} files of {shown(path)} is a "
                        "sound that is read")  # fmt: skip
    counts = Counter(rate for _, rate, _ in heard)
    usual = min(counts, key=lambda rate: (-counts[rate], rate))
    for k, rate, _ in heard:
        if rate != usual:
            told = f"has {rate:,} samples a second, most have {usual:,}"
            problems.append(Problem("damaged", found.files[k].path, told))
    heard = [row for row in heard if row[1] == usual]
    kept = np.array([k for k, *_ in heard])
    return AudioFolder(
        Path(found.root).name, tuple(wave for *_, wave in heard), usual, found.label[kept],
        found.classes, tuple(found.files[k].path for k in kept), parts_of(found, kept),
        tuple(problems),
    )  # fmt: skip


def _heard(path: Path) -> tuple[int, np.ndarray]:
    """The rate and the wave of a file; FormatError for none."""
    rate, wave = decode_wav(read_regular(path, MAX_SOUND), path.as_posix())
    if not len(wave):
        raise FormatError("it holds no sound")
    return rate, wave
