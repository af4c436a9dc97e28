"""Texts as numbers of words, and the pairs of neighbours in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..arguments import integers, text
from ..doors import checked
from ..errors import ConfigError

if TYPE_CHECKING:
    from ..random import Generator

_WORD = re.compile(r"[a-z']+")


@dataclass(frozen=True, slots=True, eq=False)
class WordCorpus:
    """M words (M,) int64 into `vocabulary`, the most frequent first; texts (M,) int64: of which
    text each is; counts (V,): how often each word occurs. probes: pairs of words that are near
    relatives, for whoever wants to know whether the vectors say so."""

    words: np.ndarray
    texts: np.ndarray
    vocabulary: tuple[str, ...]
    counts: np.ndarray
    probes: tuple[tuple[str, str], ...] = ()

    def place(self, word: str) -> int:
        """Its number; ConfigError for a word that is not in the vocabulary."""
        if word not in self.vocabulary:
            raise ConfigError(f"words: {word!r} is not among the {len(self.vocabulary):,} words")
        return self.vocabulary.index(word)


@checked
def word_corpus(texts: Iterable[str], least: int = 5, most: int | None = None) -> WordCorpus:
    """The words of texts, in small letters, without what is rarer than `least` and beyond the
    `most` most frequent (None: all); "<br />" is a space. ConfigError where nothing is left."""
    told = [text("word_corpus", "each text", one) for one in texts]
    cut = [_WORD.findall(one.lower().replace("<br />", " ")) for one in told]
    counted = Counter(word for words in cut for word in words)
    kept = sorted((w for w, n in counted.items() if n >= least), key=lambda w: (-counted[w], w))
    kept = kept[:most]
    if not kept:
        raise ConfigError(f"word_corpus: no word occurs {least} times")
    place = {word: k for k, word in enumerate(kept)}
    rows = [[place[w] for w in words if w in place] for words in cut]
    counts = np.array([counted[w] for w in kept], np.int64)
    texts_of = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
    flat = np.array([k for row in rows for k in row], np.int64)
    return WordCorpus(flat, texts_of, tuple(kept), counts)


@checked
def subsampled(corpus: WordCorpus, threshold: float, rng: Generator) -> np.ndarray:
    """The places (K,) of the words that are kept: each with probability min(1, sqrt(t / f) + t /
    f), f its share of all words, t the threshold (word2vec's rule; what is said of "the" is
    little)."""
    f = corpus.counts / corpus.counts.sum()
    kept = np.sqrt(threshold / f) + threshold / f
    return np.flatnonzero(rng.uniform(len(corpus.words)) < kept[corpus.words])


def _both(op: str, words: np.ndarray, texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return integers(op, "words", words), integers(op, "texts", texts)


@checked
def neighbours(words: np.ndarray, texts: np.ndarray, window: int, rng: Generator) -> np.ndarray:
    """(P, 2) int64: every pair (word, neighbour) of one text that lie at most r apart, r drawn for
    each word from 1 ... window: the nearer, the more often. ConfigError for a window below 1."""
    words, texts = _both("neighbours", words, texts)
    if window < 1 or words.shape != texts.shape or words.ndim != 1:
        raise ConfigError(f"neighbours: window must be >= 1, words and texts (M,), got {window}")
    reach, pairs = rng.integers(1, window + 1, len(words)), [np.zeros((0, 2), np.int64)]
    for d in range(1, min(window, len(words) - 1) + 1):
        same = texts[d:] == texts[:-d]
        for centre, other in ((slice(None, -d), slice(d, None)), (slice(d, None), slice(None, -d))):
            kept = same & (reach[centre] >= d)
            pairs.append(np.stack([words[centre][kept], words[other][kept]], axis=1))
    return np.concatenate(pairs)


@checked
def surroundings(words: np.ndarray, texts: np.ndarray, window: int) -> np.ndarray:
    """(M, 2 window) int64: the neighbours of every word up to `window` away, -1 where the text
    ends."""
    words, texts = _both("surroundings", words, texts)
    if window < 1 or words.shape != texts.shape or words.ndim != 1:
        raise ConfigError(f"surroundings: window must be >= 1, words and texts (M,), got {window}")
    found = np.full((len(words), 2 * window), -1)
    for d in range(1, min(window, len(words) - 1) + 1):
        same = texts[d:] == texts[:-d]
        found[:-d, d - 1] = np.where(same, words[d:], -1)
        found[d:, window + d - 1] = np.where(same, words[:-d], -1)
    return found


@checked
def near_counts(words: np.ndarray, texts: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """(pairs (P, 2), counts (P,) float32): every pair of words that lie at most `window` apart in a
    text, both ways, d words apart counting 1 / d (GloVe's counts)."""
    words, texts = _both("near_counts", words, texts)
    if window < 1 or words.shape != texts.shape or words.ndim != 1 or not len(words):
        raise ConfigError(f"near_counts: window must be >= 1, words and texts (M,), got {window}")
    size, keys, weights = int(words.max()) + 1, [], []
    for d in range(1, min(window, len(words) - 1) + 1):
        same = texts[d:] == texts[:-d]
        a, b = words[d:][same], words[:-d][same]
        keys += [a * size + b, b * size + a]
        weights += [np.full(2 * len(a), 1 / d, np.float32)]
    if not keys:
        return np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
    found, where = np.unique(np.concatenate(keys), return_inverse=True)
    counts = np.bincount(where, np.concatenate(weights), len(found)).astype(np.float32)
    return np.stack([found // size, found % size], axis=1), counts
