"""The interface of a program: how a recipe is trained, measured, stored and resumed.

A `Program` is settings, frozen, part of a recipe. `begin` makes a `Training` of it, which holds
what changes: the model, optimisers, streams of random numbers, the epoch. What every run has is
written once, here and in tinydl/runs/: run folder, history, checkpoint after every epoch, exact
resume. A new kind of training says what one epoch is, what is measured and what a checkpoint keeps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar, Protocol

import numpy as np

from .. import random
from ..backend import USUAL, get, use_backend
from ..errors import AnomalyError, ConfigError
from ..nn import Module
from ..optim import clip_by_global_norm
from ..tensor import Tensor
from ..train import History, State
from ..train.checkpoint import not_finite
from ..train.loop import run_epochs
from ..train.parallel import ALONE, Alone


class Card(Protocol):
    """What a program reads of a recipe (card.py)."""

    @property
    def name(self) -> str: ...
    @property
    def dataset(self) -> str: ...
    @property
    def epochs(self) -> int: ...
    @property
    def samples(self) -> tuple[int, ...]: ...
    @property
    def division(self) -> str: ...
    @property
    def program(self) -> Any: ...
    @property
    def replaced(self) -> Callable[..., Any]: ...


#: What a run can do beside being evaluated: the commands `predict` and `classify`, `detect`,
#: `sample`, `play`, `recommend`, `nearest`; those that WRITE answer texts given to `predict`.
PREDICT, DETECT, SAMPLE, PLAY, RECOMMEND = "predict", "detect", "sample", "play", "recommend"
NEAREST, WRITE = "nearest", "write"


@dataclass(frozen=True, slots=True)
class Settings:
    """What is chosen for one training of a recipe, apart from the recipe itself."""

    seed: int = 0
    backend: str = USUAL
    dtype: str = "float32"


class Program:
    """How a recipe is carried out; subclasses are frozen dataclasses of settings.

    kind: its name in config.json. what: what its runs are, with an article. abilities: which of
    PREDICT, DETECT, SAMPLE, PLAY, RECOMMEND, NEAREST, WRITE its runs have. model: the class of what
    is trained. score: the measure that tables show and baselines are compared by; lower_is_better:
    the smaller it is. split_by_seed: the training's seed decides what it is tested on. input_shape:
    the shape of one sample as the model takes it; () if it takes none. writes: its samples are
    texts; reads: it judges texts. alone: why several processes cannot train one of its runs, as
    they do where it is "" (train/parallel.py).
    """

    kind: ClassVar[str]
    what: ClassVar[str]
    model: type[Module]
    score: str
    lower_is_better: ClassVar[bool] = False
    split_by_seed: ClassVar[bool] = False
    input_shape: tuple[int, ...]
    abilities: ClassVar[frozenset[str]] = frozenset()
    writes: ClassVar[bool] = False
    reads: ClassVar[bool] = False
    alone: ClassVar[str] = "nobody has said how its batches are cut"

    def build(self) -> Module:
        """The model, with fresh weights from the default generator."""
        raise NotImplementedError(f"{type(self).__name__} builds no model")

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> Training:
        """A training in its first epoch; data: what `load` gave, or None to load it."""
        raise NotImplementedError(f"{type(self).__name__} begins no training")

    def load(self, recipe: Card, settings: Settings) -> Any:
        """The data of a recipe, for `begin`; loaded once for several trainings."""
        return None

    def stored(self) -> dict[str, Any]:
        """The settings that config.json keeps, as JSON: with them `restored` gives this program."""
        return {}

    def restored(self, stored: Mapping[str, Any]) -> Program:
        """This program with the settings of a run's config.json."""
        return self

    def facts(self) -> dict[str, Any]:
        """What `tinydl recipes NAME` says about it."""
        return {"program": self.kind, "model": type(self).__name__, **self.stored()}

    def is_share(self, measure: str) -> bool:
        """Whether a measure is a fraction of 1, spoken of in percent."""
        return False

    def conclusion(
        self, metrics: Mapping[str, float], found: Mapping[str, Mapping[str, float]]
    ) -> str:
        """What the figures say beside those of the baselines, in a sentence; "": nothing more."""
        return ""

    def replaced(self, **changes: Any) -> Program:
        """The program with other settings; ConfigError names one that it does not have."""
        try:
            return replace(self, **changes)  # type: ignore[type-var]
        except TypeError:
            names = ", ".join(k for k in changes if not hasattr(self, k))
            raise ConfigError(f"{self.kind}: a program without the setting {names}") from None

    def changed(self, name: str, batch_size: int | None, lr: float | None) -> Program:
        """The program with what the command line may change, its own `batch_size` and `lr`; `name`:
        of the recipe. ConfigError for a program without them."""
        new = {k: v for k, v in (("batch_size", batch_size), ("lr", lr)) if v is not None}
        if not all(hasattr(self, setting) for setting in new):
            raise ConfigError(
                f"recipe {name}: {self.what} has no --batch-size and no --lr to change"
            )
        return self.replaced(**new) if new else self

    def sample(self, model: Module, count: int, rng: random.Generator) -> np.ndarray:
        """`count` samples of a trained model: pictures (count, H, W, C) in 0..1, or points
        (count, 2)."""
        raise ConfigError(f"sample: {self.what} draws no samples")

    def write(
        self,
        model: Module,
        recipe: Card,
        prompt: str,
        count: int,
        rng: random.Generator,
        **how: Any,
    ) -> str:
        """`count` characters behind the prompt by a trained model of the recipe's text."""
        settings = f" ({', '.join(how)} is for texts)" if how else ""
        raise ConfigError(f"sample: {self.what} writes no text{settings}")

    def read(self, model: Module, recipe: Card, texts: Sequence[str]) -> list[dict[str, float]]:
        """{class: probability} of each text."""
        raise ConfigError(f"predict: {self.what} reads no text")

    def play(self, model: Module, rng: random.Generator, recipe: Card) -> Episode:
        """One episode of a trained agent in the recipe's world."""
        raise ConfigError(f"play: {self.what} plays no episodes")

    def recommend(self, model: Module, user: int, count: int, recipe: Card) -> list[Proposal]:
        """At most `count` things for a user of the recipe's data set, none that they know."""
        raise ConfigError(f"recommend: {self.what} recommends nothing")

    def rated(self, user: int, recipe: Card) -> list[Proposal]:
        """What that user knows, the best first."""
        raise ConfigError(f"recommend: {self.what} recommends nothing")

    def near(
        self, model: Module, words: Sequence[str], count: int, recipe: Card
    ) -> list[tuple[str, float]]:
        """At most `count` other words with their cosines: near to one, or d of a : b = c : d."""
        raise ConfigError(f"nearest: {self.what} knows no words")

    def answer(self, model: Module, text: str, recipe: Card) -> Answer:
        """What a trained model writes about a typed text."""
        raise ConfigError(f"predict: {self.what} answers no texts")


