"""Augmentations and windows refuse amounts that are no amounts when they are made, not when the
first picture comes."""

import numpy as np
import pytest

from tinydl import data
from tinydl.errors import ConfigError

STEPS = {
    "Rotate: degrees": data.Rotate,
    "Shift: vertical": lambda amount: data.Shift(amount, 0.1),
    "Shift: horizontal": lambda amount: data.Shift(0.1, amount),
    "Brightness: amount": data.Brightness,
    "Contrast: amount": data.Contrast,
    "Saturation: amount": data.Saturation,
}


@pytest.mark.parametrize("words", STEPS)
@pytest.mark.parametrize("amount", [-0.1, float("nan"), float("inf"), "0.1", None])
def test_amounts_are_finite_and_not_negative(words, amount):
    with pytest.raises(ConfigError, match=f"{words} must be a (finite number >= 0|number), got"):
        STEPS[words](amount)


@pytest.mark.parametrize("pixels", [1.5, float("nan"), -1])
def test_pixels_are_whole(pixels):
    for step in (data.Pad, data.ShiftFlip, data.CutOut):
        with pytest.raises(
            ConfigError, match=f"{step.__name__}: (needs|(pixels|size) must be an integer)"
        ):
            step(pixels)


def test_lengths_are_whole():
    with pytest.raises(ConfigError, match=r"windows: length must be an integer, got 1\.5"):
        data.windows(np.arange(9.0), 1.5)
    with pytest.raises(ConfigError, match=r"pad_sequences: length must be .* got 1\.5"):
        data.pad_sequences([[1, 2]], 1.5)
