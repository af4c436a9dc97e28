"""Language models: a network reads a text from its beginning and foretells every character."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from math import log
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..arguments import number, texts, whole
from ..data import CharacterTokenizer, stateful_batches
from ..errors import ConfigError
from ..experiment.datasets import load_dataset
from ..experiment.program import SAMPLE, Card, Program, Settings, Training, taken_over
from ..files import write_atomically
from ..function import no_grad
from ..models.recurrent.text import LanguageModel
from ..models.recurrent.writing import write
from ..nn import cross_entropy, detached, looking
from ..optim import Adam, Optimizer
from ..optim.schedules import Schedule
from ..random import Generator
from ..tensor import Tensor
from ..train import History, State

HELD = 10  # the last tenth is held out
READ = 32, 128  # stretches and steps at a time when a model is measured
SHOWN = 400  # characters of a sample after an epoch
NOT_STORED = ("model", "architecture", "optimizer", "schedule", "score")


class Text:
    """A text in two parts: the first nine tenths train, the last tenth is held out.

    train, test: (N,) int64, characters numbered by `tokenizer`, whose vocabulary is that of the
    training part, with one sign more, "<unk>", for what only the held-out part has.
    """

    def __init__(self, text: str, most: tuple[int, ...] = ()) -> None:
        cut = len(text) - len(text) // HELD
        parts = text[:cut], text[cut:]
        self.tokenizer = CharacterTokenizer.fit(parts[0], unknown=True)
        self.tokens = len(self.tokenizer)
        if most:
            parts = parts[0][: most[0]], parts[1][: most[1]]
        self.train, self.test = (self.tokenizer.encode(part) for part in parts)

    @classmethod
    def foreign(cls, text: str, tokenizer: CharacterTokenizer) -> Text:
        """A text that is measured alone: all but its first character is the test part."""
        made = cls.__new__(cls)
        made.tokenizer, made.tokens = tokenizer, len(tokenizer)
        made.train, made.test = (tokenizer.encode(part) for part in (text[:1], text[1:]))
        return made

    def decoded(self, ids: np.ndarray) -> str:
        return self.tokenizer.decode(ids)


@dataclass(frozen=True)
class Language(Program):
    """model(**architecture), a `LanguageModel`, foretells a text, character by character.

    The training part is cut into `batch_size` stretches which are read side by side, `length`
    characters at a time: the state at the end of a window is where the next one begins, and
    gradients stop between windows (truncated back-propagation through time, Williams and Peng
    1990). carried=False: every window begins with no state, in training and in the test, for
    networks whose state grows without end (ReLU). An epoch is one pass; after every window a step
    of the optimizer, with all gradients scaled to the norm `clip` where it is larger (None: never).
    schedule(lr, updates of the whole training): as in `Supervised`.

    The score is "bits" per character of the held-out part, which is read in 32 stretches, each with
    the state before its beginning unknown; "loss" is the same in nats. vocabulary: of a run, its
    characters by their numbers, so that it writes where its data set is not; (): of a recipe.
    """

    model: type[LanguageModel]
    architecture: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = 32
    length: int = 64
    lr: float = 0.002
    clip: float | None = 1.0
    carried: bool = True
    optimizer: type[Optimizer] = Adam
    schedule: Callable[[float, int], Schedule] | None = None
    score: str = "bits"
    vocabulary: tuple[str, ...] = ()

    kind: ClassVar[str] = "language"
    what: ClassVar[str] = "a language model"
    abilities: ClassVar[frozenset[str]] = frozenset({SAMPLE})
    alone: ClassVar[str] = ""
    lower_is_better: ClassVar[bool] = True
    writes: ClassVar[bool] = True
    input_shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]

    def build(self) -> LanguageModel:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Text:
        return Text(load_dataset(recipe.dataset), recipe.samples)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> LanguageTraining:
        loaded = self.load(recipe, settings) if data is None else data
        known = recipe.replaced(vocabulary=loaded.tokenizer.vocabulary)
        return LanguageTraining(known, settings, loaded)

    def stored(self) -> dict[str, Any]:
        kept = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in NOT_STORED}
        own = {"model": self.model.__name__, "architecture": dict(self.architecture)}
        signs = [token if token.isprintable() else ord(token) for token in self.vocabulary]
        return {**own, "optimizer": self.optimizer.__name__, **kept, "vocabulary": signs}

    def restored(self, stored: Mapping[str, Any]) -> Language:
        known = {"vocabulary": (), "carried": True, **stored}  # runs of earlier versions have none
        taken = taken_over(self, known, ("batch_size", "lr", "vocabulary"))
        size = whole(self.kind, "batch_size", taken["batch_size"], 1)
        rate = number(self.kind, "lr", taken["lr"])
        vocabulary = texts(self.kind, "vocabulary", _spelled(taken["vocabulary"]))
        return replace(self, batch_size=size, lr=rate, vocabulary=vocabulary)

    def facts(self) -> dict[str, Any]:
        return {name: value for name, value in self.stored().items() if name != "vocabulary"}

    def write(
        self, model: Any, recipe: Card, prompt: str, count: int, rng: Generator, **how: Any
    ) -> str:
        """`count` characters after `prompt`, drawn as `how` says (`models.recurrent.writing`)."""
        if self.vocabulary:
            tokenizer = CharacterTokenizer(self.vocabulary)
        else:
            tokenizer = self.load(recipe, Settings()).tokenizer
        _same_count(recipe, model, "its vocabulary", len(tokenizer))
        return written(model, tokenizer, prompt, count, rng, **how)


def _spelled(signs: Any) -> Any:
    """Characters, those that cannot be printed given by their code points."""
    if not isinstance(signs, list | tuple):
        return signs
    return [chr(t) if type(t) is int and 0 <= t < 0x110000 else t for t in signs]


def _same_count(recipe: Card, model: LanguageModel, what: str, count: int) -> None:
    if model.tokens != count:
        raise ConfigError(
            f"recipe {recipe.name}: the model has {model.tokens} characters, {what} {count}"
        )


def written(
    model: Any, tokenizer: CharacterTokenizer, prompt: str, count: int, rng: Generator, **how: Any
) -> str:
    """What the model writes after the prompt; "": after a line's end, or the first character."""
    known = tokenizer.vocabulary
    ids = tokenizer.encode(prompt or ("\n" if "\n" in known else known[-1]))
    with looking(model):
        return tokenizer.decode(write(model, ids, count, rng, **how))


