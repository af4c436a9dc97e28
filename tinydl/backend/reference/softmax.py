"""Softmax and cross-entropy over the last axis, in plain NumPy.

Stable by subtracting the row maximum m: log sum_j e^{x_j} = m + log sum_j e^{x_j - m}.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array
from .index import check_range


class Softmax:
    def softmax(self, x: Array) -> Array:
        """e^{x_i} / sum_j e^{x_j} over the last axis of x (..., C)."""
        with np.errstate(all="ignore"):
            e = np.exp(x - x.max(axis=-1, keepdims=True))
            return np.asarray(e / e.sum(axis=-1, keepdims=True), order="C")

    def log_softmax(self, x: Array) -> Array:
        """x_i - log sum_j e^{x_j} over the last axis of x (..., C)."""
        with np.errstate(all="ignore"):
            shifted = x - x.max(axis=-1, keepdims=True)
            log_total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
            return np.asarray(shifted - log_total, order="C")

    def cross_entropy(self, logits: Array, labels: Array) -> tuple[Array, Array]:
        """Losses -log softmax(logits)[n, labels[n]] as (N,), and of each row two numbers (N, 2), by
        which the gradient makes the softmax anew: m, NaN where the sum is, and 1 / sum e^{x - m}.

        labels: int32 or int64 (N,) with 0 <= label < C.
        """
        check_range("cross_entropy", labels, logits.shape[1])
        with np.errstate(all="ignore"):
            m = logits.max(axis=1)
            shifted = logits - m[:, None]
            total = np.exp(shifted).sum(axis=1)
            losses = np.log(total) - shifted[np.arange(len(labels)), labels]
            return losses, np.stack([np.where(np.isnan(total), total, m), 1 / total], axis=1)

    def cross_entropy_grad(self, logits: Array, shifts: Array, labels: Array, grad: Array) -> Array:
        """dL/dlogits (N, C) = (softmax - one_hot(labels)) * grad[n], grad = dL/dlosses (N,), the
        softmax e^{x - m} / sum by the `shifts` of `cross_entropy`."""
        with np.errstate(all="ignore"):
            y = np.exp(logits - shifts[:, :1])
            y *= shifts[:, 1:]
            y[np.arange(len(labels)), labels] -= 1
            y *= grad[:, None]
        return np.asarray(y, order="C")
