"""Sets of sounds and pen tracks as recipes want them: of one length, and pieces to be joined."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from .. import data
from ..data.sets.fsdd import FSDD, TESTED
from ..random import Generator

STEPS, BANDS = 64, 32  # hundredths of a second; nine of ten recordings are shorter
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")


def padded_spectrum(wave: np.ndarray, steps: int = STEPS, bands: int = BANDS) -> np.ndarray:
    """(steps, bands): `log_mel` with mean 0 and deviation 1, so that no recording is loud, then the
    middle of a longer one, or zeros behind a shorter one."""
    return one_length(normal_spectrum(data.log_mel(wave, bands=bands)), steps)


def normal_spectrum(spectrum: np.ndarray) -> np.ndarray:
    """(T, M) with mean 0 and deviation 1."""
    return (spectrum - spectrum.mean()) / (spectrum.std() + 1e-3)


def one_length(spectrum: np.ndarray, steps: int) -> np.ndarray:
    """The middle `steps` rows of a longer one (T, M), or zeros behind a shorter one."""
    first = max(0, (len(spectrum) - steps) // 2)
    kept = spectrum[first : first + steps]
    return np.pad(kept, ((0, steps - len(kept)), (0, 0)))


@cache
def spectra() -> tuple[data.Recordings, np.ndarray]:
    """The recordings of FSDD and their spectra (N, STEPS, BANDS, 1)."""
    heard = data.fsdd()
    return heard, np.stack([padded_spectrum(wave) for wave in heard.waves])[..., None]


def spoken_digits() -> data.Dataset:
    """FSDD by its official split: of every speaker takes 0 ... 4 are the test part."""
    heard, _ = spectra()
    return _parted("spoken_digits", heard.takes < TESTED)


def spoken_digits_without(name: str) -> Callable[[], data.Dataset]:
    """FSDD with all that `name` says as the test part, and nothing of it to learn from."""

    def load() -> data.Dataset:
        heard, _ = spectra()
        return _parted(f"spoken_digits_without_{name}", heard.speakers == heard.names.index(name))

    return load


def _parted(name: str, tested: np.ndarray) -> data.Dataset:
    heard, x = spectra()
    y = heard.digits
    return data.Dataset(name, x[~tested], y[~tested], x[tested], y[tested], FSDD.classes)


def pen_pieces() -> data.PieceSets:
    """Pen tracks of digits, of 30 writers and of 14 others; who wrote which is not known."""
    whole = data.pendigits()
    train, test = (
        data.Pieces(tuple(x), y, np.zeros(len(y), np.int64), x.reshape(len(x), -1))
        for x, y in ((whole.x_train, whole.y_train), (whole.x_test, whole.y_test))
    )
    return data.PieceSets("pen_pieces", train, test, data.joined_tracks, whole.classes)


def spoken_pieces() -> data.PieceSets:
    """Spectra of spoken digits, split as `spoken_digits`; a string is spoken by one."""
    heard, x = spectra()
    waves = [data.log_mel(wave, bands=BANDS) for wave in heard.waves]
    own = [((w - w.mean()) / (w.std() + 1e-3)).astype(np.float32) for w in waves]
    fixed = quarters(x)
    tested = heard.takes < TESTED
    train, test = (
        data.Pieces(
            tuple(own[k] for k in kept), heard.digits[kept], heard.speakers[kept], fixed[kept]
        )
        for kept in (np.flatnonzero(~tested), np.flatnonzero(tested))
    )
    return data.PieceSets("spoken_pieces", train, test, data.joined_spectra, FSDD.classes)


def quarters(x: np.ndarray, parts: int = 4) -> np.ndarray:
    """(N, parts M): the mean spectrum of each quarter of spectra (N, T, M, 1), without the zeros
    behind the word."""
    rows = []
    for word in x[..., 0]:
        heard = word[: np.flatnonzero(word.any(axis=1))[-1] + 1]
        rows.append(np.concatenate([p.mean(axis=0) for p in np.array_split(heard, parts)]))
    return np.stack(rows)


def spoken_waves() -> data.Waves:
    """FSDD as 256 levels, every recording scaled to its peak; split as `spoken_digits`."""
    heard = data.fsdd()
    peaks = [max(1, np.abs(wave.astype(np.int32)).max()) for wave in heard.waves]
    levels = [data.mu_law(w / peak) for w, peak in zip(heard.waves, peaks, strict=True)]
    rng = Generator(0)  # in a new order, so that the first of a part are of all digits and speakers
    order = rng.permutation(len(levels)).tolist()
    train, test = (
        tuple(levels[k] for k in order if (heard.takes[k] < TESTED) == tested)
        for tested in (False, True)
    )
    return data.Waves("spoken_waves", train, test, heard.rate)
