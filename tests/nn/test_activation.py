"""Activations as layers."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError
from tinydl.nn import Apply, ReLU, Sequential, Sigmoid, Softmax, Tanh

X = np.array([[-2.0, 0.0, 3.0], [0.5, -0.5, 1.0]])


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (ReLU(), np.maximum(X, 0)),
        (Tanh(), np.tanh(X)),
        (Sigmoid(), 1 / (1 + np.exp(-X))),
        (Softmax(), softmax(X, 1)),
        (Softmax(axis=0), softmax(X, 0)),
    ],
    ids=["relu", "tanh", "sigmoid", "softmax", "softmax-0"],
)
def test_values(layer, expected):
    np.testing.assert_allclose(layer(Tensor(X)).numpy(), expected, rtol=1e-12)
    with pytest.raises(DTypeError):
        layer(Tensor([[1, 2]]))


def test_repr():
    assert repr(Softmax()) == "Softmax()" and repr(Softmax(0)) == "Softmax(axis=0)"


def test_any_function_is_a_layer():
    model = Sequential(Apply(ops.leaky_relu, slope=0.5), Apply(abs))
    assert model(Tensor(X)).tolist() == [[1.0, 0.0, 3.0], [0.5, 0.25, 1.0]]
    assert repr(model.layers[0]) == "Apply(leaky_relu, slope=0.5)"
    for wrong in (None, "relu", ReLU()):
        with pytest.raises(ConfigError, match="Apply: needs a function, got"):
            Apply(wrong)
