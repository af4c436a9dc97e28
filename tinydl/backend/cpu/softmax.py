"""Softmax and cross-entropy of float32 and float64: csrc/softmax.c; else the reference."""

from __future__ import annotations

import numpy as np

from ..reference.arrays import Array
from ..reference.index import check_range
from ..reference.softmax import Softmax as Reference
from . import _softmax as compiled
from .index import INTEGERS
from .reduce import FLOATS
from .shape import contiguous


class Softmax(Reference):
    def softmax(self, x: Array) -> Array:
        if x.dtype not in FLOATS or x.size == 0:
            return Reference.softmax(self, x)
        y = np.empty(x.shape, x.dtype)
        compiled.softmax(contiguous(x), y)
        return y

    def log_softmax(self, x: Array) -> Array:
        if x.dtype not in FLOATS or x.size == 0:
            return Reference.log_softmax(self, x)
        y = np.empty(x.shape, x.dtype)
        compiled.log_softmax(contiguous(x), y)
        return y

    def cross_entropy(self, logits: Array, labels: Array) -> tuple[Array, Array]:
        if logits.dtype not in FLOATS or labels.dtype not in INTEGERS or logits.size == 0:
            return Reference.cross_entropy(self, logits, labels)
        losses = np.empty(len(logits), logits.dtype)
        shifts = np.empty((len(logits), 2), logits.dtype)
        if compiled.cross_entropy(contiguous(logits), contiguous(labels), losses, shifts) >= 0:
            check_range("cross_entropy", labels, logits.shape[1])
        return losses, shifts

    def cross_entropy_grad(self, logits: Array, shifts: Array, labels: Array, grad: Array) -> Array:
        if logits.dtype not in FLOATS or labels.dtype not in INTEGERS or logits.size == 0:
            return Reference.cross_entropy_grad(self, logits, shifts, labels, grad)
        y = np.empty(logits.shape, logits.dtype)
        given = contiguous(logits), contiguous(shifts), contiguous(labels), contiguous(grad)
        if compiled.cross_entropy_grad(*given, y) >= 0:
            check_range("cross_entropy_grad", labels, logits.shape[1])
        return y
