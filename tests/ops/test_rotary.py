"""Rotary positions: the formula pair by pair, distances, places of a cache, errors."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError

X = np.random.default_rng(7).normal(size=(2, 5, 3, 6))


@pytest.mark.parametrize("halves", [False, True])
def test_each_pair_is_turned_by_its_own_angle(backend, halves):
    y = ops.rotary(Tensor(X, backend=backend), start=4, axis=1, halves=halves).numpy()
    pairs = [(i, i + 3) for i in range(3)] if halves else [(0, 1), (2, 3), (4, 5)]
    for t in range(5):
        for i, (a, b) in enumerate(pairs):
            turned = (X[:, t, :, a] + 1j * X[:, t, :, b]) * np.exp(1j * (t + 4) * 10000 ** (-i / 3))
            assert_close(y[:, t, :, a], turned.real, 1e-12)
            assert_close(y[:, t, :, b], turned.imag, 1e-12)


def test_products_depend_on_the_distance_alone():
    q, k = Tensor(X[:1, :1]), Tensor(X[1:, :1])

    def product(i, j):
        return (ops.rotary(q, i, 1) * ops.rotary(k, j, 1)).sum(-1).numpy()

    assert_close(product(3, 1), product(102, 100), 1e-9)
    assert np.abs(product(3, 1) - product(3, 2)).max() > 1e-3


def test_errors():
    with pytest.raises(ShapeError, match=r"x must be \(..., T, ..., E\) with an even E"):
        ops.rotary(Tensor(X[..., :5]))
    with pytest.raises(ShapeError, match="axis 3 holds the numbers to turn"):
        ops.rotary(Tensor(X), axis=-1)
    with pytest.raises(ConfigError, match="base must be a number > 0"):
        ops.rotary(Tensor(X), base=0.0)
    with pytest.raises(DTypeError, match="needs a float tensor"):
        ops.rotary(Tensor(np.ones((2, 4), np.int64)))
