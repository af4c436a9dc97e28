"""Uncertain training: a distribution over networks is learnt, and asked what it does not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..arguments import number, whole
from ..data import Batches, Dataset
from ..errors import ConfigError
from ..experiment.datasets import load_dataset
from ..experiment.program import Card, Group, Program, Settings, Streams, Training, taken_over
from ..function import no_grad
from ..metrics import accuracy, calibration_error, rejection_auc, roc_auc
from ..models.bayesian.predictive import Doubting, entropy, uncertainty
from ..nn import looking
from ..ops import softmax
from ..optim import Adam
from ..optim.schedules import Schedule
from ..random import Generator
from ..tensor import Tensor
from ..train import History, State
from .parts import Parts, Split, load_parts, split_of

EVERYTHING = Split()
AT_ONCE = 1_000


@dataclass(frozen=True)
class Uncertain(Program):
    """model(**architecture), a `Doubting` network, learns the classes of pictures.

    An epoch is one pass over the training part in a new order, a step of Adam with rate `lr` and
    `weight_decay` after each batch; schedule(lr, updates): the rate by update; None: constant.

    Judged are the mean probabilities of `samples` drawn networks: "accuracy", "nll" in nats,
    "calibration_error" in 15 bins, "rejection_auc" by their entropy; beside it "sample_accuracy",
    the mean of the drawn networks' own (with "sample_least" and "sample_most"), and the same of the
    point estimate, "point_...". outside: data sets of pictures of other things by name; "ood_NAME"
    is the AUROC of the entropy, whether it is larger there than on the test part (for at most
    `looked` pictures of each); "ood_apart_NAME" that of the mutual information of class and
    weights, "ood_point_NAME" that of the point estimate's entropy.
    """

    model: type[Doubting]
    architecture: Mapping[str, Any] = field(default_factory=dict)
    outside: tuple[str, ...] = ()
    samples_drawn: int = 30
    batch_size: int = 100
    lr: float = 0.001
    weight_decay: float = 0.0
    schedule: Callable[[float, int], Schedule] | None = None
    looked: int = 10_000
    input_shape: tuple[int, ...] = (784,)
    scale: float = 255.0
    split: Split = EVERYTHING
    score: str = "accuracy"

    kind: ClassVar[str] = "uncertain"
    what: ClassVar[str] = "a classifier that doubts"
    alone: ClassVar[str] = ""
    picture_shape: ClassVar[tuple[int, ...]] = ()

    def build(self) -> Doubting:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Seen:
        return Seen(recipe, settings)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> UncertainTraining:
        return UncertainTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    def stored(self) -> dict[str, Any]:
        return {
            "model": self.model.__name__,
            "architecture": dict(self.architecture),
            "outside": list(self.outside),
            "split": str(self.split),
            **{n: getattr(self, n) for n in ("samples_drawn", "batch_size", "lr", "weight_decay")},
        }

    def restored(self, stored: Mapping[str, Any]) -> Uncertain:
        """What the command line may change is taken over; all else must be the recipe's."""
        taken = taken_over(self, stored, ("batch_size", "lr"))
        size = whole("Uncertain", "batch_size", taken["batch_size"], 1)
        return replace(self, batch_size=size, lr=number("Uncertain", "lr", taken["lr"]))

    def is_share(self, measure: str) -> bool:
        return measure.endswith("accuracy") or measure in ("sample_least", "sample_most")


class Seen:
    """The parts of a recipe, and pictures of other things (N, D), scaled alike."""

    def __init__(self, recipe: Card, settings: Settings) -> None:
        program: Uncertain = recipe.program
        self.parts: Parts = load_parts(recipe, settings.dtype)
        self.outside: dict[str, np.ndarray] = {}
        for name in program.outside:
            loaded = load_dataset(name)
            x = loaded.x_test if isinstance(loaded, Dataset) else loaded.x
            x = x[: program.looked].astype(settings.dtype).reshape(-1, prod(program.input_shape))
            self.outside[name] = x.reshape(-1, *program.input_shape) / x.dtype.type(program.scale)


