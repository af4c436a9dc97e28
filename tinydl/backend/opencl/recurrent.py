"""Vanilla recurrent network on OpenCL: GEMMs over all steps, one launch per time step. See
kernels_cl/recurrent.cl."""

from __future__ import annotations

from .array import ClArray
from .matmul import Matmul


class Recurrent(Matmul):
    def rnn_forward(
        self, x: ClArray, h0: ClArray, weight_x: ClArray, weight_h: ClArray, bias: ClArray
    ) -> ClArray:
        self._require_float("rnn_forward", x)
        (N, T, D), H = x.shape, weight_h.shape[0]
        x, h0, weight_h = self._contiguous(x), self._contiguous(h0), self._contiguous(weight_h)
        # [N*T x D] @ [D x H]: the inputs of all steps at once
        projected = self.matmul(self._flat(x, (N * T, D)), weight_x, bias)
        states = self.empty((N, T, H), x.dtype)
        previous, previous_row = h0, H
        for t in range(T):
            current = _step(states, t)
            sizes = (N, H, previous_row, T * H)
            inputs = (previous, weight_h, _at(projected, t * H))
            self._launch_step("rnn_step", N, H, *inputs, current, *sizes)
            previous, previous_row = current, T * H
        return states

    def rnn_backward(
        self,
        grad: ClArray,
        states: ClArray,
        x: ClArray,
        h0: ClArray,
        weight_x: ClArray,
        weight_h: ClArray,
    ) -> tuple[ClArray, ClArray, ClArray, ClArray, ClArray]:
        (N, T, D), H = x.shape, states.shape[2]
        grad, states, x = (self._contiguous(v) for v in (grad, states, x))
        delta = self._deltas(grad, states, weight_h)
        flat = self._flat(delta, (N * T, H))
        # [N x H] @ [H x H]
        grad_h0 = self.zeros(h0.shape, h0.dtype)
        if T:
            grad_h0 = self.matmul(_step(delta, 0), _transposed(weight_h))
        # [N*T x H] @ [H x D]
        grad_x = self._flat(self.matmul(flat, _transposed(weight_x)), x.shape)
        # [D x N*T] @ [N*T x H] and [H x N*T] @ [N*T x H]
        grad_weight_x = self.matmul(_transposed(self._flat(x, (N * T, D))), flat)
        previous = self._previous_states(states, h0)
        grad_weight_h = self.matmul(_transposed(self._flat(previous, (N * T, H))), flat)
        grad_bias = self.sum(flat, (0,), False)  # type: ignore[attr-defined]
        return grad_x, grad_h0, grad_weight_x, grad_weight_h, grad_bias

    def _deltas(self, grad: ClArray, states: ClArray, weight_h: ClArray) -> ClArray:
        """dL/d(argument of tanh) for all steps, the last one first."""
        N, T, H = states.shape
        delta = self.empty(states.shape, states.dtype)
        turned = self.copy(_transposed(weight_h))
        following = None
        for t in reversed(range(T)):
            current = _step(delta, t)
            inputs = (following, turned, _step(grad, t), _step(states, t))
            self._launch_step("rnn_step_back", N, H, *inputs, current, N, H, T * H, T * H)
            following = current
        return delta

    def _previous_states(self, states: ClArray, h0: ClArray) -> ClArray:
        """h_0 ... h_{T-1} as (N, T, H)."""
        N, T, H = states.shape
        y = self.empty(states.shape, states.dtype)
        if T:
            self._write(y, (N, H), 0, (T * H, 1), h0)
            shape = (N, T - 1, H)
            earlier = ClArray(states.buffer, states.offset, shape, states.strides, states.dtype)
            self._write(y, shape, H, y.strides, earlier)
        return y

    def _launch_step(self, name: str, N: int, H: int, *arguments) -> None:
        if N == 0 or H == 0:
            return
        MR = next(m for m in (8, 4, 2, 1) if m <= N)
        dtype = arguments[1].dtype
        kernel = self.runtime.kernel("recurrent", dtype, f"{name}_{MR}")
        vectors = -(-H // self.runtime.vector_width(dtype))
        self.runtime.heavy(kernel, -(-N // MR), vectors, 1, *arguments)


def _at(x: ClArray, start: int) -> ClArray:
    """x from element `start` on; the kernel knows the shape."""
    return ClArray(x.buffer, x.offset + start, x.shape, x.strides, x.dtype)


def _step(x: ClArray, t: int) -> ClArray:
    """x[:, t] of a contiguous (N, T, H)."""
    N, T, H = x.shape
    return ClArray(x.buffer, x.offset + t * H, (N, H), (T * H, 1), x.dtype)


def _transposed(x: ClArray) -> ClArray:
    return ClArray(x.buffer, x.offset, x.shape[::-1], x.strides[::-1], x.dtype)
