"""Recommending: a table of users, films and stars, most of it empty, is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from ..arguments import number, whole
from ..data import Ratings
from ..errors import ConfigError
from ..experiment.datasets import Halves, load_dataset
from ..experiment.program import (
    RECOMMEND,
    Card,
    Program,
    Proposal,
    Settings,
    Streams,
    Training,
    taken_over,
)
from ..models.autoencoders.ratings import RatingsAutoencoder
from ..models.energy.ratings_rbm import MaskedRBM, RatingsRBM
from ..optim import Optimizer
from ..tensor import Tensor
from ..train import History, State


@dataclass(frozen=True)
class Recommending(Program):
    """model(**architecture) learns the training half of a table of stars; the data set is `Halves`.

    model: a `RatingsRBM`, `MaskedRBM` or `RatingsAutoencoder`. An epoch is one pass over
    `model.rows(stars)` in a new order, a step of optimizer(parameters, **optimizer_settings) after
    each batch of `batch_size`. What falls is contrastive divergence of `steps` Gibbs steps, or with
    steps = 0 the model's own loss; plus decay times the sum of all squared weights.

    score: "rmse" in stars over the test half; beside it "mae". Proposals are of films with at least
    `least` ratings in the training half, and to which the user has given none in either half.
    """

    model: type[RatingsRBM | MaskedRBM | RatingsAutoencoder]
    architecture: Mapping[str, Any]
    optimizer: type[Optimizer]
    optimizer_settings: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = 32
    steps: int = 0
    decay: float = 0.0
    least: int = 20
    score: str = "rmse"

    kind: ClassVar[str] = "recommending"
    what: ClassVar[str] = "a machine that recommends films"
    alone: ClassVar[str] = ""
    abilities: ClassVar[frozenset[str]] = frozenset({RECOMMEND})
    lower_is_better: ClassVar[bool] = True
    input_shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]

    def build(self) -> Any:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Halves:
        return load_dataset(recipe.dataset)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> RecommendingTraining:
        return RecommendingTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    def stored(self) -> dict[str, Any]:
        names = ("batch_size", "steps", "decay", "least")
        return {
            "model": self.model.__name__,
            "architecture": dict(self.architecture),
            "optimizer": self.optimizer.__name__,
            "optimizer_settings": dict(self.optimizer_settings),
            **{name: getattr(self, name) for name in names},
        }

    def restored(self, stored: Mapping[str, Any]) -> Recommending:
        taken = taken_over(self, stored, ("batch_size", "optimizer_settings"))
        size = whole("Recommending", "batch_size", taken["batch_size"], 1)
        settings = taken["optimizer_settings"]
        if not isinstance(settings, Mapping):
            raise ConfigError("the settings are not those of the recipe: optimizer_settings")
        return replace(self, batch_size=size, optimizer_settings=dict(settings))

    def changed(self, name: str, batch_size: int | None, lr: float | None) -> Recommending:
        rate = {} if lr is None else {"lr": number("Recommending", "lr", lr)}
        size = self.batch_size if batch_size is None else batch_size
        settings = {**self.optimizer_settings, **rate}
        return replace(self, batch_size=size, optimizer_settings=settings)

    def recommend(self, model: Any, user: int, count: int, recipe: Card) -> list[Proposal]:
        """By the stars that are expected, the most first; the model is shown all that the user has
        rated, also in the test half."""
        train, test = load_dataset(recipe.dataset)
        places = np.flatnonzero(train.user_ids == user)
        if not len(places):
            low, high = train.user_ids.min(), train.user_ids.max()
            raise ConfigError(
                f"recommend: {recipe.dataset} has no user {user}; its users are {low} ... {high}"
            )
        known = train.matrix() > 0
        stars = np.maximum(train.matrix(), test.matrix())
        row = int(places[0])
        guessed = model.guess(stars)[row]
        allowed = (stars[row] == 0) & (known.sum(axis=0) >= self.least)
        order = np.argsort(np.where(allowed, -guessed, np.inf), kind="stable")
        chosen = order[: min(count, int(allowed.sum()))]
        return [_proposal(train, k, guessed) for k in chosen]

    def rated(self, user: int, recipe: Card) -> list[Proposal]:
        """What the user has rated, the most stars first."""
        train, test = load_dataset(recipe.dataset)
        row = np.maximum(train.matrix(), test.matrix())[train.user_ids == user][0]
        order = np.argsort(-row, kind="stable")[: int((row > 0).sum())]
        return [_proposal(train, k, row) for k in order]


def _proposal(ratings: Ratings, k: int, stars: np.ndarray) -> Proposal:
    item = int(ratings.item_ids[k])
    return Proposal(ratings.titles[k] or f"film {item}", item, float(stars[k]))


class RecommendingTraining(Training):
    """Batches of rows in an order drawn anew, chains with a stream of their own."""

    def __init__(self, recipe: Card, settings: Settings, halves: Halves) -> None:
        self.program: Recommending = recipe.program
        self.halves = halves
        self.stars = halves.train.matrix()
        super().__init__(recipe, settings)

    def started(self) -> State:
        program, model = self.program, self.model
        model.start(self.stars)  # type: ignore[attr-defined]
        self.rows: np.ndarray = model.rows(self.stars)  # type: ignore[attr-defined]
        self.optimizer = program.optimizer(model.named_parameters(), **program.optimizer_settings)
        self.streams = Streams(order=self.generator.spawn(), gibbs=self.generator.spawn())
        batches: Any = self.streams
        return State(model, self.optimizer, batches, History(), 0, self.recipe.epochs)

    def epoch(self) -> dict[str, float]:
        size, order = self.program.batch_size, self.streams["order"].permutation(len(self.rows))
        batches = ((self.rows[order[n : n + size]],) for n in range(0, len(order), size))
        for (rows,) in self.shared(batches):
            self.descend(self._loss(Tensor(rows, backend=self.model.backend)), self._counted(rows))
        return self.looked(lambda: self._errors(self.halves.train))

    def _counted(self, rows: np.ndarray) -> int:
        """What the loss is a mean over: rows of a machine, rated cells of an autoencoder."""
        if not self.parallel.own(len(rows)):
            return 0
        return len(rows) if self.program.steps else max(1, int((rows > 0).sum()))

    def _loss(self, x: Tensor) -> Tensor:
        program, model = self.program, self.model
        rng = self.parallel.rows(self.streams["gibbs"])
        if program.steps:
            loss = model.contrastive_divergence(x, program.steps, rng)  # type: ignore[attr-defined]
        else:
            loss = model.loss(x)  # type: ignore[attr-defined]
        for weight in (p for p in model.parameters() if p.ndim > 1) if program.decay else ():
            loss = loss + program.decay * (weight * weight).sum()
        return loss

    def _errors(self, asked: Ratings) -> dict[str, float]:
        return errors_of(self.model.guess(self.stars), asked)  # type: ignore[attr-defined]

    def measure(self, part: str = "test") -> dict[str, float]:
        return self._errors(self.half(part))

    def half(self, part: str) -> Ratings:
        """The ratings of a part."""
        if part not in Halves._fields:
            raise ConfigError(f"evaluate: {self.recipe.name} has no {part} part")
        return getattr(self.halves, part)

    def samples(self, part: str) -> int:
        return len(self.half(part))

    def split(self) -> str:
        train, test = map(len, self.halves)
        return f"{train:,} ratings learnt, {test:,} guessed"


def errors_of(table: np.ndarray, asked: Ratings) -> dict[str, float]:
    """{"rmse", "mae"} in stars of a table of guesses (U, I) at the cells that are asked."""
    away = table[asked.users, asked.items].astype(np.float64) - asked.stars
    return {"rmse": float(np.sqrt(np.mean(away**2))), "mae": float(np.mean(np.abs(away)))}
