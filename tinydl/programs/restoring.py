"""What autoencoders of pictures are for: to give them back small, without noise, in colour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..experiment.program import Card, Settings
from ..models.autoencoders.colouring import LUMA, chroma_error
from ..models.autoencoders.denoising import GaussianNoise, denoising_loss
from ..random import Generator
from ..tensor import Tensor
from ..train import predict
from .parts import Parts, load_parts

SHOWN = 10  # pictures of a page, each a column


class Pictures(NamedTuple):
    """train, test (N, H, W, C) of 0 to 1."""

    train: np.ndarray
    test: np.ndarray


class _OfPictures:
    """What the tasks below have in common: the parts of the recipe, without their classes."""

    shares: ClassVar[tuple[str, ...]] = ()
    lower_is_better: ClassVar[bool] = True
    split_by_seed: ClassVar[bool] = False

    def load(self, recipe: Card, settings: Settings) -> Parts:
        return load_parts(recipe, settings.dtype)

    def divided(self, loaded: Parts, seed: int, dtype: str) -> Pictures:
        return Pictures(loaded.train[0], loaded.test[0])

    def split(self, data: Pictures) -> str:
        return f"{len(data.train):,} pictures train, {len(data.test):,} of the test part judge"

    def stored(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class Compression(_OfPictures):
    """Pictures through a narrow code and back; the score is "mse", the mean squared error of a
    pixel of 0 to 1."""

    score: ClassVar[str] = "mse"

    def loss(self, model: Any, x: Tensor, rng: Generator) -> Tensor:
        return model.loss(x)

    def measure(self, model: Any, data: Pictures) -> dict[str, float]:
        return {"mse": mean_square(predict(model, data.test) - data.test)}

    def draw(self, model: Any, data: Pictures, folder: Path) -> None:
        """reconstructions.png: above what goes in, below what comes out."""
        some = data.test[:SHOWN]
        page([some, predict(model, some)], folder / "reconstructions.png")


@dataclass(frozen=True)
class Denoising(_OfPictures):
    """Normal noise of deviation sigma on every pixel, clipped to 0 ... 1 as pictures are, has to be
    taken off. The clipping makes the task easier: on black ground half of the noise is gone, and
    the damaged picture is nearer than 20 log10(1 / sigma) dB.

    The score is "psnr", 10 log10(1 / mean squared error) in dB over all pixels of the test part,
    whose noise is the same at every look; beside it "noisy_psnr", that of the damaged pictures.
    """

    sigma: float = 0.5

    score: ClassVar[str] = "psnr"
    lower_is_better: ClassVar[bool] = False

    @property
    def noise(self) -> GaussianNoise:
        return GaussianNoise(self.sigma, within=(0.0, 1.0))

    def damaged(self, x: np.ndarray, seed: int) -> np.ndarray:
        """Pictures with the noise of that seed."""
        return self.noise(Tensor(x, backend="numpy"), Generator(seed)).numpy()

    def loss(self, model: Any, x: Tensor, rng: Generator) -> Tensor:
        return denoising_loss(model, x, self.noise, rng)

    def measure(self, model: Any, data: Pictures) -> dict[str, float]:
        noisy = self.damaged(data.test, 0)
        found = {"psnr": predict(model, noisy), "noisy_psnr": noisy}
        return {name: decibels(guess, data.test) for name, guess in found.items()}

    def draw(self, model: Any, data: Pictures, folder: Path) -> None:
        """denoised.png: with the noise, without it, and the truth."""
        some = data.test[:SHOWN]
        noisy = self.damaged(data.test, 0)[:SHOWN]
        page([noisy, predict(model, noisy), some], folder / "denoised.png")

    def stored(self) -> dict[str, Any]:
        return {"sigma": self.sigma}


@dataclass(frozen=True)
class Colouring(_OfPictures):
    """Grey pictures are to be given their colours. The score is "chroma", the mean squared error of
    what colours have beside their grey (`models.autoencoders.colouring`); beside it "mse"."""

    score: ClassVar[str] = "chroma"

    def loss(self, model: Any, x: Tensor, rng: Generator) -> Tensor:
        return model.loss(x)

    def measure(self, model: Any, data: Pictures) -> dict[str, float]:
        guess = predict(model, greyed(data.test))
        return {"chroma": chroma_error(guess, data.test), "mse": mean_square(guess - data.test)}

    def draw(self, model: Any, data: Pictures, folder: Path) -> None:
        """colours.png: grey, coloured, the truth."""
        some = data.test[:SHOWN]
        grey = greyed(some)
        page([np.repeat(grey, 3, axis=3), predict(model, grey), some], folder / "colours.png")


def greyed(x: np.ndarray) -> np.ndarray:
    """(N, H, W, 3) as (N, H, W, 1), of the same type."""
    return (x @ LUMA.astype(x.dtype))[..., None]


def mean_square(x: np.ndarray) -> float:
    return float(np.mean(np.square(x, dtype=np.float64)))


def decibels(guess: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio 10 log10(1 / mean (guess - truth)^2) of values of 0 to 1."""
    return float(-10 * np.log10(mean_square(guess - truth)))


def page(rows: list[np.ndarray], path: Path) -> None:
    """Rows of pictures, one above the other; ConfigError without matplotlib."""
    from ..viz import image_grid

    image_grid(np.clip(np.concatenate(rows), 0, 1), path, columns=len(rows[0]))
