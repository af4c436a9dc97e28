"""Images read at places of one's own, between their pixels: a grid that is data or is learned."""

from __future__ import annotations

import numpy as np

from ..arguments import flag, rank, text
from ..doors import door
from ..errors import ConfigError, DTypeError, ShapeError
from ..quoting import quoted
from .compare import isnan
from .elementwise import abs, astype, remainder, where
from .index import gather
from .operands import _require_float
from .shape import expand_dims, reshape
from .special import clip, floor, round

MODES = ("bilinear", "nearest")
PADDINGS = ("zeros", "border", "reflection")


@door
def grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False):
    """Images x (N, H, W, C) read at the places of a grid (N, OH, OW, 2): (N, OH, OW, C).

    A place is a pair (u, v), u along the width, -1 ... 1 from one end of the image to the other:
    the outer edges of its first and last pixel, s = ((u + 1) W - 1) / 2 counted in pixels, or with
    align_corners their centres, s = (u + 1) (W - 1) / 2.

    mode "bilinear": the sum of max(0, 1 - |h - s_v|) max(0, 1 - |w - s_u|) x[h, w]; "nearest":
    pixel round(s), halves to the even one. What is outside is 0 with padding_mode "zeros", the
    pixel at the border with "border", and with "reflection" the image mirrored at the ends named
    above.

    The gradient reaches x and, with "bilinear", the grid: at a pixel's centre that of the side to
    its right, and 0 where a place was moved to the border. A place that is NaN gives NaN, with
    "nearest" the first pixel.

    Raises ShapeError, DTypeError unless both are of one float dtype, ConfigError for another mode.
    Jaderberg et al. 2015 (arXiv:1506.02025), section 3.3; PyTorch's grid_sample of images.
    """
    _check(x, grid, mode, padding_mode)
    align = flag("grid_sample", "align_corners", align_corners)
    columns, rows = [
        _padded(_in_pixels(grid[:, :, :, axis], size, align), size, padding_mode, align)
        for axis, size in enumerate((x.shape[2], x.shape[1]))
    ]
    pixels = _Pixels(x)
    if mode == "nearest":
        return pixels.at(round(_known(rows)), round(_known(columns)))
    top, left = floor(_known(rows)), floor(_known(columns))
    down, right = rows - top, columns - left
    result = None
    for row, along in ((top, 1 - down), (top + 1, down)):
        for column, across in ((left, 1 - right), (left + 1, right)):
            part = pixels.at(row, column) * expand_dims(along * across, 3)
            result = part if result is None else result + part
    return result


class _Pixels:
    """The pixels of images x (N, H, W, C), to be read by whole rows and columns."""

    def __init__(self, x):
        N, self.H, self.W, C = x.shape
        first = np.arange(N).reshape(N, 1, 1) * (self.H * self.W)
        self.first = x._new(x.backend.asarray(first), x.backend)
        self.values = reshape(x, (N * self.H * self.W, C))

    def at(self, row, column):
        """x[n, row, column], both (N, OH, OW) whole floats; 0 where there is no pixel."""
        inside = (row >= 0) & (row <= self.H - 1) & (column >= 0) & (column <= self.W - 1)
        row, column = clip(row, 0, self.H - 1), clip(column, 0, self.W - 1)
        place = self.first + astype(row, np.int64) * self.W + astype(column, np.int64)
        return where(expand_dims(inside, 3), gather(self.values, place), 0.0)


def _check(x, grid, mode, padding_mode):
    op = "grid_sample"
    if rank(op, x) != 4 or min(x.shape[1:3]) < 1:
        raise ShapeError(f"{op}: x must be (N, H, W, C) with pixels, got shape {x.shape}")
    if rank(op, grid) != 4 or grid.shape[3] != 2 or grid.shape[0] != x.shape[0]:
        raise ShapeError(f"{op}: grid must be ({x.shape[0]}, OH, OW, 2), got shape {grid.shape}")
    _require_float(op, x)
    if grid.dtype != x.dtype:
        raise DTypeError(f"{op}: grid must be {x.dtype} as x is, got {grid.dtype}")
    if text(op, "mode", mode) not in MODES:
        raise ConfigError(f"{op}: mode must be bilinear or nearest, got {quoted(mode)}")
    if text(op, "padding_mode", padding_mode) not in PADDINGS:
        raise ConfigError(
            f"{op}: padding_mode must be zeros, border or reflection, got {quoted(padding_mode)}"
        )


def _in_pixels(u, size, align):
    """From -1 ... 1 to where the first pixel's centre is 0 and the last one's size - 1."""
    return (u + 1) * ((size - 1) / 2) if align else ((u + 1) * size - 1) / 2


def _padded(place, size, padding_mode, align):
    """Places moved to where there are pixels, or (zeros) to at most two pixels outside."""
    if padding_mode == "zeros":
        return clip(place, -2, size + 1)
    if padding_mode == "reflection":
        low, span = (0, size - 1) if align else (-0.5, size)
        if span:
            place = low + span - abs(remainder(place - low, 2 * span) - span)
    return clip(place, 0, size - 1)


def _known(place):
    """The places, 0 for NaN: no number can be made an index."""
    return where(isnan(place), 0.0, place)
