"""Pooling of regions of interest: boxes on feature maps, each cut into OH x OW bins of its own.

Boxes are data, not variables: their coordinates are read on the host, turned there into small
tables of cells and weights, in double precision, and get no gradient.
"""

from __future__ import annotations

import numpy as np

from ..arguments import array as host_array
from ..arguments import finite, is_tensor, is_whole
from ..doors import door
from ..errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from ..function import Function
from ..geometry import pair
from .conv import _plain
from .operands import _require_float

#: Sampling points of one bin along one axis that `sampling_ratio=0` may ask for.
MAX_SAMPLES = 1000


class RoiPool(Function):
    name = "roi_pool"

    def __init__(self, image, rows, columns):
        self.bins = image, rows, columns

    def forward(self, x):
        self.x_shape = x.shape
        y, self.place = self.backend.roi_pool(x, *self.bins)
        return y

    def backward(self, grad):
        places = [grad._new(a, self.backend) for a in (self.place, self.bins[0])]
        return RoiPoolScatter(self.x_shape).apply(grad, *places)


class RoiPoolScatter(Function):
    """Each value to the place where its maximum was found; linear, the adjoint of RoiPoolGather."""

    name = "roi_pool_scatter"
    saves = (1, 2)

    def __init__(self, x_shape):
        self.x_shape = x_shape

    def forward(self, grad, place, image):
        return self.backend.roi_pool_scatter(grad, place, image, self.x_shape)

    def backward(self, grad):
        return RoiPoolGather().apply(grad, *self.saved), None, None


class RoiPoolGather(Function):
    name = "roi_pool_gather"
    saves = (1, 2)

    def forward(self, x, place, image):
        self.x_shape = x.shape
        return self.backend.roi_pool_gather(x, place, image)

    def backward(self, grad):
        return RoiPoolScatter(self.x_shape).apply(grad, *self.saved), None, None


class RoiAlign(Function):
    """A weighted sum of cells for every bin; linear, the adjoint of RoiAlignGrad."""

    name = "roi_align"

    def __init__(self, *tables):
        self.tables = tables

    def forward(self, x):
        self.x_shape = x.shape
        return self.backend.roi_align(x, *self.tables)

    def backward(self, grad):
        return RoiAlignGrad(self.tables, self.x_shape).apply(grad)


class RoiAlignGrad(Function):
    name = "roi_align_grad"

    def __init__(self, tables, x_shape):
        self.tables, self.x_shape = tables, x_shape

    def forward(self, grad):
        return self.backend.roi_align_grad(grad, *self.tables, self.x_shape)

    def backward(self, grad):
        return RoiAlign(*self.tables).apply(grad)


# -- arguments -------------------------------------------------------------------------------------


def _on_host(op, name, values):
    """A tensor (which gets no gradient), a list or an ndarray as ndarray."""
    return host_array(op, name, values.numpy() if is_tensor(values) else values)


def _regions(op, x, boxes, batch_index, size, scale):
    """Boxes (R, 4) in cells of x, float64, the image of each (R,) and (OH, OW); every error."""
    _require_float(op, x)
    if x.ndim != 4 or min(x.shape[1:3]) < 1:
        raise ShapeError(f"{op}: x must be (N, H, W, C) with pixels, got shape {x.shape}")
    boxes = _on_host(op, "boxes", boxes)
    image = _on_host(op, "batch_index", batch_index)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or image.shape != boxes.shape[:1]:
        raise ShapeError(
            f"{op}: boxes must be (R, 4) and batch_index (R,), got shapes {boxes.shape} and "
            f"{image.shape}"
        )
    if boxes.dtype.kind not in "fiu" or (image.size and image.dtype.kind not in "iu"):
        raise DTypeError(
            f"{op}: boxes must be numbers and batch_index integers, got {boxes.dtype} and "
            f"{image.dtype}"
        )
    wrong = np.flatnonzero((image < 0) | (image >= x.shape[0]))
    if wrong.size:
        raise IndexRangeError(
            f"{op}: box {wrong[0]} lies on image {image[wrong[0]]} of a batch of {x.shape[0]}"
        )
    wrong = np.flatnonzero(~np.isfinite(boxes).all(axis=1))
    if wrong.size:
        raise ConfigError(f"{op}: box {wrong[0]} is {boxes[wrong[0]].tolist()}, not finite")
    if not finite(op, "scale", scale) > 0:
        raise ConfigError(f"{op}: scale must be a number > 0, got {scale!r}")
    cells = boxes.astype(np.float64) * scale
    return cells, image.astype(np.int32), pair(op, "size", _plain(size), 1)


def _uploaded(x, *tables):
    """The tables on the backend of x; weights get its element type."""
    arrays = [t.astype(x.dtype) if t.dtype.kind == "f" else t for t in tables]
    return [x.backend.asarray(np.ascontiguousarray(a)) for a in arrays]


# -- maximum of quantised bins ---------------------------------------------------------------------


def bin_cells(first, last, bins, size):
    """Cells start ... end - 1 of each bin of boxes first ... last (R,): (R, bins, 2) int32, cut to
    0 ... size."""
    far = 2.0**31  # a coordinate beyond is as good as this one
    first, last = (np.clip(_rounded(v), -far, far).astype(np.int64)[:, None] for v in (first, last))
    length = np.maximum(last - first + 1, 1)
    o = np.arange(bins)
    start, end = first + o * length // bins, first - (-(o + 1) * length // bins)
    return np.clip(np.stack([start, end], axis=-1), 0, size).astype(np.int32)


def _rounded(values):
    """To the nearest integer, halves away from zero, as C's round."""
    return np.copysign(np.floor(np.abs(values) + 0.5), values)


