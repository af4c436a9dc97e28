"""Dropout as a layer: modes, streams, errors."""

import numpy as np
import pytest

import tinydl
from tinydl import Generator, Tensor
from tinydl.errors import ConfigError
from tinydl.nn import Dropout

ONES = np.ones((200, 50), np.float32)


def test_training_zeroes_and_scales():
    y = Dropout(0.25, rng=Generator(1))(Tensor(ONES)).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    # 10000 Bernoulli draws: 5 standard deviations of the fraction
    assert abs((y == 0).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / y.size)


def test_eval_and_rate_zero_pass_everything():
    x = Tensor(ONES)
    assert Dropout(0.25).eval()(x) is x
    assert Dropout(0.0)(x) is x


def test_streams():
    layer = Dropout(0.5, rng=Generator(7))
    first, second = layer(Tensor(ONES)).numpy(), layer(Tensor(ONES)).numpy()
    assert (first != second).any()
    np.testing.assert_array_equal(Dropout(0.5, rng=Generator(7))(Tensor(ONES)).numpy(), first)
    tinydl.seed(7)
    np.testing.assert_array_equal(Dropout(0.5)(Tensor(ONES)).numpy(), first)


def test_the_gradient_has_the_mask_of_the_forward_pass():
    x = Tensor(ONES, requires_grad=True)
    y = Dropout(0.5, rng=Generator(2))(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy())


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2, float("nan")])
def test_rates_outside_their_range(rate):
    with pytest.raises(ConfigError, match=r"Dropout: rate must be in \[0, 1\)"):
        Dropout(rate)
