"""Sequences without a network: one word at a time, one place at a time, yesterday's value."""

from __future__ import annotations

from typing import Any

import numpy as np

from .labels import by_metric, judged, logistic


def most_frequent_tag(training: Any, part: str) -> dict[str, float]:
    """Of every word the tag that it has most often in the training part, whatever stands beside
    it; a word never seen there has the most frequent of all."""
    (words, tags), (x, _) = training.parts.train, getattr(training.parts, part)
    told, size = tags >= 0, max(words.max(), x.max()) + 1
    counts = np.zeros((size, tags.max() + 1))
    np.add.at(counts, (words[told], tags[told]), 1)
    counts[counts.sum(axis=1) == 0] = counts.sum(axis=0)
    return _of_scores(training, part, counts[x])


def most_frequent_letter(training: Any, part: str) -> dict[str, float]:
    """At every step the class that is most frequent there in the training part."""
    (_, y), (x, _) = training.parts.train, getattr(training.parts, part)
    counts = np.stack([np.bincount(column, minlength=y.max() + 1) for column in y.T])
    return _of_scores(training, part, np.broadcast_to(counts, (len(x), *counts.shape)))


def steps_alone(training: Any, part: str) -> dict[str, float]:
    """For every step the class with the largest straight line: least squares from the whole input
    to 1 for the class that was there and 0 for the others."""
    (x, y), (rows, _) = training.parts.train, getattr(training.parts, part)
    wanted = np.eye(y.max() + 1)[y].reshape(len(x), -1)
    flat, asked = (np.c_[r.reshape(len(r), -1), np.ones(len(r))] for r in (x, rows))
    lines = np.linalg.lstsq(flat, wanted, rcond=None)[0]
    return _of_scores(training, part, (asked @ lines).reshape(len(rows), y.shape[1], -1))


def bag_of_words(training: Any, part: str) -> dict[str, float]:
    """A logistic regression of which words a sentence has, in whatever order."""
    (x, y), (rows, _) = training.parts.train, getattr(training.parts, part)
    size = max(x.max(), rows.max()) + 1
    scores = logistic(_bags(x, size), y.reshape(-1).astype(np.int64))(_bags(rows, size))
    return judged(training, part, scores)


def _bags(x: np.ndarray, size: int) -> np.ndarray:
    """(N, T) words as (N, size) of 0 and 1; word 0 pads."""
    found = np.zeros((len(x), size), np.float32)
    found[np.arange(len(x))[:, None], x] = 1
    found[:, 0] = 0
    return found


def last_value(training: Any, part: str) -> dict[str, float]:
    """The future is what was seen last, at every step."""
    x, truth = getattr(training.parts, part)
    guess = np.broadcast_to(x[:, -1:], truth.shape)
    return {training.program.score: by_metric(training.program.metric, guess, truth)}


def _of_scores(training: Any, part: str, scores: np.ndarray) -> dict[str, float]:
    """Scores (N, T, C) by the program's metric, and the share of samples without a mistake."""
    _, y = getattr(training.parts, part)
    whole = ((scores.argmax(axis=-1) == y) | (y < 0)).all(axis=1).mean()
    accuracy = by_metric(training.program.metric, scores, y)
    return {training.program.score: accuracy, "whole": float(whole)}
