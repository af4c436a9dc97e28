"""Recurrent networks on OpenCL: one GEMM for the inputs of all steps, then per step a GEMM and one
launch for the gates. See kernels_cl/recurrent.cl."""

from __future__ import annotations

from .array import ClArray
from .matmul import Matmul


class Recurrent(Matmul):
    def rnn_forward(
        self,
        x: ClArray,
        h0: ClArray,
        weight_x: ClArray,
        weight_h: ClArray,
        bias: ClArray,
        mask: ClArray | None,
        drop: ClArray | None,
        relu: bool,
    ) -> ClArray:
        states = self._inputs("rnn_forward", x, weight_x, bias)
        h0, mask, drop = self._all_contiguous(h0, mask, drop)
        seen = self._seen(h0, drop)
        for t in range(x.shape[1]):
            s = self.matmul(seen, weight_h)  # [N x H] @ [H x H]
            before, row = _before(states, h0, t)
            arrays = (s, before, mask, drop, states, seen)
            self._step("rnn_gate", arrays, (*states.shape, t, row, int(relu)))
        return states

    def rnn_backward(
        self,
        grad: ClArray,
        states: ClArray,
        h0: ClArray,
        weight_h: ClArray,
        mask: ClArray | None,
        drop: ClArray | None,
        relu: bool,
    ) -> tuple[ClArray, ClArray]:
        grad, states, mask, drop = self._all_contiguous(grad, states, mask, drop)
        carried, back = self.zeros(h0.shape, h0.dtype), None
        delta, now = self.empty(states.shape, states.dtype), self.empty(h0.shape, h0.dtype)
        turned = self.copy(_transposed(weight_h))
        for t in reversed(range(states.shape[1])):
            arrays = (grad, back, states, mask, drop, carried, delta, now)
            self._step("rnn_gate_back", arrays, (*states.shape, t, int(relu)))
            back = self.matmul(now, turned)  # [N x H] @ [H x H]
        return delta, self._total(carried, back, drop)

    def lstm_forward(
        self,
        x: ClArray,
        h0: ClArray,
        c0: ClArray,
        weight_x: ClArray,
        weight_h: ClArray,
        bias: ClArray,
        mask: ClArray | None,
        drop: ClArray | None,
        hard: bool,
    ) -> tuple[ClArray, ClArray, ClArray]:
        gates = self._inputs("lstm_forward", x, weight_x, bias)
        h0, c0, mask, drop = self._all_contiguous(h0, c0, mask, drop)
        (N, T, _), H = x.shape, h0.shape[1]
        rows, cells = self.empty((N * T + N, H), x.dtype), self.empty((N, T, H), x.dtype)
        states, seen = self._flat(rows, (N, T, H)), self._seen(h0, drop)
        for t in range(T):
            s = self.matmul(seen, weight_h)  # [N x H] @ [H x 4H]
            before, row = _before(states, h0, t)
            c_before, _ = _before(cells, c0, t)
            arrays = (s, before, c_before, mask, drop, gates, rows, cells, seen)
            self._step("lstm_gate", arrays, (N, T, H, t, row, int(hard)))
        return rows, cells, gates

    def lstm_backward(
        self,
        grad: ClArray,
        cells: ClArray,
        gates: ClArray,
        c0: ClArray,
        weight_h: ClArray,
        mask: ClArray | None,
        drop: ClArray | None,
        hard: bool,
    ) -> tuple[ClArray, ClArray, ClArray]:
        grad, cells, gates = self._all_contiguous(grad, cells, gates)
        c0, mask, drop = self._all_contiguous(c0, mask, drop)
        N, T, H = cells.shape
        carried, back = self.zeros(c0.shape, c0.dtype), None
        last = ClArray(grad.buffer, grad.offset + N * T * H, (N, H), (H, 1), grad.dtype)
        dc, delta = self.copy(last), self.empty(gates.shape, gates.dtype)
        now, turned = self.empty((N, 4 * H), gates.dtype), self.copy(_transposed(weight_h))
        for t in reversed(range(T)):
            c_before, row = _before(cells, c0, t)
            arrays = (grad, back, cells, gates, c_before, mask, drop, carried, dc, delta, now)
            self._step("lstm_gate_back", arrays, (N, T, H, t, row, int(hard)))
            back = self.matmul(now, turned)  # [N x 4H] @ [4H x H]
        return delta, self._total(carried, back, drop), dc

    def gru_forward(
        self,
        x: ClArray,
        h0: ClArray,
        weight_x: ClArray,
        weight_h: ClArray,
        bias: ClArray,
        bias_h: ClArray | None,
        mask: ClArray | None,
        drop: ClArray | None,
        hard: bool,
    ) -> tuple[ClArray, ClArray, ClArray]:
        gates = self._inputs("gru_forward", x, weight_x, bias)
        h0, mask, drop = self._all_contiguous(h0, mask, drop)
        (N, T, _), H = x.shape, h0.shape[1]
        states, inner = self.empty((N, T, H), x.dtype), self.empty((N, T, H), x.dtype)
        seen, now = self._seen(h0, drop), self.empty((N, H), x.dtype)
        after = bias_h is not None
        first = weight_h if after else _columns(weight_h, 0, 2 * H)
        for t in range(T):
            s = self.matmul(seen, first, bias_h)  # [N x H] @ [H x 3H] or [H x 2H]
            before, row = _before(states, h0, t)
            arrays = (s, before, mask, drop, gates, states, inner, seen, now)
            self._step("gru_gate", arrays, (N, T, H, t, row, int(after), int(hard)))
            if not after:
                s = self.matmul(now, _columns(weight_h, 2 * H, H))  # [N x H] @ [H x H]
                rest = (s, before, mask, drop, gates, states, seen)
                self._step("gru_candidate", rest, (N, T, H, t, row))
        return states, gates, inner

    def gru_backward(
        self,
        grad: ClArray,
        states: ClArray,
        gates: ClArray,
        inner: ClArray,
        h0: ClArray,
        weight_h: ClArray,
        mask: ClArray | None,
        drop: ClArray | None,
        reset_after: bool,
        hard: bool,
    ) -> tuple[ClArray, ClArray, ClArray]:
        grad, states, gates, inner = self._all_contiguous(grad, states, gates, inner)
        h0, mask, drop = self._all_contiguous(h0, mask, drop)
        N, T, H = states.shape
        carried, back = self.zeros(h0.shape, h0.dtype), None
        delta, grad_inner = self.empty(gates.shape, h0.dtype), self.empty(inner.shape, h0.dtype)
        now = self.empty((N, 3 * H if reset_after else 2 * H), h0.dtype)
        first = now if reset_after else self.empty((N, H), h0.dtype)
        turned = self.copy(_transposed(weight_h))
        rz, candidate = _rows(turned, 0, 2 * H), _rows(turned, 2 * H, H)
        for t in reversed(range(T)):
            before, row = _before(states, h0, t)
            given = (grad, back, gates, inner, before, mask, drop, carried)
            sizes = (N, T, H, t, row, int(reset_after), int(hard))
            self._step("gru_gate_back", (*given, delta, grad_inner, first), sizes)
            if reset_after:
                back = self.matmul(now, turned)  # [N x 3H] @ [3H x H]
                continue
            di = self.matmul(first, candidate)  # [N x H] @ [H x H]
            arrays = (di, gates, before, mask, drop, carried, delta, grad_inner, now)
            self._step("gru_reset_back", arrays, (N, T, H, t, row, int(hard)))
            back = self.matmul(now, rz)  # [N x 2H] @ [2H x H]
        return delta, grad_inner, self._total(carried, back, drop)

    def _inputs(self, op: str, x: ClArray, weight_x: ClArray, bias: ClArray) -> ClArray:
        """x @ weight_x + bias, (N, T, G*H).  [N*T x D] @ [D x G*H]"""
        self._require_float(op, x)
        N, T, D = x.shape
        flat = self._flat(self._contiguous(x), (N * T, D))
        return self._flat(self.matmul(flat, weight_x, bias), (N, T, weight_x.shape[1]))

    def _all_contiguous(self, *arrays):
        return [None if x is None else self._contiguous(x) for x in arrays]

    def _seen(self, h0: ClArray, drop: ClArray | None) -> ClArray:
        """What the first product reads, a buffer that the steps then write."""
        return self.copy(h0) if drop is None else self.multiply(h0, drop)  # type: ignore[attr-defined]

    def _total(self, carried: ClArray, back: ClArray | None, drop: ClArray | None) -> ClArray:
        """dL/dh0: what came past the first product and through it."""
        if back is None:
            return carried
        back = back if drop is None else self.multiply(back, drop)  # type: ignore[attr-defined]
        return self.add(carried, back)  # type: ignore[attr-defined]

    def _step(self, name: str, arrays: tuple, sizes: tuple[int, ...]) -> None:
        """One launch; sizes begin with N, T, H."""
        dtype = arrays[0].dtype
        kernel = self.runtime.kernel("recurrent", dtype, name)
        items = sizes[0] * -(-sizes[2] // self.runtime.vector_width(dtype))
        self.runtime.light(kernel, items, *arrays, *sizes)


def _before(sequence: ClArray, first: ClArray, t: int) -> tuple[ClArray, int]:
    """Where the state before step t begins, and the distance of its rows."""
    N, T, H = sequence.shape
    if t == 0:
        return first, H
    start = sequence.offset + (t - 1) * H
    return ClArray(sequence.buffer, start, (N, H), (T * H, 1), sequence.dtype), T * H


def _transposed(x: ClArray) -> ClArray:
    return ClArray(x.buffer, x.offset, x.shape[::-1], x.strides[::-1], x.dtype)


def _columns(x: ClArray, start: int, size: int) -> ClArray:
    offset = x.offset + start * x.strides[1]
    return ClArray(x.buffer, offset, (x.shape[0], size), x.strides, x.dtype)


def _rows(x: ClArray, start: int, size: int) -> ClArray:
    offset = x.offset + start * x.strides[0]
    return ClArray(x.buffer, offset, (size, x.shape[1]), x.strides, x.dtype)
