"""Trees without a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data import LOGIC_WORDS, Forest, pack_trees
from ..random import Generator


def _seen(training: Any) -> Forest:
    """A batch to learn from."""
    return pack_trees(training.drawn(Generator(0)), LOGIC_WORDS)


def most_frequent_label(training: Any, part: str) -> dict[str, float]:
    """Every node has the label that is most frequent in a batch to learn from."""
    labels = _seen(training).labels
    most = np.bincount(labels).argmax()
    return training.judged(lambda forest: np.full(len(forest.labels), most))


def leaves_by_heart(training: Any, part: str) -> dict[str, float]:
    """Every leaf has the label of its word, every other node the most frequent label of those."""
    seen = _seen(training)
    leaves, inner = seen.labels[: len(seen.words)], seen.labels[len(seen.words) :]
    table = np.zeros(seen.words.max() + 1, np.int64)
    table[seen.words] = leaves
    most = np.bincount(inner).argmax()

    def guess(forest: Any) -> np.ndarray:
        rest = len(forest.labels) - len(forest.words)
        return np.concatenate([table[forest.words], np.full(rest, most)])

    return training.judged(guess)
