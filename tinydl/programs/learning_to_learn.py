"""Learning to learn: a network is trained so that new tasks need few points or few steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from ..arguments import number, whole
from ..experiment.datasets import load_dataset
from ..experiment.program import Card, Group, Program, Settings, Streams, Training, taken_over
from ..models.meta.tasks import Learner
from ..optim import Adam, Optimizer, clip_by_global_norm
from ..random import Generator
from ..tensor import Tensor
from ..train import History, State

TESTED, JUDGING = 200, 50  # tasks and points that a measure is of


@dataclass(frozen=True)
class LearningToLearn(Program):
    """model(**architecture), a `Learner`, meets tasks that are drawn anew; the data set is what
    draws them: (tasks, rng) -> `data.Sinusoids`.

    An epoch is `updates` outer steps: `tasks` tasks with `shots` points to learn from and as many
    to be judged by; the gradient is cut to norm 1 and followed by optimizer(lr). The score is
    "mse", the mean squared error at 50 other points of 200 new tasks after `inner` steps on
    `shots` points of each; "mse_0", "mse_1", ... that after fewer.
    """

    model: type[Learner]
    architecture: Mapping[str, Any] = field(default_factory=dict)
    optimizer: type[Optimizer] = Adam
    batch_size: int = 25
    lr: float = 0.002
    shots: int = 10
    inner: int = 5
    updates: int = 100
    score: str = "mse"

    kind: ClassVar[str] = "learning_to_learn"
    what: ClassVar[str] = "a network that learns to learn"
    alone: ClassVar[str] = ""
    lower_is_better: ClassVar[bool] = True

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return ()

    def build(self) -> Learner:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Any:
        return load_dataset(recipe.dataset)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> LearningTraining:
        return LearningTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    def stored(self) -> dict[str, Any]:
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in self.architecture.items()}
        names = ("batch_size", "lr", "shots", "inner", "updates")
        head = {"model": self.model.__name__, "architecture": plain}
        head["optimizer"] = self.optimizer.__name__
        return {**head, **{name: getattr(self, name) for name in names}}

    def restored(self, stored: Mapping[str, Any]) -> LearningToLearn:
        """What the command line may change is taken over; all else must be the recipe's."""
        taken = taken_over(self, stored, ("batch_size", "lr"))
        size = whole("LearningToLearn", "batch_size", taken["batch_size"], 1)
        return replace(self, batch_size=size, lr=number("LearningToLearn", "lr", taken["lr"]))


class LearningTraining(Training):
    """Streams of random numbers: tasks with their points, and networks to be trained."""

    model: Learner

    def __init__(self, recipe: Card, settings: Settings, data: Any) -> None:
        self.program: LearningToLearn = recipe.program
        self.data = data
        super().__init__(recipe, settings)

    def started(self) -> State:
        rule: Any = self.program.optimizer
        self.optimizer = rule(self.model.named_parameters(), lr=self.program.lr)
        self.streams = Streams(tasks=self.generator.spawn(), first=self.generator.spawn())
        group: Any = Group(model=self.optimizer)
        return State(self.model, group, self.streams, History(), 0, self.recipe.epochs)  # type: ignore[arg-type]

    def points(self, tasks: int, rng: Generator, *counts: int) -> list[Tensor]:
        """x and y for each of the counts, of the same drawn tasks."""
        drawn, found = self.data(tasks, rng), []
        for count in counts:
            for array in drawn.points(count, rng):
                kept = array.astype(self.settings.dtype)
                found.append(Tensor(kept, backend=self.model.backend))
        return found

    def epoch(self) -> dict[str, float]:
        program, losses, streams = self.program, 0.0, self.streams
        drawn = (
            self.points(program.batch_size, streams["tasks"], program.shots, program.shots)
            for _ in range(program.updates)
        )
        for x, y, x2, y2 in self.shared(drawn):
            own = self.parallel.own(len(x))
            self.optimizer.zero_grad()
            first = self.parallel.rows(streams["first"])
            losses += self.model.outer(x, y, x2, y2, first) * own
            self.parallel.average(self.optimizer.parameters, own)
            clip_by_global_norm(self.model.parameters(), 1.0)
            self.optimizer.step()
        return {"loss": self.total(losses)[0] / (program.updates * program.batch_size)}

    def tested(self) -> list[Tensor]:
        """200 tasks, the same at every look: points to learn from, and others."""
        return self.points(TESTED, Generator(0), self.program.shots, JUDGING)

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        x, y, x2, y2 = self.tested()
        return told(self.model.curve(x, y, x2, y2, self.program.inner))

    def split(self) -> str:
        return f"{TESTED} new tasks, {self.program.shots} points to learn from, {JUDGING} to judge"


def told(curve: np.ndarray) -> dict[str, float]:
    """The error after all steps, and after few."""
    some = {k for k in (0, 1, 2, 5, 10, 20, 40) if k < len(curve)}
    return {"mse": float(curve[-1]), **{f"mse_{k}": float(curve[k]) for k in sorted(some)}}
