"""NaN stays visible: functions of pieces give NaN at NaN, and let its gradient through."""

import numpy as np
import pytest

from tinydl import Tensor, grad, ops

NAN = float("nan")
ONE_OPERAND = {
    "relu": ops.relu,
    "leaky_relu": ops.leaky_relu,
    "relu6": ops.relu6,
    "elu": ops.elu,
    "selu": ops.selu,
    "abs": ops.abs,
    "clip": lambda x: ops.clip(x, -1.0, 1.0),
    "clip below": lambda x: ops.clip(x, low=-1.0),
    "hard_sigmoid": ops.hard_sigmoid,
    "hard_swish": ops.hard_swish,
    "hard_tanh": ops.hard_tanh,
    "log_sigmoid": ops.log_sigmoid,
    "mish": ops.mish,
    "prelu": lambda x: ops.prelu(x, 0.5 + 0 * x.detach()),
    "max": lambda x: ops.max(x, 0, keepdims=True),
    "min": lambda x: ops.min(x, 0, keepdims=True),
    "max_pool2d": lambda x: ops.max_pool2d(ops.reshape(x, (1, 1, x.size, 1)), (1, 1)),
    "avg_pool2d": lambda x: ops.avg_pool2d(ops.reshape(x, (1, 1, x.size, 1)), (1, 1)),
    "softplus": ops.softplus,
    "gelu": ops.gelu,
    "swish": ops.swish,
    "softmax": lambda x: ops.softmax(x),
    "sqrt": ops.sqrt,
    "std": lambda x: ops.std(x),
    "norm": lambda x: ops.norm(x),
    "logsumexp": lambda x: ops.logsumexp(x),
}
TWO_OPERANDS = {"maximum": ops.maximum, "minimum": ops.minimum, "atan2": ops.atan2}


def value_and_gradients(function, values, backend, incoming=1.0):
    tensors = [Tensor(np.array(v), backend=backend.name, requires_grad=True) for v in values]
    y = function(*tensors)
    factor = Tensor(np.array(incoming), backend=backend.name)
    return y.numpy(), [g.numpy() for g in grad(ops.sum(y * factor), tensors)]


@pytest.mark.parametrize("name", ONE_OPERAND)
def test_nan_gives_nan_and_its_gradient_passes(backend, name):
    """The gradient at NaN is not 0: what comes in goes on, or is NaN."""
    y, (g,) = value_and_gradients(ONE_OPERAND[name], [[NAN]], backend)
    assert np.isnan(y).all()
    assert not (g == 0).any()
    _, (g,) = value_and_gradients(ONE_OPERAND[name], [[NAN]], backend, NAN)
    assert np.isnan(g).all()


@pytest.mark.parametrize("name", TWO_OPERANDS)
@pytest.mark.parametrize("values", [(NAN, 1.0), (1.0, NAN), (NAN, NAN)])
def test_nan_in_one_of_two_operands(backend, name, values):
    y, gradients = value_and_gradients(TWO_OPERANDS[name], [[v] for v in values], backend)
    assert np.isnan(y).all()
    assert all((g != 0).all() for g in gradients)


def test_sign_and_rounding_keep_nan(backend):
    x = Tensor(np.array([NAN, -2.0, 0.0]), backend=backend.name)
    for function in (ops.sign, ops.floor, ops.round):
        assert np.isnan(function(x).numpy()).tolist() == [True, False, False]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_relu_of_minus_zero_is_zero(target, dtype):
    """Of every length: vector code and what is left beside it."""
    for n in (1, 7, 40):
        x = np.full(n, -0.0, dtype)
        assert not np.signbit(target.to_numpy(target.relu(target.asarray(x)))).any()
    w = np.eye(3, dtype=dtype)
    x = np.full((9, 3), -0.0, dtype)
    product = target.matmul(target.asarray(x), target.asarray(w), None, True)
    assert not np.signbit(target.to_numpy(product)).any()
