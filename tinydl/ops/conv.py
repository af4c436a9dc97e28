"""Convolution and its two gradients, a family closed under differentiation, and im2col / col2im
for reading.

Conv2d, Conv2dInputGrad (the transposed convolution) and Conv2dWeightGrad are the three contractions
of (x, weight, grad), each bilinear; the derivative of any one is the other two.
"""

from __future__ import annotations

from typing import Never

import numpy as np

from ..arguments import is_tensor, made_of
from ..doors import door, unknown_to
from ..errors import DTypeError, ShapeError
from ..function import Function
from ..geometry import conv2d_geometry, pair, whole_numbers
from ..quoting import quoted
from .broadcast import sum
from .packed import LEAST_MATRIX, MOST_ROWS, keeps_packed, packed_weight


class Conv2d(Function):
    name = "conv2d"
    saves = (0, 1)

    def __init__(self, geometry, packed=None):
        self.geometry = geometry
        self.packed = packed  # the weight once more, where it is kept packed

    def forward(self, x, weight, bias=None):
        if self.packed is not None:
            return self.backend.conv2d_packed(x, self.packed, bias, self.geometry)
        return self.backend.conv2d(x, weight, bias, self.geometry)

    def flops(self, arrays, y):
        return 2 * self.geometry.multiply_adds + y.size * (len(arrays) == 3)

    def backward(self, grad):
        x, weight = self.saved
        grads = (
            Conv2dInputGrad(self.geometry).apply(grad, weight) if self.needed[0] else None,
            Conv2dWeightGrad(self.geometry).apply(x, grad) if self.needed[1] else None,
        )
        if len(self.needed) == 2:
            return grads
        return (*grads, sum(grad, (0, 1, 2)) if self.needed[2] else None)


class Conv2dInputGrad(Function):
    """(grad (N, OH, OW, F), weight) -> (N, H, W, C)."""

    name = "conv2d_input_grad"
    saves = (0, 1)

    def __init__(self, geometry):
        self.geometry = geometry

    def forward(self, grad, weight):
        return self.backend.conv2d_input_grad(grad, weight, self.geometry)

    def flops(self, arrays, y):
        return 2 * self.geometry.multiply_adds

    def backward(self, grad):
        first, weight = self.saved
        return (
            Conv2d(self.geometry).apply(grad, weight) if self.needed[0] else None,
            Conv2dWeightGrad(self.geometry).apply(grad, first) if self.needed[1] else None,
        )


class Conv2dWeightGrad(Function):
    """(x (N, H, W, C), grad (N, OH, OW, F)) -> (KH, KW, C/groups, F)."""

    name = "conv2d_weight_grad"
    saves = (0, 1)

    def __init__(self, geometry):
        self.geometry = geometry

    def forward(self, x, grad):
        return self.backend.conv2d_weight_grad(x, grad, self.geometry)

    def flops(self, arrays, y):
        return 2 * self.geometry.multiply_adds

    def backward(self, grad):
        x, first = self.saved
        return (
            Conv2dInputGrad(self.geometry).apply(first, grad) if self.needed[0] else None,
            Conv2d(self.geometry).apply(x, grad) if self.needed[1] else None,
        )


class Im2col(Function):
    name = "im2col"
    flops_per_output = 0

    def __init__(self, geometry):
        self.geometry = geometry

    def forward(self, x):
        return self.backend.im2col(x, self.geometry)

    def backward(self, grad):
        return Col2im(self.geometry).apply(grad)


class Col2im(Function):
    name = "col2im"

    def __init__(self, geometry):
        self.geometry = geometry

    def forward(self, columns):
        return self.backend.col2im(columns, self.geometry)

    def flops(self, arrays, y):
        return arrays[0].size

    def backward(self, grad):
        return Im2col(self.geometry).apply(grad)


def _check_types(op, *tensors):
    try:
        first = tensors[0].data.dtype
        fits = first.kind == "f"
        for t in tensors:
            fits = fits and (t.data.dtype is first or t.data.dtype == first)
    except (AttributeError, ValueError):
        fits = False
    if not fits:
        kinds = ", ".join(str(t.dtype) if is_tensor(t) else quoted(t) for t in tensors)
        raise DTypeError(f"{op}: needs tensors of one float type, got {kinds}{made_of(*tensors)}")


