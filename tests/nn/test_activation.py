"""Activations as layers."""

import numpy as np
import pytest
from closeness import assert_close
from support import agree, oracle_module

from tinydl import Tensor, nn, ops
from tinydl.errors import ConfigError, DTypeError
from tinydl.nn import Apply, ReLU, Sequential, Sigmoid, Softmax, Tanh
from tinydl.ops import activations

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
    assert_close(layer(Tensor(X)).numpy(), expected, 1e-12)
    with pytest.raises(DTypeError):
        layer(Tensor([[1, 2]]))


#: layer: what PyTorch calls it, given its module and functions.
TORCH = {
    nn.ReLU(): lambda t, F: t.ReLU(),
    nn.ReLU6(): lambda t, F: t.ReLU6(),
    nn.LeakyReLU(): lambda t, F: t.LeakyReLU(0.2),
    nn.LeakyReLU(0.01): lambda t, F: t.LeakyReLU(),
    nn.ELU(): lambda t, F: t.ELU(),
    nn.ELU(0.3): lambda t, F: t.ELU(0.3),
    nn.SELU(): lambda t, F: t.SELU(),
    nn.GELU(): lambda t, F: t.GELU(),
    nn.GELU("tanh"): lambda t, F: t.GELU(approximate="tanh"),
    nn.Swish(): lambda t, F: t.SiLU(),
    nn.Swish(2.0): lambda t, F: lambda x: x * F.sigmoid(2.0 * x),
    nn.Softplus(): lambda t, F: t.Softplus(),
    nn.Softsign(): lambda t, F: t.Softsign(),
    nn.HardSigmoid(): lambda t, F: lambda x: F.hardtanh(0.2 * x + 0.5, 0.0, 1.0),
    nn.HardSwish(): lambda t, F: t.Hardswish(),
    nn.HardTanh(): lambda t, F: t.Hardtanh(),
    nn.HardTanh(-0.5, 2.0): lambda t, F: t.Hardtanh(-0.5, 2.0),
    nn.LogSigmoid(): lambda t, F: t.LogSigmoid(),
    nn.Mish(): lambda t, F: t.Mish(),
    nn.PReLU().astype("float64"): lambda t, F: t.PReLU(),
    nn.PReLU(6, 0.5).astype("float64"): lambda t, F: t.PReLU(6, 0.5),
    nn.Sigmoid(): lambda t, F: t.Sigmoid(),
    nn.Tanh(): lambda t, F: t.Tanh(),
    nn.Softmax(): lambda t, F: t.Softmax(-1),
    nn.LogSoftmax(): lambda t, F: t.LogSoftmax(-1),
    nn.LogSoftmax(0): lambda t, F: t.LogSoftmax(0),
    nn.Identity(): lambda t, F: t.Identity(),
}


@pytest.mark.oracle
@pytest.mark.parametrize("layer", TORCH, ids=repr)
def test_against_pytorch(layer):
    torch = oracle_module("torch")
    x = np.random.default_rng(1).normal(size=(5, 6)) * 4
    theirs = TORCH[layer](torch.nn, torch.nn.functional)
    agree(layer, theirs.double() if isinstance(theirs, torch.nn.Module) else theirs, [x])


def test_every_activation_of_ops_is_a_layer():
    functions = {n for n, f in vars(activations).items() if n in ops.__all__ and n != "where"}
    functions = {n for n in functions if getattr(ops, n).__module__ == activations.__name__}
    functions |= {"relu", "sigmoid", "tanh", "softmax", "log_softmax"}
    layers = {type(layer).__name__.lower() for layer in TORCH}
    functions -= {"glu"}  # halves the last axis: with the feed-forward layers, nn/transformer.py
    assert len(functions) == 19
    assert {name.replace("_", "") for name in functions} | {"identity"} == layers


def test_settings_show_and_wrong_ones_are_told():
    shown = "LeakyReLU(0.2) ELU(0.3) ELU() GELU('tanh') Swish() Swish(2) LogSoftmax(axis=0)"
    shown += " HardTanh() HardTanh(-1, 2)"
    layers = (
        nn.LeakyReLU(), nn.ELU(0.3), nn.ELU(), nn.GELU("tanh"), nn.Swish(), nn.Swish(2.0),
        nn.LogSoftmax(0), nn.HardTanh(), nn.HardTanh(high=2.0),
    )  # fmt: skip
    assert " ".join(map(repr, layers)) == shown
    with pytest.raises(ConfigError, match=r"HardTanh: low must be below high, got 1\.0 and 1\.0"):
        nn.HardTanh(1.0)
    with pytest.raises(ConfigError, match="GELU: approximation must be None or 'tanh', got 'erf'"):
        nn.GELU("erf")


def test_repr():
    assert repr(Softmax()) == "Softmax()" and repr(Softmax(0)) == "Softmax(axis=0)"


def test_any_function_is_a_layer():
    model = Sequential(Apply(ops.leaky_relu, slope=0.5), Apply(abs))
    assert model(Tensor(X)).tolist() == [[1.0, 0.0, 3.0], [0.5, 0.25, 1.0]]
    assert repr(model.layers[0]) == "Apply(leaky_relu, slope=0.5)"
    for wrong in (None, "relu", ReLU()):
        with pytest.raises(ConfigError, match=r"Apply: (function must be|needs) a function, got"):
            Apply(wrong)
    with pytest.raises(ConfigError, match="method of a module would hide its parameters"):
        Apply(nn.LSTM(2, 3).run)
