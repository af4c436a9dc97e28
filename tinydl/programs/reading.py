"""Reading: a network judges whole texts, and reads what somebody types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..arguments import texts as strings
from ..data import Reviews, WordTokenizer, pad_sequences
from ..data.text import Tokenizer
from ..errors import ConfigError
from ..experiment.datasets import load_dataset
from ..experiment.program import Card, Settings
from ..random import Generator
from ..train import predict
from .parts import Parts
from .sequences import Sequences, SequencesTraining

LONGEST = 100  # characters of a word
ORDER = 42  # of the reviews, the same for every seed


class Texts:
    """Reviews as numbers of their words: `parts` for the network, the texts by part for others.

    The vocabulary is that of a tokenizer, or the `words` most frequent of the training part,
    "<pad>" and "<unk>" among them; of a text the last `length` words count, a shorter one is padded
    at its front (Keras).
    """

    def __init__(
        self,
        reviews: Any,
        words: int,
        length: int,
        most: tuple[int, ...],
        tokenizer: Tokenizer | None = None,
    ) -> None:
        parts = [_shuffled(part) for part in reviews]
        if most:
            parts = [_first(part, count) for part, count in zip(parts, most, strict=True)]
        self.texts = {name: part.texts for name, part in zip(("train", "test"), parts, strict=True)}
        self.classes, self.length = parts[0].classes, length
        if tokenizer is None:
            tokenizer = self.fitted(parts[0].texts, words)
        self.tokenizer = tokenizer
        train, test = ((self.numbers(p.texts), _targets(p)) for p in parts)
        self.parts = Parts(train, None, test, self.classes)

    def fitted(self, texts: Sequence[str], words: int) -> Tokenizer:
        """A tokenizer of so many of the texts' tokens."""
        return fitted_words(texts, words)

    def numbers(self, texts: Sequence[str]) -> np.ndarray:
        """(N, length) int64."""
        return numbered(self.tokenizer, texts, self.length)


def fitted_words(texts: Iterable[str], most: int) -> WordTokenizer:
    """So many of the most frequent words of texts, without those that a run folder could not keep:
    what is longer than LONGEST characters or cannot be printed, such as the joiners between parts
    of an emoji, is unknown."""
    found = WordTokenizer.fit(texts).vocabulary
    kept = [word for word in found if len(word) <= LONGEST and word.isprintable()]
    return WordTokenizer(kept[:most])


def numbered(tokenizer: Tokenizer, texts: Sequence[str], length: int) -> np.ndarray:
    """The words of each text by their numbers, (N, length) int64."""
    return pad_sequences([tokenizer.encode(text) for text in texts], length)


def _targets(reviews: Reviews) -> np.ndarray:
    """(N, 1) float32 of 0 and 1 for a logit; for more than two classes their numbers (N,)."""
    return reviews.y if len(reviews.classes) > 2 else reviews.y[:, None].astype(np.float32)


def _shuffled(reviews: Reviews) -> Reviews:
    """In an order that is no order: files hold one class after the other."""
    return _taken(reviews, Generator(ORDER).permutation(len(reviews)))


def _first(reviews: Reviews, count: int) -> Reviews:
    return _taken(reviews, np.arange(min(count, len(reviews))))


def _taken(reviews: Reviews, places: np.ndarray) -> Reviews:
    texts = tuple(reviews.texts[k] for k in places)
    return Reviews(texts, reviews.y[places], reviews.stars[places], reviews.classes)


KNOWN = ("vocabulary", "classes")


@dataclass(frozen=True)
class Reading(Sequences):
    """A `Sequences` of reviews: the network gives one logit, whether a text is positive, or one for
    each of more than two classes. words, input_shape: size of the vocabulary and words of a text
    that are read. vocabulary, classes: of a run, its words by their numbers and what its texts are
    told apart by, so that it reads where its data set is not; (): of a recipe."""

    words: int = 5_000
    vocabulary: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    kind: ClassVar[str] = "reading"
    what: ClassVar[str] = "a network that judges texts"
    reads: ClassVar[bool] = True

    def load(self, recipe: Card, settings: Settings) -> Any:
        reviews = load_dataset(recipe.dataset)
        return Texts(reviews, self.words, self.input_shape[0], recipe.samples)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> ReadingTraining:
        texts = self.load(recipe, settings) if data is None else data
        named = {"vocabulary": texts.tokenizer.vocabulary, "classes": tuple(texts.classes)}
        return ReadingTraining(recipe.replaced(**named), settings, texts)

    def stored(self) -> dict[str, Any]:
        known = {"vocabulary": list(self.vocabulary), "classes": list(self.classes)}
        return {**super().stored(), **known}

    def restored(self, stored: Mapping[str, Any]) -> Reading:
        known = {name: strings(self.kind, name, stored.get(name, ())) for name in KNOWN}
        restored: Any = super().restored(stored)
        return replace(restored, **known)

    def tokenizer(self) -> Tokenizer:
        """That of the vocabulary."""
        return WordTokenizer(self.vocabulary)

    def numbers(self, tokenizer: Any, texts: Sequence[str]) -> np.ndarray:
        """The texts as the model takes them."""
        return numbered(tokenizer, texts, self.input_shape[0])

    def read(self, model: Any, recipe: Card, texts: Sequence[str]) -> list[dict[str, float]]:
        """{class: probability} of each text by a model that gives the logit of the second class, or
        one for each."""
        if self.vocabulary:
            tokenizer, classes = self.tokenizer(), self.classes
        else:
            known = self.load(recipe, Settings())
            tokenizer, classes = known.tokenizer, known.classes
        logits = predict(model, self.numbers(tokenizer, texts)).astype(np.float64)
        if logits.shape[1] != (len(classes) if len(classes) != 2 else 1):
            raise ConfigError(
                f"{recipe.name}: {len(classes)} classes, but {logits.shape[1]} numbers for a text"
            )
        if logits.shape[1] == 1:  # as softmax has it, with 0 for the first class
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = (powers / powers.sum(axis=1, keepdims=True)).tolist()
        return [dict(zip(classes, row, strict=True)) for row in shares]


class ReadingTraining(SequencesTraining):
    """As every one of sequences; it also knows the texts."""

    def __init__(self, recipe: Card, settings: Settings, texts: Texts) -> None:
        self.text, train, test = texts, texts.parts.train, texts.parts.test
        kept = [
            (x, y.astype(settings.dtype) if y.dtype.kind == "f" else y) for x, y in (train, test)
        ]
        super().__init__(recipe, settings, Parts(kept[0], None, kept[1], texts.classes))

    def split(self) -> str:
        trained, tested = (len(self.text.texts[part]) for part in ("train", "test"))
        how = self.recipe.division or "the data set's own test part"
        return f"{how}: {trained:,} texts train, {tested:,} are tested"
