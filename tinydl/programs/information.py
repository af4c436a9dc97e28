"""Estimating information: a network learns how far two things are from independent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import log
from typing import Any, ClassVar

import numpy as np

from ..arguments import number, whole
from ..experiment.datasets import load_dataset
from ..experiment.program import Card, Group, Program, Settings, Streams, Training, taken_over
from ..function import no_grad
from ..models.information.mine import Bounding, donsker_varadhan, infonce
from ..optim import Adam
from ..random import Generator
from ..tensor import Tensor
from ..train import History, State


@dataclass(frozen=True)
class Informing(Program):
    """model(**architecture), a `Bounding` network, raises its bound on I(x; y) of pairs that are
    drawn anew; the data set is what draws them (`data.CorrelatedGaussians`) and knows the truth.

    An epoch is `updates` steps of Adam, each after `batch_size` pairs. "information" is the mean
    of the bound over `looks` draws of `looked` pairs, "spread" its standard deviation, "infonce"
    the mean of the bound that ends at log `looked`, "ceiling". The score is "error", |information -
    truth| in nats: smaller is better.
    """

    model: type[Bounding]
    architecture: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = 64
    lr: float = 0.001
    updates: int = 100
    looked: int = 512
    looks: int = 20
    score: str = "error"

    kind: ClassVar[str] = "information"
    what: ClassVar[str] = "an estimate of information"
    alone: ClassVar[str] = (
        "its bound is the logarithm of a mean over a whole batch, no mean over samples"
    )
    lower_is_better: ClassVar[bool] = True

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return ()

    def build(self) -> Bounding:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Any:
        return load_dataset(recipe.dataset)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> InformingTraining:
        return InformingTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    def stored(self) -> dict[str, Any]:
        names = ("batch_size", "lr", "updates", "looked", "looks")
        return {
            "model": self.model.__name__,
            "architecture": {k: _plain(v) for k, v in self.architecture.items()},
            **{name: getattr(self, name) for name in names},
        }

    def restored(self, stored: Mapping[str, Any]) -> Informing:
        """What the command line may change is taken over; all else must be the recipe's."""
        taken = taken_over(self, stored, ("batch_size", "lr"))
        size = whole("Informing", "batch_size", taken["batch_size"], 2)
        return replace(self, batch_size=size, lr=number("Informing", "lr", taken["lr"]))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


class InformingTraining(Training):
    """One stream of random numbers for the pairs."""

    model: Bounding

    def __init__(self, recipe: Card, settings: Settings, data: Any) -> None:
        self.program: Informing = recipe.program
        self.data = data
        super().__init__(recipe, settings)

    def started(self) -> State:
        self.optimizer = Adam(self.model.named_parameters(), self.program.lr)
        self.streams = Streams(pairs=self.generator.spawn())
        group: Any = Group(model=self.optimizer)
        return State(self.model, group, self.streams, History(), 0, self.recipe.epochs)  # type: ignore[arg-type]

    def drawn(self, count: int, rng: Generator) -> tuple[Tensor, Tensor]:
        x, y = (a.astype(self.settings.dtype) for a in self.data.draw(count, rng))
        return Tensor(x, backend=self.model.backend), Tensor(y, backend=self.model.backend)

    def epoch(self) -> dict[str, float]:
        losses = 0.0
        for _ in range(self.program.updates):
            loss = self.model.loss(*self.drawn(self.program.batch_size, self.streams["pairs"]))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses += loss.item()
        return {"loss": losses / self.program.updates}

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        program, rng, bounds = self.program, Generator(0), []
        with no_grad():
            for _ in range(program.looks):
                scores = self.model(*self.drawn(program.looked, rng))
                bounds.append([f(scores).item() for f in (donsker_varadhan, infonce)])
        (information, other), spread = np.mean(bounds, axis=0).tolist(), np.std(bounds, axis=0)
        truth = self.data.information
        return {
            "error": abs(information - truth), "information": information,
            "spread": float(spread[0]), "infonce": other, "truth": truth,
            "ceiling": log(program.looked),
        }  # fmt: skip

    def split(self) -> str:
        program = self.program
        return f"{program.looks} draws of {program.looked} pairs"
