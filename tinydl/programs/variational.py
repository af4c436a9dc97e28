"""Variational training: an autoencoder lifts a bound on the likelihood of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..arguments import number, whole
from ..data import Batches
from ..errors import ConfigError
from ..experiment.card import Recipe
from ..experiment.program import SAMPLE, Card, Group, Program, Settings, Streams, Training
from ..function import no_grad
from ..metrics import mutual_information_gap
from ..models import CVAE
from ..models.variational.bound import Variational as Bound
from ..nn import looking
from ..optim import Adam
from ..random import Generator, drawing_at_most
from ..tensor import Tensor
from ..train import History, State
from .judge import Beside, Judge
from .parts import Part, Parts, Split, load_parts, split_of
from .two_players import SHOWN, SampleGrids, write_page

EVERYTHING = Split()
STOCHASTIC, THRESHOLD, GREY = "stochastic", "threshold", "grey"
SAMPLES, DRAWS = (1, 5, 50), 5  # of the bound: K, repetitions
AT_ONCE = 500
NOT_STORED = ("model", "architecture", "score", "split", "picture_shape", "judge")
MAY_CHANGE = ("batch_size", "lr")


@dataclass(frozen=True)
class Variational(Program):
    """model(**architecture) lifts the bound of `models.variational` on the pictures of a data set.

    An epoch is one pass over the training part in a new order, a step of Adam after each batch.
    binarise: how pixels become 0 and 1. "stochastic": drawn with the grey value as probability,
    anew in every epoch, once and for all (seed 0) for the test part; "threshold": above 1/2;
    "grey": not at all, and then nothing is a bound. judge: for a `CVAE`, the recipe of the
    classifier that looks at its samples.

    After an epoch: "missed", -log p(x|z), "divergence", KL(q || p), in nats per picture, and their
    sum "loss". The score is "elbo", the bound on the test part, one draw a picture; beside it both
    terms, "bound_5" and "bound_50", those of 5 and 50 draws (and "bound_1" on the same pictures:
    the first `looked` ones, the mean of 5 repetitions). With a judge also `Beside.scores` and
    `Beside.ends`. Where the targets are factors (N, K), what varies in made-up pictures, also
    "mig", the `mutual_information_gap` of the codes' means.
    """

    model: type[Bound]
    architecture: Mapping[str, Any] = field(default_factory=dict)
    binarise: str = STOCHASTIC
    batch_size: int = 100
    lr: float = 0.001
    looked: int = 500
    picture_shape: tuple[int, ...] = (28, 28, 1)
    scale: float = 255.0
    split: Split = EVERYTHING
    judge: Recipe | None = None
    score: str = "elbo"

    kind: ClassVar[str] = "variational"
    what: ClassVar[str] = "a variational autoencoder"
    alone: ClassVar[str] = ""
    abilities: ClassVar[frozenset[str]] = frozenset({SAMPLE})

    @property
    def fixed(self) -> bool:
        """Whether a picture's bits are always the same."""
        return self.binarise == THRESHOLD

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Of a picture; () where the class is told beside it."""
        return () if issubclass(self.model, CVAE) else self.picture_shape

    def __post_init__(self) -> None:
        whole(self.kind, "batch_size", self.batch_size, 1)
        if self.binarise not in (STOCHASTIC, THRESHOLD, GREY):
            raise ConfigError(
                f"variational: binarise must be {STOCHASTIC}, {THRESHOLD} or {GREY}, got "
                f"{self.binarise!r}"
            )

    def build(self) -> Bound:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Seen:
        return Seen(recipe, settings)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> VariationalTraining:
        loaded = self.load(recipe, settings) if data is None else data
        return VariationalTraining(recipe, settings, loaded)

    def stored(self) -> dict[str, Any]:
        kept = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in NOT_STORED}
        return {"model": self.model.__name__, "architecture": dict(self.architecture), **kept}

    def restored(self, stored: Mapping[str, Any]) -> Variational:
        """What the command line may change is taken over; all else must be the recipe's."""
        own = self.stored()
        plain = {k: _plain(v) for k, v in own.items() if k not in MAY_CHANGE}
        if plain != {k: _plain(v) for k, v in stored.items() if k not in MAY_CHANGE}:
            raise ConfigError(f"the settings are not those of {self.model.__name__}")
        size = whole(self.kind, "batch_size", stored.get("batch_size"), 1)
        return replace(self, batch_size=size, lr=number(self.kind, "lr", stored.get("lr")))

    def facts(self) -> dict[str, Any]:
        return self.stored()

    def is_share(self, measure: str) -> bool:
        return measure.endswith(("way", "share", "variety", "agreement", "mig"))

    def bits(self, x: np.ndarray, rng: Generator) -> np.ndarray:
        """Pictures in [0, 1] as 0 and 1, of the same type; only "stochastic" asks the generator."""
        if self.binarise == GREY:
            return x
        if self.fixed:
            return (x > 0.5).astype(x.dtype)
        with drawing_at_most(x.size):  # as many as there are data, be the model small
            return (x > rng.uniform(x.shape, dtype=x.dtype)).astype(x.dtype)

    def sample(self, model: Any, count: int, rng: Generator) -> np.ndarray:
        """Probabilities of white, (count, H, W, C), of codes drawn from the prior; of a CVAE the
        classes in turn."""
        parts = []
        for n in range(0, count, AT_ONCE):
            some = min(AT_ONCE, count - n)
            parts.append(model.sample(some, rng, *classes_in_turn(model, some)).numpy())
        return np.concatenate(parts)

    def draw(self, model: Any, path: Path, rng: Generator) -> None:
        """A page of samples; ConfigError without Pillow."""
        with looking(model):
            write_page(self.sample(model, 40, rng), path)


