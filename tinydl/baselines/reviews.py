"""Reviews without a network: which words a text has, weighed by how rare they are."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from ..data import split_words
from .labels import by_metric

LEAST = 5  # texts that a word must be in
STEPS, PENALTY = 200, 1.0


class Rows(NamedTuple):
    """A sparse matrix (N, D) row by row: row n has values[starts[n] : starts[n + 1]] in those
    columns."""

    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray

    def dot(self, weight: np.ndarray) -> np.ndarray:
        """(N,) products with a vector (D,)."""
        sums = np.concatenate([[0.0], np.cumsum(self.values * weight[self.columns])])
        return sums[self.starts[1:]] - sums[self.starts[:-1]]

    def back(self, errors: np.ndarray, size: int) -> np.ndarray:
        """(D,) products of the transposed matrix with (N,)."""
        spread = np.repeat(errors, np.diff(self.starts))
        return np.bincount(self.columns, self.values * spread, size)


def tf_idf_regression(training: Any, part: str) -> dict[str, float]:
    """A logistic regression of tf-idf rows: (1 + log count) * (1 + log((1 + N) / (1 + texts with
    the word))) for every word in five training texts at least, each row of length 1. The sum of
    the losses + |w|^2 / 2 is minimised by 200 steps of Nesterov's method."""
    texts, (_, y) = training.text.texts, training.parts.train
    bags = [Counter(split_words(text)) for text in texts["train"]]
    spread = Counter(word for bag in bags for word in bag)
    kept = sorted(word for word, count in spread.items() if count >= LEAST)
    place = {word: k for k, word in enumerate(kept)}
    rarity = 1 + np.log((1 + len(bags)) / (1 + np.array([spread[word] for word in kept], float)))
    weight, bias = _fitted(_rows(bags, place, rarity), y[:, 0].astype(np.float64), len(kept))
    asked = [Counter(split_words(text)) for text in texts[part]]
    logits = _rows(asked, place, rarity).dot(weight) + bias
    truth = getattr(training.parts, part)[1]
    return {training.program.score: by_metric(training.program.metric, logits[:, None], truth)}


def _rows(bags: list[Counter[str]], place: dict[str, int], rarity: np.ndarray) -> Rows:
    starts, columns, values = [0], [], []
    for bag in bags:
        known = [(place[word], count) for word, count in bag.items() if word in place]
        own = np.array([k for k, _ in known], np.int64)
        heavy = (1 + np.log([count for _, count in known])) * rarity[own]
        columns.append(own)
        values.append(heavy / max(float(np.linalg.norm(heavy)), 1e-12))
        starts.append(starts[-1] + len(own))
    return Rows(np.array(starts), np.concatenate(columns), np.concatenate(values))


def _fitted(x: Rows, y: np.ndarray, size: int) -> tuple[np.ndarray, float]:
    """The least sum of log(1 + e^z) - y z, plus |w|^2 / 2, z = x w + b. Rows are of length 1, and
    the one that b has makes it 2: the slope changes by N / 2 a unit at most."""
    n = len(y)
    weight, bias, rate = np.zeros(size), 0.0, 1 / (n / 2 + PENALTY)
    ahead, ahead_bias, momentum = weight, bias, 1.0
    for _ in range(STEPS):
        errors = 1 / (1 + np.exp(-(x.dot(ahead) + ahead_bias))) - y
        new = ahead - rate * (x.back(errors, size) + PENALTY * ahead)
        new_bias = ahead_bias - rate * errors.sum()
        later = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        share, momentum = (momentum - 1) / later, later
        ahead, ahead_bias = new + share * (new - weight), new_bias + share * (new_bias - bias)
        weight, bias = new, float(new_bias)
    return weight, bias
