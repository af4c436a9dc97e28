"""Recurrent networks: the GEMM of csrc/matmul.c for the inputs of all steps, then the loops over
time of csrc/recurrent*.c. Other types than float32 and float64 go to the reference.
"""

from __future__ import annotations

import numpy as np

from ..reference.arrays import Array
from ..reference.recurrent import Recurrent as Reference
from . import _recurrent as compiled
from .matmul import Matmul
from .reduce import FLOATS
from .shape import contiguous

# Kernels have no state: this is the one every backend object has.
matmul = Matmul().matmul


def _plain(x: Array | None) -> Array | None:
    return None if x is None else contiguous(x)


def _inputs(x: Array, weight_x: Array, bias: Array) -> Array:
    """x @ weight_x + bias, (N, T, G*H).  [N*T x D] @ [D x G*H]"""
    N, T, D = x.shape
    return matmul(contiguous(x).reshape(N * T, D), weight_x, bias).reshape(N, T, len(bias))


class Recurrent(Reference):
    def rnn_forward(
        self,
        x: Array,
        h0: Array,
        weight_x: Array,
        weight_h: Array,
        bias: Array,
        mask: Array | None,
        drop: Array | None,
        relu: bool,
    ) -> Array:
        if x.dtype not in FLOATS:
            return Reference.rnn_forward(self, x, h0, weight_x, weight_h, bias, mask, drop, relu)
        states = _inputs(x, weight_x, bias)
        given = contiguous(h0), contiguous(weight_h), _plain(mask), _plain(drop)
        compiled.rnn_run(*given, states, relu)
        return states

    def rnn_backward(
        self,
        grad: Array,
        states: Array,
        h0: Array,
        weight_h: Array,
        mask: Array | None,
        drop: Array | None,
        relu: bool,
    ) -> tuple[Array, Array]:
        if grad.dtype not in FLOATS:
            return Reference.rnn_backward(self, grad, states, h0, weight_h, mask, drop, relu)
        delta, grad_h0 = np.empty(states.shape, grad.dtype), np.empty(h0.shape, grad.dtype)
        given = (contiguous(grad), contiguous(states), contiguous(weight_h), _plain(mask))
        compiled.rnn_back(*given, _plain(drop), delta, grad_h0, relu)
        return delta, grad_h0

    def lstm_forward(
        self,
        x: Array,
        h0: Array,
        c0: Array,
        weight_x: Array,
        weight_h: Array,
        bias: Array,
        mask: Array | None,
        drop: Array | None,
        hard: bool,
    ) -> tuple[Array, Array, Array]:
        if x.dtype not in FLOATS:
            return Reference.lstm_forward(
                self, x, h0, c0, weight_x, weight_h, bias, mask, drop, hard
            )
        (N, T, _), H = x.shape, h0.shape[1]
        gates = _inputs(x, weight_x, bias)
        rows, cells = np.empty((N * T + N, H), x.dtype), np.empty((N, T, H), x.dtype)
        given = contiguous(h0), contiguous(c0), contiguous(weight_h), _plain(mask), _plain(drop)
        compiled.lstm_run(*given, gates, rows, cells, hard)
        return rows, cells, gates

    def lstm_backward(
        self,
        grad: Array,
        cells: Array,
        gates: Array,
        c0: Array,
        weight_h: Array,
        mask: Array | None,
        drop: Array | None,
        hard: bool,
    ) -> tuple[Array, Array, Array]:
        if grad.dtype not in FLOATS:
            return Reference.lstm_backward(self, grad, cells, gates, c0, weight_h, mask, drop, hard)
        delta = np.empty(gates.shape, grad.dtype)
        grad_h0, grad_c0 = np.empty(c0.shape, grad.dtype), np.empty(c0.shape, grad.dtype)
        given = contiguous(grad), contiguous(cells), contiguous(gates), contiguous(c0)
        options = contiguous(weight_h), _plain(mask), _plain(drop)
        compiled.lstm_back(*given, *options, delta, grad_h0, grad_c0, hard)
        return delta, grad_h0, grad_c0

    def gru_forward(
        self,
        x: Array,
        h0: Array,
        weight_x: Array,
        weight_h: Array,
        bias: Array,
        bias_h: Array | None,
        mask: Array | None,
        drop: Array | None,
        hard: bool,
    ) -> tuple[Array, Array, Array]:
        if x.dtype not in FLOATS:
            return Reference.gru_forward(
                self, x, h0, weight_x, weight_h, bias, bias_h, mask, drop, hard
            )
        bias_n, H = None, h0.shape[1]
        if bias_h is not None:  # that of r and z is simply added
            bias, bias_n = bias.copy(), contiguous(bias_h[2 * H :])
            bias[: 2 * H] += bias_h[: 2 * H]
        gates = _inputs(x, weight_x, bias)
        shape = (*x.shape[:2], H)
        states, inner = np.empty(shape, x.dtype), np.empty(shape, x.dtype)
        given = contiguous(h0), contiguous(weight_h), bias_n, _plain(mask), _plain(drop)
        compiled.gru_run(*given, gates, states, inner, hard)
        return states, gates, inner

    def gru_backward(
        self,
        grad: Array,
        states: Array,
        gates: Array,
        inner: Array,
        h0: Array,
        weight_h: Array,
        mask: Array | None,
        drop: Array | None,
        reset_after: bool,
        hard: bool,
    ) -> tuple[Array, Array, Array]:
        if grad.dtype not in FLOATS:
            return Reference.gru_backward(
                self, grad, states, gates, inner, h0, weight_h, mask, drop, reset_after, hard
            )
        delta, grad_inner = np.empty(gates.shape, grad.dtype), np.empty(inner.shape, grad.dtype)
        grad_h0 = np.empty(h0.shape, grad.dtype)
        given = contiguous(grad), contiguous(states), contiguous(gates), contiguous(inner)
        options = contiguous(h0), contiguous(weight_h), _plain(mask), _plain(drop)
        compiled.gru_back(*given, *options, delta, grad_inner, grad_h0, reset_after, hard)
        return delta, grad_inner, grad_h0
