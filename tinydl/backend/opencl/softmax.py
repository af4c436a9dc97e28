"""Softmax and cross-entropy on OpenCL: one pass per row. Contract: backend/reference/softmax.py."""

from __future__ import annotations

from .array import ClArray
from .arrays import Arrays


class Softmax(Arrays):
    def softmax(self, x: ClArray) -> ClArray:
        return self._rows("softmax", x)

    def log_softmax(self, x: ClArray) -> ClArray:
        return self._rows("log_softmax", x)

    def _rows(self, name: str, x: ClArray) -> ClArray:
        self._require_float(name, x)
        x = self._contiguous(x)
        y = self.empty(x.shape, x.dtype)
        if y.size:
            C = x.shape[-1]
            kernel = self.runtime.kernel("softmax", x.dtype, name)
            self.runtime.light(kernel, x.size // C, x, y.buffer, x.size // C, C)
        return y

    def cross_entropy(self, logits: ClArray, labels: ClArray) -> tuple[ClArray, ClArray]:
        self._require_float("cross_entropy", logits)
        logits, labels = self._contiguous(logits), self._contiguous(labels)
        N, C = logits.shape
        losses, shifts = self.empty((N,), logits.dtype), self.empty((N, 2), logits.dtype)
        name = f"cross_entropy_{labels.dtype.name}"
        kernel = self.runtime.kernel("softmax", logits.dtype, name)
        error = self.runtime.error
        self.runtime.index_check_pending = True
        self.runtime.light(kernel, N, logits, labels, losses.buffer, shifts.buffer, error, N, C)
        return losses, shifts

    def cross_entropy_grad(
        self, logits: ClArray, shifts: ClArray, labels: ClArray, grad: ClArray
    ) -> ClArray:
        x, shifts = self._contiguous(logits), self._contiguous(shifts)
        labels = self._contiguous(labels)
        N, C = x.shape
        y = self.empty(x.shape, x.dtype)
        kernel = self.runtime.kernel("softmax", x.dtype, f"cross_entropy_grad_{labels.dtype.name}")
        error = self.runtime.error
        self.runtime.index_check_pending = True
        # grad is often one number spread over the batch: its stride is an argument.
        arguments = (grad, grad.strides[0], y.buffer, error, N, C)
        self.runtime.light(kernel, N, x, shifts, labels, *arguments)
        return y
