"""Maximum and average pooling of images (N, H, W, C) and sequences (N, T, C): over sliding windows,
over a given number of bins, over everything; and the way back from a maximum to its place."""

from __future__ import annotations

from typing import Never

import numpy as np

from ..arguments import flag, is_whole, whole
from ..doors import door, unknown_to
from ..errors import ConfigError, ShapeError
from ..function import Function, is_recording
from ..geometry import (
    MOST_CELLS,
    adaptive_pool2d_geometry,
    pair,
    pool2d_geometry,
    resolve_padding,
)
from ..quoting import quoted
from .arrange import pad
from .conv import _plain
from .index import check_indices, scatter_add_along_axis, take
from .operands import _require_float
from .reduce import max, mean
from .shape import reshape


class MaxPool2d(Function):
    name = "max_pool2d"

    def __init__(self, geometry, places=True):
        """`places`: whether to find where the maxima are, which `backward` must know."""
        self.geometry, self.places = geometry, places

    def forward(self, x):
        y, self.place = self.backend.max_pool2d(x, self.geometry, self.places)
        return y

    def hand_out(self, like):
        """The places as a tensor, which the caller can write to."""
        places = like._new(self.place, self.backend)
        self.watch(places)
        return places

    def flops(self, arrays, y):
        return self.geometry.visits

    def traffic(self, arrays, y):
        return super().traffic((*arrays, self.place) if self.places else arrays, y)

    def backward(self, grad):
        self.saved  # noqa: B018 - raises where the places were changed
        handed = [tensor for tensor, _ in self.watched]
        places = handed[0] if handed else grad._new(self.place, self.backend)
        return MaxPool2dScatter(self.geometry).apply(grad, places)


class MaxPool2dScatter(Function):
    """Each value to the place where its maximum was found; linear, the adjoint of
    MaxPool2dGather."""

    name = "max_pool2d_scatter"
    saves = (1,)

    def __init__(self, geometry):
        self.geometry = geometry

    def forward(self, grad, places):
        return self.backend.max_pool2d_scatter(grad, places, self.geometry)

    def flops(self, arrays, y):
        return arrays[0].size

    def backward(self, grad):
        return MaxPool2dGather(self.geometry).apply(grad, self.saved[0]), None


class MaxPool2dGather(Function):
    name = "max_pool2d_gather"
    flops_per_output = 0
    saves = (1,)

    def __init__(self, geometry):
        self.geometry = geometry

    def forward(self, x, places):
        return self.backend.max_pool2d_gather(x, places, self.geometry)

    def backward(self, grad):
        return MaxPool2dScatter(self.geometry).apply(grad, self.saved[0]), None


class AvgPool2d(Function):
    name = "avg_pool2d"

    def __init__(self, geometry):
        self.geometry = geometry

    def forward(self, x):
        return self.backend.avg_pool2d(x, self.geometry)

    def flops(self, arrays, y):
        return self.geometry.visits

    def backward(self, grad):
        return AvgPool2dGrad(self.geometry).apply(grad)


class AvgPool2dGrad(Function):
    name = "avg_pool2d_grad"

    def __init__(self, geometry):
        self.geometry = geometry

    def forward(self, grad):
        return self.backend.avg_pool2d_grad(grad, self.geometry)

    def flops(self, arrays, y):
        return self.geometry.visits

    def backward(self, grad):
        return AvgPool2d(self.geometry).apply(grad)


def _geometry(op, x, kernel_size, stride, padding, ceil_mode):
    _require_float(op, x)
    if ceil_mode is not False and ceil_mode is not True:
        ceil_mode = flag(op, "ceil_mode", ceil_mode)
    return pool2d_geometry(
        x.shape, _plain(kernel_size), _plain(stride), _plain(padding), ceil_mode, op
    )


def _max_pool(x, geometry, return_places):
    pooling = MaxPool2d(geometry, return_places or (x._requires_grad and is_recording()))
    y = pooling.apply(x)
    return (y, pooling.hand_out(x)) if return_places else y


