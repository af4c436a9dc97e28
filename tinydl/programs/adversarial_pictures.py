"""Adversarial training on a data set of pictures, with their classes where a model asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..data import Batches
from ..experiment.card import Recipe
from ..experiment.program import Card, Settings
from ..metrics import clustering_accuracy
from ..models.adversarial.game import Labelled
from ..models.adversarial.infogan import InfoGAN
from ..models.adversarial.stackedgan import StackedGAN
from ..nn import cross_entropy
from ..optim import Adam
from ..random import Generator
from ..tensor import Tensor
from ..train import fit
from .judge import (
    COMPONENTS,
    Beside,
    Judge,
    Seen,
    correlation_within,
    slant_and_width,
)
from .parts import Part, Parts, Split, load_parts, split_of
from .two_players import SHOWN, TwoPlayers, TwoPlayersTraining, write_page

GRID = 40  # samples of a page, ten in a row, as the book shows them
AT_ONCE = 500  # samples in one call of the generator
FITTED = 10_000  # pictures that the components are those of
EVERYTHING = Split()


@dataclass(frozen=True)
class AdversarialPictures(TwoPlayers):
    """A GAN on the pictures of a data set, in [-1, 1]; an epoch is one pass over the training part.

    picture_shape, scale, split: of the data, as in `Supervised`; pad: border of black (-1) around
    each picture, for networks that halve it. encoder_epochs: of the classifier that a `StackedGAN`
    turns around, before its first epoch; apart_epochs: how many of its epochs each of its levels is
    trained by itself. judge: the recipe of a classifier of the same pictures, without their border,
    that looks at samples; None: the projection on the first 30 principal components of 10,000
    training pictures does, which sees no more than means and covariances.

    Measures: those of `Beside.scores`, after an epoch of 2,000 samples, at the end of as many as
    half the test part. The score "way" is how far samples are on the way from real pictures (0) to
    noise (1). For an `InfoGAN` also "code_agreement", its classes after the best naming, and
    "code_slant" and "code_width", what the first code's correlation with both is within a class.
    Beside them `Beside.ends`.
    """

    picture_shape: tuple[int, ...] = (28, 28, 1)
    scale: float = 255.0
    pad: int = 0
    encoder_epochs: int = 0
    apart_epochs: int = 0
    split: Split = EVERYTHING
    judge: Recipe | None = None
    score: str = "way"

    kind: ClassVar[str] = "adversarial_pictures"
    what: ClassVar[str] = "a generator of pictures with a critic"

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Of a latent vector; () where a generator is told something beside it."""
        told = issubclass(self.model, (Labelled, InfoGAN))
        return () if told else (self.architecture.get("latent", 100),)

    def load(self, recipe: Card, settings: Settings) -> Displayed:
        return Displayed(recipe, settings)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> PicturesTraining:
        return PicturesTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    @property
    def lower_is_better(self) -> bool:  # type: ignore[override]
        return self.score in ("way", "frechet", "class_frechet")

    def is_share(self, measure: str) -> bool:
        return not measure.endswith(("frechet", "loss", "slant", "width"))

    def sample(self, model: Any, count: int, rng: Generator) -> np.ndarray:
        """Pictures (count, H, W, C) in 0..1."""
        parts = [
            model.sample(min(AT_ONCE, count - n), rng).numpy() for n in range(0, count, AT_ONCE)
        ]
        return (np.concatenate(parts) + 1) / 2

    def drawn(self, model: Any, count: int, rng: Generator) -> tuple[np.ndarray, list[np.ndarray]]:
        """Pictures as in `sample`, and what each was asked for: nothing, its class, or an
        InfoGAN's codes and class."""
        pictures, asked = [], []
        for n in range(0, count, AT_ONCE):
            told = told_to(model, min(AT_ONCE, count - n), rng)
            pictures.append(model.sample(min(AT_ONCE, count - n), rng, *told).numpy())
            asked.append([tensor.numpy() for tensor in told])
        columns = [np.concatenate(column) for column in zip(*asked, strict=True)]
        return (np.concatenate(pictures) + 1) / 2, columns

    def draw(self, model: Any, path: Path, rng: Generator) -> None:
        """A page of samples; ConfigError without Pillow."""
        write_page(self.sample(model, GRID, rng), path)


def told_to(model: Any, count: int, rng: Generator) -> tuple[Tensor, ...]:
    """What a step of the generator would tell it beside the noise."""
    if isinstance(model, InfoGAN):
        return model.told(count, rng)
    if isinstance(model, Labelled):
        return (Tensor(np.arange(count) % model.classes, backend=model.backend),)
    return ()


class Displayed:
    """The pictures of a recipe, as the networks take them, and who looks at samples of them."""

    def __init__(self, recipe: Card, settings: Settings) -> None:
        program: AdversarialPictures = recipe.program
        parts: Parts = load_parts(recipe, settings.dtype)
        self.plain = parts.train
        self.train, self.test = (prepared(p, program.pad) for p in (parts.train, parts.test))
        self.judge = None if program.judge is None else Judge(program.judge, settings)
        self.eyes: Any = Projection(self.plain[0]) if self.judge is None else self.judge
        self._real = parts.test
        self._beside: Beside | None = None

    @property
    def beside(self) -> Beside:
        """Made when first asked: a judge may have to be trained."""
        if self._beside is None:
            self._beside = Beside(self.eyes, self._real)
        return self._beside


