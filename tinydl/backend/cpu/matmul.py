"""Matrix product on the processor: one packed GEMM in C for float32 and float64 (csrc/matmul.c).

The function of the Cython module is the method: that saves a Python call for each product.
"""

from __future__ import annotations

import numpy as np

from ..reference.arrays import Array
from ..reference.matmul import Matmul as ReferenceMatmul
from . import _matmul as compiled
from .shape import aligned, contiguous

PACK = {"f": compiled.pack_f32, "d": compiled.pack_f64}
PRODUCT = {"f": compiled.matmul_f32, "d": compiled.matmul_f64}


def pack_matrix(b: Array) -> Array:
    """b (K, N), float32 or float64, in the order in which the GEMM multiplies it."""
    pack = PACK[b.dtype.char]
    packed = aligned((len(b), pack(b, None)), b.dtype)
    pack(b, packed)
    return packed


class Matmul(ReferenceMatmul):
    matmul = compiled.matmul

    def pack_matmul(self, b: Array) -> Array | None:
        """b (K, N) in the order in which `matmul` multiplies it; None if C has no such product."""
        return pack_matrix(b) if b.dtype.char in PACK else None

    def matmul_packed(self, a: Array, packed: Array, N: int, bias: Array | None = None) -> Array:
        """`matmul` of a (M, K) and a packed b, the same bits for M, N > 1."""
        c = np.empty((len(a), N), a.dtype)
        bias = None if bias is None else contiguous(bias)
        PRODUCT[a.dtype.char](a, packed, bias, c, False, True)
        return c
