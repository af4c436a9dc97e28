"""Convolution on the processor: direct kernels in C for float32 and float64 (csrc/conv*.c).

A 1x1 convolution of stride 1 is a matrix product over pixels, one whose window covers the image a
product over images: both go to the GEMM of csrc/matmul.c.
"""

from __future__ import annotations

import numpy as np

from ...geometry import Conv2dGeometry
from ..reference.arrays import Array
from ..reference.conv import Conv as ReferenceConv
from . import _conv
from .matmul import PRODUCT, pack_matrix
from .shape import aligned, contiguous

CONV2D = {"f": _conv.conv2d_f32, "d": _conv.conv2d_f64}
PACK = {"f": _conv.conv2d_pack_f32, "d": _conv.conv2d_pack_f64}
INPUT_GRAD = {"f": _conv.conv2d_input_grad_f32, "d": _conv.conv2d_input_grad_f64}
WEIGHT_GRAD = {"f": _conv.conv2d_weight_grad_f32, "d": _conv.conv2d_weight_grad_f64}
IM2COL = {"f": _conv.im2col_f32, "d": _conv.im2col_f64}
COL2IM = {"f": _conv.col2im_f32, "d": _conv.col2im_f64}


class Conv(ReferenceConv):
    def im2col(self, x: Array, g: Conv2dGeometry) -> Array:
        if x.dtype.char not in IM2COL:
            return super().im2col(x, g)
        columns = np.empty(g.columns_shape, x.dtype)
        IM2COL[x.dtype.char](contiguous(x), columns, g)
        return columns

    def col2im(self, columns: Array, g: Conv2dGeometry) -> Array:
        if columns.dtype.char not in COL2IM:
            return super().col2im(columns, g)
        x = np.empty(g.x_shape, columns.dtype)
        COL2IM[columns.dtype.char](contiguous(columns), x, g)
        return x

    # The usual case; the others come back to the next method.
    conv2d = _conv.conv2d
    conv2d_packed = _conv.conv2d_packed

    def conv2d_of_any(
        self, x: Array, weight: Array, bias: Array | None, g: Conv2dGeometry, packed: bool = False
    ) -> Array:
        """conv2d of types and strides that the kernels do not take, and products."""
        kind = x.dtype.char
        if kind not in CONV2D:
            return super().conv2d(x, weight, bias, g)
        x, weight = contiguous(x), contiguous(weight)
        bias = None if bias is None else contiguous(bias)
        y = np.empty(g.y_shape, x.dtype)
        if g.product:
            rows, depth = g.product
            columns = weight if packed else weight.reshape(depth, g.F)
            out = y.reshape(rows, g.F)
            PRODUCT[kind](x.reshape(rows, depth), columns, bias, out, False, packed)
        else:
            CONV2D[kind](x, weight, bias, y, g, False, packed)
        return y

    def pack_conv2d(self, weight: Array, g: Conv2dGeometry) -> Array | None:
        """The weight in the order in which `conv2d` multiplies it; None if it is used as it is."""
        kind = weight.dtype.char
        if kind not in PACK:
            return None
        weight = contiguous(weight)
        if g.product:
            return None if g.F == 1 else pack_matrix(weight.reshape(g.product[1], g.F))
        size = PACK[kind](weight, None, g)
        if size == 0:
            return None
        packed = aligned((size,), weight.dtype)
        PACK[kind](weight, packed, g)
        return packed

    def conv2d_input_grad(self, grad: Array, weight: Array, g: Conv2dGeometry) -> Array:
        kind = grad.dtype.char
        if kind not in INPUT_GRAD:
            return super().conv2d_input_grad(grad, weight, g)
        grad, weight = contiguous(grad), contiguous(weight)
        grad_x = np.empty(g.x_shape, grad.dtype)
        if g.product:
            rows, depth = g.product
            columns = weight.reshape(depth, g.F).T
            PRODUCT[kind](
                grad.reshape(rows, g.F), columns, None, grad_x.reshape(rows, depth), False
            )
        else:
            INPUT_GRAD[kind](grad, weight, grad_x, g)
        return grad_x

    def conv2d_weight_grad(self, x: Array, grad: Array, g: Conv2dGeometry) -> Array:
        kind = x.dtype.char
        if kind not in WEIGHT_GRAD:
            return super().conv2d_weight_grad(x, grad, g)
        x, grad = contiguous(x), contiguous(grad)
        grad_weight = np.empty(g.weight_shape, x.dtype)
        if g.product:
            rows, depth = g.product
            out = grad_weight.reshape(depth, g.F)
            PRODUCT[kind](x.reshape(rows, depth).T, grad.reshape(rows, g.F), None, out, False)
        else:
            WEIGHT_GRAD[kind](x, grad, grad_weight, g)
        return grad_weight
