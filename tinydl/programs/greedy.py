"""Greedy training: machines learn one on top of the other without labels, then all by labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..arguments import number, whole
from ..errors import ConfigError
from ..experiment.program import Card, Group, Program, Settings, Streams, Training, taken_over
from ..function import no_grad
from ..models.energy.dbn import DBNClassifier
from ..nn import cross_entropy
from ..optim import SGD, Adam
from ..tensor import Tensor
from ..train import History, State, predict
from .parts import Part, Parts, Split, load_parts, split_of

EVERYTHING = Split()
STEPS = 400  # of logistic regression


@dataclass(frozen=True)
class Greedy(Program):
    """model(**architecture), a `DBNClassifier`, on pictures of 0 to 1 as rows.

    The first `pretraining` epochs are those of machine 0, the next those of machine 1, and so on:
    contrastive divergence of `steps` Gibbs steps by SGD with rate `machine_lr`; the others are the
    whole network's, cross-entropy by Adam with rate lr. The row of an epoch says its "stage" (which
    machine, or how many there are) and its "loss": of a machine the mean squared error of what
    comes back from its features, of the network the cross-entropy.

    score: "accuracy" on a part. Where no epoch is the network's, it is that of `logistic
    regression` on the last machine's features, as the book has it; "features" says so in any case
    for the features as they are.
    """

    architecture: Mapping[str, Any]
    input_shape: tuple[int, ...]
    model: type[DBNClassifier] = DBNClassifier
    pretraining: int = 20
    steps: int = 2
    machine_lr: float = 0.05
    lr: float = 0.001
    batch_size: int = 10
    scale: float = 255.0
    split: Split = EVERYTHING
    picture_shape: tuple[int, ...] = ()
    score: str = "accuracy"

    kind: ClassVar[str] = "greedy"
    what: ClassVar[str] = "a deep belief network"
    alone: ClassVar[str] = ""

    @property
    def machines(self) -> int:
        return len(self.architecture["sizes"]) - 1

    def build(self) -> DBNClassifier:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Parts:
        return load_parts(recipe, settings.dtype)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> GreedyTraining:
        return GreedyTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    def stored(self) -> dict[str, Any]:
        names = ("pretraining", "steps", "machine_lr", "lr", "batch_size", "scale")
        return {
            "model": self.model.__name__,
            "architecture": {k: _plain(v) for k, v in self.architecture.items()},
            "split": str(self.split),
            **{name: getattr(self, name) for name in names},
        }

    def restored(self, stored: Mapping[str, Any]) -> Greedy:
        taken = taken_over(self, stored, ("batch_size", "lr"))
        size = whole("Greedy", "batch_size", taken["batch_size"], 1)
        return replace(self, batch_size=size, lr=number("Greedy", "lr", taken["lr"]))

    def is_share(self, measure: str) -> bool:
        return measure in ("accuracy", "features")


def _plain(value: Any) -> Any:
    return value.__name__ if callable(value) else value


class GreedyTraining(Training):
    """An optimiser for each machine and one for the network; batches in an order drawn anew."""

    model: DBNClassifier

    def __init__(self, recipe: Card, settings: Settings, parts: Parts) -> None:
        self.program: Greedy = recipe.program
        self.parts = parts
        super().__init__(recipe, settings)

    def started(self) -> State:
        program, model = self.program, self.model
        self.optimizers: dict[str, Any] = {
            f"machine{k}": SGD(machine.named_parameters(), program.machine_lr)
            for k, machine in enumerate(model.machines)
        }
        self.optimizers["network"] = Adam(model.labelled(), program.lr)
        self.streams = Streams(order=self.generator.spawn(), gibbs=self.generator.spawn())
        group: Any = Group(**self.optimizers)
        batches: Any = self.streams
        return State(model, group, batches, History(), 0, self.recipe.epochs)

    @property
    def stage(self) -> int:
        """Which machine learns now; how many there are: the network."""
        program = self.program
        done = self.state.epoch // program.pretraining if program.pretraining else program.machines
        return min(done, program.machines)

    def epoch(self) -> dict[str, float]:
        (x, y), stage, size = self.parts.train, self.stage, self.program.batch_size
        order, losses = self.streams["order"].permutation(len(x)), 0.0
        learn = self._machine if stage < self.program.machines else self._network
        batches = ((order[start : start + size],) for start in range(0, len(x), size))
        for (rows,) in self.shared(batches):
            losses += learn(Tensor(x[rows], backend=self.model.backend), y[rows], stage)
        return {"stage": float(stage), "loss": self.total(losses)[0] / len(x)}

    def _machine(self, x: Tensor, y: np.ndarray, stage: int) -> float:
        """A step of one machine; the error of what it gave back before, times the rows."""
        with no_grad():
            v = self.model.features(x, stage)
            away = self.model.machines[stage].reconstruct(v) - v
            error, own = (away * away).mean().item(), self.parallel.own(len(x))
        gibbs = self.parallel.rows(self.streams["gibbs"])
        loss = self.model.loss(x, stage, self.program.steps, gibbs)
        self.descend(loss, own, self.optimizers[f"machine{stage}"])
        return error * own

    def _network(self, x: Tensor, y: np.ndarray, stage: int) -> float:
        loss = cross_entropy(self.model.logits(x), Tensor(y, backend=self.model.backend))
        return self.descend(loss, self.parallel.own(len(y)), self.optimizers["network"])

    def measure(self, part: str = "test") -> dict[str, float]:
        asked = self.part_of(part)
        with_features = self.by_features(asked, lambda x: predict(self.model, x))
        if self.recipe.epochs <= self.program.pretraining * self.program.machines:
            return {"accuracy": with_features, "features": with_features}
        with no_grad():
            logits = self.model.logits(Tensor(asked[0], backend=self.model.backend)).numpy()
        accuracy = float((logits.argmax(axis=1) == asked[1]).mean())
        return {"accuracy": accuracy, "features": with_features}

    def by_features(self, asked: Part, features: Callable[[np.ndarray], np.ndarray]) -> float:
        """The accuracy of logistic regression on features of the training part."""
        x, y = self.parts.train
        guess = logistic_regression(features(x), y, len(self.parts.classes))
        return float((guess(features(asked[0])) == asked[1]).mean())

    def part_of(self, part: str) -> Part:
        found = getattr(self.parts, part, None)
        if found is None:
            raise ConfigError(f"evaluate: {self.recipe.name} holds out no {part} part")
        return found

    def split(self) -> str:
        return split_of(self.recipe)

    def samples(self, part: str) -> int:
        return len(self.part_of(part)[1])


def logistic_regression(
    x: np.ndarray, y: np.ndarray, classes: int
) -> Callable[[np.ndarray], np.ndarray]:
    """The classifier of features x (N, D) and labels y (N,) with the smallest cross-entropy, as far
    as STEPS steps of Nesterov's method come, all rows in each: features standardised, the rate 2 /
    (largest variance along any direction), the inverse of the most that the loss can bend (Boehning
    1992). No penalty; the book's, C = 10000, is as good as none."""
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    deviation = np.maximum(deviation, 0.01 * deviation.max())

    def scaled(rows: np.ndarray) -> np.ndarray:
        ones = np.ones((len(rows), 1), x.dtype)
        return np.concatenate([(rows - mean) / deviation, ones], axis=1)

    rows, truth = scaled(x), np.eye(classes, dtype=x.dtype)[y]
    rate = x.dtype.type(2 / largest_variance(rows))
    weight = np.zeros((rows.shape[1], classes), x.dtype)
    velocity = np.zeros_like(weight)
    for step in range(STEPS):
        kept = x.dtype.type(step / (step + 3)) * velocity
        scores = rows @ (weight + kept)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        slope = rows.T @ (powers / powers.sum(axis=1, keepdims=True) - truth) / len(rows)
        velocity = kept - rate * slope
        weight += velocity
    return lambda asked: (scaled(asked) @ weight).argmax(axis=1)


def largest_variance(x: np.ndarray) -> float:
    """The largest eigenvalue of X'X / N, by 20 steps of the power method."""
    along, length = np.ones(x.shape[1], x.dtype), 1.0
    for _ in range(20):
        along = x.T @ (x @ along) / len(x)
        length = max(float(np.linalg.norm(along)), 1e-12)
        along /= length
    return length