class PicturesTraining(TwoPlayersTraining):
    """Shuffled batches of the training part."""

    def __init__(self, recipe: Card, settings: Settings, data: Displayed) -> None:
        self.pictures, self.plain = data, data.plain
        super().__init__(recipe, settings)

    @property
    def beside(self) -> Beside:
        """The real pictures."""
        return self.pictures.beside

    @property
    def asks(self) -> bool:
        """Whether samples are asked for by their class."""
        return self.pictures.judge is not None and isinstance(self.model, Labelled)

    def data_streams(self) -> dict[str, Any]:
        size, rng = self.program.batch_size, self.generator.spawn()
        self.data = Batches(self.pictures.train, size, shuffle=True, rng=rng, drop_last=True)
        streams: dict[str, Any] = {"pictures": self.data}
        if isinstance(self.model, StackedGAN):
            self.model.encoder.freeze()
            streams["encoder"] = self.generator.spawn()
        return streams

    def housed(self, folder: Path) -> None:
        if self.pictures.judge is not None:
            self.pictures.judge.live_in(folder)

    def batches(self) -> Iterator[list[Tensor]]:
        told = isinstance(self.model, Labelled)
        for batch in self.data:
            yield [Tensor(array, backend=self.model.backend) for array in batch[: 2 if told else 1]]

    @property
    def apart(self) -> bool:
        """Whether a stack's levels are still trained by themselves."""
        return isinstance(self.model, StackedGAN) and self.state.epoch < self.program.apart_epochs

    def critic_loss(self, batch: Sequence[Tensor]) -> Tensor:
        game: Any = self.model
        if not self.apart:
            return super().critic_loss(batch)
        return game.critic_loss(*batch, self.noise(), apart=True)

    def generator_loss(self, batch: Sequence[Tensor]) -> Tensor:
        game: Any = self.model
        if not self.apart:
            return super().generator_loss(batch)
        return game.generator_loss(len(batch[0]), self.noise(), batch[0])

    def epoch(self) -> dict[str, float]:
        if self.state.epoch == 0 and self.program.encoder_epochs:
            self._first_stage()
        return super().epoch()

    def _first_stage(self) -> None:
        """The encoder of a stack learns the classes of real pictures, and is frozen."""
        encoder: Any = self.model.encoder  # type: ignore[attr-defined]
        encoder.unfreeze()
        batches = Batches(self.pictures.train, self.program.batch_size, rng=self.streams["encoder"])
        optimizer, epochs = Adam(encoder.named_parameters(), 0.001), self.program.encoder_epochs
        both = {"progress": False, "parallel": self.parallel}
        fit(encoder, batches, cross_entropy, optimizer, epochs, **both)  # type: ignore[arg-type]
        encoder.freeze()

    def looked_at(self) -> dict[str, float]:
        return self._scores(min(SHOWN, len(self.beside)), Generator(self.state.epoch))

    def _scores(self, count: int, rng: Generator) -> dict[str, float]:
        drawn, asked = self.program.drawn(self.model, count, rng)
        if pad := self.program.pad:
            drawn = drawn[:, pad:-pad, pad:-pad]
        seen = self.pictures.eyes.see(drawn)
        found = self.beside.of(seen, asked[0] if self.asks else None)
        if isinstance(self.model, InfoGAN) and seen.classes is not None:
            code, kind = asked
            found |= codes_told(seen.pictures, seen.classes, code, kind, self.model.classes)
        return found

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        found = self._scores(len(self.beside), Generator(0))
        return {**found, **self.beside.ends(self.asks)}

    def split(self) -> str:
        count = len(self.pictures.test[0])
        half = -(-count // 2)
        return f"{half:,} samples beside as many of {count:,} pictures; {split_of(self.recipe)}"


def codes_told(
    pictures: np.ndarray, named: np.ndarray, code: np.ndarray, kind: np.ndarray, classes: int
) -> dict[str, float]:
    """What the codes of an InfoGAN decide about its pictures (N, H, W, 1), of classes `named`."""
    slant, width = slant_and_width(pictures)
    found = {"code_slant": slant, "code_width": width}
    told = {name: abs(correlation_within(code[:, 0], v, kind)) for name, v in found.items()}
    return {"code_agreement": clustering_accuracy(named, kind, classes), **told}


def prepared(part: Part, pad: int) -> Part:
    """Pictures in [0, 1] as [-1, 1], with a border of -1."""
    x, y = part
    border = ((0, 0), (pad, pad), (pad, pad), (0, 0))
    return np.ascontiguousarray(np.pad(2 * x - 1, border, constant_values=-1)), y


class Projection:
    """Pictures on the principal components of training pictures."""

    def __init__(self, pictures: np.ndarray) -> None:
        some = pictures[:FITTED]
        rows = some.reshape(len(some), -1).astype(np.float64)
        self.mean = rows.mean(axis=0)
        _, vectors = np.linalg.eigh(np.cov((rows - self.mean).T))
        self.axes = vectors[:, -COMPONENTS:]  # eigh: the largest come last

    def see(self, pictures: np.ndarray) -> Seen:
        rows = pictures.reshape(len(pictures), -1)
        return Seen(pictures, (rows - self.mean) @ self.axes)
