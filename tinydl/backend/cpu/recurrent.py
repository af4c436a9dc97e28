"""Vanilla recurrent network: the GEMM of csrc/matmul.c and the gates of csrc/recurrent.c.

Other types than float32 and float64 go to the reference.
"""

from __future__ import annotations

import numpy as np

from .. import _recurrent as room
from ..reference.arrays import Array
from ..reference.recurrent import Recurrent as Reference
from .matmul import Matmul
from .reduce import FLOATS, Reduce
from .shape import contiguous

# Kernels have no state: these are the ones every backend object has.
matmul = Matmul().matmul
sum_over = Reduce().sum


class Recurrent(Reference):
    def rnn_forward(
        self, x: Array, h0: Array, weight_x: Array, weight_h: Array, bias: Array
    ) -> Array:
        if x.dtype not in FLOATS:
            return Reference.rnn_forward(self, x, h0, weight_x, weight_h, bias)
        N, T, D = x.shape
        H = weight_h.shape[0]
        # [N*T x D] @ [D x H]: the inputs of all steps at once
        states = matmul(contiguous(x).reshape(N * T, D), weight_x, bias).reshape(N, T, H)
        h = h0
        for t in range(T):
            # [N x H] @ [H x H]: the state of N sequences, one step back
            room.rnn_gate(matmul(h, weight_h), states, t)
            h = states[:, t]
        return states

    def rnn_backward(
        self, grad: Array, states: Array, x: Array, h0: Array, weight_x: Array, weight_h: Array
    ) -> tuple[Array, Array, Array, Array, Array]:
        if x.dtype not in FLOATS:
            return Reference.rnn_backward(self, grad, states, x, h0, weight_x, weight_h)
        N, T, D = x.shape
        H = states.shape[2]
        grad, states = contiguous(grad), contiguous(states)
        delta = np.empty((N, T, H), x.dtype)
        carried = np.zeros((N, H), x.dtype)
        for t in reversed(range(T)):
            room.rnn_gate_grad(grad, carried, states, delta, t)
            # [N x H] @ [H x H]: N sequences, from the units of step t to those of step t - 1
            carried = matmul(delta[:, t], weight_h.T)
        previous = np.empty((N, T, H), x.dtype)
        previous[:, :1] = h0[:, None]
        previous[:, 1:] = states[:, :-1]
        flat = delta.reshape(N * T, H)
        # [N*T x H] @ [H x D]; [D x N*T] @ [N*T x H]; [H x N*T] @ [N*T x H]: all steps at once
        grad_x = matmul(flat, weight_x.T).reshape(x.shape)
        grad_weight_x = matmul(contiguous(x).reshape(N * T, D).T, flat)
        grad_weight_h = matmul(previous.reshape(N * T, H).T, flat)
        return grad_x, carried, grad_weight_x, grad_weight_h, sum_over(flat, (0,), False)
