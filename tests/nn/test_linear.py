"""Linear: values, shapes, errors, and its weights in PyTorch."""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Generator, Tensor
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.nn import L2, Linear

rng = np.random.default_rng(0)


def test_values_and_shapes():
    layer = Linear(3, 2, rng=Generator(0)).astype(np.float64)
    for lead in ((5,), (5, 4), (2, 3, 4), (0,)):
        x = rng.standard_normal((*lead, 3))
        y = layer(Tensor(x))
        assert y.shape == (*lead, 2)
        expected = x @ layer.weight.numpy() + layer.bias.numpy()
        assert_close(y.numpy(), expected, 1e-12)


def test_without_bias():
    layer = Linear(3, 2, bias=False)
    assert layer.bias is None and [n for n, _ in layer.named_parameters()] == ["weight"]
    assert layer(Tensor(np.zeros((1, 3), np.float32))).shape == (1, 2)


def test_defaults_are_glorot_uniform_and_zeros():
    layer = Linear(30, 20, rng=Generator(3))
    limit = np.sqrt(6 / 50)
    weight = layer.weight.numpy()
    assert np.abs(weight).max() <= limit and weight.std() > 0.5 * limit
    assert (layer.bias.numpy() == 0).all() and weight.dtype == np.float32
    again = Linear(30, 20, rng=Generator(3))
    np.testing.assert_array_equal(weight, again.weight.numpy())


def test_first_values_by_function():
    layer = Linear(2, 2, weight_init=lambda shape, rng, dtype: np.eye(2), bias_init="ones")
    np.testing.assert_array_equal(layer.weight.numpy(), np.eye(2))
    np.testing.assert_array_equal(layer.bias.numpy(), [1, 1])
    with pytest.raises(ShapeError, match=r"returned shape \(3, 3\) for a weight \(2, 2\)"):
        Linear(2, 2, weight_init=lambda shape, rng, dtype: np.eye(3))


def test_errors_name_rule_and_values():
    layer = Linear(4, 2)
    with pytest.raises(
        ShapeError, match=r"Linear: x has 3 features but in_features is 4 \(x \(5, 3\)"
    ):
        layer(Tensor(np.zeros((5, 3), np.float32)))
    with pytest.raises(ShapeError, match="x has 1 axes"):
        layer(Tensor(np.zeros(4, np.float32)))
    with pytest.raises(DTypeError, match="float64 and float32"):
        layer(Tensor(np.zeros((5, 4))))
    with pytest.raises(ConfigError, match="in_features must be an integer >= 1, got 0"):
        Linear(0, 2)
    with pytest.raises(ConfigError, match=r"out_features must be an integer, got 2\.0"):
        Linear(1, 2.0)
    with pytest.raises(ConfigError, match="unknown initialiser 'xavier'"):
        Linear(1, 2, weight_init="xavier")
    with pytest.raises(ConfigError, match="bias_penalty is given but bias is False"):
        Linear(1, 2, bias=False, bias_penalty=L2(0.1))


@pytest.mark.oracle
def test_weights_interchange_with_pytorch():
    torch = oracle_module("torch")
    x = rng.standard_normal((6, 5))
    theirs = torch.nn.Linear(5, 3).double()
    mine = Linear(5, 3).astype(np.float64)
    mine.load_state_dict(
        {
            "weight": theirs.weight.detach().numpy().T,
            "bias": theirs.bias.detach().numpy(),
        }
    )
    expected = theirs(torch.from_numpy(x)).detach().numpy()
    assert_close(mine(Tensor(x)).numpy(), expected, 1e-9)

    mine = Linear(5, 3, rng=Generator(9)).astype(np.float64)
    with torch.no_grad():
        theirs.weight.copy_(torch.from_numpy(mine.weight.numpy().T.copy()))
        theirs.bias.copy_(torch.from_numpy(mine.bias.numpy().copy()))
    expected = theirs(torch.from_numpy(x)).detach().numpy()
    assert_close(mine(Tensor(x)).numpy(), expected, 1e-9)