def _spread(op, x, kernel_size, stride, padding, ceil_mode, dilation):
    """(x with the cells of every dilated window side by side, the geometry of windows that meet):
    padding is -inf here, so that it never wins. Memory: KH KW times the result."""
    KH, KW = pair(op, "kernel_size", _plain(kernel_size), 1)
    steps = (KH, KW) if stride is None else pair(op, "stride", _plain(stride), 1)
    _require_float(op, x)
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, (KH, KW), strict=True)]
    padding = _plain(padding)
    if padding == "same":
        padding = resolve_padding(op, padding, x.shape[1:3], (KH, KW), steps, dilation)
        padding = (padding[:2], padding[2:])
    wide = pool2d_geometry(x.shape, tuple(spans), steps, padding, ceil_mode, op)
    sides, places = [], []
    windows = zip((wide.OH, wide.OW), (KH, KW), steps, dilation, strict=True)
    for axis, (outputs, k, step, gap) in enumerate(windows):
        before, after = wide.padding[2 * axis : 2 * axis + 2]
        at = np.arange(outputs)[:, None] * step + np.arange(k) * gap
        beyond = int(at.max()) + 1 - x.shape[1 + axis] - before  # ceil_mode's last window
        sides.append((before, after if after > beyond else beyond))
        places.append(at.ravel())
    x = pad(x, ((0, 0), *sides, (0, 0)), -np.inf) if any(map(any, sides)) else x
    x = take(take(x, places[0], 1), places[1], 2)
    return x, pool2d_geometry(x.shape, (KH, KW), (KH, KW), 0, False, op)


def max_pool2d(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, return_places=False, dilation=1,
    **unknown: Never,
):  # fmt: skip
    """Largest value of each window: x (N, H, W, C) -> (N, OH, OW, C); the stride defaults to the
    window.

    OH = floor((H + top + bottom - KH) / stride) + 1; with `ceil_mode` ceil, less a last window that
    would start below the image (PyTorch's rule). padding: integer, (height, width), ((top, bottom),
    (left, right)), 'valid' (none) or 'same' (OH = ceil(H / stride)), smaller than the window.

    dilation: the distance of a window's cells, integer or (height, width), which makes it as large
    as dilation*(K - 1) + 1; then without places.

    The gradient goes to the first largest cell (row by row); NaN wins; padded cells never win. With
    `return_places` also the place h*W + w of each maximum, int32, for `max_unpool2d`.
    Raises ShapeError and DTypeError, ConfigError for places with a dilation.
    """
    if unknown:
        raise unknown_to(max_pool2d, unknown)
    if type(dilation) is not int or dilation != 1:
        gaps = pair("max_pool2d", "dilation", _plain(dilation), 1)
        if gaps != (1, 1) and return_places is not False:
            raise ConfigError("max_pool2d: return_places is there without a dilation only")
        if gaps != (1, 1):
            ceil_mode = flag("max_pool2d", "ceil_mode", ceil_mode)
            x, g = _spread("max_pool2d", x, kernel_size, stride, padding, ceil_mode, gaps)
            return _max_pool(x, g, False)
    geometry = _geometry("max_pool2d", x, kernel_size, stride, padding, ceil_mode)
    if return_places is not False:
        return_places = flag("max_pool2d", "return_places", return_places)
    return _max_pool(x, geometry, return_places)


def avg_pool2d(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=False,
    **unknown: Never,
):  # fmt: skip
    """Mean of each window: x (N, H, W, C) -> (N, OH, OW, C); window, padding and ceil_mode as in
    `max_pool2d`.

    Padded cells are zeros; they count in the divisor only with `count_include_pad` (the default of
    PyTorch; Keras and ONNX leave them out, and so an average of ones is one everywhere). Cells that
    ceil_mode adds beyond the padding never count. Raises ShapeError and DTypeError.
    """
    if unknown:
        raise unknown_to(avg_pool2d, unknown)
    geometry = _geometry("avg_pool2d", x, kernel_size, stride, padding, ceil_mode)
    y = AvgPool2d(geometry).apply(x)
    if count_include_pad is not False:
        count_include_pad = flag("avg_pool2d", "count_include_pad", count_include_pad)
    share = _counted_share(geometry) if count_include_pad else None
    if share is None:
        return y
    return y * x._new(x.backend.asarray(share.astype(x.dtype)), x.backend)


