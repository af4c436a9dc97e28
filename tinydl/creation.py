"""Tensors from a shape: constants, ranges and random draws."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .backend import Backend, get
from .errors import ConfigError
from .random import Generator, default_generator
from .tensor import FLOAT, Tensor

Shape = int | tuple[int, ...]


def _shape(shape: Shape) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def full(
    shape: Shape, value: float, dtype: Any = FLOAT, backend: str | Backend | None = None
) -> Tensor:
    """Every element `value`."""
    room = get(backend)
    return Tensor._new(room.full(_shape(shape), value, np.dtype(dtype)), room)


def zeros(shape: Shape, dtype: Any = FLOAT, backend: str | Backend | None = None) -> Tensor:
    return full(shape, 0, dtype, backend)


def ones(shape: Shape, dtype: Any = FLOAT, backend: str | Backend | None = None) -> Tensor:
    return full(shape, 1, dtype, backend)


def arange(
    start: float, stop: float | None = None, step: float = 1, dtype: Any = None, backend=None
) -> Tensor:
    """start, start + step, ... below stop; with one argument 0 ... start - 1. Integers give
    int64."""
    values = np.arange(start) if stop is None else np.arange(start, stop, step)
    if dtype is None:
        dtype = FLOAT if values.dtype.kind == "f" else np.int64
    return Tensor(values, backend, dtype)


def uniform(
    shape: Shape,
    low: float = 0.0,
    high: float = 1.0,
    dtype: Any = FLOAT,
    rng: Generator | None = None,
    backend: str | Backend | None = None,
) -> Tensor:
    """Uniform on [low, high), drawn on the backend; bitwise equal on all of them."""
    room, dtype = get(backend), np.dtype(dtype)
    key, offset = (default_generator() if rng is None else rng).take(prod(_shape(shape)), dtype)
    unit = Tensor._new(room.uniform(key, offset, _shape(shape), dtype), room)
    return unit if (low, high) == (0.0, 1.0) else unit * float(high - low) + float(low)


def normal(
    shape: Shape,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: Any = FLOAT,
    rng: Generator | None = None,
    backend: str | Backend | None = None,
) -> Tensor:
    """Normal with this mean and standard deviation; backends agree to 1e-6 (float32)."""
    room, dtype = get(backend), np.dtype(dtype)
    key, offset = (default_generator() if rng is None else rng).take(prod(_shape(shape)), dtype)
    unit = Tensor._new(room.normal(key, offset, _shape(shape), dtype), room)
    return unit if (mean, std) == (0.0, 1.0) else unit * float(std) + float(mean)


def bernoulli(
    shape: Shape,
    probability: float,
    rng: Generator | None = None,
    backend: str | Backend | None = None,
) -> Tensor:
    """bool, True with `probability`; bitwise equal on all backends. ConfigError unless 0 <=
    probability <= 1."""
    if not 0 <= probability <= 1:
        raise ConfigError(f"bernoulli: probability must be in [0, 1], got {probability!r}")
    room = get(backend)
    key, offset = (default_generator() if rng is None else rng).take(prod(_shape(shape)))
    return Tensor._new(room.bernoulli(key, offset, probability, _shape(shape)), room)