def _plain(value: Any) -> Any:
    """As JSON gives it back."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return list(map(_plain, value)) if isinstance(value, tuple | list) else value


def classes_in_turn(model: Any, count: int) -> tuple[Tensor, ...]:
    """What a CVAE is told: 0, 1, ... again and again; nothing for the others."""
    if not isinstance(model, CVAE):
        return ()
    return (Tensor(np.arange(count) % model.classes, backend=model.backend),)


class Seen:
    """The parts of a recipe, and who judges samples."""

    def __init__(self, recipe: Card, settings: Settings) -> None:
        self.parts: Parts = load_parts(recipe, settings.dtype)
        judge = recipe.program.judge
        self.judge = None if judge is None else Judge(judge, settings)
        self._beside: Beside | None = None

    @property
    def beside(self) -> Beside | None:
        """Made when first asked: the judge may have to be trained."""
        if self._beside is None and self.judge is not None:
            self._beside = Beside(self.judge, self.parts.test)
        return self._beside


class VariationalTraining(Training):
    """Batches in an order drawn anew; streams of their own for bits and for codes."""

    model: Bound

    def __init__(self, recipe: Card, settings: Settings, data: Seen) -> None:
        self.program: Variational = recipe.program
        self.seen, self.parts, self.plain = data, data.parts, data.parts.train
        x, y = self.parts.test
        self.test = self.program.bits(x, Generator(0)), y
        super().__init__(recipe, settings)

    def started(self) -> State:
        program = self.program
        self.optimizer = Adam(self.model.named_parameters(), program.lr)
        self.batches = Batches(self.parts.train, program.batch_size, rng=self.generator.spawn())
        self.streams = Streams(
            pictures=self.batches,  # type: ignore[arg-type]
            bits=self.generator.spawn(),
            codes=self.generator.spawn(),
        )
        group: Any = Group(model=self.optimizer)
        return State(self.model, group, self.streams, History(), 0, self.recipe.epochs)  # type: ignore[arg-type]

    @property
    def beside(self) -> Beside | None:
        """The real pictures, as a judge sees them; None where there is none."""
        return self.seen.beside

    @property
    def asks(self) -> bool:
        """Whether samples are asked for by their class."""
        return isinstance(self.model, CVAE)

    def housed(self, folder: Path) -> None:
        if self.seen.judge is not None:
            self.seen.judge.live_in(folder)

    def watchers(self, folder: Path) -> tuple[Any, ...]:
        return (SampleGrids(folder / "samples", self.program),)

    def told(self, x: np.ndarray, y: np.ndarray) -> tuple[Tensor, ...]:
        """What the model takes: the pictures, and the classes where it asks for them."""
        room = self.model.backend
        return (Tensor(x, backend=room), Tensor(y, backend=room))[
            : 2 if isinstance(self.model, CVAE) else 1
        ]

    def epoch(self) -> dict[str, float]:
        program, model, sums = self.program, self.model, np.zeros(2)
        rows = self.parallel.rows
        for x, y in self.shared(self.batches):
            given = self.told(program.bits(x, rows(self.streams["bits"])), y)
            missed, divergence = model.terms(*given, rng=rows(self.streams["codes"]))
            own = self.parallel.own(len(x))
            self.descend((missed + divergence * model.beta).mean(), own)
            if own:
                sums += [missed.sum().item(), divergence.sum().item()]
        many = len(self.parts.train[0])
        missed_mean, divergence_mean = (found / many for found in self.total(*sums))
        row = {
            "loss": missed_mean + model.beta * divergence_mean,
            "missed": missed_mean,
            "divergence": divergence_mean,
        }
        return {**row, **self.looked(lambda: self.judged(SHOWN, Generator(self.state.epoch)))}

    def judged(self, most: int, rng: Generator) -> dict[str, float]:
        """What a judge says of samples; nothing where there is none."""
        beside = self.beside
        if beside is None:
            return {}
        count = min(most, len(beside))
        with looking(self.model):
            pictures = self.program.sample(self.model, count, rng)
        told = classes_in_turn(self.model, count)
        return beside.scores(pictures, told[0].numpy() if told else None)

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        x, y = self.test
        with looking(self.model):
            terms = [
                [t.numpy() for t in self.model.terms(*self.told(*batch), rng=rng)]
                for rng in (Generator(1),)
                for batch in in_batches(x, y)
            ]
            missed, divergence = (np.concatenate(t).mean().item() for t in zip(*terms, strict=True))
            most = self.program.looked
            bounds = {f"bound_{k}": self._bound(x[:most], y[:most], k) for k in SAMPLES}
        found = {"elbo": -missed - divergence, "missed": missed, "divergence": divergence}
        found |= bounds
        if y.ndim == 2:
            found["mig"] = mutual_information_gap(self.codes(self.model, x), y)
        if self.beside is None:
            return found
        return {
            **found,
            **self.judged(len(self.beside), Generator(0)),
            **self.beside.ends(self.asks),
        }

    def _bound(self, x: np.ndarray, y: np.ndarray, samples: int) -> float:
        rng, told = Generator(2), self.told(x, y)
        with no_grad():
            found = [
                self.model.bound(*told, samples=samples, rng=rng).mean().item()
                for _ in range(DRAWS)
            ]
        return float(np.mean(found))

    def codes(self, model: Bound, x: np.ndarray) -> np.ndarray:
        """The means of q(z|x) for pictures (N, H, W, C), (N, latent)."""
        with looking(model):
            return model.encode(Tensor(x, backend=model.backend))[0].numpy()

    def split(self) -> str:
        words = {
            STOCHASTIC: "pixels drawn with their grey value, test draw by seed 0",
            THRESHOLD: "pixels above 0.5 are 1",
            GREY: "grey pixels",
        }
        return f"{split_of(self.recipe)}; {words[self.program.binarise]}"

    def samples(self, part: str) -> int:
        return len(self.test[0])


def in_batches(x: np.ndarray, y: np.ndarray) -> list[Part]:
    return [(x[n : n + AT_ONCE], y[n : n + AT_ONCE]) for n in range(0, len(x), AT_ONCE)]
