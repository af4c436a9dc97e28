"""Initialisers: bounds and moments by formula, orthogonality, streams."""

from functools import partial

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator
from tinydl.errors import ConfigError, ShapeError
from tinydl.nn import Parameter, init

SHAPES = [(120, 80), (3, 3, 16, 40), (3, 5, 8, 64)]


def test_fans():
    assert init.fans((30, 20)) == (30, 20)
    assert init.fans((3, 5, 8, 64)) == (15 * 8, 15 * 64)
    assert init.fans((7,)) == (7, 7)
    with pytest.raises(ShapeError):
        init.fans(())


def variance(name, shape):
    fan_in, fan_out = init.fans(shape)
    return {"glorot": 2 / (fan_in + fan_out), "he": 2 / fan_in, "lecun": 1 / fan_in}[name]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["glorot", "he", "lecun"])
@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_scaled_initialisers(name, kind, shape, dtype):
    w = init.BY_NAME[f"{name}_{kind}"](shape, Generator(11), dtype)
    v, n = variance(name, shape), w.size
    assert w.shape == shape and w.dtype == dtype
    # 5 standard errors: of the mean sqrt(v/n); of the variance at most v sqrt(2/n) (less for both)
    assert abs(w.mean()) < 5 * np.sqrt(v / n)
    assert abs(w.var() - v) < 5 * v * np.sqrt(2 / n)
    bound = np.sqrt(3 * v) if kind == "uniform" else 2 * np.sqrt(v) / 0.87962566103423978
    assert 0.95 * bound < np.abs(w).max() <= bound * (1 + 1e-6)


def test_plain_initialisers():
    shape, rng = (200, 100), Generator(5)
    assert (init.zeros(shape, rng, np.float32) == 0).all()
    assert (init.ones(shape, rng, np.float32) == 1).all()
    w = init.uniform(shape, rng, np.float32)
    assert -0.05 <= w.min() < -0.0499 and 0.0499 < w.max() <= 0.05
    w = init.normal(shape, rng, np.float32)
    assert abs(w.std() - 0.05) < 5 * 0.05 / np.sqrt(2 * w.size) and abs(w.mean()) < 5e-4 * 5
    w = partial(init.normal, mean=2.0, std=0.5)(shape, rng, np.float64)
    assert abs(w.mean() - 2) < 5 * 0.5 / np.sqrt(w.size)


def test_truncated_normal_redraws():
    w = init.truncated_normal((300, 100), Generator(5), np.float64, mean=1.0, std=3.0)
    assert 1.99 * 3 < np.abs(w - 1).max() <= 6
    expected = 3 * 0.87962566103423978
    assert abs(w.std() - expected) < 5 * expected / np.sqrt(2 * w.size)
    # redrawn, not clipped: no pile at the bounds
    assert (np.abs(w - 1) > 5.99).mean() < 0.001


@pytest.mark.parametrize("shape", [(8, 8), (12, 5), (5, 12), (3, 3, 4, 6), (1, 1, 2, 9)])
def test_orthogonal(shape):
    w = init.orthogonal(shape, Generator(1), np.float64).reshape(-1, shape[-1])
    gram = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    assert_close(gram, np.eye(len(gram)), 1e-7, atol=1e-12)
    assert init.orthogonal(shape, Generator(1), np.float32).flags.c_contiguous
    doubled = init.orthogonal(shape, Generator(1), np.float64, gain=2.0).reshape(w.shape)
    assert_close(doubled, 2 * w, 1e-7)


def test_orthogonal_is_uniform_over_the_group():
    """With the sign fix the first entry has mean 0; Householder QR alone makes it negative."""
    rng = Generator(0)
    first = [init.orthogonal((3, 3), rng, np.float64)[0, 0] for _ in range(400)]
    assert abs(np.mean(first)) < 5 / np.sqrt(3 * 400)
    with pytest.raises(ShapeError, match="at least two axes"):
        init.orthogonal((3,), rng, np.float64)


def test_names_and_streams():
    for name, function in init.BY_NAME.items():
        assert init.initializer(name) is function
        a, b = (
            function((6, 4), Generator(2), np.float32),
            function((6, 4), Generator(2), np.float32),
        )
        np.testing.assert_array_equal(a, b)
        assert a.dtype == np.float32 and a.shape == (6, 4)
    with pytest.raises(ConfigError, match="unknown initialiser 'kaiming'; choose from zeros"):
        init.initializer("kaiming")


def test_a_spread_or_bounds_that_are_none():
    weight = Parameter(np.ones((2, 3), np.float32))
    for function in (init.normal_, init.truncated_normal_):
        with pytest.raises(ConfigError, match=r"normal_: std must be >= 0, got -1"):
            function(weight, std=-1)
    with pytest.raises(ConfigError, match="uniform_: needs low <= high, got 1 and 0"):
        init.uniform_(weight, 1, 0)
    assert (weight.numpy() == 1).all()
    init.normal_(weight, 2, 0)
    assert (weight.numpy() == 2).all()
