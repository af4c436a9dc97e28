"""Activation functions, the nonlinearities of networks: float tensors of any shape to the same."""

from __future__ import annotations

from math import pi, sqrt
from typing import Never

from ..arguments import number
from ..doors import door, unknown_to
from ..errors import ConfigError, ShapeError
from ..function import Function
from ..geometry import broadcast_shape, normalize_axis
from .arrange import split
from .elementwise import exp, where
from .operands import _constant, _require_float
from .special import Clip, clip, expm1

#: Klambauer et al. 2017 (arXiv:1706.02515): mean 0 and variance 1 are a fixed point of selu.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


class Relu(Function):
    name = "relu"
    saves_output = True

    def forward(self, x):
        return self.backend.relu(x)

    def backward(self, grad):
        return ReluGrad().apply(self.output(grad), grad)


class ReluGrad(Function):
    """grad where y > 0, else 0; constant in y almost everywhere. NaN lets grad pass."""

    name = "relu_grad"
    saves = (0,)

    def forward(self, y, grad):
        return self.backend.relu_grad(y, grad)

    def backward(self, grad):
        return None, ReluGrad().apply(self.saved[0], grad)


def relu(x):
    """max(x, 0); the gradient at 0 is 0, at NaN 1. Nair and Hinton 2010."""
    _require_float("relu", x)
    return Relu().apply(x)


class Tanh(Function):
    name = "tanh"
    saves_output = True

    def forward(self, x):
        return self.backend.tanh(x)

    def backward(self, grad):
        return TanhGrad().apply(self.output(grad), grad)


class TanhGrad(Function):
    """grad * (1 - y^2), y = tanh x."""

    name = "tanh_grad"
    saves = (0, 1)

    def forward(self, y, grad):
        return self.backend.tanh_grad(y, grad)

    def backward(self, grad):
        y, first = self.saved
        return (
            _constant(y, -2) * y * first * grad if self.needed[0] else None,
            TanhGrad().apply(y, grad) if self.needed[1] else None,
        )


def tanh(x):
    """(e^x - e^-x) / (e^x + e^-x)."""
    _require_float("tanh", x)
    return Tanh().apply(x)


class Sigmoid(Function):
    name = "sigmoid"
    saves_output = True

    def forward(self, x):
        return self.backend.sigmoid(x)

    def backward(self, grad):
        return SigmoidGrad().apply(self.output(grad), grad)


class SigmoidGrad(Function):
    """grad * y * (1 - y), y = sigmoid x."""

    name = "sigmoid_grad"
    saves = (0, 1)

    def forward(self, y, grad):
        return self.backend.sigmoid_grad(y, grad)

    def backward(self, grad):
        y, first = self.saved
        slope = _constant(y, 1) - _constant(y, 2) * y if self.needed[0] else None
        return (
            slope * first * grad if self.needed[0] else None,
            SigmoidGrad().apply(y, grad) if self.needed[1] else None,
        )


def sigmoid(x):
    """1 / (1 + e^-x)."""
    _require_float("sigmoid", x)
    return Sigmoid().apply(x)


class Softplus(Function):
    name = "softplus"
    saves = (0,)

    def forward(self, x):
        return self.backend.softplus(x)

    def backward(self, grad):
        return grad * sigmoid(self.saved[0])


@door
def softplus(x):
    """log(1 + e^x), a smooth relu whose derivative is sigmoid(x). Dugas et al. 2000. Never
    overflows."""
    _require_float("softplus", x)
    return Softplus().apply(x)


class Softsign(Function):
    """Differentiated as a quotient, it would be a difference of two equal numbers for large x."""

    name = "softsign"
    flops_per_output = 3
    saves = (0,)

    def forward(self, x):
        one = self.backend.scalar(1, x.dtype)
        return self.backend.divide(x, self.backend.add(self.backend.abs(x), one))

    def backward(self, grad):
        (x,) = self.saved
        part = _constant(x, 1) + abs(x)
        return grad / part / part


@door
def softsign(x):
    """x / (1 + |x|); the gradient 1 / (1 + |x|)^2 is 1 at 0. Bergstra et al. 2009."""
    _require_float("softsign", x)
    return Softsign().apply(x)


def leaky_relu(x, slope=0.2, **unknown: Never):
    """x where x > 0, else slope * x; the gradient at 0 is `slope`. Maas et al. 2013.

    slope: 0.2 as in GANs (Radford et al. 2016); PyTorch's default is 0.01, Keras' 0.3.
    """
    if unknown:
        raise unknown_to(leaky_relu, unknown)
    _require_float("leaky_relu", x)
    slope = number("leaky_relu", "slope", slope)
    # as a factor, which has no gradient: that of x is one product with it
    return x * where(x > _constant(x, 0), _constant(x, 1), _constant(x, slope))


@door
def prelu(x, slope):
    """x where x > 0, else slope * x, with slopes that are learnt; the gradient at 0 is `slope`.

    slope: a float tensor that broadcasts to x's shape: () or (1,) for all, (C,) one of a channel.
    Raises ShapeError and DTypeError. He et al. 2015 (arXiv:1502.01852).
    """
    _require_float("prelu", x, slope)
    if broadcast_shape("prelu", x.shape, slope.shape) != x.shape:
        raise ShapeError(f"prelu: slope {slope.shape} does not broadcast to x {x.shape}")
    return x * where(x > _constant(x, 0), _constant(x, 1), slope)


@door
def relu6(x):
    """min(max(x, 0), 6); the gradient is 0 at both kinks. Krizhevsky 2010; Howard et al. 2017."""
    _require_float("relu6", x)
    return Clip(0.0, 6.0, closed=False).apply(x)


