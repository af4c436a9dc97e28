"""Every activation of `tinydl.ops` as a layer. They keep the shape; only PReLU has parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..arguments import number
from ..doors import checked
from ..errors import ConfigError
from ..quoting import quoted
from ..tensor import Tensor
from .linear import check_size
from .module import Module, Parameter


class ReLU(Module):
    """max(x, 0); the gradient at 0 is 0. Nair and Hinton 2010."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.relu(x)


class Tanh(Module):
    """(e^x - e^-x) / (e^x + e^-x)."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.tanh(x)


class Sigmoid(Module):
    """1 / (1 + e^-x). For training, leave it out and use bce_with_logits."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.sigmoid(x)


class LeakyReLU(Module):
    """x where x > 0, else slope * x. Maas et al. 2013. slope: 0.2 as in GANs; PyTorch's default is
    0.01, Keras' 0.3. See `tinydl.leaky_relu`."""

    @checked
    def __init__(self, slope: float = 0.2) -> None:
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return ops.leaky_relu(x, self.slope)

    def arguments(self) -> str:
        return f"{self.slope:g}"


class PReLU(Module):
    """x where x > 0, else weight * x, whose slopes are learnt. He et al. 2015. See `tinydl.prelu`.

    features: 1, one slope for all, or as many as the last axis has, one each; weight (features,)
    begins at `slope`. A weight_decay would draw the slopes to 0, as the paper says: leave it off.
    Raises ConfigError; the call ShapeError and DTypeError.
    """

    @checked
    def __init__(self, features: int = 1, slope: float = 0.25) -> None:
        check_size("PReLU", features=features)
        self.weight = Parameter(np.full(features, number("PReLU", "slope", slope), np.float32))

    def forward(self, x: Tensor) -> Tensor:
        return ops.prelu(x, self.weight)

    def arguments(self) -> str:
        return "" if self.weight.size == 1 else f"{self.weight.size}"


class ReLU6(Module):
    """min(max(x, 0), 6), see `tinydl.relu6`."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.relu6(x)


class ELU(Module):
    """x where x > 0, else alpha (e^x - 1). Clevert et al. 2016. See `tinydl.elu`."""

    @checked
    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return ops.elu(x, self.alpha)

    def arguments(self) -> str:
        return "" if self.alpha == 1 else f"{self.alpha:g}"


class SELU(Module):
    """The self-normalising elu of Klambauer et al. 2017, see `tinydl.selu`."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.selu(x)


class GELU(Module):
    """x Phi(x), see `tinydl.gelu`. approximation: None, or "tanh". Hendrycks and Gimpel 2016.
    Raises ConfigError for another name."""

    @checked
    def __init__(self, approximation: str | None = None) -> None:
        if approximation not in (None, "tanh"):
            raise ConfigError(
                f"GELU: approximation must be None or 'tanh', got {quoted(approximation)}"
            )
        self.approximation = approximation

    def forward(self, x: Tensor) -> Tensor:
        return ops.gelu(x, self.approximation)

    def arguments(self) -> str:
        return "" if self.approximation is None else repr(self.approximation)


class Swish(Module):
    """x sigmoid(beta x), see `tinydl.swish`. Ramachandran et al. 2017."""

    @checked
    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def forward(self, x: Tensor) -> Tensor:
        return ops.swish(x, self.beta)

    def arguments(self) -> str:
        return "" if self.beta == 1 else f"{self.beta:g}"


class SiLU(Module):
    """`Swish()`, as PyTorch calls it: x sigmoid(x). Elfwing et al. 2018."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.swish(x)


class Softplus(Module):
    """log(1 + e^x), see `tinydl.softplus`."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.softplus(x)


class Softsign(Module):
    """x / (1 + |x|), see `tinydl.softsign`."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.softsign(x)


class HardSigmoid(Module):
    """clip(0.2 x + 0.5, 0, 1), the gate of old Keras, see `tinydl.hard_sigmoid`."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.hard_sigmoid(x)


class HardSwish(Module):
    """x relu6(x + 3) / 6, see `tinydl.hard_swish`. Howard et al. 2019."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.hard_swish(x)


class HardTanh(Module):
    """min(max(x, low), high), see `tinydl.hard_tanh`. Raises ConfigError unless low < high."""

    @checked
    def __init__(self, low: float = -1.0, high: float = 1.0) -> None:
        if not low < high:
            raise ConfigError(f"HardTanh: low must be below high, got {low!r} and {high!r}")
        self.low, self.high = low, high

    def forward(self, x: Tensor) -> Tensor:
        return ops.hard_tanh(x, self.low, self.high)

    def arguments(self) -> str:
        return "" if (self.low, self.high) == (-1, 1) else f"{self.low:g}, {self.high:g}"


class LogSigmoid(Module):
    """log sigmoid(x), see `tinydl.log_sigmoid`."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.log_sigmoid(x)


class Mish(Module):
    """x tanh(softplus(x)), see `tinydl.mish`. Misra 2019."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.mish(x)


class Softmax(Module):
    """e^{x_i} / sum_j e^{x_j} along `axis`. For training, leave it out: the loss takes logits."""

    @checked
    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        return ops.softmax(x, self.axis)

    def arguments(self) -> str:
        return "" if self.axis == -1 else f"axis={self.axis}"


class LogSoftmax(Softmax):
    """The logarithm of Softmax, without its underflow; `nn.nll` takes it."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.log_softmax(x, self.axis)


class Identity(Module):
    """x itself: where a layer may be left out, or a head cut off."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class Apply(Module):
    """Any function of a tensor as a layer: Apply(ops.leaky_relu, slope=0.1) in a Sequential.

    The options are the function's keyword arguments; nothing here is trained. Raises ConfigError
    for what cannot be called, and for a Module, which stands for itself.
    """

    @checked
    def __init__(self, function: Callable[..., Tensor], **options: Any) -> None:
        if not callable(function) or isinstance(function, Module):
            raise ConfigError(f"Apply: needs a function, got {type(function).__name__}")
        if isinstance(getattr(function, "__self__", None), Module):
            raise ConfigError(
                "Apply: the method of a module would hide its parameters; use the module, or a "
                "module of your own"
            )
        self.function, self.options = function, options

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, **self.options)

    def arguments(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return ", ".join([name, *[f"{k}={v!r}" for k, v in self.options.items()]])
