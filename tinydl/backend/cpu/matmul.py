"""Matrix product on the processor: one packed GEMM in C for float32 and float64 (csrc/matmul.c).

The function of the Cython room is the method: that saves a Python call for each product.
"""

from __future__ import annotations

from .. import _matmul as room
from ..reference.matmul import Matmul as ReferenceMatmul


class Matmul(ReferenceMatmul):
    matmul = room.matmul
