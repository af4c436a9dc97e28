"""Pooling of float32 and float64 images: csrc/pool.c. Other types go to the reference."""

from __future__ import annotations

import numpy as np

from ...geometry import Pool2dGeometry
from ..reference.arrays import Array
from ..reference.pool import Pool as Reference
from . import _pool as compiled
from .reduce import FLOATS
from .shape import contiguous


class Pool(Reference):
    def max_pool2d(
        self, x: Array, g: Pool2dGeometry, places: bool = True
    ) -> tuple[Array, Array | None]:
        if x.dtype not in FLOATS:
            return Reference.max_pool2d(self, x, g, places)
        y, place = np.empty(g.y_shape, x.dtype), np.empty(g.y_shape, np.int32) if places else None
        compiled.max_pool2d(contiguous(x), y, place, g)
        return y, place

    def max_pool2d_scatter(self, grad: Array, place: Array, g: Pool2dGeometry) -> Array:
        if grad.dtype not in FLOATS:
            return Reference.max_pool2d_scatter(self, grad, place, g)
        y = np.empty(g.x_shape, grad.dtype)
        compiled.max_pool2d_scatter(contiguous(grad), contiguous(place), y, g)
        return y

    def max_pool2d_gather(self, x: Array, place: Array, g: Pool2dGeometry) -> Array:
        if x.dtype not in FLOATS:
            return Reference.max_pool2d_gather(self, x, place, g)
        y = np.empty(g.y_shape, x.dtype)
        compiled.max_pool2d_gather(contiguous(x), contiguous(place), y, g)
        return y

    def avg_pool2d(self, x: Array, g: Pool2dGeometry) -> Array:
        if x.dtype not in FLOATS:
            return Reference.avg_pool2d(self, x, g)
        y = np.empty(g.y_shape, x.dtype)
        compiled.avg_pool2d(contiguous(x), y, g)
        return y

    def avg_pool2d_grad(self, grad: Array, g: Pool2dGeometry) -> Array:
        if grad.dtype not in FLOATS:
            return Reference.avg_pool2d_grad(self, grad, g)
        y = np.empty(g.x_shape, grad.dtype)
        compiled.avg_pool2d_grad(contiguous(grad), y, g)
        return y
