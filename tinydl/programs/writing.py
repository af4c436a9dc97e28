"""Writing: a network that has read a sentence, or seen a picture, writes a sentence about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..arguments import number, whole
from ..arguments import texts as strings
from ..errors import ConfigError
from ..experiment.program import (
    WRITE,
    Answer,
    Card,
    Program,
    Settings,
    Streams,
    Training,
    taken_over,
)
from ..metrics import bleu, exact_match
from ..models.sequence.attention_decoder import PAD, Writer
from ..models.sequence.search import ALPHA, Written, beam, greedy
from ..nn import looking
from ..optim import Adam
from ..tensor import Tensor
from ..train import History, State
from ..viz.attention import plot_attention
from .texts import UNKNOWN, WORDS, Lexicon, Texts, coded, lexicon_of, load_texts, told, trimmed

AT_ONCE, BUCKETS = 200, 20
NOT_STORED = ("model", "architecture", "score")
KNOWN = ("source_words", "target_words", "longest")
MAY_CHANGE = ("batch_size", "lr", *KNOWN)


@dataclass(frozen=True)
class Writing(Program):
    """model(**architecture), a `Writer`, learns pairs of sources and targets by teacher forcing.

    source, target: what their tokens are, "words", "characters" or, of a source, "pictures"; the
    most frequent of the training part, `source_vocabulary` and `target_vocabulary` of the
    architecture. An epoch is one pass over the training part, in batches of like lengths; a step of
    Adam after each, gradients clipped to the norm `clip`, the rate lr until the middle of the
    training, from there in a line towards 0.

    What is written: greedily (width 1), or by `beam` with `width` beginnings, at most as long as
    twice the longest training target. copy: where an unknown word is written, the source's word
    that was looked at most takes its place. The score is "exact", the share of the test sources for
    which one of the references is written; beside it "bleu", and "loss" per token of the first
    reference. repeats: the test part is the training part itself, and what is not in it is
    answered beside its nearest source. source_words, target_words, longest: of a run about texts,
    its tokens by their numbers and the length of its longest target, so that it writes where its
    data set is not; (), 0: of a recipe.
    """

    model: type[Writer]
    architecture: Mapping[str, Any]
    source: str = WORDS
    target: str = WORDS
    batch_size: int = 64
    lr: float = 0.002
    clip: float = 1.0
    width: int = 1
    alpha: float = ALPHA
    copy: bool = False
    repeats: bool = False
    source_words: tuple[str, ...] = ()
    target_words: tuple[str, ...] = ()
    longest: int = 0
    score: str = "exact"

    kind: ClassVar[str] = "writing"
    what: ClassVar[str] = "a network that writes sentences"
    alone: ClassVar[str] = ""
    input_shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]
    abilities: ClassVar[frozenset[str]] = frozenset({WRITE})

    def __post_init__(self) -> None:
        for name in ("batch_size", "width"):
            whole(self.kind, name, getattr(self, name), 1)

    def build(self) -> Writer:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Texts:
        return load_texts(recipe, settings.dtype)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> WritingTraining:
        loaded = self.load(recipe, settings) if data is None else data
        source = loaded.source
        if source is not None:
            recipe = recipe.replaced(
                source_words=tuple(source.vocabulary),
                target_words=tuple(loaded.target.vocabulary),
                longest=loaded.longest,
            )
        return WritingTraining(recipe, settings, loaded)

    def stored(self) -> dict[str, Any]:
        kept = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in NOT_STORED}
        return {"model": self.model.__name__, "architecture": dict(self.architecture), **kept}

    def restored(self, stored: Mapping[str, Any]) -> Writing:
        # Runs of earlier versions have no words.
        taken = taken_over(
            self, {**dict(zip(KNOWN, ((), (), 0), strict=True)), **stored}, MAY_CHANGE
        )
        return replace(
            self,
            batch_size=whole(self.kind, "batch_size", taken["batch_size"], 1),
            lr=number(self.kind, "lr", taken["lr"]),
            source_words=strings(self.kind, "source_words", taken["source_words"]),
            target_words=strings(self.kind, "target_words", taken["target_words"]),
            longest=whole(self.kind, "longest", taken["longest"], 0),
        )

    def facts(self) -> dict[str, Any]:
        return {name: value for name, value in self.stored().items() if name not in KNOWN}

    def is_share(self, measure: str) -> bool:
        return measure != "loss"

    def written(self, model: Writer, x: np.ndarray, steps: int) -> Written:
        """What the model writes about the sources x, as the program says."""
        given = Tensor(x, backend=model.backend)
        if self.width == 1:
            return greedy(model, given, steps)
        return beam(model, given, steps, self.width, self.alpha)

    def answer(self, model: Any, text: str, recipe: Card) -> Answer:
        """What the model writes about a typed text, with what it looked at."""
        known = lexicon_of(self) if self.source_words else load_texts(recipe, "float32")
        source: Any = known.source
        pieces = known.pieces(text)
        (words,), (weights,) = self.sentences(model, known, coded(source, [text]), [text])
        beside = []
        if unknown := [p for p in pieces if p not in source.vocabulary]:
            beside.append(f"not in the vocabulary: {', '.join(dict.fromkeys(unknown))}")
        if self.repeats:
            beside += _nearest(load_texts(recipe, "float32"), set(pieces))
        keys = looked_at(known, text, weights)
        return Answer(known.target.join(words), beside, words, keys, weights)

    def sentences(
        self, model: Writer, texts: Lexicon, x: np.ndarray, sources: Sequence[str]
    ) -> tuple[list[list[str]], list[np.ndarray]]:
        """What is written about each of x, the codes of these sources, token by token, and where
        it looked, (T, S): a row for each token, and one more for the END if it came to it."""
        steps = 2 * texts.longest
        made, looked = [], []
        for start in range(0, len(x), AT_ONCE):
            rows = slice(start, start + AT_ONCE)
            found = self.written(model, x[rows], steps)
            for source, *one in zip(sources[rows], found.words, found.weights, strict=True):
                tokens, weights = self._tokens(texts, source, *one)
                made.append(tokens)
                looked.append(weights)
        return made, looked

    def _tokens(
        self, texts: Lexicon, source: str, words: np.ndarray, weights: np.ndarray
    ) -> tuple[list[str], np.ndarray]:
        """The tokens of one row; with `copy` an unknown one from where it was looked most, and
        nothing for a look at the source's END."""
        made, kept = told(words, texts.target), list(range(int((words != PAD).sum())))
        if self.copy:
            keys = [*texts.pieces(source), ""]
            for t in np.flatnonzero(words == UNKNOWN).tolist():
                made[t] = keys[int(weights[t].argmax())]
            kept = [t for t in kept if t >= len(made) or made[t]]
        return [word for word in made if word], weights[kept]


