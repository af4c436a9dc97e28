"""Sounding: a network learns which sample follows, and says how surprising the test part is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import log
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..data import Waves, mu_law_inverse
from ..data.formats.wav import write_wav
from ..errors import ConfigError
from ..experiment.datasets import load_dataset
from ..experiment.program import Card, Program, Settings, Streams, Training
from ..function import no_grad
from ..models import WaveNet
from ..optim import Adam
from ..random import Generator
from ..tensor import Tensor
from ..train import History, State
from .supervised import warmed_cosine

STORED = ("architecture", "updates", "batch_size", "length", "tested", "lr", "seconds")
WRITTEN = "sample.wav"


@dataclass(frozen=True)
class Sounding(Program):
    """`WaveNet(**architecture)` on levels of sound (`Waves`), the recordings one after the other.

    An epoch is `updates` updates on `batch_size` stretches of `length` samples from random places;
    a stretch's first samples, whose predictions see less than the receptive field, are learnt too.
    Adam, its rate up to lr and down again, gradients clipped to norm 1. score: "bits", the mean of
    -log2 p over the first `tested` samples of the test part. After the last epoch the run folder
    holds `seconds` seconds of sound that the network made (sample.wav).
    """

    architecture: Mapping[str, Any] = field(default_factory=dict)
    updates: int = 100
    batch_size: int = 4
    length: int = 3_000
    tested: int = 100_000
    lr: float = 0.003
    seconds: float = 1.0
    score: str = "bits"

    model: ClassVar[type[WaveNet]] = WaveNet  # type: ignore[misc]
    input_shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]
    kind: ClassVar[str] = "sounding"
    what: ClassVar[str] = "a network that makes sound"
    alone: ClassVar[str] = ""
    lower_is_better: ClassVar[bool] = True

    def build(self) -> WaveNet:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Waves:
        return load_dataset(recipe.dataset)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> SoundingTraining:
        waves = self.load(recipe, settings) if data is None else data
        return SoundingTraining(recipe, settings, waves)

    def stored(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in STORED}

    def restored(self, stored: Mapping[str, Any]) -> Sounding:
        if set(stored) != set(STORED):
            raise ConfigError("the settings are not those of a network that makes sound")
        return replace(self, **stored)


class SoundingTraining(Training):
    """Stretches drawn by one stream of random numbers."""

    model: WaveNet

    def __init__(self, recipe: Card, settings: Settings, waves: Waves) -> None:
        self.program: Sounding = recipe.program
        self.waves = waves
        self.train = np.concatenate(waves.train)
        self.test = np.concatenate(waves.test)[: self.program.tested]
        if min(len(self.train), len(self.test)) <= self.program.length:
            raise ConfigError(f"recipe {recipe.name}: too little sound for its stretches")
        super().__init__(recipe, settings)

    def started(self) -> State:
        program, epochs = self.program, self.recipe.epochs
        self.optimizer = Adam(self.model.named_parameters(), program.lr)
        self.rate = warmed_cosine(program.lr, epochs * program.updates)
        self.streams = Streams(places=self.generator.spawn())
        batches: Any = self.streams
        return State(self.model, self.optimizer, batches, History(), 0, epochs)

    def epoch(self) -> dict[str, float]:
        program, total = self.program, 0.0
        last, streams = len(self.train) - program.length, self.streams
        drawn = (
            (streams["places"].integers(0, last, program.batch_size),)
            for _ in range(program.updates)
        )
        for k, (places,) in enumerate(self.shared(drawn), self.state.epoch * program.updates):
            x = self.train[places[:, None] + np.arange(program.length)]
            self.optimizer.lr = self.rate(k)
            loss = self.model.loss(Tensor(x, backend=self.model.backend))
            total += self.descend(loss, self.parallel.own(len(places)), clip=1.0)
        mean = self.total(total)[0] / (program.updates * program.batch_size)
        return {"loss": mean, "bits": mean / log(2)}

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        return {"bits": self.surprise() / log(2)}

    def surprise(self) -> float:
        """The mean of -ln p of all samples of the test part but the first, each stretch after as
        much as the network sees."""
        self.model.eval()
        size, before, total = self.program.length, self.model.receptive_field, 0.0
        with no_grad():
            for start in range(0, len(self.test) - 1, size):
                first = max(0, start - before)
                x = self.test[None, first : start + size + 1]
                loss = self.model.loss(Tensor(x, backend=self.model.backend), start - first)
                total += loss.item() * min(size, len(self.test) - 1 - start)
        return total / (len(self.test) - 1)

    def watchers(self, folder: Path) -> list[Any]:
        return [WriteSound(self, folder / WRITTEN)]

    def samples(self, part: str) -> int:
        return len(self.test)

    def split(self) -> str:
        return f"the first {len(self.test):,} samples of the test part"


class WriteSound:
    """A callback that lets the network make sound, when training is done."""

    def __init__(self, training: SoundingTraining, path: Path) -> None:
        self.training, self.path = training, path

    def on_epoch_done(self, state: State) -> None:
        training = self.training
        if state.epoch == training.recipe.epochs:
            rate = training.waves.rate
            steps = int(rate * training.program.seconds)
            levels = training.model.generate(steps, Generator(0), temperature=0.9)
            write_wav(self.path, mu_law_inverse(levels, training.model.levels), rate)
