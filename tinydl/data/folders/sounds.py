"""Sounds in class folders: one WAV file a sample."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...doors import checked
from ...errors import ConfigError, DataError, FormatError
from ...foreign import read_regular
from ...quoting import shown
from ..formats.wav import decode_wav
from ..sound import resample
from .problems import Problem
from .recognise import recognise
from .texts import parts_of, read_each

MAX_SOUND = 1 << 26  # bytes of one of many sounds: half an hour at 16,000 samples a second


@dataclass(frozen=True, slots=True, eq=False)
class AudioFolder:
    """N sounds of one rate, by file. waves: N arrays (T,) int16; rate: samples a second; stored:
    the waves as the files have them, at whatever rate; the rest as in `TextFolder`."""

    name: str
    waves: tuple[np.ndarray, ...]
    rate: int
    stored: tuple[np.ndarray, ...]
    y: np.ndarray
    classes: tuple[str, ...]
    files: tuple[str, ...]
    parts: tuple[str, ...]
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.waves)


@checked
def audio_folder(
    path: str | Path, follow_links: bool = False, rate: int | None = None
) -> AudioFolder:
    """The sounds (WAV, 16-bit PCM, one channel, at most 64 MiB) of a folder of class folders;
    `recognise` says how folders become classes and parts.

    rate: samples a second that all get (None: as most have); a file of another rate is brought to
    it by `resample`, and a note says so. One that is empty or damaged is passed over. Both are
    named in `problems`. Raises DataError where no sound lies in a class folder, and the errors of
    `walk`.
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
    usual = rate or min(counts, key=lambda rate: (-counts[rate], rate))
    waves: dict[int, np.ndarray] = {}
    for k, own, wave in heard:
        path = found.files[k].path
        try:
            waves[k] = resample(wave, own, usual)
        except ConfigError as error:
            problems.append(Problem("damaged", path, f"cannot be used: {error}"))
            continue
        if own != usual:
            told = f"has {own:,} samples a second and is resampled to {usual:,}"
            problems.append(Problem("rate", path, told))
    if not waves:
        raise DataError(f"audio_folder: no sound of {shown(path)} can be had at {usual:,} Hz")
    kept = np.array(list(waves), np.int64)
    return AudioFolder(
        Path(found.root).name, tuple(waves.values()), usual,
        tuple(wave for k, _, wave in heard if k in waves), found.label[kept], found.classes,
        tuple(found.files[k].path for k in kept), parts_of(found, kept), tuple(problems),
    )  # fmt: skip


def _heard(path: Path) -> tuple[int, np.ndarray]:
    """The rate and the wave of a file; FormatError for none."""
    rate, wave = decode_wav(read_regular(path, MAX_SOUND), path.as_posix())
    if not len(wave):
        raise FormatError("it holds no sound")
    return rate, wave