class LanguageTraining(Training):
    """A text, a model, an optimizer: nothing is drawn but first weights and dropout."""

    model: LanguageModel

    def __init__(self, recipe: Card, settings: Settings, text: Text) -> None:
        self.program: Language = recipe.program
        self.text = text
        super().__init__(recipe, settings)
        _same_count(recipe, self.model, recipe.dataset, text.tokens)

    def started(self) -> State:
        program = self.program
        rule: Any = program.optimizer
        self.optimizer = rule(self.model.named_parameters(), lr=program.lr)
        nothing: Any = None
        return State(self.model, self.optimizer, nothing, History(), 0, self.recipe.epochs)

    def epoch(self) -> dict[str, float]:
        program, train = self.program, self.text.train
        per_row = (len(train) - 1) // program.batch_size
        updates = max(1, per_row // program.length) * self.recipe.epochs
        rate = None if program.schedule is None else program.schedule(program.lr, updates)
        state, losses = None, []
        windows = stateful_batches(train, program.batch_size, program.length)
        for x, y in self.shared(windows):
            if rate is not None:
                self.optimizer.lr = rate(max(self.optimizer.steps))
            loss, state = self.step(x, y, state if program.carried else None)
            losses.append(loss)
        mean = self.total(sum(losses))[0] / (len(losses) * program.batch_size)
        return {"loss": mean, "bits": mean / log(2)}

    def step(self, x: np.ndarray, y: np.ndarray, state: Any) -> tuple[float, Any]:
        """One window: (its loss in nats times its rows, the state behind it)."""
        room = self.model.backend
        logits, state = self.model.run(Tensor(x, backend=room), detached(state))
        loss = cross_entropy(logits, Tensor(y, backend=room))
        return self.descend(loss, self.parallel.own(len(x)), clip=self.program.clip), state

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        with looking(self.model):
            nats = float(self.losses(self.text.test).mean())
        return {"bits": nats / log(2), "loss": nats}

    def losses(self, ids: np.ndarray) -> np.ndarray:
        """-log P in nats of every character of ids (N,), which stand behind the training part."""
        window = None if self.program.carried else self.program.length
        return losses_of(self.model, ids, int(self.text.train[-1]), window)

    def watchers(self, folder: Path) -> Sequence[Any]:
        return (WriteSamples(folder / "samples", self.text),)

    def samples(self, part: str) -> int:
        return len(self.text.test)

    def split(self) -> str:
        told = f"the last {len(self.text.test):,} characters are held out"
        return f"{told}, {len(self.text.train):,} train" if self.recipe.samples else told


def losses_of(
    model: LanguageModel, ids: np.ndarray, before: int, window: int | None = None
) -> np.ndarray:
    """-log P of every character of ids (N,), in nats, (N,); `before`: the one in front of them.

    Read in up to 32 stretches side by side, each from no state; what is left over is read in one
    piece behind the last of them. window: every so many characters are read from no state.
    """
    rows, steps = max(1, min(READ[0], len(ids) // READ[1])), window or READ[1]
    seen = np.concatenate([[before], ids[:-1]])
    per_row = len(ids) // rows
    whole_rows = per_row * rows
    found = []
    with no_grad():
        x, y = (a[:whole_rows].reshape(rows, per_row) for a in (seen, ids))
        state = None
        for start in range(0, per_row, steps):
            losses, state = _losses(
                model,
                x[:, start : start + steps],
                y[:, start : start + steps],
                None if window else state,
            )
            found.append(losses)
        kept = [np.concatenate(found, axis=1).reshape(-1)]
        if whole_rows < len(ids):
            end = _row(state, rows - 1)
            losses, _ = _losses(model, seen[None, whole_rows:], ids[None, whole_rows:], end)
            kept.append(losses[0])
    return np.concatenate(kept)


def _losses(
    model: LanguageModel, x: np.ndarray, y: np.ndarray, state: Any
) -> tuple[np.ndarray, Any]:
    room = model.backend
    logits, state = model.run(Tensor(x, backend=room), state)
    told = cross_entropy(logits, Tensor(y, backend=room), reduction="none")
    return told.numpy().astype(np.float64), state


def _row(state: Any, row: int) -> Any:
    """The state of one row of a batch."""
    if isinstance(state, Tensor):
        return state[row : row + 1]
    return tuple([_row(s, row) for s in state])


class WriteSamples:
    """A callback that writes what the model writes after every epoch: samples/epoch-001.txt, drawn
    as it is, cooler, from the nucleus, and greedily."""

    ways: ClassVar[dict[str, dict[str, float]]] = {
        "temperature 1": {},
        "temperature 0.7": {"temperature": 0.7},
        "nucleus of 0.9": {"top_p": 0.9},
        "greedy": {"temperature": 0.0},
    }

    def __init__(self, folder: Path, text: Text) -> None:
        self.folder, self.text = folder, text

    def on_epoch_end(self, state: State) -> None:
        self.folder.mkdir(exist_ok=True)
        known = self.text.tokenizer
        pages = [
            f"--- {name}\n{written(state.model, known, '', SHOWN, Generator(0), **how)}\n"
            for name, how in self.ways.items()
        ]
        path = self.folder / f"epoch-{state.epoch:03d}.txt"
        write_atomically(path, "\n".join(pages).encode())
