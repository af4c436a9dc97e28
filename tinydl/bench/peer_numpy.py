"""Plain NumPy, as one would write it by hand; kinds which take a page are left to the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .cases import Case
from .networks import Parameters, mlp
from .peer_tinydl import Cell

Arrays = dict[str, np.ndarray]


def open_peer(argument: str, threads: int) -> NumpyPeer:
    """The worker's peer; the thread count came through the environment."""
    return NumpyPeer()


class NumpyPeer:
    """`build` as in `peer_tinydl.py`."""

    version = f"numpy {np.__version__}"

    def build(self, case: Case, arrays: Arrays) -> Cell | None:
        """`run` and `export` of one cell, or None."""
        if case.kind not in KINDS:
            return None
        return KINDS[case.kind](case, arrays), lambda r: list(r) if isinstance(r, tuple) else [r]


def _conv(case: Case, a: Arrays) -> Callable[[], Any]:
    """im2col and one product."""
    K, F, stride, padding = (case.sizes[k] for k in ("K", "F", "stride", "padding"))
    weight = a["weight"].reshape(-1, F)

    def run() -> np.ndarray:
        width = ((0, 0), (padding, padding), (padding, padding), (0, 0))
        x = np.pad(a["x"], width) if padding else a["x"]
        windows = np.lib.stride_tricks.sliding_window_view(x, (K, K), (1, 2))
        windows = windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
        N, OH, OW = windows.shape[:3]
        return (windows.reshape(N * OH * OW, -1) @ weight).reshape(N, OH, OW, F)

    return run


def _pool(reduce: Callable[..., np.ndarray], scale: bool) -> Callable[..., Callable[[], Any]]:
    def make(case: Case, a: Arrays) -> Callable[[], Any]:
        x, K, stride = a["x"], case.sizes["K"], case.sizes["stride"]
        OH = (case.sizes["H"] - K) // stride + 1
        end = (OH - 1) * stride + 1

        def run() -> np.ndarray:
            y = x[:, :end:stride, :end:stride].copy()
            for i in range(1, K * K):
                h, w = divmod(i, K)
                reduce(y, x[:, h : h + end : stride, w : w + end : stride], out=y)
            return y * np.float32(1 / (K * K)) if scale else y

        return run

    return make


def _softmax_ce(case: Case, a: Arrays) -> Callable[[], Any]:
    x, labels, rows = a["x"], a["labels"], np.arange(len(a["x"]))

    def run() -> np.ndarray:
        shifted = x - x.max(1, keepdims=True)
        return (np.log(np.exp(shifted).sum(1)) - shifted[rows, labels]).mean()

    return run


def _softmax_ce_backward(case: Case, a: Arrays) -> Callable[[], Any]:
    x, labels, rows = a["x"], a["labels"], np.arange(len(a["x"]))

    def run() -> tuple[np.ndarray, np.ndarray]:
        shifted = x - x.max(1, keepdims=True)
        e = np.exp(shifted)
        total = e.sum(1)
        loss = (np.log(total) - shifted[rows, labels]).mean()
        e /= total[:, None]
        e[rows, labels] -= 1
        e /= np.float32(len(x))
        return loss, e

    return run


def _adam(case: Case, a: Arrays) -> Callable[[], Any]:
    w, g = a["x"], a["y"]
    m, v, state = np.zeros_like(w), np.zeros_like(w), {"t": 0}
    one = np.float32(1)

    def run() -> np.ndarray:
        state["t"] += 1
        np.add(np.float32(0.9) * m, np.float32(0.1) * g, out=m)
        np.add(np.float32(0.999) * v, np.float32(0.001) * g * g, out=v)
        root = np.sqrt(v / (one - np.float32(0.999 ** state["t"]))) + np.float32(1e-7)
        np.subtract(w, np.float32(0.001 / (1 - 0.9 ** state["t"])) * m / root, out=w)
        return w

    return run


def _rnn(case: Case, a: Arrays) -> Callable[[], Any]:
    x, (N, T, D, H) = a["x"], (case.sizes[k] for k in "NTDH")

    def run() -> np.ndarray:
        projected = (x.reshape(N * T, D) @ a["weight_x"] + a["bias"]).reshape(N, T, H)
        states, h = np.empty((N, T, H), np.float32), a["h0"]
        for t in range(T):
            h = np.tanh(projected[:, t] + h @ a["weight_h"])
            states[:, t] = h
        return states

    return run


class Layers:
    """What the MLP of `networks.py` is made of."""

    @staticmethod
    def relu(x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0)

    @staticmethod
    def linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
        return x @ weight + bias


def _mlp_inference(case: Case, a: Arrays) -> Callable[[], Any]:
    return lambda: mlp(Layers, a["x"], Parameters(a))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _of_x(function: Callable[[np.ndarray], Any]) -> Callable[..., Callable[[], Any]]:
    return lambda case, a: lambda: function(a["x"])


KINDS: dict[str, Callable[[Case, Arrays], Callable[[], Any]]] = {
    "matmul": lambda case, a: lambda: a["a"] @ a["b"],
    "conv": _conv,
    "max_pool": _pool(np.maximum, False),
    "avg_pool": _pool(np.add, True),
    "relu": _of_x(lambda x: np.maximum(x, 0)),
    "add": lambda case, a: lambda: a["x"] + a["y"],
    "bias": lambda case, a: lambda: a["x"] + a["bias"],
    "sum": _of_x(np.sum),
    "sum_rows": _of_x(lambda x: x.sum(0)),
    "sum_columns": _of_x(lambda x: x.sum(1)),
    "exp": _of_x(np.exp),
    "tanh": _of_x(np.tanh),
    "sigmoid": _of_x(_sigmoid),
    "softmax_ce": _softmax_ce,
    "softmax_ce_backward": _softmax_ce_backward,
    "transpose": _of_x(lambda x: x.T.copy()),
    "adam": _adam,
    "rnn": _rnn,
    "mlp_inference": _mlp_inference,
}