def _nearest(texts: Texts, asked: set[str]) -> list[str]:
    """The training question most like one that is none, and its answer."""
    known = [set(texts.pieces(s)) for s in texts.parts.train_sources]
    if asked in known:
        return []
    near = nearest(known, asked)
    question, answer = texts.parts.train_sources[near], texts.parts.train_targets[near]
    return [f"nearest training question: {question}", f"its answer: {answer}"]


def nearest(pieces: Sequence[set[str]], asked: set[str]) -> int:
    """Which of the sets is most like the one asked for: the largest 2 |a and b| / (|a| + |b|)."""
    shares = [2 * len(own & asked) / max(len(own) + len(asked), 1) for own in pieces]
    return int(np.argmax(shares))


class WritingTraining(Training):
    """Batches of like lengths in an order drawn anew, one stream for it."""

    model: Writer

    def __init__(self, recipe: Card, settings: Settings, data: Texts) -> None:
        self.program: Writing = recipe.program
        self.texts = data
        super().__init__(recipe, settings)

    def started(self) -> State:
        self.optimizer = Adam(self.model.named_parameters(), self.program.lr)
        self.streams = Streams(order=self.generator.spawn())
        batches: Any = self.streams
        return State(self.model, self.optimizer, batches, History(), 0, self.recipe.epochs)

    def epoch(self) -> dict[str, float]:
        self.optimizer.lr = self.program.lr * min(
            1.0, 2 - 2 * self.state.epoch / self.recipe.epochs
        )
        total = count = 0.0
        for (rows,) in self.shared((rows,) for rows in self.batches()):
            y = trimmed(self.texts.y_train[rows])
            loss = self.model.loss(*self._pair(self.texts.x_train[rows], y))
            words = int((y != PAD).sum()) if self.parallel.own(len(rows)) else 0
            total += self.descend(loss, words, clip=self.program.clip)
            count += words
        total, count = self.total(total, count)
        return {"loss": total / count}

    def batches(self) -> Iterator[np.ndarray]:
        """Rows of the training part: a new order, of which each BUCKETS batches are sorted by the
        length of their targets, so that little is padded; then the batches in a new order."""
        order, size = self.streams["order"], self.program.batch_size
        lengths = (self.texts.y_train != PAD).sum(axis=1)
        rows, found = order.permutation(len(lengths)), []
        for start in range(0, len(rows), BUCKETS * size):
            some = rows[start : start + BUCKETS * size]
            some = some[np.argsort(lengths[some], kind="stable")]
            found += [some[k : k + size] for k in range(0, len(some), size)]
        for k in order.permutation(len(found)).tolist():
            yield found[k]

    def _pair(self, x: np.ndarray, y: np.ndarray) -> tuple[Tensor, Tensor]:
        x = x if self.texts.source is None else trimmed(x)
        return Tensor(x, backend=self.model.backend), Tensor(y, backend=self.model.backend)

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        made, _ = self.program.sentences(
            self.model, self.texts, self.texts.x_test, self.texts.parts.test_sources
        )
        return {**self.judged(made), "loss": self._test_loss()}

    def judged(self, made: Sequence[Sequence[str]]) -> dict[str, float]:
        """ "exact" and "bleu" of the tokens written about each test source."""
        right = self.texts.references()
        return {"exact": exact_match(made, right), "bleu": bleu(made, right)}

    def _test_loss(self) -> float:
        first = [several[0] for several in self.texts.parts.references]
        y, total = coded(self.texts.target, first), 0.0
        with looking(self.model):
            for start in range(0, len(y), AT_ONCE):
                rows = slice(start, start + AT_ONCE)
                some = trimmed(y[rows])
                loss = self.model.loss(*self._pair(self.texts.x_test[rows], some))
                total += loss.item() * (some != PAD).sum()
        return float(total / (y != PAD).sum())

    def watchers(self, folder: Path) -> Sequence[Any]:
        return (AttentionMap(folder / "attention.png", self),)

    def split(self) -> str:
        parts = self.texts.parts
        return f"{len(parts.train_targets):,} pairs learnt, {len(parts.references):,} asked for"

    def samples(self, part: str) -> int:
        return len(self.texts.parts.references)


class AttentionMap:
    """A callback that draws, after the last epoch, where the network looked while it wrote about
    the first test source. Without matplotlib nothing is drawn."""

    def __init__(self, path: Path, training: WritingTraining) -> None:
        self.path, self.training = path, training

    def on_epoch_done(self, state: State) -> None:
        training, texts = self.training, self.training.texts
        if texts.source is None or state.epoch < state.epochs:
            return
        source = texts.parts.test_sources[0]
        (words,), (weights,) = training.program.sentences(
            training.model, texts, texts.x_test[:1], [source]
        )
        keys = looked_at(texts, source, weights)
        with suppress(ConfigError):  # no library that draws
            plot_attention(
                weights[:, : len(keys)], self.path, [*words, "<end>"][: len(weights)], keys
            )


def looked_at(texts: Lexicon, source: str, weights: np.ndarray) -> list[str]:
    """The names of the places of a source that weights (T, S) speak of."""
    keys = [*texts.pieces(source), "<end>"]
    return keys if weights.shape[1] >= len(keys) else ["the whole"]