def _counted_share(g):
    """(cells inside the image) / (cells inside image and padding) of each window (1, OH, OW, 1), or
    None where no window reaches into the padding."""
    shares = []
    sides = (g.padding[:2], g.padding[2:])
    axes = zip((g.H, g.W), (g.OH, g.OW), (g.KH, g.KW), g.stride, sides, strict=True)
    for size, outputs, kernel, stride, (before, after) in axes:
        start = np.arange(outputs) * stride - before
        end = np.minimum(start + kernel, size + after)
        shares.append((np.minimum(end, size) - np.maximum(start, 0)) / (end - start))
    if all((share == 1).all() for share in shares):
        return None
    return (shares[0][:, None] * shares[1])[None, :, :, None]


# -- along time ------------------------------------------------------------------------------------


def _as_image(op, x, kernel_size, stride, padding, ceil_mode, gap=1):
    """A sequence as an image of height 1, and the geometry of its windows."""
    _require_float(op, x)
    if x.ndim != 3:
        raise ShapeError(f"{op}: x must be (N, T, C), got shape {x.shape}")
    window = pair(op, "kernel_size", (1, kernel_size), 1)
    step = window if stride is None else pair(op, "stride", (1, stride), 1)
    if not isinstance(padding, str):
        sides = (padding, padding) if is_whole(padding) else _plain(padding)
        if not (isinstance(sides, tuple) and all(is_whole(p) for p in sides)):
            raise ShapeError(
                f"{op}: padding must be 'valid', 'same', an integer >= 0 or (before, after), got "
                f"{quoted(padding)}"
            )
        padding = ((0, 0), tuple([int(p) for p in sides]))
    N, T, C = x.shape
    if gap != 1:
        image, ceil_mode = reshape(x, (N, 1, T, C)), flag(op, "ceil_mode", ceil_mode)
        return _spread(op, image, window, step, padding, ceil_mode, (1, gap))
    geometry = pool2d_geometry((N, 1, T, C), window, step, padding, ceil_mode, op)
    return reshape(x, geometry.x_shape), geometry


@door
def max_pool1d(x, kernel_size, stride=None, padding=0, ceil_mode=False, dilation=1):
    """Largest value of each window of time: x (N, T, C) -> (N, O, C), a max_pool2d of height 1.

    padding: integer, (before, after), 'valid' or 'same'. Raises ShapeError and DTypeError.
    """
    op = "max_pool1d"
    gap = whole(op, "dilation", _plain(dilation), 1, MOST_CELLS, ShapeError)
    if gap != 1:
        image, g = _as_image(op, x, kernel_size, stride, padding, ceil_mode, gap)
        return reshape(_max_pool(image, g, False), (g.N, g.OW, g.C))
    image, g = _as_image("max_pool1d", x, kernel_size, stride, padding, ceil_mode)
    return reshape(_max_pool(image, g, False), (g.N, g.OW, g.C))


@door
def avg_pool1d(
    x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=False
):  # fmt: skip
    """Mean of each window of time: x (N, T, C) -> (N, O, C), an avg_pool2d of height 1.

    padding: integer, (before, after), 'valid' or 'same'. Raises ShapeError and DTypeError.
    """
    image, g = _as_image("avg_pool1d", x, kernel_size, stride, padding, ceil_mode)
    sides = (g.padding[:2], g.padding[2:])
    y = avg_pool2d(image, (1, g.KW), g.stride, sides, ceil_mode, count_include_pad)
    return reshape(y, (g.N, g.OW, g.C))


# -- into a given number of bins -------------------------------------------------------------------


@door
def adaptive_avg_pool2d(x, size):
    """Mean of each of OH x OW bins: x (N, H, W, C) -> (N, OH, OW, C), size an integer or (OH, OW).

    Bin o of an axis holds cells floor(o H / OH) ... ceil((o + 1) H / OH) - 1 (PyTorch's rule): none
    is left out, neighbours may share one, and OH may exceed H. Pyramid pooling (PSPNet, Zhao et al.
    2017, arXiv 1612.01105) is `[adaptive_avg_pool2d(x, bins) for bins in (1, 2, 3, 6)]`, each
    reduced by a 1x1 convolution, resized to (H, W) and concatenated.
    Raises ShapeError and DTypeError.
    """
    _require_float("adaptive_avg_pool2d", x)
    geometry = adaptive_pool2d_geometry(x.shape, _plain(size), "adaptive_avg_pool2d")
    return AvgPool2d(geometry).apply(x)


