"""Synthetic sets: shapes, balance, reproducibility, and that the classes can be told apart."""

import numpy as np
import pytest
from closeness import assert_close, is_close

from tinydl.data import (
    blobs,
    spirals,
    synthetic_digits,
)
from tinydl.errors import ConfigError
from tinydl.random import Generator

MAKERS = {
    "spirals": lambda n, seed: spirals(n, 3, Generator(seed)),
    "blobs": lambda n, seed: blobs(n, 4, Generator(seed), features=5),
    "synthetic_digits": lambda n, seed: synthetic_digits(n, Generator(seed)),
}
SHAPES = {"spirals": (2,), "blobs": (5,), "synthetic_digits": (8, 8)}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("n", [10, 301])
def test_shape_balance_and_seed(name, n):
    samples = MAKERS[name](n, 1)
    assert samples.name == name and samples.input_shape == SHAPES[name]
    assert samples.x.shape == (n, *SHAPES[name]) and samples.x.dtype == np.float32
    assert samples.y.shape == (n,) and samples.y.dtype == np.int64
    counts = np.bincount(samples.y, minlength=len(samples.classes))
    assert len(counts) == len(samples.classes) and np.ptp(counts) <= 1
    again, other = MAKERS[name](n, 1), MAKERS[name](n, 2)
    assert np.array_equal(samples.x, again.x) and np.array_equal(samples.y, again.y)
    assert not np.array_equal(samples.x, other.x)


@pytest.mark.parametrize("size", [8, 13, 28])
def test_digits_are_images_that_least_squares_can_read(size):
    data = synthetic_digits(2000, Generator(0), size=size).split(0.25, Generator(1))
    assert data.x_train.min() >= 0 and data.x_train.max() <= 1 and data.x_train.std() > 0.2
    train, test = (x.reshape(len(x), -1) for x in (data.x_train, data.x_test))
    ridge = train.T @ train + 10 * np.eye(size * size)
    weight = np.linalg.solve(ridge, train.T @ np.eye(10)[data.y_train])
    assert ((test @ weight).argmax(1) == data.y_test).mean() > 0.97


def test_a_clean_eight_contains_a_clean_zero_and_a_seven():
    """Ink of 0 and 7 is a part of the ink of 8 in the same pose (same seed, same order)."""
    from tinydl.data.synthetic.digits import _render

    pose = np.array([[0, 0, 1, 1, 0, 0.15]], dtype=np.float32)
    eight, zero, seven = (_render(np.array([k]), pose, 28) for k in (8, 0, 7))
    assert (eight >= zero).all() and (eight >= seven).all()
    assert eight.sum() > zero.sum() > seven.sum() > 20
    assert_close(eight, eight[:, ::-1], 1e-5)
    assert_close(eight, eight[:, :, ::-1], 1e-5)
    assert not is_close(seven, seven[:, :, ::-1], 1e-5)


def test_a_positive_slant_leans_to_the_right():
    from tinydl.data.synthetic.digits import _render

    pose = np.array([[0, 0, 1, 1, 0.25, 0.15], [0, 0, 1, 1, 0, 0.15]], dtype=np.float32)
    slanted, upright = _render(np.array([1, 1]), pose, 28)
    columns = np.arange(28)

    def centre(rows):
        return (rows * columns).sum() / rows.sum()

    assert centre(slanted[:14]) > centre(upright[:14]) + 1
    assert centre(slanted[14:]) < centre(upright[14:]) - 1


def test_digits_come_in_random_order():
    y = synthetic_digits(100, Generator(0)).y
    assert len({tuple(y[k : k + 10]) for k in range(0, 100, 10)}) > 5


def test_spirals_have_the_given_radius():
    samples = spirals(90, 3, Generator(0), noise=0.0)
    radius = np.linalg.norm(samples.x, axis=1)
    assert_close(radius, (np.arange(90) // 3 + 1) / 30, 1e-5, atol=1e-6)


def test_bad_sizes():
    with pytest.raises(ConfigError, match="n >= classes >= 1"):
        spirals(2, 3, Generator(0))
    with pytest.raises(ConfigError, match="size must be >= 8"):
        synthetic_digits(20, Generator(0), size=5)
