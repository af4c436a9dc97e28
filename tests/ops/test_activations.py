"""Activation functions: values, derivatives at the kinks, and no overflow."""

import numpy as np
import pytest
from closeness import assert_close
from support import load_backend

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.ops.activations import SELU_ALPHA, SELU_SCALE

pytestmark = pytest.mark.usefixtures("on_numpy")


def gradient(function, values):
    x = Tensor(np.array(values, np.float64), requires_grad=True)
    function(x).sum().backward()
    return x.grad.tolist()


@pytest.mark.parametrize(
    "function, kinks, slopes",
    [
        (ops.leaky_relu, [0.0], [0.2]),
        (ops.relu6, [0.0, 6.0], [0.0, 0.0]),
        (ops.elu, [0.0], [1.0]),
        (lambda x: ops.elu(x, 0.5), [0.0], [0.5]),
        (ops.selu, [0.0], [SELU_ALPHA * SELU_SCALE]),
        (ops.softplus, [0.0], [0.5]),
        (ops.softsign, [0.0], [1.0]),
        (ops.hard_sigmoid, [-2.5, 2.5], [0.2, 0.2]),
        (ops.hard_swish, [-3.0, 3.0], [0.0, 1.0]),
        (ops.hard_tanh, [-1.0, 1.0], [0.0, 0.0]),
        (lambda x: ops.prelu(x, Tensor([0.25], dtype="float64")), [0.0], [0.25]),
    ],
)
def test_slopes_at_the_kinks(function, kinks, slopes):
    assert gradient(function, kinks) == slopes


@pytest.mark.parametrize(
    "function",
    [
        ops.softplus,
        ops.elu,
        ops.selu,
        ops.softsign,
        ops.swish,
        ops.gelu,
        ops.leaky_relu,
        ops.mish,
        ops.hard_swish,
    ],
)
def test_large_arguments(function):
    """Neither the value nor the gradient turns into NaN or the wrong infinity."""
    x = np.array([-1e4, -800.0, 800.0, 1e4])
    y, slope = function(Tensor(x)).numpy(), np.array(gradient(function, x))
    assert np.isfinite(y).all() and np.isfinite(slope).all()
    assert function is ops.softsign or np.all(y[2:] >= 800)


def test_selu_keeps_mean_and_variance():
    """Its defining property: for x ~ N(0, 1) the mean stays 0 and the variance stays 1."""
    points = np.linspace(-12, 12, 200_001)
    weights = np.exp(-(points**2) / 2)
    weights = weights / weights.sum()
    y = ops.selu(Tensor(points)).numpy()
    assert abs(weights @ y) < 1e-8 and abs(weights @ y**2 - 1) < 1e-8


def test_gelu_approximation_is_close_to_the_exact_form():
    x = Tensor(np.linspace(-6, 6, 101))
    assert np.abs((ops.gelu(x) - ops.gelu(x, "tanh")).numpy()).max() < 1e-3


def test_the_logarithm_of_sigmoid_has_no_zero():
    """sigmoid(-1e4) is 0; its logarithm is -1e4."""
    x = np.array([-1e4, -800.0, 0.0, 800.0])
    assert_close(ops.log_sigmoid(Tensor(x)).numpy(), [-1e4, -800.0, np.log(0.5), 0.0], 1e-12)
    assert gradient(ops.log_sigmoid, x) == [1.0, 1.0, 0.5, 0.0]


def test_hard_sigmoid_and_relu6_are_flat_outside():
    assert ops.hard_sigmoid(Tensor([-3.0, -2.5, 0.0, 2.5, 3.0])).tolist() == [0, 0, 0.5, 1, 1]
    assert ops.relu6(Tensor([-1.0, 3.0, 7.0])).tolist() == [0, 3, 6]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_kept(dtype):
    x = Tensor(np.ones(3, dtype))
    for name in ("leaky_relu", "elu", "selu", "softplus", "softsign", "hard_sigmoid", "gelu"):
        assert getattr(ops, name)(x).dtype == dtype


def test_errors():
    with pytest.raises(ConfigError, match="gelu: approximation must be None or 'tanh', got 'erf'"):
        ops.gelu(Tensor([1.0]), "erf")
    with pytest.raises(ConfigError, match=r"hard_tanh: low must be below high, got 1\.0 and 1\.0"):
        ops.hard_tanh(Tensor([1.0]), 1.0)
    with pytest.raises(ShapeError, match=r"prelu: slope \(3,\) does not broadcast to x \(1,\)"):
        ops.prelu(Tensor([1.0]), Tensor([0.1, 0.2, 0.3]))
    with pytest.raises(DTypeError, match="prelu: needs a float tensor, got int64"):
        ops.prelu(Tensor([1.0]), Tensor([1]))
    with pytest.raises(DTypeError, match="prelu: where: branches are"):
        ops.prelu(Tensor([1.0]), Tensor([1.0], dtype="float64"))
    with pytest.raises(DTypeError, match="selu: needs a float tensor, got int64"):
        ops.selu(Tensor([1]))


@pytest.mark.parametrize("backend", ["numpy", "cpu", "opencl"])
def test_sigmoid_and_gelu_far_from_zero(backend):
    """The tail of sigmoid keeps its digits, and what saturates has the gradient of the line it
    became."""
    load_backend(backend)
    far = Tensor(np.array([-30.0, -80.0, -1e30, 1e30], np.float32), backend=backend)
    expected = [9.357623e-14, 1.804851e-35, 0.0, 1.0]
    assert_close(ops.sigmoid(far).numpy(), expected, 1e-5)
    assert_close(ops.swish(far).numpy()[:3], [-2.807287e-12, 0, 0], 1e-5)
    for approximation in (None, "tanh"):
        x = Tensor(
            np.array([-1e30, -1e4, 1e4, 1e30], np.float32), backend=backend, requires_grad=True
        )
        ops.gelu(x, approximation).sum().backward()
        assert_close(x.grad.numpy(), [0, 0, 1, 1], 1e-5, atol=1e-6)
