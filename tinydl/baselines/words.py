"""Vectors of words without a network."""

from __future__ import annotations

from typing import Any

import numpy as np

LETTERS = 3


def same_texts(training: Any, part: str) -> dict[str, float]:
    """Two words are near if they occur in the same texts: the cosine of 0/1 rows, a column a
    text, each column divided by the root of how many words the text has."""
    corpus = training.corpus
    asked = sorted({corpus.place(w) for pair in corpus.probes for w in pair})
    V, texts = len(corpus.vocabulary), int(corpus.texts.max()) + 1
    there = np.unique(corpus.words * texts + corpus.texts)
    words, where = there // texts, there % texts
    weight = 1 / np.bincount(where, minlength=texts)
    sizes = np.sqrt(np.bincount(words, weight[where], V))
    rows = {}
    for k in asked:
        own = np.zeros(texts)
        own[where[words == k]] = 1
        rows[k] = np.bincount(words, weight[where] * own[where], V) / (sizes * sizes[k] + 1e-12)
    return {"related": _related(corpus, rows)}


def same_letters(training: Any, part: str) -> dict[str, float]:
    """Two words are near if they share trigrams of letters: the cosine of their 0/1 rows."""
    corpus = training.corpus
    grams = [_grams(word) for word in corpus.vocabulary]
    rows = {}
    for k in {corpus.place(w) for pair in corpus.probes for w in pair}:
        both = np.array([len(g & grams[k]) for g in grams])
        rows[k] = both / np.sqrt([len(g) * len(grams[k]) for g in grams])
    return {"related": _related(corpus, rows)}


def _grams(word: str) -> set[str]:
    marked = f"<{word}>"
    return {marked[k : k + LETTERS] for k in range(max(1, len(marked) - LETTERS + 1))}


def _related(corpus: Any, rows: dict[int, np.ndarray]) -> float:
    """The share of probes, both ways, whose relative is among the ten nearest words."""
    pairs = [[corpus.place(w) for w in pair] for pair in corpus.probes]
    found = []
    for a, b in pairs + [pair[::-1] for pair in pairs]:
        order = np.argsort(-rows[a], kind="stable")
        found.append(b in order[order != a][:10])
    return float(np.mean(found))
