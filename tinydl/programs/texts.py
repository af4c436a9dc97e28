"""Texts as a network that writes them takes them: numbers of words or letters, padded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arguments import whole
from ..data import PairParts, WordTokenizer
from ..data.text import CharacterTokenizer, Tokenizer
from ..errors import ConfigError
from ..experiment.datasets import load_dataset
from ..experiment.program import Card
from ..models.sequence.attention_decoder import END, PAD

WORDS, CHARACTERS, PICTURES = "words", "characters", "pictures"
MARKS = ("<pad>", "<start>", "<end>", "<unk>")
UNKNOWN = MARKS.index("<unk>")
MOST_TOKENS = 10_000  # of a target that a run's settings may speak of


def tokenizer_of(kind: str, texts: Sequence[str], size: int) -> Tokenizer:
    """The marks and the most frequent words, or letters, of the texts: `size` tokens at most."""
    if kind == WORDS:
        found = WordTokenizer.fit(texts, size - len(MARKS) + 2).vocabulary[2:]
        return WordTokenizer((*MARKS, *found))
    if kind == CHARACTERS:
        return CharacterTokenizer((*MARKS, *sorted(set("".join(texts)))[: size - len(MARKS)]))
    raise ConfigError(f"writing: texts are {WORDS} or {CHARACTERS}, got {kind!r}")


def coded(tokenizer: Tokenizer, texts: Sequence[str]) -> np.ndarray:
    """(N, T) int64: each text, END, and PAD up to the longest."""
    rows = [np.append(tokenizer.encode(text), END) for text in texts]
    table = np.full((len(rows), max(map(len, rows), default=1)), PAD)
    for row, codes in zip(table, rows, strict=True):
        row[: len(codes)] = codes
    return table


def trimmed(rows: np.ndarray) -> np.ndarray:
    """Without the columns in which all is PAD."""
    return rows[:, : max(int((rows != PAD).any(axis=0).sum()), 1)]


def told(words: np.ndarray, tokenizer: Tokenizer) -> list[str]:
    """The tokens of one row up to its END; what the network has and the vocabulary not, unknown."""
    known = tokenizer.vocabulary
    return [known[k if k < len(known) else UNKNOWN] for k in words.tolist() if k not in (PAD, END)]


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """What a network that writes is asked by. source: None for pictures; longest: the tokens of the
    longest training target."""

    source: Tokenizer | None
    target: Tokenizer
    longest: int

    def pieces(self, source: str) -> list[str]:
        """The tokens of a source text."""
        if self.source is None:
            raise ConfigError("writing: the sources are pictures, no texts")
        return self.source.split(source)


@dataclass(frozen=True, slots=True, eq=False)
class Texts(Lexicon):
    """The parts of a recipe, and what the network sees of them."""

    parts: PairParts
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray

    def references(self) -> list[list[list[str]]]:
        """The tokens of every right target of every test source."""
        split = self.target.split
        return [[split(text) for text in several] for several in self.parts.references]


def load_texts(recipe: Card, dtype: str) -> Texts:
    """The recipe's pairs; DataError if the data cannot be had, FormatError if damaged."""
    program: Any = recipe.program
    parts: PairParts = load_dataset(recipe.dataset)
    sizes = program.architecture
    if recipe.samples:
        few, asked = recipe.samples
        parts = replace(
            parts,
            train_sources=parts.train_sources[:few],
            train_targets=parts.train_targets[:few],
            test_sources=parts.test_sources[:asked],
            references=parts.references[:asked],
        )
    target = tokenizer_of(program.target, parts.train_targets, sizes["target_vocabulary"])
    y = coded(target, parts.train_targets)
    if program.source == PICTURES:
        x, other = (p.astype(dtype) for p in (parts.train_sources, parts.test_sources))
        return Texts(None, target, y.shape[1], parts, x, y, other)
    source = tokenizer_of(program.source, parts.train_sources, sizes["source_vocabulary"])
    x, other = coded(source, parts.train_sources), coded(source, parts.test_sources)
    return Texts(source, target, y.shape[1], parts, x, y, other)


def lexicon_of(program: Any) -> Lexicon:
    """That of a run whose settings have the words. ConfigError for more than the network has."""
    found: list[Tokenizer] = []
    for side in ("source", "target"):
        words, kind = getattr(program, f"{side}_words"), getattr(program, side)
        size = program.architecture[f"{side}_vocabulary"]
        if not len(MARKS) <= len(words) <= size or tuple(words[: len(MARKS)]) != MARKS:
            raise ConfigError(
                f"writing: {side}_words must be {', '.join(MARKS)} and up to {size} in all, got "
                f"{len(words)}"
            )
        found.append(WordTokenizer(words) if kind == WORDS else CharacterTokenizer(words))
    longest = whole("writing", "longest", program.longest, 1, MOST_TOKENS)
    return Lexicon(found[0], found[1], longest)
