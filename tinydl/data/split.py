"""Training, validation and test parts: index arrays, exact sizes, an explicit rng."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

import numpy as np

from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..quoting import quoted

if TYPE_CHECKING:
    from ..random import Generator

PASSES = 10  # of `group_split` over the groups
Indices = tuple[np.ndarray, np.ndarray]


@checked
def random_split(n: int, fraction: float, rng: Generator) -> Indices:
    """Cuts 0 ... n - 1 at random into (train, test), both int64 and ascending.

    The test part has floor(fraction * n + 1/2) elements. ConfigError if a part would be empty.
    """
    count = _part_size("random_split", n, fraction)
    order = rng.permutation(n)
    return np.sort(order[count:]), np.sort(order[:count])


@checked
def stratified_split(y: np.ndarray, fraction: float, rng: Generator) -> Indices:
    """Like `random_split` over the samples of y (N,), with every class represented proportionally.

    The test part has exactly floor(fraction * N + 1/2) elements; a class with c members gives it
    floor(fraction * c) or one more. The extra ones go to the classes with the largest remainders
    (Hamilton's method), ties to the smaller label. Members are drawn class by class in the order of
    labels; a class with few members may be absent from one part. y holds labels of any sortable
    dtype.
    """
    y = np.asarray(y)
    if y.ndim != 1:
        raise ShapeError(f"stratified_split: y must be (N,), got shape {y.shape}")
    total = _part_size("stratified_split", len(y), fraction)
    labels, counts = np.unique(y, return_counts=True)
    sizes = _apportion(fraction * counts, total, counts)
    test = []
    for label, count, size in zip(labels, counts, sizes, strict=True):
        members = np.flatnonzero(y == label)
        test.append(members[rng.permutation(int(count))[:size]])
    chosen = np.zeros(len(y), dtype=bool)
    chosen[np.concatenate(test)] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


@checked
def three_way_split(
    y: np.ndarray, validation: float, test: float, rng: Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cuts the samples of y (N,) into (train, validation, test), every class represented
    proportionally; int64, ascending.

    The test part has floor(test * N + 1/2) elements, validation and test together floor((validation
    + test) * N + 1/2). Of a class with c members the parts differ by less than 1 (train) or 2 (the
    others) from its share of c. Hamilton's method and the order of draws are those of
    `stratified_split`. ConfigError if a part would be empty.
    """
    y = np.asarray(y)
    if y.ndim != 1:
        raise ShapeError(f"three_way_split: y must be (N,), got shape {y.shape}")
    _check_fraction("three_way_split", validation)
    held = _part_size("three_way_split", len(y), validation + test)
    tested = _part_size("three_way_split", len(y), test)
    if not 0 < tested < held:
        raise ConfigError(
            f"three_way_split: {validation} and {test} of {len(y)} samples leave a part empty"
        )
    labels, counts = np.unique(y, return_counts=True)
    held_sizes = _apportion((validation + test) * counts, held, counts)
    test_sizes = _apportion(test * counts, tested, held_sizes)
    part = np.zeros(len(y), dtype=np.int64)
    for label, most, some in zip(labels, held_sizes, test_sizes, strict=True):
        members = np.flatnonzero(y == label)
        order = members[rng.permutation(len(members))]
        part[order[:most]], part[order[:some]] = 1, 2
    train, middle, last = (np.flatnonzero(part == k) for k in range(3))
    return train, middle, last


@checked
def last_fraction(n: int, fraction: float) -> Indices:
    """Keras' `validation_split`: the LAST samples, before any shuffling, are the validation part.

    The cut is at floor(n * (1 - fraction)), computed in floating point as Keras does. ConfigError
    if a part would be empty. The caller sees to it that the data are not sorted by class.
    """
    _check_fraction("last_fraction", fraction)
    cut = floor(n * (1.0 - fraction))
    if not 0 < cut < n:
        raise ConfigError(f"last_fraction: {fraction} of {n} samples leaves a part empty")
    return np.arange(cut, dtype=np.int64), np.arange(cut, n, dtype=np.int64)


@checked
def group_split(groups: np.ndarray, y: np.ndarray, fraction: float, rng: Generator) -> Indices:
    """Cuts the samples 0 ... N - 1 into (train, test), int64 and ascending, so that no group stands
    on both sides: persons, series, takes of one recording.

    groups (N,): equal values are one group; y (N,): labels. Groups are taken in a random order, ten
    times; one changes its side if that brings the counts of all classes nearer to `fraction` of
    them: the sum of squares of what is missing gets smaller. Where none does, the smallest is
    tested on. Sizes and classes are therefore only about proportional. ConfigError for fewer than
    two groups.
    """
    if groups.ndim != 1 or groups.shape != y.shape:
        raise ShapeError(
            f"group_split: groups and y must be (N,), got {groups.shape} and {y.shape}"
        )
    _check_fraction("group_split", fraction)
    _, own = np.unique(groups, return_inverse=True)
    _, labels = np.unique(y, return_inverse=True)
    if own.size == 0 or own.max() == 0:
        raise ConfigError(f"group_split: needs two groups, there is {len(np.unique(groups))}")
    counts = np.zeros((own.max() + 1, labels.max() + 1))
    np.add.at(counts, (own, labels), 1)
    missing, chosen = fraction * counts.sum(axis=0), np.zeros(len(counts), bool)
    order = rng.permutation(len(counts)).tolist()
    for group in order * PASSES:
        left = missing + counts[group] if chosen[group] else missing - counts[group]
        if (left**2).sum() < (missing**2).sum():
            missing, chosen[group] = left, not chosen[group]
    if not chosen.any():  # all groups are larger than the part that is wanted
        chosen[min(order, key=lambda group: counts[group].sum())] = True
    elif chosen.all():
        chosen[order[-1]] = False
    return np.flatnonzero(~chosen[own]), np.flatnonzero(chosen[own])


def _apportion(shares: np.ndarray, total: int, limits: np.ndarray) -> np.ndarray:
    """Integers that sum to `total`: each share rounded down, or up for the largest remainders.

    No more than `limits`; ties go to the first.
    """
    sizes = np.minimum(np.floor(shares).astype(np.int64), limits)
    while (missing := total - sizes.sum()) > 0:  # once, unless `limits` get in the way
        largest = np.argsort(-(shares - sizes), kind="stable")
        sizes[largest[sizes[largest] < limits[largest]][:missing]] += 1
    return sizes


def _part_size(op: str, n: int, fraction: float) -> int:
    _check_fraction(op, fraction)
    count = floor(fraction * n + 0.5)
    if not 0 < count < n:
        raise ConfigError(f"{op}: {fraction} of {n} samples leaves a part empty")
    return count


def _check_fraction(op: str, fraction: float) -> None:
    if not 0.0 < fraction < 1.0:
        raise ConfigError(f"{op}: fraction must be between 0 and 1, got {quoted(fraction)}")
