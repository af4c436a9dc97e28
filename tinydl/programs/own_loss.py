"""Training by the model's own loss: of a picture and its class, which no function of the outputs
alone could be (a reconstruction, the reward of a guess)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from ..arguments import number, whole
from ..data import Batches
from ..data.batches import Transform
from ..experiment.program import Card, Program, Settings, Streams, Training, taken_over
from ..nn import Module, cross_entropy
from ..optim import Adam
from ..optim.schedules import Cosine
from ..tensor import Tensor
from ..train import History, State, predict
from ..train.metrics import Metric, accuracy
from .attacked import Attack
from .parts import Parts, Split, load_parts, split_of
from .scores import ACCURACY

EVERYTHING = Split()
#: What is asked of a trained model beside its accuracy: (model, pictures, labels) -> measures.
Question = Callable[[Any, np.ndarray, np.ndarray], dict[str, float]]


@dataclass(frozen=True)
class OwnLoss(Program):
    """model(**architecture) learns by `model.loss(x, labels)`, with `rng=` if `draws`; a model
    without a loss of its own learns by the cross-entropy of its outputs.

    An epoch is one pass over the training part in a new order, a step of Adam after each batch;
    the rate falls from lr to 0 along half a cosine. transform: augmentation of the training
    batches. score: "accuracy" of the largest output. asked: further questions, answered beside it.
    attack: what each training batch is replaced by, the worst near it; None: nothing.
    input_shape, picture_shape, scale, split: as in `Supervised`.
    """

    model: type[Module]
    architecture: Mapping[str, Any] = field(default_factory=dict)
    input_shape: tuple[int, ...] = (28, 28, 1)
    picture_shape: tuple[int, ...] = ()
    batch_size: int = 50
    lr: float = 0.001
    scale: float = 255.0
    split: Split = EVERYTHING
    draws: bool = False
    transform: Transform | None = None
    attack: Attack | None = None
    asked: tuple[Question, ...] = ()
    score: str = ACCURACY
    metric: Metric = accuracy

    kind: ClassVar[str] = "own_loss"
    what: ClassVar[str] = "a network with a loss of its own"
    abilities: ClassVar[frozenset[str]] = frozenset()
    alone: ClassVar[str] = ""

    def build(self) -> Module:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Parts:
        return load_parts(recipe, settings.dtype)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> OwnLossTraining:
        return OwnLossTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    def stored(self) -> dict[str, Any]:
        return {
            "model": self.model.__name__,
            "architecture": dict(self.architecture),
            "split": str(self.split),
            "transform": str(self.transform),
            "batch_size": self.batch_size,
            "lr": self.lr,
            **({} if self.attack is None else {"attack": str(self.attack)}),
        }

    def restored(self, stored: Mapping[str, Any]) -> OwnLoss:
        """What the command line may change is taken over; all else must be the recipe's."""
        taken = taken_over(self, stored, ("batch_size", "lr"))
        size = whole("OwnLoss", "batch_size", taken["batch_size"], 1)
        return replace(self, batch_size=size, lr=number("OwnLoss", "lr", taken["lr"]))

    def is_share(self, measure: str) -> bool:
        return measure.endswith(ACCURACY)


class OwnLossTraining(Training):
    """Batches in an order drawn anew; what the loss draws has a stream of its own."""

    def __init__(self, recipe: Card, settings: Settings, parts: Parts) -> None:
        self.program: OwnLoss = recipe.program
        self.parts = parts
        super().__init__(recipe, settings)

    def started(self) -> State:
        program = self.program
        self.optimizer = Adam(self.model.named_parameters(), program.lr)
        self.batches = Batches(
            self.parts.train,
            program.batch_size,
            rng=self.generator.spawn(),
            transform=program.transform,
        )
        self.streams = Streams(
            pictures=self.batches,  # type: ignore[arg-type]
            draws=self.generator.spawn(),
        )
        data: Any = self.streams
        return State(self.model, self.optimizer, data, History(), 0, self.recipe.epochs)

    def loss(self, x: Tensor, labels: Tensor) -> Tensor:
        model: Any = self.model
        if not hasattr(model, "loss"):
            return cross_entropy(model(x), labels)
        drawn = {"rng": self.parallel.rows(self.streams["draws"])} if self.program.draws else {}
        return model.loss(x, labels, **drawn)

    def epoch(self) -> dict[str, float]:
        steps, total, home = len(self.batches), 0.0, self.model.backend
        attack = self.program.attack
        rate = Cosine(self.program.lr, steps * self.recipe.epochs)
        for step, (x, y) in enumerate(self.shared(self.batches), self.state.epoch * steps):
            self.optimizer.lr = rate(step)
            if attack is not None:
                done = step / (steps * self.recipe.epochs)
                x = attack(self.model, x, y, self.parallel.rows(self.streams["draws"]), done)
            loss = self.loss(Tensor(x, backend=home), Tensor(y, backend=home))
            total += self.descend(loss, self.parallel.own(len(y)))
        return {"loss": self.total(total)[0] / len(self.parts.train[1])}

    def measure(self, part: str = "test") -> dict[str, float]:
        """Accuracy on a part, and the answers to what is asked."""
        x, y = getattr(self.parts, part)
        program, model = self.program, self.model
        found = predict(model, x)
        scores = {ACCURACY: float((found.argmax(axis=-1) == y).mean())}
        for question in program.asked:
            scores |= question(model, x, y)
        return scores

    def split(self) -> str:
        return split_of(self.recipe)

    def samples(self, part: str) -> int:
        return len(getattr(self.parts, part)[1])