@door
def roi_pool(x, boxes, batch_index, size, scale=1.0):
    """Largest value of each of OH x OW bins of every box: x (N, H, W, C) -> (R, OH, OW, C).

    boxes (R, 4): x1, y1, x2, y2 in units of 1 / scale cells (scale = 1/16 for boxes in pixels on a
    feature map of stride 16); batch_index (R,): the image of each; both host arrays or tensors of
    any backend, read on the host. size: integer or (OH, OW).

    Corners times scale are rounded to whole cells (halves away from zero), both inside the box, so
    it has max(x2 - x1 + 1, 1) columns; bin o of n holds cells floor(o w / n) ... ceil((o + 1) w /
    n) - 1 from there on, cut to the image, and an empty bin gives 0. Ties and NaN as in
    `max_pool2d`. No gradient reaches the boxes. A box with x2 < x1 counts as one cell wide.

    Raises ShapeError, DTypeError, IndexRangeError (an image that is not there) and ConfigError (a
    coordinate that is not finite). Girshick 2015 (arXiv 1504.08083, section 2.1).
    """
    cells, image, (OH, OW) = _regions("roi_pool", x, boxes, batch_index, size, scale)
    x1, y1, x2, y2 = cells.T
    rows, columns = bin_cells(y1, y2, OH, x.shape[1]), bin_cells(x1, x2, OW, x.shape[2])
    return RoiPool(*_uploaded(x, image, rows, columns)).apply(x)


# -- mean of interpolated samples ------------------------------------------------------------------


def bin_weights(start, length, bins, size, samples):
    """What a bin's mean of linear interpolations weighs each cell with, along one axis.

    Boxes start ... start + length (R,) in cells, `samples` (R,) points in each bin. Returns first
    (R, bins) int32 and weights (R, bins, K): those of cells first ... first + K - 1, all in
    0 ... size - 1.
    """
    R, most = len(start), int(samples.max(initial=1))
    i, count = np.arange(most), np.maximum(samples, 1)[:, None, None]
    step = (length / bins)[:, None, None]
    place = start[:, None, None] + np.arange(bins)[:, None] * step + (i + 0.5) * step / count
    inside = (i < samples[:, None, None]) & (place >= -1) & (place <= size)
    place = np.clip(place, 0, size - 1)
    low = np.floor(place).astype(np.int64)
    share = place - low
    high = low + (share > 0)
    first = np.where(inside, low, size).min(axis=2, initial=size)
    last = np.where(inside, high, -1).max(axis=2, initial=-1)
    K = int((last - first + 1).max(initial=1))
    first = np.minimum(first, size - K)
    weights = np.zeros((R, bins, K))
    r, o, _ = np.nonzero(inside)
    offset = low - first[:, :, None]
    np.add.at(weights, (r, o, offset[inside]), ((1 - share) / count)[inside])
    np.add.at(weights, (r, o, (offset + (share > 0))[inside]), (share / count)[inside])
    return first.astype(np.int32), weights


def _samples(op, length, bins, sampling_ratio):
    """Sampling points per bin of each box: given, or one per started cell."""
    if sampling_ratio > 0:
        return np.full(len(length), sampling_ratio)
    wanted = np.ceil(length / bins)
    if (wanted > MAX_SAMPLES).any():
        worst = int(wanted.argmax())
        raise ConfigError(
            f"{op}: box {worst} is {length[worst]:g} cells long, more than {MAX_SAMPLES} samples "
            "in a bin: clip it to the image first, or give sampling_ratio"
        )
    return np.maximum(wanted, 0).astype(np.int64)


@door
def roi_align(x, boxes, batch_index, size, scale=1.0, sampling_ratio=0, aligned=True):
    """Mean of bilinear samples in each of OH x OW bins of every box: x (N, H, W, C) -> (R, OH, OW,
    C).

    Arguments as in `roi_pool`, but nothing is rounded. A bin takes sampling_ratio x sampling_ratio
    regular points (0: ceil(bin size) of them along each axis) and averages
    sum_{h,w} max(0, 1 - |h - s_y|) max(0, 1 - |w - s_x|) x[h, w] over them. A point up to one cell
    outside the image is moved to its edge, one further out counts as 0.

    aligned: pixel centres are at halves, so boxes are moved by -1/2 cell (ONNX "half_pixel"). False
    is the first version (ONNX "output_half_pixel"): not moved, and at least one cell long and wide.
    Other degenerate boxes as in ONNX: without samples (sampling_ratio 0, no extent or x2 < x1) a
    bin is 0. Linear in x, with its adjoint as gradient; no gradient reaches the boxes.

    Raises ShapeError, DTypeError, IndexRangeError (an image that is not there) and ConfigError (a
    coordinate that is not finite, a box of thousands of cells). He et al. 2017 (arXiv 1703.06870,
    section 3).
    """
    op = "roi_align"
    cells, image, (OH, OW) = _regions(op, x, boxes, batch_index, size, scale)
    if not is_whole(sampling_ratio):
        raise ConfigError(f"{op}: sampling_ratio must be an integer >= 0, got {sampling_ratio!r}")
    if sampling_ratio < 0:
        raise ConfigError(f"{op}: sampling_ratio must be >= 0, got {sampling_ratio}")
    tables = []
    for axis, bins in ((1, OH), (0, OW)):
        start = cells[:, axis] - (0.5 if aligned else 0.0)
        length = cells[:, axis + 2] - cells[:, axis]
        length = length if aligned else np.maximum(length, 1.0)
        samples = _samples(op, length, bins, sampling_ratio)
        tables += bin_weights(start, length, bins, x.shape[2 - axis], samples)
    return RoiAlign(*_uploaded(x, image, *tables)).apply(x)
