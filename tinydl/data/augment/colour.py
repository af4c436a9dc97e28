"""Augmentation that leaves every pixel in its place: colours, cut-out, and mix-up of a batch.

uint8 images have values 0 ... 255, float images are taken as 0 ... 1; results are clipped to that,
so these come before standardising. Called as augment.py's: step(sample, rng) -> sample.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...doors import checked, checked_fields
from ...errors import ConfigError, DTypeError, ShapeError
from .steps import Sample, chance, check_extent, restored, uniform

if TYPE_CHECKING:
    from ...random import Generator

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


@checked_fields
@dataclass(frozen=True, slots=True)
class Brightness:
    """image + d, d uniform on [-amount, amount] times the full range."""

    amount: float

    def __post_init__(self) -> None:
        check_extent("Brightness", amount=self.amount)

    @checked
    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        full = full_range(sample.image)
        return _clipped(sample, sample.image + full * uniform(-self.amount, self.amount, rng))


@checked_fields
@dataclass(frozen=True, slots=True)
class Contrast:
    """m + f (image - m), f uniform on [1 - amount, 1 + amount], m the mean of the grey image."""

    amount: float

    def __post_init__(self) -> None:
        check_extent("Contrast", amount=self.amount)

    @checked
    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        mean = grey(sample.image).mean()
        factor = uniform(1 - self.amount, 1 + self.amount, rng)
        return _clipped(sample, mean + factor * (sample.image - mean))


@checked_fields
@dataclass(frozen=True, slots=True)
class Saturation:
    """g + f (image - g), f uniform on [1 - amount, 1 + amount], g the grey image; a grey image
    stays.

    grey = 0.299 R + 0.587 G + 0.114 B.
    """

    amount: float

    def __post_init__(self) -> None:
        check_extent("Saturation", amount=self.amount)

    @checked
    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        factor = uniform(1 - self.amount, 1 + self.amount, rng)
        if sample.image.ndim == 2 or sample.image.shape[2] != 3:
            return sample
        shade = grey(sample.image)[:, :, None]
        return _clipped(sample, shade + factor * (sample.image - shade))


@checked_fields
@dataclass(frozen=True, slots=True)
class CutOut:
    """Sets a size x size square to `value`, its centre anywhere in the picture, so that it may
    reach beyond (DeVries and Taylor 2017, arXiv:1708.04552). Boxes and masks stay: the thing is
    hidden, not gone."""

    size: int
    probability: float = 1.0
    value: float = 0

    def __post_init__(self) -> None:
        whole = isinstance(self.size, int)
        if not whole or self.size < 1 or not 0 <= self.probability <= 1:
            raise ConfigError(
                f"CutOut: needs size >= 1 and probability in [0, 1], got {self.size}, "
                f"{self.probability}"
            )

    @checked
    def __call__(self, sample: Sample, rng: Generator) -> Sample:
        if not chance(self.probability, rng):
            return sample
        image = sample.image.copy()
        places = []
        for n in image.shape[:2]:
            first = int(rng.integers(0, n, 1)[0]) - self.size // 2
            places.append(slice(max(0, first), max(0, first + self.size)))
        image[tuple(places)] = self.value
        return replace(sample, image=image)


class MixUp:
    """A transform for `Batches` of (x, y): l x + (1 - l) x' and l y + (1 - l) y' (Zhang et al.
    2018, arXiv:1710.09412).

    x (N, ...) float, y (N, C) float, one-hot or already soft; x', y' are the same batch in random
    order. One l for the batch, from the beta distribution with both parameters `alpha`. DTypeError
    for integers, which cannot be mixed.
    """

    @checked
    def __init__(self, alpha: float = 0.2) -> None:
        if not 0 < alpha < 1e9:
            raise ConfigError(f"MixUp: alpha must be > 0 and below 1e9, got {alpha}")
        self.alpha = alpha

    @checked
    def __call__(self, batch: tuple[np.ndarray, ...], rng: Generator) -> tuple[np.ndarray, ...]:
        if len(batch) != 2 or min(a.ndim for a in batch) < 1 or len(batch[0]) != len(batch[1]):
            raise ShapeError("MixUp: a batch is x (N, ...) and as many y (N, C)")
        for array in batch:
            if array.dtype.kind != "f":
                raise DTypeError(
                    f"MixUp: needs float arrays (one-hot targets), got {[a.dtype for a in batch]}"
                )
        a, b = gamma(self.alpha, rng), gamma(self.alpha, rng)
        share = a / (a + b) if a + b > 0 else 1.0  # both may underflow for a tiny alpha
        order = rng.permutation(len(batch[0]))
        return tuple(
            (share * array + (1 - share) * array[order]).astype(array.dtype) for array in batch
        )


def gamma(shape: float, rng: Generator) -> float:
    """A draw from the gamma distribution with scale 1 (Marsaglia and Tsang 2000, ACM TOMS
    26:363)."""
    if shape < 1:  # gamma(a) = gamma(a + 1) U^(1 / a)
        return gamma(shape + 1, rng) * (1 - uniform(0, 1, rng)) ** (1 / shape)
    d = shape - 1 / 3
    while True:
        normal = float(rng.normal(1, dtype=np.float64)[0])
        v = (1 + normal / np.sqrt(9 * d)) ** 3
        accepted = 1 - uniform(0, 1, rng)  # in (0, 1]: its logarithm is finite
        if v > 0 and np.log(accepted) < normal * normal / 2 + d - d * v + d * np.log(v):
            return d * v


def full_range(image: np.ndarray) -> float:
    """255 for uint8, 1 for float; DTypeError for anything else."""
    if image.dtype == np.uint8:
        return 255.0
    if image.dtype.kind != "f":
        raise DTypeError(f"augment: images must be uint8 or float, got {image.dtype}")
    return 1.0


def grey(image: np.ndarray) -> np.ndarray:
    """(H, W): the luminance of three channels, the mean of any other number."""
    if image.ndim == 2:
        return image.astype(np.float64)
    return image @ _LUMA if image.shape[2] == 3 else image.mean(axis=2)


def _clipped(sample: Sample, values: np.ndarray) -> Sample:
    values = np.clip(values, 0, full_range(sample.image))
    return replace(sample, image=restored(values, sample.image))
