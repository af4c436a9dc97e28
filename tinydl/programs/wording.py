"""Wording: vectors of words from the company they keep, and whether relatives lie near."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from ..data import WordCorpus, near_counts, neighbours, subsampled, surroundings
from ..errors import ConfigError
from ..experiment.datasets import load_dataset
from ..experiment.program import NEAREST, Card, Program, Settings, Streams, Training
from ..models import CBOW, GloVe
from ..models.words.embeddings import nearest, pointed_at, unit
from ..nn import Module
from ..optim import Adam
from ..random import Generator, by_shares
from ..tensor import Tensor
from ..train import History, State
from .supervised import warmed_cosine

STORED = ("architecture", "window", "threshold", "drawn", "updates", "batch_size", "lr")
NEAR = 10


@dataclass(frozen=True)
class Wording(Program):
    """model(**architecture), `SkipGram`, `CBOW` or `GloVe`, on the words of a `WordCorpus`.

    Before every epoch frequent words are thinned by `threshold` and pairs at most `window` apart
    are made anew (GloVe: once, and counted); an epoch is `updates` updates on `batch_size` of them,
    with `drawn` words drawn by count^(3/4) for each update. Adam, its rate up to lr and down again.
    score: "related", the share of the corpus' probes, both ways, whose relative is among the ten
    words nearest by cosine.
    """

    model: type[Module]
    architecture: Mapping[str, Any] = field(default_factory=dict)
    window: int = 5
    threshold: float = 1e-4
    drawn: int = 64
    updates: int = 500
    batch_size: int = 8_192
    lr: float = 0.005
    score: str = "related"

    input_shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]
    kind: ClassVar[str] = "wording"
    what: ClassVar[str] = "vectors of words"
    alone: ClassVar[str] = ""
    abilities: ClassVar[frozenset[str]] = frozenset({NEAREST})

    def build(self) -> Module:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> WordCorpus:
        return load_dataset(recipe.dataset)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> WordingTraining:
        corpus = self.load(recipe, settings) if data is None else data
        return WordingTraining(recipe, settings, corpus)

    def stored(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in STORED}

    def restored(self, stored: Mapping[str, Any]) -> Wording:
        if set(stored) != set(STORED):
            raise ConfigError("the settings are not those of vectors of words")
        return replace(self, **stored)

    def is_share(self, measure: str) -> bool:
        return measure == "related"

    def near(
        self, model: Any, words: Sequence[str], count: int, recipe: Card
    ) -> list[tuple[str, float]]:
        corpus: WordCorpus = load_dataset(recipe.dataset)
        asked = [corpus.place(word) for word in words]
        vectors = unit(model.vectors()[: len(corpus.vocabulary)])
        point = pointed_at(vectors, *asked)
        order = nearest(vectors, point[None], count + len(asked))[0]
        found = [k for k in order if k not in asked][:count]
        shares = (vectors[found] @ unit(point)).tolist()
        return [(corpus.vocabulary[k], share) for k, share in zip(found, shares, strict=True)]


class WordingTraining(Training):
    """Pairs and drawn words by one stream of random numbers."""

    model: Any

    def __init__(self, recipe: Card, settings: Settings, corpus: WordCorpus) -> None:
        self.program: Wording = recipe.program
        self.corpus = corpus
        super().__init__(recipe, settings)
        V = len(self.model.vectors())
        if len(corpus.vocabulary) > V:
            raise ConfigError(f"recipe {recipe.name}: {len(corpus.vocabulary)} words, vectors {V}")

    def started(self) -> State:
        program, epochs = self.program, self.recipe.epochs
        self.optimizer = Adam(self.model.named_parameters(), program.lr)
        self.rate = warmed_cosine(program.lr, epochs * program.updates)
        self.streams = Streams(words=self.generator.spawn())
        shares = self.corpus.counts**0.75
        self.counted: tuple[np.ndarray, ...] | None = None
        self.sums = shares.cumsum()
        batches: Any = self.streams
        return State(self.model, self.optimizer, batches, History(), 0, epochs)

    def epoch(self) -> dict[str, float]:
        program, total, rng = self.program, 0.0, self.streams["words"]
        examples = self.examples()
        places = (
            (rng.integers(0, len(examples[0]), program.batch_size),) for _ in range(program.updates)
        )
        for k, (chosen,) in enumerate(self.shared(places), self.state.epoch * program.updates):
            arrays = [e[chosen] for e in examples]
            if not isinstance(self.model, GloVe):
                arrays.append(by_shares(self.sums, rng.uniform(program.drawn)))
            self.optimizer.lr = self.rate(k)
            loss = self.model.loss(*(Tensor(a, backend=self.model.backend) for a in arrays))
            total += self.descend(loss, self.parallel.own(len(chosen)))
        return {"loss": self.total(total)[0] / (program.updates * program.batch_size)}

    def examples(self) -> tuple[np.ndarray, ...]:
        """What the model's loss takes, an example a row: (word, neighbour), (neighbours, word), or
        (word, word, count), the last the same in every epoch."""
        corpus, window, rng = self.corpus, self.program.window, self.streams["words"]
        if isinstance(self.model, GloVe):
            if self.counted is None:
                kept = subsampled(corpus, self.program.threshold, Generator(0))
                pairs, counts = near_counts(corpus.words[kept], corpus.texts[kept], window)
                self.counted = (*pairs.T, counts.astype(self.settings.dtype))
            return self.counted
        kept = subsampled(corpus, self.program.threshold, rng)
        words, texts = corpus.words[kept], corpus.texts[kept]
        if isinstance(self.model, CBOW):
            return surroundings(words, texts, window), words
        return tuple(neighbours(words, texts, window, rng).T)

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        return {"related": self.related(self.model.vectors()[: len(self.corpus.vocabulary)])}

    def related(self, vectors: np.ndarray) -> float:
        """The share of probes, both ways, whose relative is among the ten nearest rows."""
        pairs = [[self.corpus.place(w) for w in pair] for pair in self.corpus.probes]
        asked = np.array(pairs + [pair[::-1] for pair in pairs])
        found = nearest(vectors, vectors[asked[:, 0]], NEAR + 1)  # the first is the word itself
        return float(np.mean((found == asked[:, 1:]).any(axis=1)))

    def split(self) -> str:
        return f"{len(self.corpus.probes)} pairs of relatives, {len(self.corpus.words):,} words"
