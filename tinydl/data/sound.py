"""Sound as numbers that networks like: spectra on the ear's scales, and 256 levels of loudness.

A wave (T,) is cut into overlapping frames, each frame becomes the power of its frequencies, those
are gathered in triangles that widen with the frequency (the mel scale), and their logarithm is
taken: the ear hears ratios, of pitch and of loudness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..arguments import array, axes, integers
from ..doors import checked, checked_fields
from ..errors import ConfigError, DTypeError, ShapeError

if TYPE_CHECKING:
    from ..random import Generator

MOST_SAMPLES = 1 << 26  # of a wave at another rate
FLOOR = 1e-6  # power that counts as silence: the square of a thousandth of full scale


@checked
def frames(wave: np.ndarray, length: int, hop: int) -> np.ndarray:
    """(F, length): the stretches of wave (T,) that begin at 0, hop, 2 hop ...; F = ceil of (T -
    length) / hop, + 1, the last filled with zeros. ConfigError for sizes below 1, or no wave."""
    wave = axes("frames", "wave", wave)
    if min(length, hop) < 1 or wave.ndim != 1:
        raise ConfigError(
            f"frames: needs a wave (T,), length and hop >= 1, got {wave.shape}, {length}, {hop}"
        )
    count = 1 + max(0, -(-(len(wave) - length) // hop))
    padded = np.zeros((count - 1) * hop + length, wave.dtype)
    padded[: len(wave)] = wave
    return padded[np.arange(count)[:, None] * hop + np.arange(length)]


@checked
def resample(wave: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """int16 samples (T,) at another rate, (ceil of T wanted / rate,) int16: the frequencies that
    both rates have, and no others (the DFT cut off, or continued with zeros). A wave of the wanted
    rate is itself. DTypeError for other samples; ConfigError for no wave, rates below 1, and more
    than 2^26 samples."""
    wave = axes("resample", "wave", wave)
    if wave.dtype != np.int16:
        raise DTypeError(f"resample: wave must be int16, got {wave.dtype}")
    if min(rate, wanted) < 1 or wave.ndim != 1 or not len(wave):
        raise ConfigError(
            f"resample: needs a wave (T,) and rates >= 1, got {wave.shape}, {rate}, {wanted}"
        )
    if rate == wanted:
        return wave
    size = -(-len(wave) * wanted // rate)
    if size > MOST_SAMPLES:
        raise ConfigError(f"resample: {rate:,} to {wanted:,} a second would be {size:,} samples")
    spectrum = np.fft.rfft(wave.astype(np.float64))
    again = np.fft.irfft(spectrum[: size // 2 + 1], size) * (size / len(wave))
    return np.clip(np.rint(again), -32_768, 32_767).astype(np.int16)


@checked
def mel_filters(bands: int, length: int, rate: int) -> np.ndarray:
    """(length // 2 + 1, bands): what each frequency of a frame gives to each band.

    Band b is a triangle over the frequencies: it rises from the middle of band b - 1 to its own
    and falls to that of b + 1. The middles are even on mel(f) = 2595 log10(1 + f / 700), from 0 to
    rate / 2 (O'Shaughnessy 1987). ConfigError for sizes below 1.
    """
    if min(bands, length, rate) < 1:
        raise ConfigError(f"mel_filters: sizes must be >= 1, got {bands}, {length}, {rate}")
    highest = 2595 * np.log10(1 + rate / 2 / 700)
    middles = 700 * (10 ** (np.linspace(0, highest, bands + 2) / 2595) - 1)
    f = np.fft.rfftfreq(length, 1 / rate)[:, None]
    below, own, above = middles[:-2], middles[1:-1], middles[2:]
    return np.maximum(0, np.minimum((f - below) / (own - below), (above - f) / (above - own)))


@checked
def log_mel(
    wave: np.ndarray, rate: int = 8_000, bands: int = 32, length: int = 200, hop: int = 80
) -> np.ndarray:
    """(F, bands) float32: ln(power in each mel band of each frame + 1e-6).

    wave (T,): samples in -1 ... 1, or int16. Each of the `frames` is weighted by a Hann window,
    which fades it in and out, and becomes |DFT|^2 / length; `mel_filters` gather. Davis and
    Mermelstein 1980, doi:10.1109/TASSP.1980.1163420. Raises as `frames` and `mel_filters`.
    """
    wave = axes("log_mel", "wave", wave)
    scale = 32_768 if wave.dtype == np.int16 else 1
    cut = frames(wave.astype(np.float64) / scale, length, hop)
    power = np.abs(np.fft.rfft(cut * np.hanning(length))) ** 2 / length
    return np.log(power @ mel_filters(bands, length, rate) + FLOOR).astype(np.float32)


@checked
def mu_law(wave: np.ndarray, levels: int = 256) -> np.ndarray:
    """Levels 0 ... levels - 1, int64, of samples in -1 ... 1 (beyond: cut off).

    f(x) = sign(x) ln(1 + mu |x|) / ln(1 + mu), mu = levels - 1, then rounded: quiet sound gets the
    fine steps (ITU-T G.711; WaveNet, section 2.2). 0 falls on (levels - 1) / 2, rounded to even.
    """
    x, mu = _samples("mu_law", wave), _mu("mu_law", levels)
    squeezed = np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)
    return np.rint((squeezed + 1) / 2 * mu).astype(np.int64)


@checked
def mu_law_inverse(indices: np.ndarray, levels: int = 256) -> np.ndarray:
    """float64 samples in -1 ... 1 in the middle of each level: the inverse of `mu_law` but for its
    rounding. ConfigError for an index outside 0 ... levels - 1."""
    indices, mu = integers("mu_law_inverse", "indices", indices), _mu("mu_law_inverse", levels)
    if indices.size and not 0 <= indices.min() <= indices.max() <= mu:
        raise ConfigError(f"mu_law_inverse: indices must lie in 0 ... {mu}")
    y = 2 * indices / mu - 1
    return np.sign(y) * np.expm1(np.abs(y) * np.log1p(mu)) / mu


def _samples(op: str, wave: np.ndarray) -> np.ndarray:
    wave = array(op, "wave", wave)
    if wave.dtype.kind != "f":
        raise DTypeError(f"{op}: wave must be floats in -1 ... 1, got {wave.dtype}")
    return np.clip(wave.astype(np.float64), -1, 1)


def _mu(op: str, levels: int) -> int:
    if not 2 <= levels <= 65_536:
        raise ConfigError(f"{op}: levels must lie in 2 ... 65536, got {levels}")
    return levels - 1


@checked_fields
@dataclass(frozen=True, slots=True)
class MovedSpectra:
    """A transform for `Batches` of (spectra (N, T, M, 1), ...): each is moved by up to `time` steps
    and `pitch` bands, and a stretch of up to `hidden` steps and one of bands are set to 0.

    A longer or shorter throat moves a voice along the bands; what is hidden must be known from the
    rest (Park et al. 2019, arXiv 1904.08779, without warping). What moves in is 0.
    """

    time: int = 8
    pitch: int = 2
    hidden: int = 6

    def __post_init__(self) -> None:
        if min(self.time, self.pitch, self.hidden) < 0:
            raise ConfigError(
                f"MovedSpectra: must be >= 0, got {self.time}, {self.pitch}, {self.hidden}"
            )

    @checked
    def __call__(self, batch: tuple[np.ndarray, ...], rng: Generator) -> tuple[np.ndarray, ...]:
        if not batch or batch[0].ndim != 4 or 0 in batch[0].shape:
            raise ShapeError("MovedSpectra: spectra must be (N, T, M, 1), the first of a batch")
        x = batch[0]
        T, M = x.shape[1:3]
        moved = np.zeros_like(x)
        most = min(self.time, T), min(self.pitch, M)
        for row, new in zip(x, moved, strict=True):
            t, p = (int(rng.integers(-m, m + 1)) for m in most)
            kept = row[max(-t, 0) : T - max(t, 0), max(-p, 0) : M - max(p, 0)]
            new[max(t, 0) : T + min(t, 0), max(p, 0) : M + min(p, 0)] = kept
            for axis, size in enumerate((T, M)):
                start = int(rng.integers(0, size))
                width = int(rng.integers(0, self.hidden + 1))
                new[(slice(None),) * axis + (slice(start, start + width),)] = 0
        return (moved, *batch[1:])


@dataclass(frozen=True, slots=True, eq=False)
class Waves:
    """Recordings as levels of the mu-law, (T_k,) int64 each, to learn from and to be tested on."""

    name: str
    train: tuple[np.ndarray, ...]
    test: tuple[np.ndarray, ...]
    rate: int
    levels: int = 256
