"""Normalisation on OpenCL; see kernels_cl/norm.cl. Contract: backend/reference/norm.py."""

from __future__ import annotations

from typing import Any

from .array import ClArray
from .arrays import Arrays

#: Places (or rows) of a sum that one work-item adds up, at least, and parts of a sum, at most.
RUN, MAX_CHUNKS = 256, 256
#: Places of an elementwise pass that one work-item takes: it reads its coefficients once.
PLACES = {"cpu": 128, "gpu": 8}


def _cut(count: int) -> tuple[int, int]:
    """(chunks, length of each but the last) of a sum over `count` places."""
    length = max(RUN, -(-count // MAX_CHUNKS))
    return -(-count // length), length


class Norm(Arrays):
    def channel_norm(
        self, x: ClArray, scale: ClArray, shift: ClArray, groups: int, eps: float
    ) -> tuple[ClArray, ClArray, ClArray]:
        self._require_float("channel_norm", x)
        x = self._contiguous(x)
        (N, P, C), dtype = x.shape, x.dtype
        make = self.empty if x.size else self.zeros
        mean, variance = make((N, groups), dtype), make((N, groups), dtype)
        if x.size:
            chunks, length = _cut(P)
            means = self.empty((N, chunks, C), dtype)
            spreads = self.empty((N, chunks, C), dtype)
            items = N * chunks * -(-C // self.runtime.vector_width(dtype))
            parts = (means.buffer, spreads.buffer)
            self._norm("channel_moments", x, items, x, *parts, items, chunks, length, P, C)
            moments = (mean.buffer, variance.buffer)
            sizes = (N * groups, chunks, length, P, C, groups)
            self._norm("fold_moments", x, N * groups, x, *parts, *moments, *sizes)
        return self.channel_norm_apply(x, scale, shift, mean, variance, eps), mean, variance

    def channel_norm_apply(
        self,
        x: ClArray,
        scale: ClArray,
        shift: ClArray,
        mean: ClArray,
        variance: ClArray,
        eps: float,
    ) -> ClArray:
        self._require_float("channel_norm_apply", x)
        x = self._contiguous(x)
        given = [self._contiguous(a) for a in (scale, shift, mean, variance)]
        y = self.empty(x.shape, x.dtype)
        if x.size:
            self._norm_runs("channel_norm_apply", x, mean.shape[1], eps, x, *given, y.buffer)
        return y

    def channel_norm_sums(
        self, grad: ClArray, x: ClArray, mean: ClArray, variance: ClArray, eps: float
    ) -> tuple[ClArray, ClArray]:
        (N, P, C), G = x.shape, mean.shape[1]
        if x.size == 0:
            return self.zeros((N, C), x.dtype), self.zeros((N, C), x.dtype)
        given = [self._contiguous(a) for a in (grad, x, mean, variance)]
        chunks, length = _cut(P)
        parts = [self.empty((N, chunks, C), x.dtype) for _ in range(2)]
        tiles = -(-C // self.runtime.vector_width(x.dtype))
        sizes = (N * chunks * tiles, chunks, length, P, C, G, float(eps))
        buffers = [part.buffer for part in parts]
        self._norm("channel_norm_sums", x, sizes[0], *given, *buffers, *sizes)
        if chunks == 1:
            return self._flat(parts[0], (N, C)), self._flat(parts[1], (N, C))
        sums = self.empty((N, C), x.dtype), self.empty((N, C), x.dtype)
        arrays = (*buffers, sums[0].buffer, sums[1].buffer)
        self._norm("add_runs", x, N * tiles, *arrays, N * tiles, chunks, C)
        return sums

    def channel_norm_grad(
        self,
        grad: ClArray,
        x: ClArray,
        scale: ClArray,
        mean: ClArray,
        variance: ClArray,
        shifts: ClArray,
        scales: ClArray,
        eps: float,
    ) -> ClArray:
        (N, P, C), G = x.shape, mean.shape[1]
        grad_x = self.empty(x.shape, x.dtype)
        if x.size == 0:
            return grad_x
        given = [self._contiguous(a) for a in (grad, x, scale, mean, variance)]
        sums = [self._contiguous(a) for a in (shifts, scales)]
        averages = [self.empty((N, G), x.dtype).buffer for _ in range(2)]
        self._norm("group_averages", x, N * G, given[2], *sums, *averages, N * G, P, C, G)
        self._norm_runs("channel_norm_grad", x, G, eps, *given, *averages, grad_x.buffer)
        return grad_x

    def row_norm(
        self, x: ClArray, scale: ClArray, shift: ClArray, eps: float
    ) -> tuple[ClArray, ClArray, ClArray]:
        self._require_float("row_norm", x)
        (N, D), dtype = x.shape, x.dtype
        y = self.empty(x.shape, dtype)
        make = self.empty if x.size else self.zeros
        mean, variance = make((N,), dtype), make((N,), dtype)
        if x.size:
            given = [self._contiguous(a) for a in (x, scale, shift)]
            results = (y.buffer, mean.buffer, variance.buffer)
            self._norm("row_norm", x, N, *given, *results, N, D, float(eps))
        return y, mean, variance

    def row_norm_grad(
        self,
        grad: ClArray,
        x: ClArray,
        scale: ClArray,
        mean: ClArray,
        variance: ClArray,
        eps: float,
    ) -> tuple[ClArray, ClArray, ClArray]:
        (N, D), dtype = x.shape, x.dtype
        grad_x = self.empty(x.shape, dtype)
        if x.size == 0:
            return grad_x, self.zeros((D,), dtype), self.zeros((D,), dtype)
        given = [self._contiguous(a) for a in (grad, x, scale, mean, variance)]
        self._norm("row_norm_grad", x, N, *given, grad_x.buffer, N, D, float(eps))
        chunks, length = _cut(N)
        parts = [self.empty((chunks, D), dtype) for _ in range(2)]
        buffers = [part.buffer for part in parts]
        sizes = (chunks * D, length, N, D, float(eps))
        self._norm("row_norm_sums", x, chunks * D, *given[:2], *given[3:], *buffers, *sizes)
        return grad_x, self._added(parts[1], 0), self._added(parts[0], 0)

    def _norm(self, name: str, x: ClArray, items: int, *arguments: Any) -> None:
        kernel = self.runtime.kernel("norm", x.dtype, name)
        self.runtime.light(kernel, items, *arguments)

    def _norm_runs(self, name: str, x: ClArray, G: int, eps: float, *arguments: Any) -> None:
        """A kernel that takes arrays, items, runs, length of a run of places, P, C, G, eps."""
        N, P, C = x.shape
        length = PLACES[self.runtime.kind]
        runs = -(-P // length)
        items = N * runs * -(-C // self.runtime.vector_width(x.dtype))
        self._norm(name, x, items, *arguments, items, runs, length, P, C, G, float(eps))

    def _added(self, parts: ClArray, axis: int) -> ClArray:
        """The parts of sums, added along the axis that numbers the chunks."""
        return self.sum(parts, (axis,), False)  # type: ignore[attr-defined]
