"""Matrix product in plain NumPy. [M x K] @ [K x N] -> [M x N]; leading axes are a batch and
broadcast."""

from __future__ import annotations

import numpy as np

from .arrays import Array


class Matmul:
    def matmul(self, a: Array, b: Array, bias: Array | None = None, relu: bool = False) -> Array:
        """relu?(a (..., M, K) @ b (..., K, N) + bias (N,)); any strides, batch axes broadcast,
        float types.

        The epilogue (bias, then ReLU) is what `linear` and 1x1 convolutions use.
        """
        with np.errstate(all="ignore"):
            y = np.matmul(a, b)
            if bias is not None:
                y += bias
            return np.maximum(y, 0, out=y) if relu else y
