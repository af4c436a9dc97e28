"""Normalisation of float32 and float64: csrc/norm.c and csrc/norm_rows.c; else the reference."""

from __future__ import annotations

import numpy as np

from ..reference.arrays import Array
from ..reference.norm import Norm as Reference
from . import _norm as compiled
from .reduce import FLOATS
from .shape import contiguous


class Norm(Reference):
    def channel_norm(
        self, x: Array, scale: Array, shift: Array, groups: int, eps: float
    ) -> tuple[Array, Array, Array]:
        if x.dtype not in FLOATS or x.size == 0:
            return Reference.channel_norm(self, x, scale, shift, groups, eps)
        y = np.empty(x.shape, x.dtype)
        mean, variance = np.empty((len(x), groups), x.dtype), np.empty((len(x), groups), x.dtype)
        compiled.channel_norm(
            contiguous(x), contiguous(scale), contiguous(shift), y, mean, variance, eps
        )
        return y, mean, variance

    def channel_norm_apply(
        self, x: Array, scale: Array, shift: Array, mean: Array, variance: Array, eps: float
    ) -> Array:
        if x.dtype not in FLOATS or x.size == 0:
            return Reference.channel_norm_apply(self, x, scale, shift, mean, variance, eps)
        y = np.empty(x.shape, x.dtype)
        compiled.channel_norm_apply(
            *(contiguous(x), contiguous(scale), contiguous(shift)),
            *(contiguous(mean), contiguous(variance), y),
            eps,
        )
        return y

    def channel_norm_sums(
        self, grad: Array, x: Array, mean: Array, variance: Array, eps: float
    ) -> tuple[Array, Array]:
        if x.dtype not in FLOATS or x.size == 0:
            return Reference.channel_norm_sums(self, grad, x, mean, variance, eps)
        shifts, scales = np.empty((2, len(x), x.shape[2]), x.dtype)
        compiled.channel_norm_sums(
            *(contiguous(grad), contiguous(x), contiguous(mean), contiguous(variance)),
            *(shifts, scales),
            eps,
        )
        return shifts, scales

    def channel_norm_grad(
        self,
        grad: Array,
        x: Array,
        scale: Array,
        mean: Array,
        variance: Array,
        shifts: Array,
        scales: Array,
        eps: float,
    ) -> Array:
        if x.dtype not in FLOATS or x.size == 0:
            return Reference.channel_norm_grad(
                self, grad, x, scale, mean, variance, shifts, scales, eps
            )
        grad_x = np.empty(x.shape, x.dtype)
        compiled.channel_norm_grad(
            *(contiguous(grad), contiguous(x), contiguous(scale), contiguous(mean)),
            *(contiguous(variance), contiguous(shifts), contiguous(scales), grad_x),
            eps,
        )
        return grad_x

    def row_norm(
        self, x: Array, scale: Array, shift: Array, eps: float
    ) -> tuple[Array, Array, Array]:
        if x.dtype not in FLOATS or x.size == 0:
            return Reference.row_norm(self, x, scale, shift, eps)
        y = np.empty(x.shape, x.dtype)
        mean, variance = np.empty((2, len(x)), x.dtype)
        compiled.row_norm(
            contiguous(x), contiguous(scale), contiguous(shift), y, mean, variance, eps
        )
        return y, mean, variance

    def row_norm_grad(
        self, grad: Array, x: Array, scale: Array, mean: Array, variance: Array, eps: float
    ) -> tuple[Array, Array, Array]:
        if x.dtype not in FLOATS or x.size == 0:
            return Reference.row_norm_grad(self, grad, x, scale, mean, variance, eps)
        grad_x = np.empty(x.shape, x.dtype)
        grad_scale, grad_shift = np.empty((2, x.shape[1]), x.dtype)
        compiled.row_norm_grad(
            *(contiguous(grad), contiguous(x), contiguous(scale), contiguous(mean)),
            *(contiguous(variance), grad_x, grad_scale, grad_shift),
            eps,
        )
        return grad_x, grad_scale, grad_shift
