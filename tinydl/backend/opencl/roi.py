"""Regions of interest on OpenCL. Contract: backend/reference/roi.py; kernels_cl/roi.cl."""

from __future__ import annotations

from typing import Any

import numpy as np

from .array import ClArray
from .arrays import Arrays

_INT32 = np.dtype(np.int32)


class Roi(Arrays):
    def roi_pool(
        self, x: ClArray, image: ClArray, rows: ClArray, columns: ClArray
    ) -> tuple[ClArray, ClArray]:
        self._require_float("roi_pool", x)
        shape = (image.size, rows.shape[1], columns.shape[1], x.shape[3])
        y, place = self.empty(shape, x.dtype), self.empty(shape, _INT32)
        arrays = [self._contiguous(a) for a in (x, image, rows, columns)]
        self._launch_bins("roi_pool", x, y, *arrays, y.buffer, place.buffer)
        return y, place

    def roi_pool_scatter(
        self, grad: ClArray, place: ClArray, image: ClArray, x_shape: tuple[int, ...]
    ) -> ClArray:
        y = self.zeros(x_shape, grad.dtype)
        arrays = [self._contiguous(a) for a in (grad, place, image)]
        self._launch_images("roi_pool_scatter", y, grad, *arrays, y.buffer)
        return y

    def roi_pool_gather(self, x: ClArray, place: ClArray, image: ClArray) -> ClArray:
        y = self.empty(place.shape, x.dtype)
        arrays = [self._contiguous(a) for a in (x, place, image)]
        self._launch_bins("roi_pool_gather", x, y, *arrays, y.buffer)
        return y

    def roi_align(
        self,
        x: ClArray,
        image: ClArray,
        top: ClArray,
        weight_h: ClArray,
        left: ClArray,
        weight_w: ClArray,
    ) -> ClArray:
        self._require_float("roi_align", x)
        y = self.empty((image.size, top.shape[1], left.shape[1], x.shape[3]), x.dtype)
        arrays = [self._contiguous(a) for a in (x, image, top, weight_h, left, weight_w)]
        cells = (weight_h.shape[2], weight_w.shape[2])
        self._launch_bins("roi_align", x, y, *arrays, y.buffer, cells=cells)
        return y

    def roi_align_grad(
        self,
        grad: ClArray,
        image: ClArray,
        top: ClArray,
        weight_h: ClArray,
        left: ClArray,
        weight_w: ClArray,
        x_shape: tuple[int, ...],
    ) -> ClArray:
        y = self.zeros(x_shape, grad.dtype)
        arrays = [self._contiguous(a) for a in (grad, image, top, weight_h, left, weight_w)]
        cells = (weight_h.shape[2], weight_w.shape[2])
        self._launch_images("roi_align_grad", y, grad, *arrays, y.buffer, cells=cells)
        return y

    def _launch_bins(
        self, name: str, x: ClArray, y: ClArray, *arrays: Any, cells: tuple[int, ...] = ()
    ) -> None:
        """Items over the bins y (R, OH, OW, C) of images x (N, H, W, C)."""
        kernel = self.runtime.kernel("roi", x.dtype, name)
        c_items = x.shape[3] if self.runtime.is_gpu else 1
        items = y.shape[0] * y.shape[1] * y.shape[2] * c_items
        self.runtime.light(kernel, items, *arrays, *x.shape, *y.shape[:3], *cells, c_items)

    def _launch_images(
        self, name: str, y: ClArray, grad: ClArray, *arrays: Any, cells: tuple[int, ...] = ()
    ) -> None:
        """Items over the images y (N, H, W, C) and vectors of their channels."""
        kernel = self.runtime.kernel("roi", grad.dtype, name)
        N, _, _, C = y.shape
        items = N * -(-C // self.runtime.vector_width(grad.dtype))
        self.runtime.light(kernel, items, *arrays, *y.shape, *grad.shape[:3], *cells)