def taken_over(
    program: Program, stored: Mapping[str, Any], may: tuple[str, ...]
) -> Mapping[str, Any]:
    """The stored settings, if only those that the command line `may` change differ from the
    program's own; ConfigError names the others."""
    own = json.loads(json.dumps(program.stored()))  # tuples as the lists that were written
    names = sorted({*own, *stored})
    missing = [name for name in may if name not in stored]
    if other := missing + [n for n in names if n not in may and stored.get(n) != own.get(n)]:
        raise ConfigError(f"the settings are not those of the recipe: {', '.join(other)}")
    return stored


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A text written about another, beside: lines to be told with it. words (T,): its tokens, keys
    (S,): those of the other, weights (>= T, >= S): where each word looked; or none of the three."""

    text: str
    beside: Sequence[str] = ()
    words: Sequence[str] = ()
    keys: Sequence[str] = ()
    weights: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A film, its number in the data set, and its stars: expected, or given."""

    title: str
    item: int
    stars: float


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """What an agent did: states, actions, rewards by step, and pictures (T, H, W, 3) uint8."""

    states: list[int]
    actions: list[int]
    rewards: list[float]
    frames: np.ndarray


class Group:
    """Several things with `state_dict` and `load_state_dict` as one: the optimisers of a GAN.

    It stands where a checkpoint expects an optimiser: scalars by name, arrays by name.
    """

    def __init__(self, **members: Any) -> None:
        self.members = members

    @property
    def lr(self) -> float:
        """The largest learning rate, for messages."""
        return max((m.lr for m in self.members.values()), default=0.0)

    def state_dict(self) -> dict[str, dict[str, Any]]:
        states = {name: m.state_dict() for name, m in self.members.items()}
        arrays = {f"{n}.{k}": a for n, s in states.items() for k, a in s["arrays"].items()}
        return {"scalars": {n: s["scalars"] for n, s in states.items()}, "arrays": arrays}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """All members, or none where one does not fit."""
        if set(state["scalars"]) != set(self.members):
            raise ConfigError(
                f"Group: holds {sorted(self.members)}, the state {sorted(state['scalars'])}"
            )
        before = self.state_dict()
        try:
            self._load(state)
        except BaseException:
            self._load(before)
            raise

    def _load(self, state: Mapping[str, Any]) -> None:
        for name, member in self.members.items():
            own = {k: a for k, a in state["arrays"].items() if k.startswith(f"{name}.")}
            arrays = {k.removeprefix(f"{name}."): a for k, a in own.items()}
            member.load_state_dict({"scalars": state["scalars"][name], "arrays": arrays})


