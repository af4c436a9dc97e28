"""Attention of float32 and float64: csrc/attention.c and attention_grad.c; else the reference."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..reference.arrays import Array
from ..reference.attention import Attention as Reference
from ..reference.random import bernoulli_threshold
from . import _attention as compiled
from .reduce import FLOATS
from .shape import contiguous


class Attention(Reference):
    def attention(
        self,
        q: Array,
        k: Array,
        v: Array,
        mask: Array | None,
        bias: Array | None,
        first: int | None,
        scale: float,
        key: int,
        offset: int,
        rate: float,
    ) -> tuple[Array, Array]:
        N, L, H, _ = q.shape
        V, dtype = v.shape[3], q.dtype
        if dtype not in FLOATS or q.size * v.size == 0:
            given = (mask, bias, first, scale, key, offset, rate)
            return Reference.attention(self, q, k, v, *given)
        y, logs = np.empty((N, L, H, V), dtype), np.empty((N, H, L), dtype)
        seen, stream = -1 if first is None else first, _stream(key, offset, rate)
        q, k, v = _adjoining(q), _adjoining(k), _adjoining(v)
        compiled.attention(q, k, v, mask, bias, seen, scale, stream, y, logs)
        return y, logs

    def attention_grad(
        self,
        grad: Array,
        y: Array,
        logs: Array,
        q: Array,
        k: Array,
        v: Array,
        mask: Array | None,
        bias: Array | None,
        first: int | None,
        scale: float,
        key: int,
        offset: int,
        rate: float,
    ) -> tuple[Array, Array, Array]:
        if q.dtype not in FLOATS or q.size * v.size == 0:
            rest = (mask, bias, first, scale, key, offset, rate)
            return Reference.attention_grad(self, grad, y, logs, q, k, v, *rest)
        found = np.empty(q.shape, q.dtype), np.empty(k.shape, q.dtype), np.empty(v.shape, q.dtype)
        seen, stream = -1 if first is None else first, _stream(key, offset, rate)
        q, k, v = _adjoining(q), _adjoining(k), _adjoining(v)
        grad, y, logs = contiguous(grad), contiguous(y), contiguous(logs)
        compiled.attention_grad(grad, y, logs, q, k, v, mask, bias, seen, scale, stream, *found)
        return found


def _adjoining(x: Array) -> Array:
    """x, the numbers of its last axis side by side: the kernel takes any other steps."""
    return x if x.strides[-1] == x.itemsize or x.shape[-1] == 1 else contiguous(x)


def _stream(key: int, offset: int, rate: float) -> tuple[Any, ...]:
    if rate == 0:
        return 0, 0, 0, 0.0
    return key, offset, bernoulli_threshold(1 - rate), 1 / (1 - rate) if rate < 1 else 1.0
