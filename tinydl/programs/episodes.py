"""Few-shot training: by episodes, pairs or streams; asked about classes that it never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

from ..arguments import number
from ..errors import ConfigError
from ..experiment.datasets import ByClass, load_dataset
from ..experiment.program import Card, Program, Settings, Streams, Training, taken_over
from ..nn import Module
from ..optim import Adam
from ..train import History, State
from .episode_lessons import ByEpisodes, ByPairs, ByStreams, Sights, Ways


@dataclass(frozen=True)
class Episodes(Program):
    """model(**architecture) learns by a `lesson` and is asked by an `exam`.

    The recipe's data set is a `ByClass`; its `samples`, if any, are how many of the classes are
    used. Adam with rate lr, halved after every `halve` epochs (0: never). score: the measure of the
    exam that tables show. Whatever a lesson draws once, it draws from the run's seed, so that a
    resumed run has it again.
    """

    model: type[Module]
    exam: Ways | Sights
    score: str
    architecture: Mapping[str, Any] = field(default_factory=dict)
    lesson: ByEpisodes | ByPairs | ByStreams = field(default_factory=ByEpisodes)
    lr: float = 0.001
    halve: int = 0

    input_shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]
    kind: ClassVar[str] = "episodes"
    what: ClassVar[str] = "a few-shot learner"

    @property
    def alone(self) -> str:  # type: ignore[override]
        return self.lesson.alone

    def build(self) -> Module:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> ByClass:
        return ByClass(*(part.astype(settings.dtype) for part in load_dataset(recipe.dataset)))

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> EpisodesTraining:
        return EpisodesTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    def stored(self) -> dict[str, Any]:
        return {
            "model": self.model.__name__,
            "architecture": dict(self.architecture),
            "lesson": asdict(self.lesson),
            "exam": asdict(self.exam),
            "lr": self.lr,
            "halve": self.halve,
        }

    def restored(self, stored: Mapping[str, Any]) -> Episodes:
        """The rate may be another; all else must be the recipe's."""
        return replace(self, lr=number("Episodes", "lr", taken_over(self, stored, ("lr",))["lr"]))

    def changed(self, name: str, batch_size: int | None, lr: float | None) -> Episodes:
        if batch_size is not None:
            raise ConfigError(f"recipe {name}: {self.what} has no --batch-size to change")
        return self if lr is None else replace(self, lr=lr)

    def is_share(self, measure: str) -> bool:
        return True


class EpisodesTraining(Training):
    """A stream "lesson" for what is drawn in every epoch."""

    def __init__(self, recipe: Card, settings: Settings, data: ByClass) -> None:
        self.program: Episodes = recipe.program
        limits = recipe.samples or (None, None)
        self.data = ByClass(*(part[:n] for part, n in zip(data, limits, strict=True)))
        super().__init__(recipe, settings)

    def started(self) -> State:
        self.optimizer = Adam(self.model.named_parameters(), self.program.lr)
        self.ready = self.program.lesson.prepared(self.data.train, self.generator.spawn())
        self.streams = Streams(lesson=self.generator.spawn())
        batches: Any = self.streams
        return State(self.model, self.optimizer, batches, History(), 0, self.recipe.epochs)

    def epoch(self) -> dict[str, float]:
        program, total, count = self.program, 0.0, 0.0
        if program.halve:
            self.optimizer.lr = program.lr * 0.5 ** (self.state.epoch // program.halve)
        lesson: Any = program.lesson
        given = (self.model, self.data.train, self.ready)
        for loss, rows in lesson.steps(*given, self.streams["lesson"], self.shared):
            own = self.parallel.own(rows)
            total, count = total + self.descend(loss, own), count + own
        total, count = self.total(total, count)
        return {"loss": total / count, **self.looked(lambda: lesson.checked(*given))}

    def measure(self, part: str = "test") -> dict[str, float]:
        """On the test classes; "train" asks the same of those trained on."""
        return self.program.exam.asked(self.model, getattr(self.data, part))

    def split(self) -> str:
        train, test = (len(part) for part in self.data)
        if getattr(self.program.exam, "books", False):
            return f"the same {test} classes as in training, drawn with replacement"
        return f"{test} classes, none of the {train} trained on"

    def samples(self, part: str) -> int:
        x = getattr(self.data, part)
        return x.shape[0] * x.shape[1]
