"""First values of weights. Every initialiser is a function (shape, rng, dtype) -> ndarray.

Numbers are drawn on the host, so that initial weights are bitwise equal whatever the backend. A
layer takes an initialiser by name ("he_normal") or as such a function, for instance
`functools.partial(init.normal, std=0.02)`.

Fans: a weight (in, out) has fan_in = in and fan_out = out; a convolution weight (KH, KW, C/groups,
F) has fan_in = KH*KW*C/groups and fan_out = KH*KW*F; a vector (n,) has both n. The normal variants
of Glorot, He and LeCun draw a truncated normal with the stated standard deviation, as Keras does.
"""

from __future__ import annotations

from collections.abc import Callable
from math import erf, exp, pi, prod, sqrt
from typing import Any

import numpy as np

from ..errors import ConfigError, ShapeError
from ..random import Generator

Shape = tuple[int, ...]
Initializer = Callable[[Shape, Generator, Any], np.ndarray]

#: Standard deviation of a standard normal cut off at +-2: with its density phi and distribution
#: function Phi, sqrt(1 - 4 phi(2) / (Phi(2) - Phi(-2))) = 0.8796.
_TRUNCATED_STD = sqrt(1 - 4 * (exp(-2) / sqrt(2 * pi)) / erf(2 / sqrt(2)))


def fans(shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight; ShapeError for a single number."""
    if not shape:
        raise ShapeError("init: a weight needs at least one axis, got shape ()")
    if len(shape) == 1:
        return shape[0], shape[0]
    cells = prod(shape[:-2])
    return cells * shape[-2], cells * shape[-1]


def zeros(shape: Shape, rng: Generator, dtype: Any) -> np.ndarray:
    """0 everywhere."""
    return np.zeros(shape, dtype)


def ones(shape: Shape, rng: Generator, dtype: Any) -> np.ndarray:
    """1 everywhere."""
    return np.ones(shape, dtype)


def uniform(
    shape: Shape, rng: Generator, dtype: Any, low: float = -0.05, high: float = 0.05
) -> np.ndarray:
    """Uniform on [low, high]; Keras' default bounds."""
    return rng.uniform(shape, low, high, dtype)


def normal(
    shape: Shape, rng: Generator, dtype: Any, mean: float = 0.0, std: float = 0.05
) -> np.ndarray:
    """Normal; Keras' default standard deviation."""
    return rng.normal(shape, mean, std, dtype)


def truncated_normal(
    shape: Shape, rng: Generator, dtype: Any, mean: float = 0.0, std: float = 1.0
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


def _scaled_uniform(shape: Shape, rng: Generator, dtype: Any, variance: float) -> np.ndarray:
    """Uniform on [-a, a], whose variance is a^2/3: a = sqrt(3 variance)."""
    limit = sqrt(3 * variance)
    return rng.uniform(shape, -limit, limit, dtype)


def _scaled_normal(shape: Shape, rng: Generator, dtype: Any, variance: float) -> np.ndarray:
    """Truncated normal, widened so that its variance is the stated one after truncation."""
    return truncated_normal(shape, rng, dtype, std=sqrt(variance) / _TRUNCATED_STD)


def glorot_uniform(shape: Shape, rng: Generator, dtype: Any) -> np.ndarray:
    """Uniform on [-a, a], a = sqrt(6 / (fan_in + fan_out)). Glorot and Bengio 2010, eq. 16."""
    return _scaled_uniform(shape, rng, dtype, 2 / _positive(sum(fans(shape))))


def glorot_normal(shape: Shape, rng: Generator, dtype: Any) -> np.ndarray:
    """Truncated normal of variance 2 / (fan_in + fan_out). Glorot and Bengio 2010, eq. 12."""
    return _scaled_normal(shape, rng, dtype, 2 / _positive(sum(fans(shape))))


def he_uniform(shape: Shape, rng: Generator, dtype: Any) -> np.ndarray:
    """Uniform on [-a, a], a = sqrt(6 / fan_in). He et al. 2015 (arXiv 1502.01852)."""
    return _scaled_uniform(shape, rng, dtype, 2 / _positive(fans(shape)[0]))


def he_normal(shape: Shape, rng: Generator, dtype: Any) -> np.ndarray:
    """Truncated normal of variance 2 / fan_in. He et al. 2015 (arXiv 1502.01852), eq. 10."""
    return _scaled_normal(shape, rng, dtype, 2 / _positive(fans(shape)[0]))


def lecun_uniform(shape: Shape, rng: Generator, dtype: Any) -> np.ndarray:
    """Uniform on [-a, a], a = sqrt(3 / fan_in). LeCun et al. 1998, "Efficient BackProp", eq. 16."""
    return _scaled_uniform(shape, rng, dtype, 1 / _positive(fans(shape)[0]))


def lecun_normal(shape: Shape, rng: Generator, dtype: Any) -> np.ndarray:
    """Truncated normal of variance 1 / fan_in. LeCun et al. 1998, "Efficient BackProp", eq. 16."""
    return _scaled_normal(shape, rng, dtype, 1 / _positive(fans(shape)[0]))


def _positive(fan: int) -> int:
    """An empty weight has fan 0 and nothing to scale."""
    return max(fan, 1)


def orthogonal(shape: Shape, rng: Generator, dtype: Any, gain: float = 1.0) -> np.ndarray:
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
    if spec not in BY_NAME:
        raise ConfigError(f"init: unknown initialiser {spec!r}; choose from {', '.join(BY_NAME)}")
    return BY_NAME[spec]


def draw(spec: str | Initializer, shape: Shape, rng: Generator) -> np.ndarray:
    """float32 first values of a parameter; ShapeError if a given function returns another shape."""
    values = np.asarray(initializer(spec)(shape, rng, np.dtype(np.float32)))
    if values.shape != shape:
        raise ShapeError(f"init: {spec!r} returned shape {values.shape} for a weight {shape}")
    return np.asarray(values, np.float32)
