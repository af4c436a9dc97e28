"""Pooling in plain NumPy. g is a Pool2dGeometry; x (N, H, W, C) -> y (N, OH, OW, C)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...geometry import Pool2dGeometry
from .arrays import Array


def _first_cells(g: Pool2dGeometry) -> tuple[np.ndarray, ...]:
    """Where the windows of all output rows and columns start and end, cut to the image only at
    the end: (OH,), (OH,), (OW,), (OW,)."""
    oh, ow = np.arange(g.OH), np.arange(g.OW)
    if g.adaptive:
        ends = -(-(oh + 1) * g.H // g.OH), -(-(ow + 1) * g.W // g.OW)
        return oh * g.H // g.OH, ends[0], ow * g.W // g.OW, ends[1]
    h, w = oh * g.stride[0] - g.padding[0], ow * g.stride[1] - g.padding[2]
    return h, np.minimum(h + g.KH, g.H), w, np.minimum(w + g.KW, g.W)


def _window_cells(g: Pool2dGeometry):
    """For each window cell: its offset and the image coordinate it reads for every output, with
    validity."""
    top, bottom, left, right = _first_cells(g)
    for kh in range(g.KH):
        for kw in range(g.KW):
            h, w = top + kh, left + kw
            inside = ((h >= 0) & (h < bottom))[:, None] & ((w >= 0) & (w < right))[None, :]
            yield np.clip(h, 0, g.H - 1)[:, None], np.clip(w, 0, g.W - 1)[None, :], inside


def _counts(g: Pool2dGeometry) -> np.ndarray:
    """How many cells of each window lie inside the image: (OH, OW)."""
    return sum(inside.astype(np.int64) for _, _, inside in _window_cells(g))


class Pool:
    def max_pool2d(
        self, x: Array, g: Pool2dGeometry, places: bool = True
    ) -> tuple[Array, Array | None]:
        """Largest value of each window and its int32 place h*W + w in the image plane, or None
        instead of places.

        The first of equal values wins (row by row); NaN wins over everything.
        """
        y = np.full(g.y_shape, -np.inf, x.dtype)
        place = np.full(g.y_shape, -1, np.int32)
        for h, w, inside in _window_cells(g):
            value = x[:, h, w]
            wins = inside[None, :, :, None] & (
                (place < 0) | (value > y) | (np.isnan(value) & ~np.isnan(y))
            )
            y = np.where(wins, value, y)
            place = np.where(wins, (h * g.W + w).astype(np.int32)[None, :, :, None], place)
        return y, place if places else None

    def max_pool2d_scatter(self, grad: Array, place: Array, g: Pool2dGeometry) -> Array:
        """dL/dx (N, H, W, C): each grad value (N, OH, OW, C) added at its recorded place."""
        y = np.zeros((g.N, g.H * g.W, g.C), grad.dtype)
        n, c = np.arange(g.N)[:, None, None], np.arange(g.C)[None, None, :]
        windows = (g.N, g.OH * g.OW, g.C)
        np.add.at(y, (n, place.reshape(windows), c), grad.reshape(windows))
        return y.reshape(g.x_shape)

    def max_pool2d_gather(self, x: Array, place: Array, g: Pool2dGeometry) -> Array:
        """Adjoint of max_pool2d_scatter: x (N, H, W, C) read at the recorded places."""
        flat = x.reshape(g.N, g.H * g.W, g.C)
        at = place.reshape(g.N, g.OH * g.OW, g.C).astype(np.int64)
        picked = np.take_along_axis(flat, at, axis=1)
        return np.ascontiguousarray(picked).reshape(g.y_shape)

    def avg_pool2d(self, x: Array, g: Pool2dGeometry) -> Array:
        """Mean over the cells of each window that lie inside the image (padding does not count)."""
        total = np.zeros(g.y_shape, x.dtype)
        for h, w, inside in _window_cells(g):
            total += np.where(inside[None, :, :, None], x[:, h, w], x.dtype.type(0))
        return total / _counts(g).astype(x.dtype)[None, :, :, None]

    def avg_pool2d_grad(self, grad: Array, g: Pool2dGeometry) -> Array:
        """Adjoint of avg_pool2d: grad / count spread over the cells of each window."""
        share = grad / _counts(g).astype(grad.dtype)[None, :, :, None]
        y = np.zeros(g.x_shape, grad.dtype)
        for h, w, inside in _window_cells(g):
            h, w = np.broadcast_arrays(h, w)
            at: Any = (slice(None), h[inside], w[inside])
            np.add.at(y, at, share[:, inside])
        return y
