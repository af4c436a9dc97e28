"""First values of weights. Every initialiser is a function (shape, rng, dtype) -> ndarray.

Numbers are drawn on the host, so that initial weights are bitwise equal whatever the backend. A
layer takes an initialiser by name ("he_normal") or as such a function, for instance
`functools.partial(init.normal, std=0.02)`. What ends in an underscore writes into a parameter that
is there: `init.normal_(layer.weight, 0.0, 0.02)`.

Fans: a weight (in, out) has fan_in = in and fan_out = out; a convolution weight (KH, KW, C/groups,
F) has fan_in = KH*KW*C/groups and fan_out = KH*KW*F; a vector (n,) has both n. The normal variants
of Glorot, He and LeCun draw a truncated normal with the stated standard deviation, as Keras does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from math import erf, exp, pi, prod, sqrt
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from ..arguments import array, is_tensor, sizes, tensor
from ..doors import checked
from ..errors import ConfigError, DTypeError, ShapeError
from ..habits import asked as _asked
from ..quoting import quoted
from ..random import Generator, default_generator
from ..tensor import Tensor

Shape = tuple[int, ...]
DType = Any  # what np.dtype reads as one of tinydl's
Initializer = Callable[[Shape, Generator, Any], np.ndarray]

#: Standard deviation of a standard normal cut off at +-2: with its density phi and distribution
#: function Phi, sqrt(1 - 4 phi(2) / (Phi(2) - Phi(-2))) = 0.8796.
_TRUNCATED_STD = sqrt(1 - 4 * (exp(-2) / sqrt(2 * pi)) / erf(2 / sqrt(2)))


P = ParamSpec("P")


def _initial(function: Callable[P, np.ndarray]) -> Callable[P, np.ndarray]:
    """`checked`, and what to write where a parameter is given in the place of a shape."""
    drawn, name = checked(function), function.__name__

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> np.ndarray:
        if args and is_tensor(args[0]):
            raise ConfigError(
                f"init.{name}: makes an array of a shape; init.fill_(parameter, {name!r}), or "
                "init.normal_(parameter, mean, std) and its kin, write into a parameter"
            )
        return drawn(*args, **options)

    return call


@checked
def fans(shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight; ShapeError for a single number."""
    if not shape:
        raise ShapeError("init: a weight needs at least one axis, got shape ()")
    if len(shape) == 1:
        return shape[0], shape[0]
    cells = prod(shape[:-2])
    return cells * shape[-2], cells * shape[-1]


@_initial
def zeros(shape: Shape, rng: Generator, dtype: DType) -> np.ndarray:
    """0 everywhere."""
    return np.zeros(shape, dtype)


@_initial
def ones(shape: Shape, rng: Generator, dtype: DType) -> np.ndarray:
    """1 everywhere."""
    return np.ones(shape, dtype)


@_initial
def uniform(
    shape: Shape, rng: Generator, dtype: DType, low: float = -0.05, high: float = 0.05
) -> np.ndarray:
    """Uniform on [low, high]; Keras' default bounds."""
    return rng.uniform(shape, low=low, high=high, dtype=dtype)


@_initial
def normal(
    shape: Shape, rng: Generator, dtype: DType, mean: float = 0.0, std: float = 0.05
) -> np.ndarray:
    """Normal; Keras' default standard deviation."""
    return rng.normal(shape, mean=mean, std=std, dtype=dtype)


@_initial
def truncated_normal(
    shape: Shape, rng: Generator, dtype: DType, mean: float = 0.0, std: float = 1.0
) -> np.ndarray:
    """Normal; values beyond mean +- 2 std are drawn again, from the same stream.

    `std` is that of the normal before truncation; the result's is 0.8796 std.
    """
    draws = rng.normal(prod(shape), dtype=dtype)
    outside = np.abs(draws) > 2
    while outside.any():
        draws[outside] = rng.normal(int(outside.sum()), dtype=dtype)
        outside = np.abs(draws) > 2
    return (draws * std + mean).astype(dtype).reshape(shape)


def _scaled_uniform(shape: Shape, rng: Generator, dtype: DType, variance: float) -> np.ndarray:
    """Uniform on [-a, a], whose variance is a^2/3: a = sqrt(3 variance)."""
    limit = sqrt(3 * variance)
    return rng.uniform(shape, low=-limit, high=limit, dtype=dtype)


def _scaled_normal(shape: Shape, rng: Generator, dtype: DType, variance: float) -> np.ndarray:
    """Truncated normal, widened so that its variance is the stated one after truncation."""
    return truncated_normal(shape, rng, dtype, std=sqrt(variance) / _TRUNCATED_STD)


