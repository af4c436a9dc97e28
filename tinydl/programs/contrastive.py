"""Contrastive training: a restricted Boltzmann machine learns pictures, without any label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar

import numpy as np

from .. import ops
from ..arguments import number, whole
from ..experiment.program import SAMPLE, Card, Program, Settings, Streams, Training, taken_over
from ..function import no_grad
from ..models.energy.partition import annealed_log_partition
from ..models.energy.rbm import RBM, SMALL_NORMAL, Gradients, drawn, gradients
from ..nn.init import Initializer
from ..optim import SGD
from ..random import Generator
from ..tensor import Tensor
from ..train import History, State
from .parts import Parts, Split, load_parts, split_of

MIXING = 500  # Gibbs steps from noise to a sample
EVERYTHING = Split()


@dataclass(frozen=True)
class Contrastive(Program):
    """An RBM of bits on pictures; a pixel above `threshold` of the scaled picture is 1.

    model(**architecture, weight_init=...): an `RBM`. An epoch is one pass over the training part in
    a new order, in batches of `batch_size`; each is followed by one step of SGD with rate `lr` and
    `momentum` along slopes(model, batch, samples of the model). These are what `steps` Gibbs steps
    make of the batch, or, if `persistent`, of `batch_size` chains that go on from batch to batch.
    slopes: `gradients`, or the book's to compare with.

    score: "log_likelihood", the mean of log P(v) in nats, with "log_z" estimated by annealed
    importance sampling (`chains` runs of `temperatures`, with the standard error "log_z_error").
    Beside it "reconstruction", the mean squared error of the picture that comes back from P(h | v).
    """

    architecture: Mapping[str, Any]
    picture: tuple[int, int]
    model: type[RBM] = RBM
    weight_init: str | Initializer = SMALL_NORMAL
    slopes: Callable[[RBM, Tensor, Tensor], Gradients] = gradients
    batch_size: int = 10
    lr: float = 0.05
    momentum: float = 0.0
    steps: int = 1
    persistent: bool = False
    scale: float = 255.0
    threshold: float = 0.5
    split: Split = EVERYTHING
    chains: int = 100
    temperatures: int = 1000
    score: str = "log_likelihood"

    kind: ClassVar[str] = "contrastive"
    what: ClassVar[str] = "a machine that learns by contrast"
    abilities: ClassVar[frozenset[str]] = frozenset({SAMPLE})
    picture_shape: ClassVar[tuple[int, ...]] = ()

    @property
    def alone(self) -> str:  # type: ignore[override]
        return "" if self.slopes is gradients else "the book's slope is no mean over samples"

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return (prod(self.picture),)

    def build(self) -> RBM:
        chains = self.batch_size if self.persistent else 0
        return self.model(**self.architecture, weight_init=self.weight_init, chains=chains)

    def load(self, recipe: Card, settings: Settings) -> Parts:
        return load_parts(recipe, settings.dtype)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> ContrastiveTraining:
        return ContrastiveTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    def stored(self) -> dict[str, Any]:
        names = (
            "batch_size", "lr", "momentum", "steps", "persistent", "scale", "threshold", "chains",
            "temperatures",
        )  # fmt: skip
        head: dict[str, Any] = {"model": self.model.__name__}
        head |= {
            "architecture": dict(self.architecture),
            "picture": list(self.picture),
            "slopes": self.slopes.__name__,
        }
        return {**head, "split": str(self.split), **{name: getattr(self, name) for name in names}}

    def restored(self, stored: Mapping[str, Any]) -> Contrastive:
        """What the command line may change is taken over; all else must be the recipe's."""
        taken = taken_over(self, stored, ("batch_size", "lr"))
        size = whole("Contrastive", "batch_size", taken["batch_size"], 1)
        lr = number("Contrastive", "lr", taken["lr"])
        return replace(self, batch_size=size, lr=lr)

    def bits(self, x: np.ndarray) -> np.ndarray:
        """Scaled pictures (N, V) as 0 and 1 of the same type."""
        return (x > self.threshold).astype(x.dtype)

    def sample(self, model: Any, count: int, rng: Generator) -> np.ndarray:
        """P(v = 1 | h) after MIXING Gibbs steps from noise, (count, H, W, 1)."""
        with no_grad():
            even = ops.sigmoid(0 * model.visible_bias)
            start = drawn(ops.broadcast_to(even, (count, even.size)), rng)
            v = model.gibbs(start, MIXING, rng)
            return model.reconstruct(v, rng).numpy().reshape(count, *self.picture, 1)


class ContrastiveTraining(Training):
    """Batches in an order drawn anew, Gibbs chains with a stream of their own."""

    model: RBM

    def __init__(self, recipe: Card, settings: Settings, parts: Parts) -> None:
        self.program: Contrastive = recipe.program
        self.parts = {
            name: self.program.bits(part[0])
            for name in ("train", "validation", "test")
            if (part := getattr(parts, name)) is not None
        }
        super().__init__(recipe, settings)

    def started(self) -> State:
        program = self.program
        self.optimizer = SGD(self.model.named_parameters(), program.lr, program.momentum)
        self.streams = Streams(order=self.generator.spawn(), gibbs=self.generator.spawn())
        batches: Any = self.streams
        return State(self.model, self.optimizer, batches, History(), 0, self.recipe.epochs)

    def epoch(self) -> dict[str, float]:
        """The error is one epoch's own mean, each batch seen before its step."""
        size, x = self.program.batch_size, self.parts["train"]
        order, wrong = self.streams["order"].permutation(len(x)), 0.0
        for (rows,) in self.shared((order[n : n + size],) for n in range(0, len(x), size)):
            v, own = Tensor(x[rows], backend=self.model.backend), self.parallel.own(len(rows))
            wrong += self._error(v) * own
            self._step(v, own)
        return {"reconstruction": self.total(wrong)[0] / len(x)}

    def _step(self, v: Tensor, own: int) -> None:
        """Chains that go on are the same in all processes; those from the data are rows."""
        model, program, gibbs = self.model, self.program, self.streams["gibbs"]
        if model.chains is None:
            end = model.gibbs(v, program.steps, self.parallel.rows(gibbs))
        else:
            end = model.gibbs(model.chains, program.steps, gibbs)
        if model.chains is not None:
            model.chains.update(end)
        slopes = program.slopes(model, v, end)
        named = (model.weight, model.visible_bias, model.hidden_bias)
        for parameter, slope in zip(named, slopes, strict=True):
            parameter.grad = ops.broadcast_to(-slope, parameter.shape)
        self.parallel.average(self.optimizer.parameters, own)
        self.optimizer.step()

    def _error(self, v: Tensor) -> float:
        with no_grad():
            away = self.model.reconstruct(v) - v
            return (away * away).mean().item()

    def measure(self, part: str = "test") -> dict[str, float]:
        program, x = self.program, self.parts[part]
        train = self.parts["train"].astype(np.float64)
        mean = (train.sum(axis=0) + 1) / (len(train) + 2)
        start = np.log(mean) - np.log1p(-mean)
        found = annealed_log_partition(
            self.model, Generator(0), program.chains, program.temperatures, start
        )
        v = Tensor(x, backend=self.model.backend)
        with no_grad():
            free = self.model.free_energy(v).numpy().astype(np.float64).mean()
        return {
            "log_likelihood": float(-free - found.log_z),
            "log_z": found.log_z, "log_z_error": found.error,
            "reconstruction": self._error(v),
        }  # fmt: skip

    def split(self) -> str:
        return f"{split_of(self.recipe)}; pixels above {self.program.threshold:g} are 1"

    def samples(self, part: str) -> int:
        return len(self.parts[part])
