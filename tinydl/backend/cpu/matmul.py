"""Matrix product on the processor: one packed GEMM in C for float32 and float64 (csrc/matmul.c)."""

from __future__ import annotations

import numpy as np

from .. import _matmul
from ..reference.arrays import Array
from ..reference.matmul import Matmul as ReferenceMatmul

KERNELS = {"f": _matmul.matmul_f32, "d": _matmul.matmul_f64}


class Matmul(ReferenceMatmul):
    def matmul(self, a: Array, b: Array, bias: Array | None = None, relu: bool = False) -> Array:
        kernel = KERNELS.get(a.dtype.char)
        if kernel is None:
            return super().matmul(a, b, bias, relu)
        shape = (a.shape[-2], b.shape[-1])
        if a.ndim > 2 or b.ndim > 2:
            shape = np.broadcast_shapes(a.shape[:-2], b.shape[:-2]) + shape
        if bias is not None and not bias.flags.c_contiguous:
            bias = np.ascontiguousarray(bias)
        y = np.empty(shape, a.dtype)
        kernel(a, b, bias, y, relu)
        return y