@_initial
def glorot_uniform(shape: Shape, rng: Generator, dtype: DType) -> np.ndarray:
    """Uniform on [-a, a], a = sqrt(6 / (fan_in + fan_out)). Glorot and Bengio 2010, eq. 16."""
    return _scaled_uniform(shape, rng, dtype, 2 / _positive(sum(fans(shape))))


@_initial
def glorot_normal(shape: Shape, rng: Generator, dtype: DType) -> np.ndarray:
    """Truncated normal of variance 2 / (fan_in + fan_out). Glorot and Bengio 2010, eq. 12."""
    return _scaled_normal(shape, rng, dtype, 2 / _positive(sum(fans(shape))))


@_initial
def he_uniform(shape: Shape, rng: Generator, dtype: DType) -> np.ndarray:
    """Uniform on [-a, a], a = sqrt(6 / fan_in). He et al. 2015 (arXiv 1502.01852)."""
    return _scaled_uniform(shape, rng, dtype, 2 / _positive(fans(shape)[0]))


@_initial
def he_normal(shape: Shape, rng: Generator, dtype: DType) -> np.ndarray:
    """Truncated normal of variance 2 / fan_in. He et al. 2015 (arXiv 1502.01852), eq. 10."""
    return _scaled_normal(shape, rng, dtype, 2 / _positive(fans(shape)[0]))


@_initial
def lecun_uniform(shape: Shape, rng: Generator, dtype: DType) -> np.ndarray:
    """Uniform on [-a, a], a = sqrt(3 / fan_in). LeCun et al. 1998, "Efficient BackProp", eq. 16."""
    return _scaled_uniform(shape, rng, dtype, 1 / _positive(fans(shape)[0]))


@_initial
def lecun_normal(shape: Shape, rng: Generator, dtype: DType) -> np.ndarray:
    """Truncated normal of variance 1 / fan_in. LeCun et al. 1998, "Efficient BackProp", eq. 16."""
    return _scaled_normal(shape, rng, dtype, 1 / _positive(fans(shape)[0]))


def _positive(fan: int) -> int:
    """An empty weight has fan 0 and nothing to scale."""
    return max(fan, 1)


@_initial
def orthogonal(shape: Shape, rng: Generator, dtype: DType, gain: float = 1.0) -> np.ndarray:
    """gain * Q with orthonormal columns, or rows if they are fewer.

    All axes but the last are flattened into rows. Q is the QR factor of a normal matrix with the
    signs of R's diagonal moved into it, which makes it uniformly distributed over the orthogonal
    matrices (Mezzadri 2007, arXiv math-ph/0609050). Saxe et al. 2014 (arXiv 1312.6120). Raises
    ShapeError for fewer than two axes.
    """
    if len(shape) < 2:
        raise ShapeError(f"orthogonal: the weight needs at least two axes, got shape {shape}")
    rows, columns = prod(shape[:-1]), shape[-1]
    tall = (max(rows, columns), min(rows, columns))
    q, r = np.linalg.qr(rng.normal(tall, dtype=np.float64))
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    return np.ascontiguousarray(gain * (q if rows >= columns else q.T), dtype).reshape(shape)


BY_NAME: dict[str, Initializer] = {
    "zeros": zeros,
    "ones": ones,
    "uniform": uniform,
    "normal": normal,
    "truncated_normal": truncated_normal,
    "glorot_uniform": glorot_uniform,
    "glorot_normal": glorot_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "lecun_uniform": lecun_uniform,
    "lecun_normal": lecun_normal,
    "orthogonal": orthogonal,
}


def initializer(spec: str | Initializer) -> Initializer:
    """The function of that name, or the function itself; ConfigError for an unknown name."""
    if callable(spec):
        return spec
    if not isinstance(spec, str) or spec not in BY_NAME:
        raise ConfigError(f"init: unknown initialiser {spec!r}; choose from {', '.join(BY_NAME)}")
    return BY_NAME[spec]


def _first(function: Initializer, shape: Shape, rng: Generator) -> np.ndarray:
    try:
        return function(shape, rng, np.dtype(np.float32))
    except TypeError as error:  # some other function, or a class
        raise ConfigError(
            f"init: {quoted(function)} is no initialiser (shape, rng, dtype) -> array: {error}"
        ) from None


def draw(spec: str | Initializer, shape: Shape, rng: Generator) -> np.ndarray:
    """float32 first values of a parameter; ShapeError if a given function returns another shape."""
    shape = sizes("init", shape, 4)
    values = array("init", f"what {quoted(spec)} returns", _first(initializer(spec), shape, rng))
    if values.shape != shape:
        raise ShapeError(f"init: {spec!r} returned shape {values.shape} for a weight {shape}")
    return np.asarray(values, np.float32)