def _elu(x, alpha, scale):
    zero = _constant(x, 0)
    positive = x > zero
    # e^x is taken of the other half only: its overflow times 0 would be NaN in the gradient.
    negative_part = expm1(where(positive, zero, x))
    straight = x if scale == 1 else _constant(x, scale) * x
    return where(positive, straight, _constant(x, scale * alpha) * negative_part)


@door
def elu(x, alpha=1.0):
    """x where x > 0, else alpha (e^x - 1); the gradient at 0 is alpha. Clevert et al. 2016
    (arXiv:1511.07289)."""
    _require_float("elu", x)
    alpha = number("elu", "alpha", alpha)
    return _elu(x, alpha, 1)


@door
def selu(x):
    """lambda elu(x, alpha) with lambda = 1.0507... and alpha = 1.6733..., self-normalising.

    The gradient at 0 is lambda alpha. Klambauer et al. 2017 (arXiv:1706.02515).
    """
    _require_float("selu", x)
    return _elu(x, SELU_ALPHA, SELU_SCALE)


@door
def hard_sigmoid(x):
    """clip(0.2 x + 0.5, 0, 1), the gate of Keras' older recurrent layers.

    The gradient at both kinks is 0.2. Courbariaux et al. 2015 with Theano's slope. (PyTorch's
    hardsigmoid is clip(x / 6 + 1/2, 0, 1).)
    """
    _require_float("hard_sigmoid", x)
    return clip(_constant(x, 0.2) * x + _constant(x, 0.5), 0.0, 1.0)


@door
def hard_swish(x):
    """x relu6(x + 3) / 6, a swish of straight lines and a parabola.

    The gradient at the kinks is 0 at -3 and 1 at 3. Howard et al. 2019 (arXiv:1905.02244).
    """
    _require_float("hard_swish", x)
    return x * (relu6(x + _constant(x, 3)) / _constant(x, 6))


@door
def hard_tanh(x, low=-1.0, high=1.0):
    """min(max(x, low), high) for numbers low < high; the gradient is 0 at both kinks (that of
    `clip` is 1). Raises ConfigError. Collobert 2004."""
    _require_float("hard_tanh", x)
    low, high = number("hard_tanh", "low", low), number("hard_tanh", "high", high)
    if not low < high:
        raise ConfigError(f"hard_tanh: low must be below high, got {low!r} and {high!r}")
    return Clip(low, high, closed=False).apply(x)


@door
def log_sigmoid(x):
    """log sigmoid(x) = -softplus(-x), where the logarithm of sigmoid(x) would be that of 0."""
    _require_float("log_sigmoid", x)
    return -softplus(-x)


class Gelu(Function):
    name = "gelu"
    saves = (0,)

    def forward(self, x):
        return self.backend.gelu(x)

    def backward(self, grad):
        return GeluGrad().apply(self.saved[0], grad)


class GeluGrad(Function):
    """grad * gelu'(x), gelu'(x) = Phi(x) + x phi(x); gelu''(x) = (2 - x^2) phi(x)."""

    name = "gelu_grad"
    saves = (0, 1)

    def forward(self, x, grad):
        return self.backend.gelu_grad(x, grad)

    def backward(self, grad):
        x, first = self.saved
        return (
            _gelu_curvature(x) * first * grad if self.needed[0] else None,
            GeluGrad().apply(x, grad) if self.needed[1] else None,
        )


def _gelu_curvature(x):
    """(2 - x^2) phi(x). Beyond 30 phi is 0 in either type; the square of a large x would
    overflow."""
    square = clip(x, -30.0, 30.0)
    square = square * square
    phi = _constant(x, 1 / sqrt(2 * pi)) * exp(_constant(x, -0.5) * square)
    return (_constant(x, 2) - square) * phi


@door
def gelu(x, approximation=None):
    """x Phi(x), Phi the standard normal distribution. Hendrycks and Gimpel 2016 (arXiv:1606.08415).

    approximation: None computes x (1 + erf(x / sqrt 2)) / 2; "tanh" is the paper's
    x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. Raises ConfigError for another name.
    """
    _require_float("gelu", x)
    if approximation is None:
        return Gelu().apply(x)
    if isinstance(approximation, str) and approximation == "tanh":
        # Beyond 10 the tanh is 1 to the last digit; the cube of a large x would overflow, and its
        # derivative times 0 would be NaN.
        inner = clip(x, -10.0, 10.0)
        cubic = inner + _constant(x, 0.044715) * (inner * inner * inner)
        bell = tanh(_constant(x, sqrt(2 / pi)) * cubic)
    else:
        raise ConfigError(f"gelu: approximation must be None or 'tanh', got {approximation!r}")
    return _constant(x, 0.5) * x * (bell + _constant(x, 1))


@door
def glu(x, axis=-1):
    """a sigmoid(b), x being a and b side by side along `axis`: a gate for every number.

    Raises ShapeError for an odd size, and DTypeError. Dauphin et al. 2017 (arXiv:1612.08083).
    """
    _require_float("glu", x)
    axis = normalize_axis("glu", axis, x.ndim)
    if x.shape[axis] % 2:
        raise ShapeError(f"glu: axis {axis} of {x.shape} has no two halves")
    a, b = split(x, sections=2, axis=axis)
    return a * sigmoid(b)


@door
def swish(x, beta=1.0):
    """x sigmoid(beta x); with beta = 1 also called SiLU. Ramachandran et al. 2017
    (arXiv:1710.05941)."""
    _require_float("swish", x)
    beta = number("swish", "beta", beta)
    return x * sigmoid(x if beta == 1 else _constant(x, beta) * x)


@door
def mish(x):
    """x tanh(softplus(x)). Misra 2019 (arXiv:1908.08681)."""
    _require_float("mish", x)
    return x * tanh(softplus(x))
