"""Sounds in class folders, as spectra."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..data import log_mel, resample
from ..data.folders.sounds import MAX_SOUND, audio_folder
from ..data.formats.wav import decode_wav
from ..errors import FormatError
from ..experiment.card import Recipe
from ..experiment.sounds import normal_spectrum, one_length
from ..foreign import read_regular
from ..quoting import shown
from .gathered import Gathered, digest, in_folders
from .kept import Own
from .options import Options

#: Parts of a second that a frame has, and after which the next begins, as in `log_mel` at 8,000.
LENGTH, HOP = 40, 100


def gather(path: str, options: Options) -> Gathered:
    """The sounds of class folders, of the rate of most; the errors of `audio_folder`."""
    options.only_for("sounds", target=options.target, group=options.group)
    return _gathered(path, options, None)


def _gathered(path: str, options: Options, rate: int | None) -> Gathered:
    found = audio_folder(path, options.follow_links, rate)
    pairs = zip(found.files, found.stored, strict=True)
    content = [(file, wave.astype("<i2").tobytes()) for file, wave in pairs]
    return in_folders(found, found.waves, digest(content), rate=found.rate)


def learn(
    gathered: Gathered, train: np.ndarray, options: Options, recipe: Recipe
) -> dict[str, Any]:
    """Steps of a hundredth of a second, bands, and samples a second."""
    steps, bands = (options.size * 2)[:2] if options.size else recipe.program.input_shape[:2]
    return {"steps": int(steps), "bands": int(bands), "rate": gathered.extra["rate"]}


def remarks(gathered: Gathered, preparation: Mapping[str, Any]) -> list[str]:
    """How many sounds are longer than what the network hears."""
    rate, steps = preparation["rate"], preparation["steps"]
    longer = sum(len(wave) > rate * steps / HOP for wave in gathered.x)
    told = f"{rate:,} samples a second; {steps / HOP:g} s are heard"
    return [told + (f", the middle of {longer:,} longer sounds" if longer else "")]


def elsewhere(own: Own, path: str, options: Options) -> Gathered:
    """The sounds of another folder, of classes that the run knows, at the run's rate."""
    return _gathered(path, options, own.preparation["rate"])


def inputs(gathered: Gathered, preparation: Mapping[str, Any]) -> np.ndarray:
    """(N, steps, bands, 1) float32."""
    return np.stack([spectrum(wave, preparation) for wave in gathered.x])[..., None]


def targets(gathered: Gathered, preparation: Mapping[str, Any]) -> np.ndarray:
    """(N,) classes."""
    labels: np.ndarray = gathered.y
    return labels


def spectrum(wave: np.ndarray, preparation: Mapping[str, Any]) -> np.ndarray:
    """(steps, bands) of a wave: mean 0, deviation 1, the middle of what is longer."""
    rate, bands = preparation["rate"], preparation["bands"]
    own = log_mel(wave, rate, bands, max(1, rate // LENGTH), max(1, rate // HOP))
    return one_length(normal_spectrum(own), preparation["steps"])


def heard(own: Own, file: str) -> np.ndarray:
    """(1, steps, bands, 1) of a WAV file, brought to the rate of the run."""
    rate, wave = decode_wav(read_regular(file, MAX_SOUND, "predict"), file)
    if not len(wave):
        raise FormatError(f"wav: {shown(file)} holds no sound")
    wave = resample(wave, rate, own.preparation["rate"])
    return spectrum(wave, own.preparation)[None, :, :, None]
