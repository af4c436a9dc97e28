"""Sounds without a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..experiment.sounds import quarters
from .labels import judged, labelled, logistic


def four_parts_of_the_word(training: Any, part: str) -> dict[str, float]:
    """Logistic regression on the mean spectrum of each quarter of the recording, every number with
    mean 0 and deviation 1 in the training part."""
    x, other = (quarters(getattr(training.parts, p)[0]) for p in ("train", part))
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-6
    scores = logistic((x - mean) / deviation, labelled(training, "train")[1])
    return judged(training, part, scores((other - mean) / deviation))


def nearest_piece(training: Any, part: str) -> dict[str, float]:
    """Whoever is told where each piece begins, and gives it the label of the training piece that
    lies nearest in the form of one length."""
    train, test = training.sets.train, training.sets.test
    x, own = train.fixed.astype(np.float64), (train.fixed.astype(np.float64) ** 2).sum(axis=1)
    nearest = [(own - 2 * (x @ row)).argmin() for row in test.fixed.astype(np.float64)]
    return _spelled(training, train.labels[nearest])


def straight_lines_by_piece(training: Any, part: str) -> dict[str, float]:
    """Whoever is told where each piece begins, and asks a logistic regression on the form of one
    length."""
    train, test = training.sets.train, training.sets.test
    mean, deviation = train.fixed.mean(axis=0), train.fixed.std(axis=0) + 1e-6
    scores = logistic((train.fixed - mean) / deviation, train.labels)
    return _spelled(training, scores((test.fixed - mean) / deviation).argmax(axis=1))


def _spelled(training: Any, labels: np.ndarray) -> dict[str, float]:
    """The measures of one guess for each piece of the test part."""
    strings = training.tested
    rows = zip(strings.pieces, strings.counts, strict=True)
    return training.judged([labels[row[:n]].tolist() for row, n in rows])


KAPPA, TURNS = 16.0, 12  # what a context owes to the shorter one; kinds of slope on each side


def levels_alone(training: Any, part: str) -> dict[str, float]:
    """Bits by how often each level occurs."""
    return {"bits": _bits(training, 0)}


def one_level_before(training: Any, part: str) -> dict[str, float]:
    """Bits by what followed the level before, as far as it was seen: (n(a, x) + 16 p(x)) / (n(a) +
    16), p the shares of the levels alone."""
    return {"bits": _bits(training, 1)}


def level_and_slope_before(training: Any, part: str) -> dict[str, float]:
    """The same by the level before and its distance from the one before that, in 25 kinds, falling
    back on the level before."""
    return {"bits": _bits(training, 2)}


def _bits(training: Any, order: int) -> float:
    """The mean of -log2 p of the test part's samples from the third on."""
    levels = training.waves.levels
    (a, b, x), (ta, tb, tx) = ((w[1:-1], w[:-2], w[2:]) for w in (training.train, training.test))
    p = (np.bincount(x, minlength=levels) + 1) / (len(x) + levels)
    shares, table = p[tx], np.broadcast_to(p, (1, levels))
    for context, tested, kinds in (
        (a, ta, levels),
        (a * (2 * TURNS + 1) + _turn(a, b), ta * (2 * TURNS + 1) + _turn(ta, tb),
         levels * (2 * TURNS + 1)),
    )[:order]:  # fmt: skip
        counts = np.bincount(context * levels + x, minlength=kinds * levels)
        counts = counts.reshape(kinds, levels)
        shorter = np.repeat(table, kinds // len(table), axis=0)
        table = (counts + KAPPA * shorter) / (counts.sum(axis=1, keepdims=True) + KAPPA)
        shares = table[tested, tx]
    return float(-np.log2(shares).mean())


def _turn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The step from b to a, 0 ... 2 TURNS: fine where it is small."""
    step = a - b
    return (np.sign(step) * np.minimum(TURNS, np.rint(2 * np.log2(1 + np.abs(step))))).astype(
        np.int64
    ) + TURNS
