"""Supervised training: a network learns targets that are known, by `tinydl.train.fit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from ..data import Batches
from ..data.batches import Transform
from ..errors import ConfigError, FormatError
from ..experiment.program import DETECT, PREDICT, Card, Program, Settings, StayFinite, Training
from ..nn import Module, cross_entropy
from ..optim import Optimizer
from ..optim.schedules import Cosine, Schedule, WarmUp
from ..quoting import quoted
from ..tensor import Tensor
from ..train import History, LearningRateSchedule, State, fit
from ..train.metrics import Metric, accuracy
from .attended import AttentionPage
from .parts import Part, Parts, Split, load_parts, split_of
from .scores import ACCURACY, batch_transform, check_part, judge, looked_at, metrics_of, settled


def warmed_cosine(lr: float, steps: int) -> Schedule:
    """A line up to lr over the first tenth of the updates, then half a cosine down to 0."""
    first = max(1, steps // 10)
    return WarmUp(first, Cosine(lr, max(1, steps - first)))


EVERYTHING = Split()


@dataclass(frozen=True)
class Supervised(Program):
    """model(**architecture) learns the targets of a data set.

    input_shape, scale: shape of one sample as the model takes it, what pixels are divided by (None:
    nothing is, and integers stay what they are).
    picture_shape: that of the data's pictures, where the model is shown parts of them (R-CNN); ():
    the same. split: which samples train, validate and test. transform: augmentation of the training
    batches. loss(logits, labels). score: "accuracy" (by `metric`, a fraction per sample), for
    segmentation "mean_iou", for detection "map", with masks "mask_map", for numbers "r2" beside
    errors in the target's own units, of which 1 is `unit`; where a book's accuracies are meant, it
    is this score. optimizer(parameters, **optimizer_settings). schedule(lr, updates
    of the whole training): the rate before every update; None: constant. An epoch is one pass over
    the training part. A model with a method `settle` fits after the last one what no gradient
    reaches (`scores.settled`).
    """

    model: type[Module]
    architecture: Mapping[str, Any]
    input_shape: tuple[int, ...]
    optimizer: type[Optimizer]
    batch_size: int
    optimizer_settings: Mapping[str, Any] = field(default_factory=dict)
    picture_shape: tuple[int, ...] = ()
    scale: float | None = 255.0
    split: Split = EVERYTHING
    shuffle: bool = True
    drop_last: bool = False
    transform: Transform | None = None
    schedule: Callable[[float, int], Schedule] | None = None
    loss: Callable[[Any, Tensor], Tensor] = cross_entropy
    score: str = ACCURACY
    metric: Metric = accuracy
    unit: float = 1.0

    kind: ClassVar[str] = "supervised"
    alone: ClassVar[str] = ""
    what: ClassVar[str] = "a network with targets"
    abilities: ClassVar[frozenset[str]] = frozenset({PREDICT, DETECT})

    def build(self) -> Module:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Parts:
        return load_parts(recipe, settings.dtype)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> SupervisedTraining:
        return SupervisedTraining(recipe, settings, data)

    def stored(self) -> dict[str, Any]:
        return {
            "model": self.model.__name__,
            "architecture": dict(self.architecture),
            "split": str(self.split),
            "input_shape": list(self.input_shape),
            "optimizer": self.optimizer.__name__,
            "optimizer_settings": dict(self.optimizer_settings),
            "batch_size": self.batch_size,
        }

    def restored(self, stored: Mapping[str, Any]) -> Supervised:
        named = (self.model.__name__, self.optimizer.__name__)
        if named != (stored["model"], stored["optimizer"]):
            given = ", ".join(quoted(stored[key]) for key in ("model", "optimizer"))
            raise FormatError(f"the recipe is {', '.join(named)} here, not {given}")
        return replace(
            self,
            architecture=stored["architecture"],
            input_shape=tuple(stored["input_shape"]),
            optimizer_settings=stored["optimizer_settings"],
            batch_size=stored["batch_size"],
        )

    def is_share(self, measure: str) -> bool:
        return measure not in ("loss", "rmse", "mae")

    def facts(self) -> dict[str, Any]:
        return {k: v for k, v in self.stored().items() if k != "input_shape"}

    def changed(self, name: str, batch_size: int | None, lr: float | None) -> Supervised:
        settings = dict(self.optimizer_settings) | ({} if lr is None else {"lr": lr})
        size = self.batch_size if batch_size is None else batch_size
        return replace(self, batch_size=size, optimizer_settings=settings)


def settings_of(op: str, recipe: Card) -> Supervised:
    """The supervised program of a recipe; ConfigError, with `op` in front, for another kind."""
    if not isinstance(recipe.program, Supervised):
        raise ConfigError(
            f"{op}: {recipe.name} is {recipe.program.what}, this needs a network with targets"
        )
    return recipe.program


class SupervisedTraining(Training):
    """A recipe made concrete: data, model, optimizer and batches, one seed for all chance."""

    def __init__(self, recipe: Card, settings: Settings, parts: Parts | None = None) -> None:
        self.program: Supervised = recipe.program
        self.parts = load_parts(recipe, settings.dtype) if parts is None else parts
        for name in ("train", "validation", "test"):
            if (part := getattr(self.parts, name)) is not None:
                check_part(self.program, recipe.dataset, name, part, self.parts.classes)
        super().__init__(recipe, settings)

    def started(self) -> State:
        program = self.program
        self.optimizer = program.optimizer(
            self.model.named_parameters(),
            **program.optimizer_settings,
        )
        self.lr = self.optimizer.lr  # the recipe's: a schedule and a resumed state change it
        self.batches = Batches(
            self.parts.train,
            program.batch_size,
            shuffle=program.shuffle,
            rng=self.generator.spawn(),
            drop_last=program.drop_last,
            transform=batch_transform(program, self.model),
        )
        return State(self.model, self.optimizer, self.batches, History(), 0, self.recipe.epochs)

    def fit(self, callbacks: Sequence[Any] = (), progress: bool | None = False) -> History:
        """As every training, with callbacks also after batches."""
        validation, program, epochs = self.parts.validation, self.program, self.recipe.epochs
        if program.schedule is not None:
            schedule = program.schedule(self.lr, epochs * len(self.batches))
            callbacks = (LearningRateSchedule(schedule, "batch"), *callbacks)
        history = fit(
            self.model,
            self.batches,
            program.loss,
            self.optimizer,
            epochs,
            metrics=metrics_of(program),
            validation=None if validation is None else looked_at(program, self.model, validation),
            callbacks=(StayFinite(), *callbacks),
            progress=progress,
            start_epoch=self.state.epoch,
            history=self.state.history,
            parallel=self.parallel,
        )
        settled(self.model, self.parts.train)
        return history

    def watchers(self, folder: Path) -> Sequence[Any]:
        """A picture of where the model looks, of one that says so (`VisionTransformer`)."""
        if not hasattr(self.model, "attention_maps"):
            return ()
        return (AttentionPage(folder / "attention.png", self.parts.test[0]),)

    def measure(self, part: str = "test") -> dict[str, float]:
        return judge(self.program, self.model, self._part(part), self.parts.classes)

    def _part(self, part: str) -> Part:
        found = getattr(self.parts, part)
        if found is None:
            raise ConfigError(f"evaluate: {self.recipe.name} holds out no {part} part")
        return found

    def samples(self, part: str) -> int:
        return len(self._part(part)[1])

    def about(self, part: str) -> str:
        name, count = self.recipe.dataset, self.samples(part)
        return f"{name}, {part} part, {count:,} samples ({self.split()})"

    def numbers(self, history: History, test: Mapping[str, float]) -> dict[str, float]:
        """{"train", "val" (if any), "test"}: the quantities that the books report; of other scores
        than accuracy there is only "test"."""
        last, score = history.last, self.program.score
        named = {"train": score, "val": f"val_{score}"}
        found = {part: last[name] for part, name in named.items() if name in last}
        return {**found, "test": test[score]}

    def described(self) -> list[str]:
        parts, program, settings = self.parts, self.program, self.settings
        counts = [f"{len(parts.train[1]):,} train"]
        counts += [f"{len(parts.validation[1]):,} validation"] if parts.validation else []
        begun = f", from epoch {self.state.epoch + 1}" if self.state.epoch else ""
        return [
            f"data   {self.recipe.dataset}: {', '.join(counts)}, {len(parts.test[1]):,} test "
            f"({self.split()})",
            f"model  {program.model.__name__}, {self.model.count_parameters():,} parameters, "
            f"{settings.dtype} on {settings.backend}",
            f"train  {program.optimizer.__name__} lr {self.optimizer.lr:g}, batch "
            f"{program.batch_size}, {self.recipe.epochs} epochs{begun}, seed {settings.seed}",
        ]

    def split(self) -> str:
        return split_of(self.recipe)

    def config(self) -> dict[str, Any]:
        return {**self.program.stored(), "classes": list(self.parts.classes)}
