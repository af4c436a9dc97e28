"""Convolution as a matrix product over patches, in plain NumPy.

g is a Conv2dGeometry. x (N, H, W, C), weight (KH, KW, C/groups, F), y (N, OH, OW, F):
    y[n, oh, ow, f] = bias[f] + sum_{kh, kw, c} xpad[n, oh*sh + kh*dh, ow*sw + kw*dw, c]
                                                * weight[kh, kw, c, f]
With groups, output channels are cut into `groups` runs that see one run of the input channels each.

xpad is x between zeros, and they take part: a weight of NaN or infinity makes 0 * weight = NaN
where its cell of the window lies in the padding. The gradient of the input likewise is a
convolution of grad between zeros.
"""

from __future__ import annotations

import numpy as np

from ...geometry import Conv2dGeometry
from .arrays import Array


def _taps(g: Conv2dGeometry):
    """For each kernel cell (kh, kw): the window of the padded image that it sees, one pixel per
    output."""
    (sh, sw), (dh, dw) = g.stride, g.dilation
    for kh in range(g.KH):
        for kw in range(g.KW):
            rows = slice(kh * dh, kh * dh + sh * (g.OH - 1) + 1, sh)
            columns = slice(kw * dw, kw * dw + sw * (g.OW - 1) + 1, sw)
            yield kh, kw, rows, columns


def _group_columns(columns: np.ndarray, g: Conv2dGeometry, group: int) -> np.ndarray:
    """The columns of one group: [N*OH*OW x KH*KW*C/groups]."""
    CG = g.C // g.groups
    part = columns.reshape(len(columns), g.KH * g.KW, g.C)[:, :, group * CG : (group + 1) * CG]
    return part.reshape(len(columns), g.KH * g.KW * CG)


def _add_outside(y: Array, weight: Array, g: Conv2dGeometry) -> None:
    """Add to the gradient y (N, H, W, C) what grad's padding gives: 0 * weight, which is 0 or
    NaN."""
    with np.errstate(invalid="ignore"):
        shape = (g.KH, g.KW, g.C // g.groups, g.groups, g.F // g.groups)
        zeros = (weight * weight.dtype.type(0)).reshape(shape).sum(axis=4).swapaxes(2, 3)
    if not np.isnan(zeros).any():
        return
    for kh in range(g.KH):
        for kw in range(g.KW):
            h = np.arange(g.H) + g.padding[0] - kh * g.dilation[0]
            w = np.arange(g.W) + g.padding[2] - kw * g.dilation[1]
            meets = (h % g.stride[0] == 0)[:, None] & (w % g.stride[1] == 0)
            rows = (h >= 0) & (h < g.OH * g.stride[0])
            columns = (w >= 0) & (w < g.OW * g.stride[1])
            y[:, meets & ~(rows[:, None] & columns)] += zeros[kh, kw].reshape(g.C)


class Conv:
    def im2col(self, x: Array, g: Conv2dGeometry) -> Array:
        """Patches as rows: x (N, H, W, C) -> (N*OH*OW, KH*KW*C); a column is ordered (kh, kw,
        c)."""
        top, bottom, left, right = g.padding
        padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
        columns = np.empty((g.N, g.OH, g.OW, g.KH, g.KW, g.C), x.dtype)
        for kh, kw, rows, cols in _taps(g):
            columns[:, :, :, kh, kw] = padded[:, rows, cols]
        return columns.reshape(g.columns_shape)

    def col2im(self, columns: Array, g: Conv2dGeometry) -> Array:
        """Adjoint of im2col: every patch entry is added back to the pixel it came from."""
        top, bottom, left, right = g.padding
        padded = np.zeros((g.N, g.H + top + bottom, g.W + left + right, g.C), columns.dtype)
        patches = columns.reshape(g.N, g.OH, g.OW, g.KH, g.KW, g.C)
        for kh, kw, rows, cols in _taps(g):
            padded[:, rows, cols] += patches[:, :, :, kh, kw]
        return np.ascontiguousarray(padded[:, top : top + g.H, left : left + g.W])

    def conv2d(self, x: Array, weight: Array, bias: Array | None, g: Conv2dGeometry) -> Array:
        """[N*OH*OW x KH*KW*C/groups] @ [KH*KW*C/groups x F/groups], once per group."""
        columns = self.im2col(x, g)
        FG, CG = g.F // g.groups, g.C // g.groups
        y = np.empty((len(columns), g.F), x.dtype)
        for i in range(g.groups):
            w = weight[..., i * FG : (i + 1) * FG].reshape(g.KH * g.KW * CG, FG)
            y[:, i * FG : (i + 1) * FG] = _group_columns(columns, g, i) @ w
        if bias is not None:
            y += bias
        return y.reshape(g.y_shape)

    def conv2d_input_grad(self, grad: Array, weight: Array, g: Conv2dGeometry) -> Array:
        """dL/dx (N, H, W, C) from grad = dL/dy (N, OH, OW, F): the transposed convolution of
        grad."""
        FG, CG = g.F // g.groups, g.C // g.groups
        rows = grad.reshape(g.N * g.OH * g.OW, g.F)
        columns = np.empty((len(rows), g.KH * g.KW, g.C), grad.dtype)
        for i in range(g.groups):
            w = weight[..., i * FG : (i + 1) * FG].reshape(g.KH * g.KW * CG, FG)
            part = rows[:, i * FG : (i + 1) * FG] @ w.T
            columns[:, :, i * CG : (i + 1) * CG] = part.reshape(len(rows), g.KH * g.KW, CG)
        y = self.col2im(columns.reshape(g.columns_shape), g)
        _add_outside(y, weight, g)
        return y

    def conv2d_weight_grad(self, x: Array, grad: Array, g: Conv2dGeometry) -> Array:
        """dL/dweight (KH, KW, C/groups, F) = patches^T [KH*KW*C/groups x N*OH*OW] @ grad [N*OH*OW
        x F/groups]."""
        columns = self.im2col(x, g)
        FG = g.F // g.groups
        rows = grad.reshape(g.N * g.OH * g.OW, g.F)
        y = np.empty(g.weight_shape, x.dtype)
        for i in range(g.groups):
            part = _group_columns(columns, g, i).T @ rows[:, i * FG : (i + 1) * FG]
            y[..., i * FG : (i + 1) * FG] = part.reshape(g.KH, g.KW, -1, FG)
        return y