@door
def adaptive_max_pool2d(x, size, return_places=False):
    """Largest value of each of OH x OW bins, see `adaptive_avg_pool2d`; ties and `return_places` as
    in `max_pool2d`.

    Spatial pyramid pooling (He et al. 2014, arXiv 1406.4729) concatenates the flattened results for
    bins 4, 2 and 1. Raises ShapeError and DTypeError.
    """
    _require_float("adaptive_max_pool2d", x)
    geometry = adaptive_pool2d_geometry(x.shape, _plain(size), "adaptive_max_pool2d")
    return _max_pool(x, geometry, return_places)


def _bins1d(op, x, size):
    """A sequence as an image of height 1, pooled into 1 x `size` bins."""
    _require_float(op, x)
    if x.ndim != 3:
        raise ShapeError(f"{op}: x must be (N, T, C), got shape {x.shape}")
    size = whole(op, "size", size, 1, error=ShapeError)
    N, T, C = x.shape
    geometry = adaptive_pool2d_geometry((N, 1, T, C), (1, size), op)
    return reshape(x, geometry.x_shape), geometry


@door
def adaptive_avg_pool1d(x, size):
    """Mean of each of O bins of time: x (N, T, C) -> (N, O, C), O = size; bins as in
    `adaptive_avg_pool2d`. Raises ShapeError and DTypeError."""
    image, g = _bins1d("adaptive_avg_pool1d", x, size)
    return reshape(AvgPool2d(g).apply(image), (g.N, g.OW, g.C))


@door
def adaptive_max_pool1d(x, size):
    """Largest value of each of O bins of time: x (N, T, C) -> (N, O, C); bins as in
    `adaptive_avg_pool2d`, ties as in `max_pool2d`. Raises ShapeError and DTypeError."""
    image, g = _bins1d("adaptive_max_pool1d", x, size)
    return reshape(_max_pool(image, g, False), (g.N, g.OW, g.C))


# -- back to the places ----------------------------------------------------------------------------


@door
def max_unpool2d(x, places, size):
    """Zeros (N, H, W, C) with each value of x (N, OH, OW, C) at its place h*W + w, size = (H, W).

    `places` comes from `max_pool2d(..., return_places=True)`, so windows that do not divide the
    image find its size again. Linear in x and the adjoint of reading there: where windows overlap,
    values that meet add up (PyTorch keeps one of them). Raises ShapeError, DTypeError and, for a
    place outside the image, IndexRangeError (on OpenCL: when a result is next read). Zeiler and
    Fergus 2014 (arXiv 1311.2901).
    """
    _require_float("max_unpool2d", x)
    check_indices("max_unpool2d", places)
    if x.ndim != 4 or places.shape != x.shape:
        raise ShapeError(
            f"max_unpool2d: x and places must be (N, OH, OW, C), got {x.shape} and {places.shape}"
        )
    H, W = pair("max_unpool2d", "size", _plain(size), 1)
    N, OH, OW, C = x.shape
    pixels = (N, OH * OW, C)
    y = scatter_add_along_axis(reshape(x, pixels), reshape(places, pixels), 1, H * W)
    return reshape(y, (N, H, W, C))


# -- over everything -------------------------------------------------------------------------------


def _places_axes(op, x):
    """All axes between the batch and the channels."""
    _require_float(op, x)
    if x.ndim < 3 or 0 in x.shape[1:-1]:
        raise ShapeError(f"{op}: x must be (N, T, C) or (N, H, W, C), not empty, got {x.shape}")
    return tuple(range(1, x.ndim - 1))


@door
def global_avg_pool(x, keepdims=False):
    """Mean of each channel over all places: x (N, H, W, C) or (N, T, C) -> (N, C), or with axes of
    size 1 left.

    Raises ShapeError and DTypeError. Lin et al. 2014 (arXiv 1312.4400).
    """
    return mean(x, _places_axes("global_avg_pool", x), keepdims)


@door
def global_max_pool(x, keepdims=False):
    """Largest value of each channel over all places: x (N, H, W, C) or (N, T, C) -> (N, C).

    Ties as in `max`. Raises ShapeError and DTypeError.
    """
    return max(x, _places_axes("global_max_pool", x), keepdims)