# -- in place --------------------------------------------------------------------------------------


def _fill(op: str, parameter: Tensor, function: Initializer, rng: Generator | None) -> Tensor:
    """Overwrite a leaf with function(shape, rng, dtype); returns it."""
    tensor(op, "parameter", parameter)
    if parameter.dtype.kind != "f":
        raise DTypeError(f"{op}: fills float tensors, got {parameter.dtype} {parameter.shape}")
    rng = default_generator() if rng is None else rng
    parameter.assign(np.asarray(function(parameter.shape, rng, parameter.dtype), parameter.dtype))
    return parameter


@checked
def fill_(parameter: Tensor, spec: str | Initializer, *, rng: Generator | None = None) -> Tensor:
    """First values by name or function, as a layer's weight_init, into a parameter that is there;
    returns it. rng None: the default generator. Raises ConfigError, DTypeError, GraphError."""
    return _fill("fill_", parameter, initializer(spec), rng)


def _spread(op: str, std: float) -> float:
    if std >= 0:
        return std
    raise ConfigError(f"{op}: std must be >= 0, got {std}")


@checked
def normal_(
    parameter: Tensor, mean: float = 0.0, std: float = 1.0, *, rng: Generator | None = None
) -> Tensor:
    """Normal numbers in place, std >= 0; returns the parameter. Errors of `fill_`."""
    draw = partial(normal, mean=mean, std=_spread("normal_", std))
    return _fill("normal_", parameter, draw, rng)


@checked
def uniform_(
    parameter: Tensor, low: float = 0.0, high: float = 1.0, *, rng: Generator | None = None
) -> Tensor:
    """Uniform numbers on [low, high) in place; returns the parameter. ConfigError unless low <=
    high; else the errors of `fill_`."""
    if not low <= high:
        raise ConfigError(f"uniform_: needs low <= high, got {low} and {high}")
    return _fill("uniform_", parameter, partial(uniform, low=low, high=high), rng)


@checked
def constant_(parameter: Tensor, value: float) -> Tensor:
    """The same number everywhere, in place; returns the parameter. Errors of `fill_`."""
    return _fill("constant_", parameter, lambda shape, _, kind: np.full(shape, value, kind), None)


@checked
def zeros_(parameter: Tensor) -> Tensor:
    """0 everywhere, in place; returns the parameter. Errors of `fill_`."""
    return _fill("zeros_", parameter, zeros, None)


@checked
def ones_(parameter: Tensor) -> Tensor:
    """1 everywhere, in place; returns the parameter. Errors of `fill_`."""
    return _fill("ones_", parameter, ones, None)


@checked
def truncated_normal_(
    parameter: Tensor, mean: float = 0.0, std: float = 1.0, *, rng: Generator | None = None
) -> Tensor:
    """`truncated_normal` in place, std >= 0; returns the parameter. Errors of `fill_`."""
    draw = partial(truncated_normal, mean=mean, std=_spread("truncated_normal_", std))
    return _fill("truncated_normal_", parameter, draw, rng)


@checked
def glorot_uniform_(parameter: Tensor, *, rng: Generator | None = None) -> Tensor:
    """`glorot_uniform` in place (PyTorch's xavier_uniform_); returns the parameter. Errors of
    `fill_`."""
    return _fill("glorot_uniform_", parameter, glorot_uniform, rng)


@checked
def glorot_normal_(parameter: Tensor, *, rng: Generator | None = None) -> Tensor:
    """`glorot_normal` in place, truncated (PyTorch's xavier_normal_ is not); returns the parameter.
    Errors of `fill_`."""
    return _fill("glorot_normal_", parameter, glorot_normal, rng)


@checked
def he_uniform_(parameter: Tensor, *, rng: Generator | None = None) -> Tensor:
    """`he_uniform` in place (PyTorch's kaiming_uniform_); returns the parameter. Errors of
    `fill_`."""
    return _fill("he_uniform_", parameter, he_uniform, rng)


@checked
def he_normal_(parameter: Tensor, *, rng: Generator | None = None) -> Tensor:
    """`he_normal` in place, truncated (PyTorch's kaiming_normal_ is not); returns the parameter.
    Errors of `fill_`."""
    return _fill("he_normal_", parameter, he_normal, rng)


@checked
def orthogonal_(parameter: Tensor, gain: float = 1.0, *, rng: Generator | None = None) -> Tensor:
    """`orthogonal` in place; returns the parameter. Errors of `fill_` and `orthogonal`."""
    return _fill("orthogonal_", parameter, partial(orthogonal, gain=gain), rng)


if not TYPE_CHECKING:  # for a checker every name would exist
    __getattr__ = _asked(__name__, "init")
