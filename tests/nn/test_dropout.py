"""Dropout as a layer: modes, streams, errors."""

import numpy as np
import pytest
from support import load_backend

import tinydl
from tinydl import Generator, Tensor
from tinydl.errors import ConfigError
from tinydl.nn import LSTM, Dropout

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


@pytest.mark.parametrize("rate", [-0.1, 1.01, 2, float("nan")])
def test_rates_outside_their_range(rate):
    with pytest.raises(ConfigError, match=r"Dropout: rate must be in \[0, 1\]"):
        Dropout(rate)


@pytest.mark.parametrize("backend", ["numpy", "cpu", "opencl"])
def test_with_rate_one_nothing_comes_through(backend):
    """As in PyTorch: zeros, also of NaN and infinity, and a gradient of zeros."""
    load_backend(backend)
    x = Tensor(np.array([1, np.nan, np.inf, -2], np.float32), backend=backend, requires_grad=True)
    layer = Dropout(1.0, rng=Generator(2))
    y = layer(x)
    y.sum().backward()
    assert y.tolist() == x.grad.tolist() == [0] * 4
    assert layer.rng.offset > 0  # it has drawn as with any other rate
    assert layer.eval()(x) is x
    recurrent = LSTM(2, 3, input_dropout=1.0, recurrent_dropout=1.0, rng=Generator(3))
    ones = Tensor(np.ones((1, 4, 2), np.float32))
    assert np.array_equal(recurrent(ones).numpy(), recurrent(5 * ones).numpy())
