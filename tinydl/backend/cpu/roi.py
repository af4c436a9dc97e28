"""Regions of interest on float32 and float64 images: csrc/roi.c. Other types go to the
reference."""

from __future__ import annotations

import numpy as np

from ..reference.arrays import Array
from ..reference.roi import Roi as Reference
from . import _roi as compiled
from .reduce import FLOATS
from .shape import contiguous


class Roi(Reference):
    def roi_pool(self, x: Array, image: Array, rows: Array, columns: Array) -> tuple[Array, Array]:
        if x.dtype not in FLOATS:
            return Reference.roi_pool(self, x, image, rows, columns)
        shape = (len(image), rows.shape[1], columns.shape[1], x.shape[3])
        y, place = np.empty(shape, x.dtype), np.empty(shape, np.int32)
        image, rows, columns = contiguous(image), contiguous(rows), contiguous(columns)
        compiled.roi_pool(contiguous(x), image, rows, columns, y, place)
        return y, place

    def roi_pool_scatter(
        self, grad: Array, place: Array, image: Array, x_shape: tuple[int, ...]
    ) -> Array:
        if grad.dtype not in FLOATS:
            return Reference.roi_pool_scatter(self, grad, place, image, x_shape)
        y = np.zeros(x_shape, grad.dtype)
        compiled.roi_pool_scatter(contiguous(grad), contiguous(place), contiguous(image), y)
        return y

    def roi_pool_gather(self, x: Array, place: Array, image: Array) -> Array:
        if x.dtype not in FLOATS:
            return Reference.roi_pool_gather(self, x, place, image)
        y = np.empty(place.shape, x.dtype)
        compiled.roi_pool_gather(contiguous(x), contiguous(place), contiguous(image), y)
        return y

    def roi_align(
        self, x: Array, image: Array, top: Array, weight_h: Array, left: Array, weight_w: Array
    ) -> Array:
        if x.dtype not in FLOATS:
            return Reference.roi_align(self, x, image, top, weight_h, left, weight_w)
        y = np.empty((len(image), top.shape[1], left.shape[1], x.shape[3]), x.dtype)
        tables = (image, top, weight_h, left, weight_w)
        image, top, weight_h, left, weight_w = (contiguous(t) for t in tables)
        compiled.roi_align(contiguous(x), image, top, weight_h, left, weight_w, y)
        return y

    def roi_align_grad(
        self,
        grad: Array,
        image: Array,
        top: Array,
        weight_h: Array,
        left: Array,
        weight_w: Array,
        x_shape: tuple[int, ...],
    ) -> Array:
        tables = (image, top, weight_h, left, weight_w)
        if grad.dtype not in FLOATS:
            return Reference.roi_align_grad(self, grad, *tables, x_shape)
        y = np.zeros(x_shape, grad.dtype)
        image, top, weight_h, left, weight_w = (contiguous(t) for t in tables)
        compiled.roi_align_grad(contiguous(grad), image, top, weight_h, left, weight_w, y)
        return y
