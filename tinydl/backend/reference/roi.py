"""Pooling of regions of interest in plain NumPy: R boxes, each on one image, each cut into OH x OW
bins.

The tables that say which cells a bin sees are made by ops/roi.py: integers and weights, no box
coordinates here. x (N, H, W, C), image (R,) int32 -> y (R, OH, OW, C).
"""

from __future__ import annotations

import numpy as np

from .arrays import Array


class Roi:
    def roi_pool(self, x: Array, image: Array, rows: Array, columns: Array) -> tuple[Array, Array]:
        """Largest value of each bin and its int32 place h*W + w; an empty bin gives 0 and -1.

        rows (R, OH, 2), columns (R, OW, 2) int32: first cell of each bin and the one behind its
        last, inside the image. The first of equal values wins (row by row); NaN wins.
        """
        R, OH, OW = len(image), rows.shape[1], columns.shape[1]
        W, C = x.shape[2:]
        y = np.zeros((R, OH, OW, C), x.dtype)
        place = np.full((R, OH, OW, C), -1, np.int32)
        for r, oh, ow in np.ndindex(R, OH, OW):
            (top, bottom), (left, right) = rows[r, oh], columns[r, ow]
            if top < bottom and left < right:
                cells = x[image[r], top:bottom, left:right].reshape(-1, C)
                first = cells.argmax(axis=0)  # NumPy's rules are ours
                y[r, oh, ow] = cells[first, np.arange(C)]
                h, w = np.divmod(first, right - left)
                place[r, oh, ow] = (top + h) * W + left + w
        return y, place

    def roi_pool_scatter(
        self, grad: Array, place: Array, image: Array, x_shape: tuple[int, ...]
    ) -> Array:
        """dL/dx (N, H, W, C): each grad value (R, OH, OW, C) added at its recorded place."""
        N, H, W, C = x_shape
        y = np.zeros((N, H * W, C), grad.dtype)
        r, oh, ow, c = np.nonzero(place >= 0)
        np.add.at(y, (image[r], place[r, oh, ow, c], c), grad[r, oh, ow, c])
        return y.reshape(x_shape)

    def roi_pool_gather(self, x: Array, place: Array, image: Array) -> Array:
        """Adjoint of roi_pool_scatter: x (N, H, W, C) read at the recorded places, 0 at -1."""
        N, H, W, C = x.shape
        flat = x.reshape(N, H * W, C)
        read = flat[image[:, None, None, None], np.maximum(place, 0), np.arange(C)]
        return np.where(place >= 0, read, x.dtype.type(0)).copy(order="C")

    def roi_align(
        self, x: Array, image: Array, top: Array, weight_h: Array, left: Array, weight_w: Array
    ) -> Array:
        """y[r,oh,ow] = sum_{kh,kw} weight_h[r,oh,kh] weight_w[r,ow,kw] x[image[r], top[r,oh] + kh,
        left[r,ow] + kw].

        top (R, OH), left (R, OW) int32; weight_h (R, OH, KH), weight_w (R, OW, KW); all cells lie
        inside the image. A cell of weight 0 is not read: NaN there does not matter.
        """
        y = np.zeros((len(image), top.shape[1], left.shape[1], x.shape[3]), x.dtype)
        for at, weight in _cells(image, top, weight_h, left, weight_w):
            y += np.where(weight == 0, x.dtype.type(0), weight * x[at])
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
        """Adjoint of roi_align: grad (R, OH, OW, C) spread over the cells by their weights."""
        y = np.zeros(x_shape, grad.dtype)
        for at, weight in _cells(image, top, weight_h, left, weight_w):
            np.add.at(y, at, np.where(weight == 0, grad.dtype.type(0), weight * grad))
        return y


def _cells(image: Array, top: Array, weight_h: Array, left: Array, weight_w: Array):
    """For each offset into the bins: where all of them read (n, h, w), and the weight
    (R, OH, OW, 1)."""
    n = image[:, None, None]
    for kh in range(weight_h.shape[2]):
        for kw in range(weight_w.shape[2]):
            h, w = (top + kh)[:, :, None], (left + kw)[:, None, :]
            weight = weight_h[:, :, None, kh, None] * weight_w[:, None, :, kw, None]
            yield np.broadcast_arrays(n, h, w), weight