class UncertainTraining(Training):
    """Batches in an order drawn anew; weights and dropped units are drawn from their own stream."""

    model: Doubting

    def __init__(self, recipe: Card, settings: Settings, seen: Seen) -> None:
        self.program: Uncertain = recipe.program
        self.seen, self.parts = seen, seen.parts
        super().__init__(recipe, settings)

    def started(self) -> State:
        program = self.program
        self.optimizer = Adam(
            self.model.named_parameters(), program.lr, weight_decay=program.weight_decay
        )
        self.batches = Batches(self.parts.train, program.batch_size, rng=self.generator.spawn())
        self.streams = Streams(order=self.batches, weights=self.generator.spawn())  # type: ignore[arg-type]
        group: Any = Group(model=self.optimizer)
        return State(self.model, group, self.streams, History(), 0, self.recipe.epochs)  # type: ignore[arg-type]

    def epoch(self) -> dict[str, float]:
        program, model, losses = self.program, self.model, 0.0
        updates, of = len(self.batches), len(self.parts.train[1])
        rate = program.schedule and program.schedule(program.lr, self.recipe.epochs * updates)
        for step, (x, y) in enumerate(self.shared(self.batches), self.state.epoch * updates):
            if rate is not None:
                self.optimizer.lr = rate(step)
            given, wanted = (Tensor(a, backend=model.backend) for a in (x, y))
            drawn = self.streams["weights"]
            drawn = self.parallel.rows(drawn) if model.by_row else drawn
            loss = model.loss(given, wanted, drawn, of)
            losses += self.descend(loss, self.parallel.own(len(y)))
        return {"loss": self.total(losses)[0] / of}

    def said(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(samples, N, classes) of drawn networks, and (N, classes) of the point estimate. The same
        networks at every look; dropped units go by batches of 1,000."""
        drawn, point = [], []
        with looking(self.model), no_grad():
            for start in range(0, len(x), AT_ONCE):
                rows = Tensor(x[start : start + AT_ONCE], backend=self.model.backend)
                some = self.program.samples_drawn
                drawn.append(self.model.probabilities(rows, some, Generator(1)))
                point.append(softmax(self.model(rows)).numpy())
        return np.concatenate(drawn, axis=1), np.concatenate(point)

    def measure(self, part: str = "test") -> dict[str, float]:
        x, y = getattr(self.parts, part)
        drawn, point = self.said(x)
        each = [accuracy(y, p.argmax(axis=1)) for p in drawn]
        found = judged(y, drawn.mean(axis=0))
        found |= {
            "sample_accuracy": float(np.mean(each)),
            "sample_least": min(each),
            "sample_most": max(each),
        }
        found |= {f"point_{name}": value for name, value in judged(y, point).items()}
        inside = (*uncertainty(drawn[:, : self.program.looked]), entropy(point))
        for name, pictures in self.seen.outside.items():
            others, alone = self.said(pictures)
            values = zip(inside, (*uncertainty(others), entropy(alone)), strict=True)
            for word, (here, there) in zip(("", "apart_", "point_"), values, strict=True):
                found[f"ood_{word}{name}"] = told_apart(here[: self.program.looked], there)
        return found

    def watchers(self, folder: Path) -> tuple[Any, ...]:
        return (Pages(self, folder),)

    def split(self) -> str:
        return split_of(self.recipe)

    def samples(self, part: str) -> int:
        return len(getattr(self.parts, part)[1])


class Pages:
    """After the last epoch: reliability.png, rejection.png and, with other things, doubt.png."""

    def __init__(self, training: UncertainTraining, folder: Path) -> None:
        self.training, self.folder = training, folder

    def on_epoch_end(self, state: State) -> None:
        if state.epoch == state.epochs:
            try:
                self.draw()
            except ConfigError:  # no matplotlib: the numbers stand beside the run
                return

    def draw(self) -> None:
        from ..viz import plot_calibration, plot_distributions, plot_rejection

        training = self.training
        x, y = training.parts.test
        drawn, point = training.said(x)
        both = {"drawn networks": drawn.mean(axis=0), "point estimate": point}
        plot_calibration(y, both, self.folder / "reliability.png")
        right = {name: (p.argmax(axis=1) == y, entropy(p)) for name, p in both.items()}
        plot_rejection(right, self.folder / "rejection.png")
        if training.seen.outside:
            named = {"test part": uncertainty(drawn)[0]}
            for name, pictures in training.seen.outside.items():
                named[name] = uncertainty(training.said(pictures)[0])[0]
            plot_distributions(named, self.folder / "doubt.png", xlabel="entropy, nats")


def judged(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """What is said of probabilities p (N, classes) of the classes y."""
    guess, own = p.argmax(axis=1), np.take_along_axis(p, y[:, None], axis=1)
    tiny = np.finfo(np.float32).tiny
    return {
        "accuracy": accuracy(y, guess),
        "nll": float(-np.log(np.maximum(own.astype(np.float64), tiny)).mean()),
        "calibration_error": calibration_error(y, p),
        "rejection_auc": rejection_auc((guess == y).astype(np.int64), entropy(p)),
    }


def told_apart(inside: np.ndarray, outside: np.ndarray) -> float:
    """AUROC of a doubt that should be larger outside."""
    labels = np.repeat([0, 1], [len(inside), len(outside)])
    return roc_auc(labels, np.concatenate([inside, outside]))
