"""Vanilla recurrent network over a whole sequence, in plain NumPy.

x (N, T, D), h0 (N, H), weight_x (D, H), weight_h (H, H), bias (H,), states (N, T, H):
    h_t = tanh(x_t @ weight_x + h_{t-1} @ weight_h + bias)        (Elman 1990)
"""

from __future__ import annotations

import numpy as np

from .arrays import Array


class Recurrent:
    def rnn_forward(
        self, x: Array, h0: Array, weight_x: Array, weight_h: Array, bias: Array
    ) -> Array:
        """All states h_1 ... h_T as (N, T, H)."""
        N, T, D = x.shape
        # [N*T x D] @ [D x H]: the inputs of all steps at once; then per step [N x H] @ [H x H]
        projected = (x.reshape(N * T, D) @ weight_x + bias).reshape(N, T, len(bias))
        states = np.empty_like(projected)
        h = h0
        for t in range(T):
            h = np.tanh(projected[:, t] + h @ weight_h)
            states[:, t] = h
        return states

    def rnn_backward(
        self, grad: Array, states: Array, x: Array, h0: Array, weight_x: Array, weight_h: Array
    ) -> tuple[Array, Array, Array, Array, Array]:
        """(grad_x, grad_h0, grad_weight_x, grad_weight_h, grad_bias) from grad = dL/dstates (N, T,
        H).

        Back-propagation through time (Werbos 1990): with a_t the argument of tanh,
            delta_t = dL/da_t = (grad_t + delta_{t+1} @ weight_h^T) * (1 - h_t^2).
        """
        N, T, D = x.shape
        H = states.shape[2]
        delta = np.empty_like(states)
        carried = np.zeros((N, H), states.dtype)
        for t in reversed(range(T)):
            delta[:, t] = (grad[:, t] + carried) * (1 - states[:, t] ** 2)
            carried = delta[:, t] @ weight_h.T
        previous = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
        flat = delta.reshape(N * T, H)
        grad_x = (flat @ weight_x.T).reshape(x.shape)
        grad_weight_x = x.reshape(N * T, D).T @ flat
        grad_weight_h = previous.reshape(N * T, H).T @ flat
        return grad_x, carried, grad_weight_x, grad_weight_h, flat.sum(axis=0)
