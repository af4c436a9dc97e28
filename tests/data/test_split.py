"""Splits: exact sizes, no overlap, nothing lost, and Keras' own rule for the last fraction."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tinydl.data import group_split, last_fraction, random_split, stratified_split, three_way_split
from tinydl.errors import ConfigError, ShapeError
from tinydl.random import Generator

fractions = st.floats(0.02, 0.98)


def check_partition(train, test, n):
    assert train.dtype == test.dtype == np.int64
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(n))
    assert (np.diff(train) > 0).all() and (np.diff(test) > 0).all()


@settings(deadline=None)
@given(st.integers(2, 200), fractions, st.integers(0, 1000))
def test_random_split(n, fraction, seed):
    size = int(np.floor(fraction * n + 0.5))
    assume(0 < size < n)
    train, test = random_split(n, fraction, Generator(seed))
    check_partition(train, test, n)
    assert len(test) == size
    again = random_split(n, fraction, Generator(seed))
    assert np.array_equal(train, again[0]) and np.array_equal(test, again[1])


@settings(deadline=None)
@given(st.lists(st.integers(-2, 5), min_size=2, max_size=200), fractions, st.integers(0, 1000))
def test_stratified_split(labels, fraction, seed):
    y = np.array(labels)
    size = int(np.floor(fraction * len(y) + 0.5))
    assume(0 < size < len(y))
    train, test = stratified_split(y, fraction, Generator(seed))
    check_partition(train, test, len(y))
    assert len(test) == size
    for label in set(labels):
        count = (y == label).sum()
        assert (y[test] == label).sum() - np.floor(fraction * count) in (0, 1)


def test_stratified_extra_samples_go_to_the_largest_remainders():
    y = np.repeat([0, 1, 2, 3], [7, 5, 9, 6])  # a third: 2.33, 1.67, 3.0, 2.0; 9 in all
    _, test = stratified_split(y, 1 / 3, Generator(0))
    assert np.bincount(y[test]).tolist() == [2, 2, 3, 2]


def test_split_draws_every_sample_sometimes():
    y = np.repeat([0, 1], 10)
    seen = set()
    for seed in range(60):
        seen |= set(stratified_split(y, 0.2, Generator(seed))[1].tolist())
    assert seen == set(range(20))


@pytest.mark.parametrize(
    "n, fraction, cut", [(60000, 0.2, 48000), (10, 0.25, 7), (1797, 0.2, 1437)]
)
def test_last_fraction_is_keras_validation_split(n, fraction, cut):
    train, validation = last_fraction(n, fraction)
    assert train.tolist() == list(range(cut))
    assert validation.tolist() == list(range(cut, n))


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_bad_fractions(fraction):
    for call in (
        lambda: random_split(10, fraction, Generator(0)),
        lambda: stratified_split(np.zeros(10), fraction, Generator(0)),
        lambda: last_fraction(10, fraction),
    ):
        with pytest.raises(ConfigError, match="fraction must be between 0 and 1"):
            call()


def test_empty_parts_and_bad_shapes():
    with pytest.raises(ConfigError, match="leaves a part empty"):
        random_split(10, 0.01, Generator(0))
    with pytest.raises(ConfigError, match="leaves a part empty"):
        last_fraction(3, 0.9)
    with pytest.raises(ShapeError, match=r"y must be \(N,\)"):
        stratified_split(np.zeros((4, 2)), 0.5, Generator(0))


@settings(deadline=None)
@given(
    st.lists(st.integers(-2, 5), min_size=3, max_size=200),
    st.floats(0.05, 0.6),
    st.floats(0.05, 0.39),
    st.integers(0, 1000),
)
def test_three_way_split(labels, validation, test, seed):
    y = np.array(labels)
    sizes = [int(np.floor(f * len(y) + 0.5)) for f in (test, validation + test)]
    assume(0 < sizes[0] < sizes[1] < len(y))
    parts = three_way_split(y, validation, test, Generator(seed))
    assert [len(p) for p in parts] == [len(y) - sizes[1], sizes[1] - sizes[0], sizes[0]]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(y)))
    for part in parts:
        assert part.dtype == np.int64 and (np.diff(part) > 0).all()
    for label in set(labels):
        train, middle, last = ((y[p] == label).sum() for p in parts)
        count = (y == label).sum()
        assert abs(train - (1 - validation - test) * count) < 1
        assert abs(middle - validation * count) < 2 and abs(last - test * count) < 2
    again = three_way_split(y, validation, test, Generator(seed))
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))


def test_three_way_split_where_remainders_collide():
    y = np.repeat(np.arange(20), [60] * 10 + [1] * 10)
    parts = three_way_split(y, 0.01, 0.365, Generator(0))
    assert [len(p) for p in parts] == [381, 6, 223]


def test_three_way_split_draws_at_random_and_refuses_empty_parts():
    y = np.repeat([0, 1], 10)
    seen = [set(), set(), set()]
    for seed in range(60):
        for part, found in zip(three_way_split(y, 0.2, 0.2, Generator(seed)), seen, strict=True):
            found |= set(part.tolist())
    assert seen == [set(range(20))] * 3
    for validation, test in ((0.01, 0.3), (0.3, 0.01), (0.5, 0.5), (0.9, 0.2), (0, 0.2), (0.2, 0)):
        with pytest.raises(ConfigError, match="three_way_split"):
            three_way_split(y, validation, test, Generator(0))
    with pytest.raises(ShapeError, match=r"three_way_split: y must be \(N,\)"):
        three_way_split(np.zeros((4, 2)), 0.2, 0.2, Generator(0))


def test_group_split_keeps_groups_together():
    """Persons of very different sizes and classes: none on both sides, about the share."""
    rng = Generator(3)
    groups = rng.integers(0, 40, 900)
    y = (groups % 3 + rng.integers(0, 2, 900)) % 3
    train, test = group_split(groups, y, 0.25, Generator(0))
    assert not set(groups[train]) & set(groups[test])
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(900))
    assert abs(len(test) - 225) < 25
    shares = np.bincount(y[test], minlength=3) / np.bincount(y, minlength=3)
    assert np.abs(shares - 0.25).max() < 0.06
    again = group_split(groups, y, 0.25, Generator(0))
    assert np.array_equal(test, again[1])


def test_group_split_of_large_groups():
    """Where every group is larger than the part, the smallest is tested on."""
    groups = np.repeat([5, 7], [30, 20])
    train, test = group_split(groups, np.zeros(50, int), 0.05, Generator(0))
    assert set(groups[test]) == {7} and set(groups[train]) == {5}
    with pytest.raises(ConfigError, match="two groups"):
        group_split(np.zeros(9, int), np.zeros(9, int), 0.5, Generator(0))
    with pytest.raises(ShapeError):
        group_split(np.zeros(9, int), np.zeros(8, int), 0.5, Generator(0))
