"""Diffusion training: a network learns what noise is in a picture, and draws by taking it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..arguments import number, whole
from ..data import Batches
from ..errors import ConfigError
from ..experiment.card import Recipe
from ..experiment.program import (
    SAMPLE,
    Card,
    Group,
    Program,
    Settings,
    Streams,
    Training,
    taken_over,
)
from ..models.diffusion.ddpm import DDPM
from ..optim import Adam
from ..optim.clipping import WeightAverage
from ..random import Generator
from ..tensor import Tensor
from ..train import History, State
from ..viz.animation import save_animation
from ..viz.pixels import make_grid
from .adversarial_pictures import Displayed
from .judge import Beside
from .parts import Split, split_of
from .two_players import SampleGrids, write_page

EVERYTHING = Split()
GRID = 40  # samples of a page
AT_ONCE = 250  # samples on their way back together
MOMENTS = 10  # of the way back, in a row of the sheet
STILL = 10  # times that the film shows its last page
NOT_STORED = ("model", "architecture", "score", "split", "picture_shape", "judge")
MAY_CHANGE = ("batch_size", "lr")


@dataclass(frozen=True)
class Diffusing(Program):
    """model(**architecture), a `DDPM`, on the pictures of a data set, in [-1, 1].

    An epoch is one pass over the training part in a new order, a step of Adam with rate lr after
    each batch. What is judged, drawn and kept has the average of the weights over the steps
    (`WeightAverage` with `decay`). Samples take `back` steps of DDIM with eta, their class made
    plainer by `guidance`. judge: the recipe of the classifier that looks at them, as in
    `AdversarialPictures`.

    After an epoch: "loss", and what the judge says of `looked` samples. At the end: `Beside.scores`
    of as many as half the test part, `Beside.ends`, and "real_agreement", how often the judge names
    real pictures rightly.
    """

    model: type[DDPM] = DDPM
    architecture: Mapping[str, Any] = field(default_factory=dict)
    judge: Recipe | None = None
    batch_size: int = 32
    lr: float = 0.001
    decay: float = 0.999
    back: int = 20
    eta: float = 0.0
    guidance: float = 1.0
    looked: int = 200
    picture_shape: tuple[int, ...] = (28, 28, 1)
    scale: float = 255.0
    split: Split = EVERYTHING
    score: str = "way"

    kind: ClassVar[str] = "diffusing"
    what: ClassVar[str] = "a diffusion of pictures"
    alone: ClassVar[str] = ""
    abilities: ClassVar[frozenset[str]] = frozenset({SAMPLE})
    input_shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]
    pad: ClassVar[int] = 0

    def __post_init__(self) -> None:
        for name in ("batch_size", "back", "looked"):
            whole(self.kind, name, getattr(self, name), 1)

    @property
    def lower_is_better(self) -> bool:  # type: ignore[override]
        return self.score in ("way", "frechet", "class_frechet")

    def build(self) -> DDPM:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Displayed:
        return Displayed(recipe, settings)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> DiffusingTraining:
        loaded = self.load(recipe, settings) if data is None else data
        return DiffusingTraining(recipe, settings, loaded)

    def stored(self) -> dict[str, Any]:
        kept = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in NOT_STORED}
        return {"model": self.model.__name__, "architecture": dict(self.architecture), **kept}

    def restored(self, stored: Mapping[str, Any]) -> Diffusing:
        taken = taken_over(self, stored, MAY_CHANGE)
        size = whole(self.kind, "batch_size", taken["batch_size"], 1)
        return replace(self, batch_size=size, lr=number(self.kind, "lr", taken["lr"]))

    def facts(self) -> dict[str, Any]:
        return self.stored()

    def is_share(self, measure: str) -> bool:
        return not measure.endswith(("frechet", "loss"))

    def sample(
        self, model: Any, count: int, rng: Generator, film: list[np.ndarray] | None = None
    ) -> np.ndarray:
        """Pictures (count, H, W, C) in 0..1, of the classes in turn; film: as in `DDPM.sample`, of
        the first AT_ONCE."""
        how = {"steps": self.back, "eta": self.eta, "guidance": self.guidance}
        classes, parts = np.arange(count) % model.classes, []
        for n in range(0, count, AT_ONCE):
            labels = Tensor(classes[n : n + AT_ONCE], backend=model.backend)
            seen = film if n == 0 else None
            parts.append(model.sample(len(labels), rng, labels, film=seen, **how).numpy())
        return (np.concatenate(parts) + 1) / 2

    def draw(self, model: Any, path: Path, rng: Generator) -> None:
        """A page of samples; ConfigError without Pillow."""
        write_page(self.sample(model, GRID, rng), path)


class Averaged:
    """A `WeightAverage` where a checkpoint expects an optimiser. The model holds the averages, and
    the weights that Adam moves are here, but for the time between `begin` and `end`."""

    lr = 0.0  # nothing here has a rate

    def __init__(self, model: DDPM, decay: float) -> None:
        self.average = WeightAverage(model.parameters(), decay)
        self.begin = self.end = self.average.swap

    def state_dict(self) -> dict[str, dict[str, Any]]:
        return {"scalars": {}, "arrays": self.average.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.average.load_state_dict(state["arrays"])


class DiffusingTraining(Training):
    """Shuffled batches of the training part; times and noise have a stream of their own."""

    model: DDPM

    def __init__(self, recipe: Card, settings: Settings, data: Displayed) -> None:
        self.program: Diffusing = recipe.program
        self.pictures, self.plain = data, data.plain
        super().__init__(recipe, settings)

    @property
    def beside(self) -> Beside:
        """The real pictures."""
        return self.pictures.beside

    @property
    def asks(self) -> bool:
        """Whether samples are asked for by their class."""
        return self.pictures.judge is not None

    def started(self) -> State:
        program = self.program
        self.optimizer = Adam(self.model.named_parameters(), program.lr)
        self.averaged = Averaged(self.model, program.decay)
        self.batches = Batches(
            self.pictures.train,
            program.batch_size,
            shuffle=True,
            rng=self.generator.spawn(),
            drop_last=True,
        )
        self.streams = Streams(pictures=self.batches, noise=self.generator.spawn())  # type: ignore[arg-type]
        group: Any = Group(model=self.optimizer, averaged=self.averaged)
        return State(self.model, group, self.streams, History(), 0, self.recipe.epochs)  # type: ignore[arg-type]

    def housed(self, folder: Path) -> None:
        if self.pictures.judge is not None:
            self.pictures.judge.live_in(folder)

    def watchers(self, folder: Path) -> Sequence[Any]:
        return (SampleGrids(folder / "samples", self.program), WayBack(folder, self.program))

    def epoch(self) -> dict[str, float]:
        self.averaged.begin()
        try:
            losses = [self._step(*batch[:2]) for batch in self.shared(self.batches)]
        finally:
            self.averaged.end()
        if not losses:
            raise ConfigError(
                f"recipe {self.recipe.name}: no step in an epoch: fewer than "
                f"{self.program.batch_size} pictures"
            )
        loss = self.total(sum(losses))[0] / (len(losses) * self.program.batch_size)
        return {"loss": loss, **self.looked(lambda: self._scores(self.program.looked, ""))}

    def _step(self, x: np.ndarray, y: np.ndarray) -> float:
        """The loss times the pictures."""
        room, noise = self.model.backend, self.parallel.rows(self.streams["noise"])
        loss = self.model.loss(Tensor(x, backend=room), Tensor(y, backend=room), noise)
        found = self.descend(loss, self.parallel.own(len(x)))
        self.averaged.average.update()
        return found

    def _scores(self, most: int, part: str) -> dict[str, float]:
        count = min(most, len(self.beside))
        rng = Generator(0 if part else self.state.epoch)
        drawn = self.program.sample(self.model, count, rng)
        asked = np.arange(count) % self.model.classes if self.asks else None
        return self.beside.of(self.pictures.eyes.see(drawn), asked)

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        beside = self.beside
        found = {**self._scores(len(beside), part), **beside.ends(self.asks)}
        if beside.first.classes is not None:
            found["real_agreement"] = float((beside.first.classes == beside.labels).mean())
        return found

    def split(self) -> str:
        count = len(self.pictures.test[0])
        half = -(-count // 2)
        return f"{half:,} samples beside as many of {count:,} pictures; {split_of(self.recipe)}"


class WayBack:
    """A callback that draws, after the last epoch, how noise becomes pictures: denoising.gif, a
    page of samples at every step, and denoising.png, a row of moments for each class. Without
    Pillow nothing is drawn."""

    def __init__(self, folder: Path, program: Diffusing) -> None:
        self.folder, self.program = folder, program

    def on_epoch_end(self, state: State) -> None:
        if state.epoch < state.epochs:
            return
        film: list[np.ndarray] = []
        model: Any = state.model
        self.program.sample(model, GRID, Generator(0), film)
        frames = np.clip((np.stack(film) + 1) / 2, 0, 1)
        moments = frames[np.linspace(0, len(frames) - 1, MOMENTS).round().astype(int)]
        rows = moments[:, : model.classes].swapaxes(0, 1).reshape(-1, *frames.shape[2:])
        try:
            write_page(rows, self.folder / "denoising.png", MOMENTS)
            pages = [make_grid(larger(frame), 10, 1) for frame in (*frames, *[frames[-1]] * STILL)]
            save_animation(np.stack(pages), self.folder / "denoising.gif", 0.1)
        except ConfigError:  # no library that draws
            return


def larger(pictures: np.ndarray) -> np.ndarray:
    """Three pixels for one."""
    return pictures.repeat(3, axis=1).repeat(3, axis=2)
