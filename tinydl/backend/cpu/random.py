"""Philox random numbers: csrc/random.c for float32, float64 and bool, else the reference."""

from __future__ import annotations

import numpy as np

from ..reference.arrays import Array
from ..reference.random import Random as Reference
from ..reference.random import bernoulli_threshold
from . import _random as compiled
from .reduce import FLOATS
from .shape import contiguous


class Random(Reference):
    def uniform(self, key: int, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        if np.dtype(dtype) not in FLOATS:
            return Reference.uniform(self, key, offset, shape, dtype)
        y = np.empty(shape, dtype)
        compiled.uniform(key, offset, y)
        return y

    def normal(self, key: int, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        if np.dtype(dtype) not in FLOATS:
            return Reference.normal(self, key, offset, shape, dtype)
        y = np.empty(shape, dtype)
        compiled.normal(key, offset, y)
        return y

    def bernoulli(self, key: int, offset: int, probability: float, shape: tuple[int, ...]) -> Array:
        y = np.empty(shape, np.bool_)
        compiled.bernoulli(key, offset, bernoulli_threshold(probability), y)
        return y

    def dropout(self, x: Array, key: int, offset: int, rate: float) -> Array:
        if x.dtype not in FLOATS:
            return Reference.dropout(self, x, key, offset, rate)
        y = np.empty(x.shape, x.dtype)
        threshold = bernoulli_threshold(1 - rate)
        compiled.dropout(contiguous(x), key, offset, threshold, 1 / (1 - rate), y)
        return y
