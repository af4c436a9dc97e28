"""Sentences without a network: of pairs of texts, by the measures of what is written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np


def most_frequent_target(training: Any, part: str) -> dict[str, float]:
    """The target that the training part has most often, whatever was asked."""
    texts = training.texts
    ((target, _),) = Counter(texts.parts.train_targets).most_common(1)
    return training.judged([texts.target.split(target)] * training.samples(part))


def nearest_source(training: Any, part: str) -> dict[str, float]:
    """The target of the training source that shares most with the one asked: the largest
    2 |a and b| / (|a| + |b|), a and b the sets of their words, or of three letters in a row."""
    texts = training.texts
    known = [pieces(texts, source) for source in texts.parts.train_sources]
    places: dict[Any, list[int]] = defaultdict(list)
    for k, own in enumerate(known):
        for piece in own:
            places[piece].append(k)
    sizes, made = np.array([len(own) for own in known]), []
    for source in texts.parts.test_sources:
        asked, shared = pieces(texts, source), np.zeros(len(known))
        for piece in asked:
            shared[places.get(piece, [])] += 1
        near = int(np.argmax(shared / (sizes + len(asked))))
        made.append(texts.target.split(texts.parts.train_targets[near]))
    return training.judged(made)


def pieces(texts: Any, source: str) -> set[Any]:
    """The words of a source, or where its tokens are letters, all that stand three in a row."""
    tokens = texts.pieces(source)
    if max(map(len, tokens), default=2) > 1:
        return set(tokens)
    return {tuple(tokens[k : k + 3]) for k in range(len(tokens) - 2)}


def nearest_picture(training: Any, part: str) -> dict[str, float]:
    """The target of the training picture at the smallest distance of pixels."""
    texts = training.texts
    rows, asked = (x.reshape(len(x), -1) for x in (texts.x_train, texts.x_test))
    away = (rows**2).sum(axis=1) - 2 * asked @ rows.T
    near = [texts.parts.train_targets[k] for k in away.argmin(axis=1).tolist()]
    return training.judged([texts.target.split(target) for target in near])


def word_for_word(training: Any, part: str) -> dict[str, float]:
    """Each word in its place becomes the one that it stands with most: the largest
    2 n(s, t) / (n(s) + n(t)) of counts of training pairs; a word never seen stays as it is."""
    texts = training.texts
    sides = (texts.parts.train_sources, texts.parts.train_targets)
    sources, targets = ([t.split(text) for text in side] for t, side in zip(
        (texts.source, texts.target), sides, strict=True
    ))  # fmt: skip
    best = dictionary(sources, targets)
    asked = [texts.pieces(source) for source in texts.parts.test_sources]
    return training.judged([[best.get(word, word) for word in words] for words in asked])


def dictionary(
    sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]
) -> dict[str, str]:
    """{word: the one that it stands with most}, by Dice's coefficient of counts of pairs (N each);
    of equal ones the first by the alphabet."""
    alone, other = Counter[str](), Counter[str]()
    both: dict[str, Counter[str]] = defaultdict(Counter)
    for source, target in zip(sources, targets, strict=True):
        words = set(target)
        other.update(words)
        for word in set(source):
            alone[word] += 1
            both[word].update(words)
    return {
        word: min(found, key=lambda t: (-found[t] / (alone[word] + other[t]), t))
        for word, found in both.items()
    }
