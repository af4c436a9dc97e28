"""Reconstructing: a network gives back what it was shown, or what that was before the damage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from ..arguments import number, whole
from ..errors import ConfigError
from ..experiment.program import Card, Program, Settings, Streams, Training, taken_over
from ..models.autoencoders.denoising import DenoisingAutoencoder
from ..models.autoencoders.sparse import SparseAutoencoder
from ..nn import Module, looking
from ..optim import Adam
from ..random import Generator
from ..tensor import Tensor
from ..train import History, State
from .parts import Split

EVERYTHING = Split()


class Task(Protocol):
    """What an autoencoder is for: its data, its loss, how it is judged, what is drawn.

    score: the measure that tables show; lower_is_better; shares: measures that are fractions of 1;
    split_by_seed: whether a training's seed also decides what it is tested on.
    load(recipe, settings): whatever is loaded once. divided(loaded, seed, dtype): what one training
    sees, with `train`, the array (N, ...) of its rows. measure(model, data): every measure.
    draw(model, data, folder): pictures, of a trained model.
    """

    @property
    def score(self) -> str: ...
    @property
    def lower_is_better(self) -> bool: ...
    @property
    def shares(self) -> tuple[str, ...]: ...
    @property
    def split_by_seed(self) -> bool: ...
    def load(self, recipe: Card, settings: Settings) -> Any: ...
    def divided(self, loaded: Any, seed: int, dtype: str) -> Any: ...
    def loss(self, model: Any, x: Tensor, rng: Generator) -> Tensor: ...
    def measure(self, model: Any, data: Any) -> dict[str, float]: ...
    def draw(self, model: Any, data: Any, folder: Path) -> None: ...
    def split(self, data: Any) -> str: ...
    def stored(self) -> dict[str, Any]: ...


def own_loss(model: Any, x: Tensor, rng: Generator) -> Tensor:
    """The model's, with the stream of random numbers where it damages its input."""
    return model.loss(x, rng) if isinstance(model, DenoisingAutoencoder) else model.loss(x)


@dataclass(frozen=True)
class Reconstructing(Program):
    """model(**architecture) learns the rows or pictures of a `Task`, which also judges it.

    An epoch is one pass over the training rows in a new order, a step of Adam with rate lr after
    each batch. scale, split, picture_shape: of pictures, as in `Supervised`; input_shape: of one
    sample as the model takes it. The row of an epoch is the mean "loss" while the weights changed.
    """

    model: type[Module]
    architecture: Mapping[str, Any]
    task: Task
    input_shape: tuple[int, ...]
    batch_size: int = 64
    lr: float = 0.001
    scale: float = 255.0
    split: Split = EVERYTHING
    picture_shape: tuple[int, ...] = ()

    kind: ClassVar[str] = "reconstructing"
    what: ClassVar[str] = "an autoencoder"

    @property
    def alone(self) -> str:  # type: ignore[override]
        summed = issubclass(self.model, SparseAutoencoder)
        summed = summed and self.architecture.get("reduction", "sum") == "sum"
        return "its penalty is a sum over the batch, no mean over samples" if summed else ""

    @property
    def score(self) -> str:  # type: ignore[override]
        return self.task.score

    @property
    def lower_is_better(self) -> bool:  # type: ignore[override]
        return self.task.lower_is_better

    @property
    def split_by_seed(self) -> bool:  # type: ignore[override]
        return self.task.split_by_seed

    def build(self) -> Module:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Any:
        return self.task.load(recipe, settings)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> ReconstructingTraining:
        return ReconstructingTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    def stored(self) -> dict[str, Any]:
        return {
            "model": self.model.__name__,
            "architecture": {k: _plain(v) for k, v in self.architecture.items()},
            "task": self.task.stored(),
            "batch_size": self.batch_size,
            "lr": self.lr,
        }

    def restored(self, stored: Mapping[str, Any]) -> Reconstructing:
        taken = taken_over(self, stored, ("batch_size", "lr"))
        size = whole("Reconstructing", "batch_size", taken["batch_size"], 1)
        return replace(self, batch_size=size, lr=number("Reconstructing", "lr", taken["lr"]))

    def is_share(self, measure: str) -> bool:
        return measure in self.task.shares


def _plain(value: Any) -> Any:
    """A setting as JSON can hold it: a corruption is its text."""
    return value if isinstance(value, (str, int, float, list, tuple)) else str(value)


class ReconstructingTraining(Training):
    """Batches in an order drawn anew; damage has a stream of its own."""

    def __init__(self, recipe: Card, settings: Settings, loaded: Any) -> None:
        self.program: Reconstructing = recipe.program
        self.data = self.program.task.divided(loaded, settings.seed, settings.dtype)
        super().__init__(recipe, settings)

    def started(self) -> State:
        self.optimizer = Adam(self.model.named_parameters(), self.program.lr)
        self.streams = Streams(order=self.generator.spawn(), damage=self.generator.spawn())
        batches: Any = self.streams
        return State(self.model, self.optimizer, batches, History(), 0, self.recipe.epochs)

    def epoch(self) -> dict[str, float]:
        size, x, losses = self.program.batch_size, self.data.train, 0.0
        order = self.streams["order"].permutation(len(x))
        batches = ((x[order[start : start + size]],) for start in range(0, len(x), size))
        for (batch,) in self.shared(batches):
            rows = Tensor(np.ascontiguousarray(batch), backend=self.model.backend)
            damage = self.parallel.rows(self.streams["damage"])
            loss = self.program.task.loss(self.model, rows, damage)
            losses += self.descend(loss, self.parallel.own(len(batch)))
        return {"loss": self.total(losses)[0] / len(x)}

    def watchers(self, folder: Path) -> Sequence[Any]:
        return (DrawnAtLast(folder / "pictures", self.program.task, self.data),)

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        with looking(self.model):
            return self.program.task.measure(self.model, self.data)

    def split(self) -> str:
        return self.program.task.split(self.data)


class DrawnAtLast:
    """A callback that draws the task's pictures into a folder after the last epoch. Without
    matplotlib nothing is drawn."""

    def __init__(self, folder: Path, task: Task, data: Any) -> None:
        self.folder, self.task, self.data = folder, task, data

    def on_epoch_end(self, state: State) -> None:
        if state.epoch < state.epochs:
            return
        self.folder.mkdir(exist_ok=True)
        try:
            with looking(state.model):
                self.task.draw(state.model, self.data, self.folder)
        except ConfigError:  # no matplotlib
            return
