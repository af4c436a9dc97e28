"""CTC of float32 and float64: csrc/ctc.c; else the reference."""

from __future__ import annotations

import numpy as np

from ..reference.arrays import Array
from ..reference.ctc import Ctc as Reference
from . import _ctc as compiled
from .reduce import FLOATS
from .shape import contiguous


class Ctc(Reference):
    def ctc(
        self, log_p: Array, labels: Array, steps: Array, counts: Array, blank: int
    ) -> tuple[Array, Array]:
        if log_p.dtype not in FLOATS or log_p.size == 0:
            return Reference.ctc(self, log_p, labels, steps, counts, blank)
        N, T, _ = log_p.shape
        total, occupied = np.empty(N, log_p.dtype), np.empty(log_p.shape, log_p.dtype)
        room = np.empty((N, compiled.work(T, labels.shape[1])), log_p.dtype)
        own, steps, counts = (contiguous(i) for i in (labels, steps, counts))
        compiled.ctc(contiguous(log_p), own, steps, counts, blank, total, occupied, room)
        return total, occupied
