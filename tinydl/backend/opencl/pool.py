"""Pooling on OpenCL. Contract: backend/reference/pool.py; kernels_cl/pool.cl."""

from __future__ import annotations

import numpy as np

from ...geometry import Pool2dGeometry
from .array import ClArray
from .arrays import Arrays

_INT32 = np.dtype(np.int32)


class Pool(Arrays):
    def max_pool2d(
        self, x: ClArray, g: Pool2dGeometry, places: bool = True
    ) -> tuple[ClArray, ClArray | None]:
        self._require_float("max_pool2d", x)
        y, place = self.empty(g.y_shape, x.dtype), self.empty(g.y_shape, _INT32)
        arrays = (self._contiguous(x), y.buffer, place.buffer)
        self._launch_pool("max_pool2d", g, g.OH * g.OW, x.dtype, *arrays)
        return y, place if places else None

    def max_pool2d_scatter(self, grad: ClArray, place: ClArray, g: Pool2dGeometry) -> ClArray:
        y = self.empty(g.x_shape, grad.dtype)
        arrays = (self._contiguous(grad), self._contiguous(place), y.buffer)
        self._launch_pool("max_pool2d_scatter", g, g.H * g.W, grad.dtype, *arrays)
        return y

    def max_pool2d_gather(self, x: ClArray, place: ClArray, g: Pool2dGeometry) -> ClArray:
        y = self.empty(g.y_shape, x.dtype)
        arrays = (self._contiguous(x), self._contiguous(place), y.buffer)
        self._launch_pool("max_pool2d_gather", g, g.OH * g.OW, x.dtype, *arrays)
        return y

    def avg_pool2d(self, x: ClArray, g: Pool2dGeometry) -> ClArray:
        self._require_float("avg_pool2d", x)
        y = self.empty(g.y_shape, x.dtype)
        self._launch_pool("avg_pool2d", g, g.OH * g.OW, x.dtype, self._contiguous(x), y.buffer)
        return y

    def avg_pool2d_grad(self, grad: ClArray, g: Pool2dGeometry) -> ClArray:
        y = self.empty(g.x_shape, grad.dtype)
        arrays = (self._contiguous(grad), y.buffer)
        self._launch_pool("avg_pool2d_grad", g, g.H * g.W, grad.dtype, *arrays)
        return y

    def _launch_pool(
        self, name: str, g: Pool2dGeometry, pixels: int, dtype: np.dtype, *arrays
    ) -> None:
        kernel = self.runtime.kernel("pool", dtype, name)
        sizes = (g.N, g.H, g.W, g.C, g.KH, g.KW, g.OH, g.OW, *g.stride, g.padding[0], g.padding[2])
        c_items = g.C if self.runtime.is_gpu else 1
        items = g.N * pixels * c_items
        self.runtime.light(kernel, items, *arrays, *sizes, int(g.adaptive), c_items)