def conv2d(
    x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, **unknown: Never
):  # fmt: skip
    """Cross-correlation y[n,oh,ow,f] = bias[f] + sum_{kh,kw,c} xpad[n, oh*sh + kh*dh, ow*sw +
    kw*dw, c] weight[kh,kw,c,f].

    x (N, H, W, C), weight (KH, KW, C/groups, F), bias (F,) or None -> (N, OH, OW, F) with
    OH = floor((H + top + bottom - dh*(KH-1) - 1) / sh) + 1.
    stride, dilation: integer or (height, width). padding: integer, (height, width), ((top,
    bottom), (left, right)),
    'valid' (none) or 'same' (OH = ceil(H / stride), the odd zero below and right).
    Raises ShapeError (channels, sizes, arguments) and DTypeError. LeCun et al. 1989; grouped:
    Krizhevsky et al. 2012.
    """
    if unknown:
        raise unknown_to(conv2d, unknown)
    return convolve("conv2d", x, weight, bias, stride, padding, dilation, groups)


def convolve(op, x, weight, bias, stride, padding, dilation, groups):
    """conv2d whose errors speak of `op`, the operation that the user has called."""
    try:
        sizes = x.data.shape, weight.data.shape
    except (AttributeError, ValueError):
        raise DTypeError(
            f"{op}: expects tensors, got {quoted(x)} and {quoted(weight)}{made_of(x, weight)}"
        ) from None
    geometry = conv2d_geometry(
        *sizes,
        _plain(stride),
        _plain(padding),
        _plain(dilation),
        _plain(groups),
        op,
    )
    if bias is None:
        _check_types(op, x, weight)
        return Conv2d(geometry, _packed(geometry, x, weight)).apply(x, weight)
    _check_types(op, x, weight, bias)
    if bias.data.shape != (geometry.F,):
        raise ShapeError(
            f"{op}: bias must be ({geometry.F},), one for each output channel, got {bias.shape}"
        )
    return Conv2d(geometry, _packed(geometry, x, weight, bias)).apply(x, weight, bias)


def _packed(g, x, weight, bias=None):
    """The kept packed weight, if it may be used and pays: not of a depthwise convolution, which
    uses it as it is, and not of one row times a matrix, whose sums run in another order."""
    product = g.product is not None
    if 1 < g.groups == g.C or (product and g.KH * g.KW * g.C * g.F < LEAST_MATRIX):
        return None
    rows = g.N * g.OH * g.OW
    if not keeps_packed(x, weight, bias) or rows > MOST_ROWS or (rows == 1 and product):
        return None
    return packed_weight(weight, (g.groups, product), weight.backend.pack_conv2d, g)


def _plain(value):
    """Lists become tuples and NumPy's integers Python's, so that the geometry can be cached."""
    if type(value) is int:
        return value
    if isinstance(value, np.integer | np.ndarray):
        value = value.tolist() if value.size <= 8 else quoted(value)
    if isinstance(value, list | tuple):
        for v in value[:4]:
            if isinstance(v, list | tuple):
                for part in v[:4]:
                    if isinstance(part, list | tuple):
                        return quoted(value)
        return tuple([_plain(v) for v in value]) if len(value) <= 4 else quoted(value)
    try:
        hash(value)
    except TypeError:  # nothing that the geometry knows: its error names it
        return quoted(value)
    return value


@door
def im2col(x, kernel_size, stride=1, padding=0, dilation=1):
    """Patches of x (N, H, W, C) as rows (N*OH*OW, KH*KW*C), a column ordered (kh, kw, c): a
    convolution is a matmul."""
    return Im2col(_patch_geometry("im2col", x.shape, kernel_size, stride, padding, dilation)).apply(
        x
    )


@door
def col2im(columns, x_shape, kernel_size, stride=1, padding=0, dilation=1):
    """Adjoint of im2col: rows (N*OH*OW, KH*KW*C) summed back into an image of `x_shape` (N, H, W,
    C)."""
    geometry = _patch_geometry(
        "col2im",
        whole_numbers("col2im", "x_shape", x_shape),
        kernel_size,
        stride,
        padding,
        dilation,
    )
    if columns.shape != geometry.columns_shape:
        raise ShapeError(
            f"col2im: columns must be {geometry.columns_shape} for images {tuple(x_shape)}, got "
            f"{columns.shape}"
        )
    return Col2im(geometry).apply(columns)


def _patch_geometry(op, x_shape, kernel_size, stride, padding, dilation):
    KH, KW = pair(op, "kernel_size", _plain(kernel_size), 1)
    C = x_shape[3] if len(x_shape) == 4 else 0
    return conv2d_geometry(
        x_shape, (KH, KW, C, 1), _plain(stride), _plain(padding), _plain(dilation), 1, op
    )
