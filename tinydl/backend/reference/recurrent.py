"""Recurrent networks over whole sequences, in plain NumPy: vanilla, LSTM, GRU.

x (N, T, D), states h_1 ... h_T as (N, T, H), first state h0 (N, H), G gates side by side:
weight_x (D, G*H), weight_h (H, G*H), bias (G*H,). Every forward kernel begins with
    a = x @ weight_x + bias        [N*T x D] @ [D x G*H]: the inputs of all steps at once
and goes on with one [N x H] @ [H x G*H] per step. Two options, None for "no":
    mask (N, T) bool    where False, the state stays what it was
    drop (N, H)         what h_{t-1} is multiplied with before weight_h (Gal and Ghahramani 2016)
The backward kernels return dL/da for all steps; the gradients of x, weight_x, weight_h and bias
are products of it (see ops/recurrent.py). Back-propagation through time: Werbos 1990.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array


class Recurrent:
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
        """h_t = tanh(a_t + h_{t-1} @ weight_h), or max(0, ...): all states. Elman 1990."""
        a, h = _inputs(x, weight_x, bias), h0
        states = np.empty((*x.shape[:2], h0.shape[1]), x.dtype)
        for t in range(x.shape[1]):
            s = a[:, t] + _dropped(h, drop) @ weight_h
            h = states[:, t] = _kept(mask, t, np.where(s <= 0, 0, s) if relu else np.tanh(s), h)
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
        """(dL/da (N, T, H), dL/dh0) from grad = dL/dstates:
        dL/da_t = (grad_t + dL/da_{t+1} @ weight_h^T) * (1 - h_t^2); relu: where h_t is 0, else
        itself."""
        delta, carried = np.empty(states.shape, states.dtype), np.zeros_like(h0)
        for t in reversed(range(states.shape[1])):
            s, dh = states[:, t], grad[:, t] + carried
            d = np.where(s <= 0, 0, dh) if relu else dh * (1 - s * s)
            d = delta[:, t] = _kept(mask, t, d, 0)
            carried = _kept(mask, t, 0, dh) + _dropped(d @ weight_h.T, drop)
        return delta, np.ascontiguousarray(carried)

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
        """(rows (N*T + N, H): all states h, then c_T; cells c (N, T, H); gates (i, f, g, o)
        (N, T, 4H)): sigmoid (hard: hard_sigmoid) of i, f, o, tanh of g; c_t = f*c_{t-1} + i*g,
        h_t = o*tanh(c_t). Gers et al. 2000."""
        (N, T, _), H = x.shape, h0.shape[1]
        gates, h, c = _inputs(x, weight_x, bias), h0, c0
        rows, cells = np.empty((N * T + N, H), x.dtype), np.empty((N, T, H), x.dtype)
        states = rows[: N * T].reshape(N, T, H)
        for t in range(x.shape[1]):
            s = gates[:, t] + _dropped(h, drop) @ weight_h
            i, f, g, o = (s[:, k * H : (k + 1) * H] for k in range(4))
            i, f, g, o = _gate(i, hard), _gate(f, hard), np.tanh(g), _gate(o, hard)
            gates[:, t] = np.concatenate([i, f, g, o], axis=1)
            new = f * c + i * g
            h = states[:, t] = _kept(mask, t, o * np.tanh(new), h)
            c = cells[:, t] = _kept(mask, t, new, c)
        rows[N * T :] = c
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
        """(dL/da (N, T, 4H), dL/dh0, dL/dc0) from grad = dL/drows."""
        delta, (N, T, H) = np.empty(gates.shape, gates.dtype), cells.shape
        carried, dc, grad = np.zeros_like(c0), grad[N * T :], grad[: N * T].reshape(N, T, H)
        for t in reversed(range(gates.shape[1])):
            i, f, g, o = (gates[:, t, k * H : (k + 1) * H] for k in range(4))
            previous = cells[:, t - 1] if t else c0
            dh, u = grad[:, t] + carried, np.tanh(cells[:, t])
            new = dc + dh * o * (1 - u * u)
            parts = [
                new * g * _gate_slope(i, hard),
                new * previous * _gate_slope(f, hard),
                new * i * (1 - g * g),
                dh * u * _gate_slope(o, hard),
            ]
            d = delta[:, t] = _kept(mask, t, np.concatenate(parts, axis=1), 0)
            carried = _kept(mask, t, 0, dh) + _dropped(d @ weight_h.T, drop)
            dc = _kept(mask, t, new * f, dc)
        return delta, np.ascontiguousarray(carried), np.ascontiguousarray(dc)

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
        """(states, gates (r, z, n) (N, T, 3H), inner (N, T, H)): h_t = n + z * (h_{t-1} - n).

        With bias_h (3H,), reset_after: n = tanh(a_n + r * inner), inner = h_{t-1} @ U_n + b_n.
        Without (Cho et al. 2014): n = tanh(a_n + inner @ U_n), inner = r * h_{t-1}.
        """
        gates, h, H = _inputs(x, weight_x, bias), h0, h0.shape[1]
        states, inner = (np.empty((*x.shape[:2], H), x.dtype) for _ in range(2))
        for t in range(x.shape[1]):
            a, d = gates[:, t], _dropped(h, drop)
            s = d @ weight_h[:, : 2 * H] + (0 if bias_h is None else bias_h[: 2 * H])
            rz = _gate(a[:, : 2 * H] + s, hard)
            r, z = rz[:, :H], rz[:, H:]
            if bias_h is not None:
                inner[:, t] = d @ weight_h[:, 2 * H :] + bias_h[2 * H :]
                n = np.tanh(a[:, 2 * H :] + r * inner[:, t])
            else:
                inner[:, t] = r * d
                n = np.tanh(a[:, 2 * H :] + inner[:, t] @ weight_h[:, 2 * H :])
            gates[:, t] = np.concatenate([rz, n], axis=1)
            h = states[:, t] = _kept(mask, t, n + z * (h - n), h)
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
        """(dL/da (N, T, 3H), dL/dinner (N, T, H), dL/dh0) from grad = dL/dstates."""
        delta, grad_inner = (np.empty(a.shape, a.dtype) for a in (gates, inner))
        carried, H = np.zeros_like(h0), h0.shape[1]
        for t in reversed(range(gates.shape[1])):
            r, z, n = (gates[:, t, k * H : (k + 1) * H] for k in range(3))
            previous = states[:, t - 1] if t else h0
            dh = grad[:, t] + carried
            dn = dh * (1 - z) * (1 - n * n)
            dz = dh * (previous - n) * _gate_slope(z, hard)
            di = dn * r if reset_after else dn @ weight_h[:, 2 * H :].T
            through = inner[:, t] if reset_after else _dropped(previous, drop)
            dr = (dn if reset_after else di) * through * _gate_slope(r, hard)
            d = delta[:, t] = _kept(mask, t, np.concatenate([dr, dz, dn], axis=1), 0)
            di = grad_inner[:, t] = _kept(mask, t, di, 0)
            back = d[:, : 2 * H] @ weight_h[:, : 2 * H].T
            back = back + (di @ weight_h[:, 2 * H :].T if reset_after else di * r)
            carried = _kept(mask, t, dh * z, dh) + _dropped(back, drop)
        return delta, grad_inner, np.ascontiguousarray(carried)


def _inputs(x: Array, weight_x: Array, bias: Array) -> Array:
    """x @ weight_x + bias.  [N*T x D] @ [D x G*H]"""
    N, T, D = x.shape
    return (x.reshape(N * T, D) @ weight_x + bias).reshape(N, T, len(bias))


def _dropped(h: Array, drop: Array | None) -> Array:
    return h if drop is None else h * drop


def _kept(mask: Array | None, t: int, new: Any, old: Any) -> Any:
    """`new` where the mask says that step t exists, else `old`."""
    return new if mask is None else np.where(mask[:, t, None], new, old)


def _gate(a: Array, hard: bool) -> Array:
    """sigmoid, or clip(0.2 a + 0.5, 0, 1)."""
    if hard:
        return np.clip(a.dtype.type(0.2) * a + a.dtype.type(0.5), 0, 1)
    small, one = np.exp(-np.abs(a)), a.dtype.type(1)
    return np.where(a < 0, small, one) / (one + small)  # as `Elementwise.sigmoid`


def _gate_slope(y: Array, hard: bool) -> Array:
    """Its derivative from its value y; hard: 0 at both kinks."""
    return np.where((y > 0) & (y < 1), y.dtype.type(0.2), 0) if hard else y * (1 - y)
