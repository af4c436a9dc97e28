"""CTC on OpenCL: rows on a CPU device, work-groups on a GPU. Contract: backend/reference/ctc.py."""

from __future__ import annotations

from .array import ClArray
from .arrays import Arrays

#: Items of a work-group of ctc_groups.
ITEMS = 64


class Ctc(Arrays):
    def ctc(
        self, log_p: ClArray, labels: ClArray, steps: ClArray, counts: ClArray, blank: int
    ) -> tuple[ClArray, ClArray]:
        self._require_float("ctc", log_p)
        inputs = [self._contiguous(a) for a in (log_p, labels, steps, counts)]
        (N, T, C), L = log_p.shape, labels.shape[1]
        total, occupied = self.empty((N,), log_p.dtype), self.empty(log_p.shape, log_p.dtype)
        work = self.empty((N, T + 4, 2 * L + 3), log_p.dtype)
        arguments = (*inputs, total.buffer, occupied.buffer, work.buffer, N, T, C, L, blank)
        if self.runtime.is_gpu:
            kernel = self.runtime.kernel("ctc", log_p.dtype, "ctc_groups")
            self.runtime.groups(kernel, (N,), (ITEMS,), *arguments)
        else:
            kernel = self.runtime.kernel("ctc", log_p.dtype, "ctc_rows")
            self.runtime.heavy(kernel, N, 1, 1, *arguments)
        return total, occupied