class Streams:
    """Streams of random numbers by name, where a checkpoint expects the place in the data."""

    def __init__(self, **streams: random.Generator) -> None:
        self.streams = streams

    def __getitem__(self, name: str) -> random.Generator:
        return self.streams[name]

    def state_dict(self) -> dict[str, Any]:
        return {name: stream.state_dict() for name, stream in self.streams.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if set(state) != set(self.streams):
            raise ConfigError(f"Streams: holds {sorted(self.streams)}, the state {sorted(state)}")
        for name, stream in self.streams.items():
            stream.load_state_dict(state[name])


class Training:
    """A recipe under way: subclasses make model, optimiser and data, and say what one epoch is.

    parallel: the ranks that train it together, where its program's `alone` is "".
    """

    optimizer: Any
    parallel: Alone = ALONE

    def __init__(self, recipe: Card, settings: Settings) -> None:
        self.recipe: Any = recipe  # also the rest of the card, for whoever asks
        self.settings = settings
        backend = get(settings.backend)  # before the data: a missing backend is told at once
        self.generator = random.seed(settings.seed)
        with use_backend(backend.name):
            self.model: Module = recipe.program.build().astype(settings.dtype)
        self.state: State = self.started()

    def started(self) -> State:
        """What a checkpoint keeps: State(model, optimizer or Group, Batches or Streams, ...)."""
        raise NotImplementedError(f"{type(self).__name__} starts nothing")

    def epoch(self) -> dict[str, float]:
        """Train for one epoch; the numbers of its row in the history."""
        raise NotImplementedError(f"{type(self).__name__} trains nothing")

    def measure(self, part: str = "test") -> dict[str, float]:
        """Every measure of the model on a part of the data, the program's score among them; what
        stands beside them are the card's baselines (tinydl/baselines/)."""
        raise NotImplementedError(f"{type(self).__name__} measures nothing")

    def fit(self, callbacks: Sequence[Any] = (), progress: bool | None = False) -> History:
        """Train until the recipe's epochs are done, from wherever `self.state` is."""
        callbacks = StayFinite(), *callbacks
        return run_epochs(self.state, self._row, callbacks, progress, self.parallel)

    def shared(self, batches: Iterable[Any]) -> Iterable[Any]:
        """Of every batch, arrays with a row per sample, the rows that are this process's."""
        return self.parallel.parts(batches, self.model)

    def descend(
        self, loss: Tensor, samples: float, optimizer: Any = None, clip: float | None = None
    ) -> float:
        """One step of an optimizer, `self.optimizer` where none is named, down a loss that is the
        mean over `samples` samples, of the processes' together, or over what else there are so many
        of; gradients are scaled to the norm `clip` where it is larger. The loss times `samples`: 0
        for a row that does not count."""
        optimizer = self.optimizer if optimizer is None else optimizer
        optimizer.zero_grad()
        loss.backward()
        self.parallel.average(optimizer.parameters, samples)
        if clip is not None:
            clip_by_global_norm(self.model.parameters(), clip)
        optimizer.step()
        return loss.item() * samples if samples else 0.0

    def total(self, *numbers: float) -> list[float]:
        """The sums of what the processes have of them."""
        return self.parallel.total([float(number) for number in numbers])

    def looked(self, look: Callable[[], dict[str, float]]) -> dict[str, float]:
        """What one process finds out about the model of all."""
        self.parallel.settle(self.model)
        return self.parallel.once(look)

    def _row(self) -> dict[str, float]:
        started = perf_counter()
        self.model.train()
        row = self.epoch()
        self.parallel.settle(self.model)
        return {"epoch": self.state.epoch + 1, **row, "seconds": perf_counter() - started}

    def housed(self, folder: Path) -> None:
        """Told, before anything else is asked, that the training has this run folder, where it may
        keep what is long to make again."""

    def watchers(self, folder: Path) -> Sequence[Any]:
        """Callbacks of the program's own that write into the run folder: sample grids, ..."""
        return ()

    def numbers(self, history: History, test: Mapping[str, float]) -> dict[str, float]:
        """The score by part ("train", "val", "test"), as books report it."""
        return {"test": test[self.recipe.program.score]}

    def described(self) -> list[str]:
        """Lines about data and training, for people."""
        recipe = self.recipe
        begun = f", from epoch {self.state.epoch + 1}" if self.state.epoch else ""
        return [
            f"data   {recipe.dataset}",
            f"model  {type(self.model).__name__}, {self.model.count_parameters():,} parameters, "
            f"{self.settings.dtype} on {self.settings.backend}",
            f"train  {recipe.program.what}, {recipe.epochs} epochs{begun}, seed "
            f"{self.settings.seed}",
        ]

    def split(self) -> str:
        """Which samples were tested on."""
        return f"{self.recipe.dataset}, drawn anew"

    def samples(self, part: str) -> int | None:
        """How many samples a part has; None where that says nothing."""
        return None

    def about(self, part: str) -> str:
        """What `measure(part)` looked at, for people."""
        return f"{self.recipe.dataset} ({self.split()})"

    def require_test(self, part: str) -> None:
        """ConfigError for another part than "test", for programs that have no others."""
        if part != "test":
            raise ConfigError(
                f"evaluate: {self.recipe.name} is {self.recipe.program.what}, it has no {part} part"
            )

    def config(self) -> dict[str, Any]:
        """What config.json says of the program: enough to build the model again."""
        return {"program": self.recipe.program.kind, "settings": self.recipe.program.stored()}


class StayFinite:
    """A callback that ends a training whose weights have become NaN or infinite: AnomalyError."""

    def on_epoch_end(self, state: State) -> None:
        if wrong := not_finite(state.model.state_dict()):
            told = ", ".join(
                f"{k} {v:g}" for k, v in state.history.last.items() if k not in ("epoch", "seconds")
            )
            raise AnomalyError(
                f"train: after epoch {state.epoch} the weights are no numbers: {wrong}; the "
                f"history says {told}, the learning rate {state.optimizer.lr:g}: try a smaller one"
            )
