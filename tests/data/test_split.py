"""Splits: exact sizes, no overlap, nothing lost, and Keras' own rule for the last fraction."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tinydl.data import last_fraction, random_split, stratified_split
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
