"""Attention on OpenCL: rows on a CPU device, tiles in local memory on a GPU. Contract:
backend/reference/attention.py."""

from __future__ import annotations

from math import inf
from typing import Any

from ..reference.random import bernoulli_threshold
from .array import ClArray
from .arrays import Arrays
from .random import _stream

#: Queries or keys of a work-item of the kernels `..._rows`; of a work-group of `..._tiles`, and the
#: items along its sides.
ROWS, SIDE, ITEMS = 4, 32, 16


class Attention(Arrays):
    def attention(
        self,
        q: ClArray,
        k: ClArray,
        v: ClArray,
        mask: ClArray | None,
        bias: ClArray | None,
        first: int | None,
        scale: float,
        key: int,
        offset: int,
        rate: float,
    ) -> tuple[ClArray, ClArray]:
        self._require_float("attention", q)
        q, k, v = [self._adjoining(x) for x in (q, k, v)]
        N, L, H, _ = q.shape
        y, logs = self.empty((N, L, H, v.shape[3]), q.dtype), self.empty((N, H, L), q.dtype)
        if k.shape[1] == 0:
            return self.zeros(y.shape, y.dtype), self.full(logs.shape, -inf, y.dtype)
        options = _options(q, k, v, mask, bias, first, scale, key, offset, rate)
        keys = k if self.runtime.is_gpu else self._columns(k)
        self._over("attention", L, H, N, q, keys, v, mask, bias, y.buffer, logs.buffer, *options)
        return y, logs

    def attention_grad(
        self,
        grad: ClArray,
        y: ClArray,
        logs: ClArray,
        q: ClArray,
        k: ClArray,
        v: ClArray,
        mask: ClArray | None,
        bias: ClArray | None,
        first: int | None,
        scale: float,
        key: int,
        offset: int,
        rate: float,
    ) -> tuple[ClArray, ClArray, ClArray]:
        self._require_float("attention_grad", q)
        q, k, v = [self._adjoining(x) for x in (q, k, v)]
        grad, y, logs = [self._contiguous(x) for x in (grad, y, logs)]
        (N, L, H, _), (_, S, G, V) = q.shape, v.shape
        shares = self.empty((N, H, L), q.dtype)
        shared = self.runtime.kernel("attention", q.dtype, "attention_shares")
        self.runtime.light(shared, N * L * H, grad, y, shares.buffer, N * L * H, L, H, V)
        found = [self.zeros(x.shape, x.dtype) for x in (q, k, v)]
        if 0 in (L, S):
            return found[0], found[1], found[2]
        options = _options(q, k, v, mask, bias, first, scale, key, offset, rate)
        rest, buffers = (mask, bias, logs, shares), [x.buffer for x in found]
        of_q: tuple[ClArray, ...] = (grad, q, k, v)
        of_k: tuple[ClArray, ...] = of_q
        if not self.runtime.is_gpu:
            of_q = (grad, q, self._columns(k), k, self._columns(v))
            of_k = (grad, self._columns(grad), q, self._columns(q), k, v)
        self._over("attention_grad_q", L, H, N, *of_q, *rest, buffers[0], *options)
        self._over("attention_grad_k", S, G, N, *of_k, *rest, *buffers[1:], *options)
        return found[0], found[1], found[2]

    def _over(self, name: str, steps: int, heads: int, sequences: int, *arguments: Any) -> None:
        """A kernel over the queries or keys of all heads of all sequences."""
        dtype = arguments[0].dtype
        if self.runtime.is_gpu:
            kernel = self.runtime.kernel("attention", dtype, f"{name}_tiles")
            size = (-(-steps // SIDE), heads, sequences)
            self.runtime.groups(kernel, size, (ITEMS, ITEMS, 1), *arguments)
        else:
            kernel = self.runtime.kernel("attention", dtype, f"{name}_rows")
            self.runtime.heavy(kernel, -(-steps // ROWS), heads, sequences, *arguments)

    def _adjoining(self, x: ClArray) -> ClArray:
        """x, the numbers of its last axis side by side: the kernels take any other steps."""
        return x if x.strides[-1] == 1 or x.shape[-1] == 1 else self._contiguous(x)

    def _columns(self, x: ClArray) -> ClArray:
        """x (N, steps, heads, size) -> (N, heads, size, steps)."""
        return self._contiguous(self.transpose(x, (0, 2, 3, 1)))  # type: ignore[attr-defined]


def _options(
    q: ClArray,
    k: ClArray,
    v: ClArray,
    mask: ClArray | None,
    bias: ClArray | None,
    first: int | None,
    scale: float,
    key: int,
    offset: int,
    rate: float,
) -> tuple[Any, ...]:
    """OPTIONS of kernels_cl/attention.cl."""
    (_, L, H, E), (_, S, G, V) = q.shape, v.shape
    steps = [n for x in (q, k, v) for n in x.strides[:3]]
    steps += [n for x in (mask, bias) for n in (x.strides if x is not None else (0, 0, 0, 0))]
    kept = 0.0 if rate == 0 else 1 / (1 - rate) if rate < 1 else 1.0
    threshold = bernoulli_threshold(1 - rate)
    seen = -1 if first is None else first
    return (L, S, H, G, E, V, *steps, seen, float(scale), *_stream(key, offset), threshold, kept)
