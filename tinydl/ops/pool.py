"""Maximum and average pooling over windows of an image (N, H, W, C)."""

from __future__ import annotations

from ..errors import DTypeError
from ..function import Function
from ..geometry import pool2d_geometry
from .conv import _plain


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
