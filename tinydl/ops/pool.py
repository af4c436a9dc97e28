"""Maximum and average pooling over windows of an image (N, H, W, C)."""

from __future__ import annotations

from ..errors import DTypeError, ShapeError
from ..function import Function
from ..geometry import pool2d_geometry
from .conv import _plain
from .reduce import max, mean


class MaxPool2d(Function):
    name = "max_pool2d"

    def __init__(self, geometry):
        self.geometry = geometry

    def forward(self, x):
        y, self.place = self.backend.max_pool2d(x, self.geometry)
        return y

    def backward(self, grad):
        return MaxPool2dScatter(self.place, self.geometry).apply(grad)


class MaxPool2dScatter(Function):
    """Each value to the place where its maximum was found; linear, the adjoint of
    MaxPool2dGather."""

    name = "max_pool2d_scatter"

    def __init__(self, place, geometry):
        self.place, self.geometry = place, geometry

    def forward(self, grad):
        return self.backend.max_pool2d_scatter(grad, self.place, self.geometry)

    def backward(self, grad):
        return MaxPool2dGather(self.place, self.geometry).apply(grad)


class MaxPool2dGather(Function):
    name = "max_pool2d_gather"

    def __init__(self, place, geometry):
        self.place, self.geometry = place, geometry

    def forward(self, x):
        return self.backend.max_pool2d_gather(x, self.place, self.geometry)

    def backward(self, grad):
        return MaxPool2dScatter(self.place, self.geometry).apply(grad)


class AvgPool2d(Function):
    name = "avg_pool2d"

    def __init__(self, geometry):
        self.geometry = geometry

    def forward(self, x):
        return self.backend.avg_pool2d(x, self.geometry)

    def backward(self, grad):
        return AvgPool2dGrad(self.geometry).apply(grad)


class AvgPool2dGrad(Function):
    name = "avg_pool2d_grad"

    def __init__(self, geometry):
        self.geometry = geometry

    def forward(self, grad):
        return self.backend.avg_pool2d_grad(grad, self.geometry)

    def backward(self, grad):
        return AvgPool2d(self.geometry).apply(grad)


def _geometry(op, x, kernel_size, stride, padding):
    if x.dtype.kind != "f":
        raise DTypeError(f"{op}: needs a float tensor, got {x.dtype} {x.shape}; use .astype")
    return pool2d_geometry(x.shape, _plain(kernel_size), _plain(stride), _plain(padding), op)


def max_pool2d(x, kernel_size, stride=None, padding=0):
    """Largest value of each window: x (N, H, W, C) -> (N, OH, OW, C); the stride defaults to the
    window.

    The gradient goes to the first largest cell (row by row); NaN wins; padded cells never win; a
    window must
    touch the image. Raises ShapeError and DTypeError.
    """
    return MaxPool2d(_geometry("max_pool2d", x, kernel_size, stride, padding)).apply(x)


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    """Mean of each window: x (N, H, W, C) -> (N, OH, OW, C); padded cells do not count.

    Raises ShapeError and DTypeError.
    """
    return AvgPool2d(_geometry("avg_pool2d", x, kernel_size, stride, padding)).apply(x)


def _places_axes(op, x):
    """All axes between the batch and the channels."""
    if x.dtype.kind != "f":
        raise DTypeError(f"{op}: needs a float tensor, got {x.dtype} {x.shape}; use .astype")
    if x.ndim < 3 or 0 in x.shape[1:-1]:
        raise ShapeError(f"{op}: x must be (N, T, C) or (N, H, W, C), not empty, got {x.shape}")
    return tuple(range(1, x.ndim - 1))


def global_avg_pool(x, keepdims=False):
    """Mean of each channel over all places: x (N, H, W, C) or (N, T, C) -> (N, C), or with axes of
    size 1 left.

    Raises ShapeError and DTypeError. Lin et al. 2014 (arXiv 1312.4400).
    """
    return mean(x, _places_axes("global_avg_pool", x), keepdims)


def global_max_pool(x, keepdims=False):
    """Largest value of each channel over all places: x (N, H, W, C) or (N, T, C) -> (N, C).

    Ties as in `max`. Raises ShapeError and DTypeError.
    """
    return max(x, _places_axes("global_max_pool", x), keepdims)
