"""tinydl itself: `cpu` is what is measured, `numpy` (the reference kernels) what verifies.

A peer has `version`, and `build(case, inputs)` which gives None for a kind it does not have, or a
pair: `run`, which does the work once, and `export`, which turns what the first `run` returned into
NumPy arrays in this library's layouts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import nn, ops, optim
from .._version import __version__
from ..function import no_grad
from ..tensor import tensor
from .cases import Case

Cell = tuple[Callable[[], Any], Callable[[Any], list[np.ndarray]]]


def open_peer(argument: str, threads: int) -> TinydlPeer:
    """The worker's peer; `argument` is the backend."""
    return TinydlPeer(argument, threads)


def _one(result: Any) -> list[np.ndarray]:
    return [np.asarray(result.numpy())]


def _all(results: Any) -> list[np.ndarray]:
    return [np.asarray(r.numpy()) for r in results]


class TinydlPeer:
    """The cells through the public API, as a user would write them."""

    def __init__(self, backend: str, threads: int) -> None:
        self.backend = backend
        self.version = f"tinydl {__version__} ({backend})"
        if backend == "cpu":
            from ..backend import _runtime

            _runtime.set_threads(threads)
            self.version += f" {_runtime.level()}"

    def build(self, case: Case, arrays: dict[str, np.ndarray]) -> Cell | None:
        """`run` and `export` of one cell, or None."""
        maker = getattr(self, f"_{case.kind}", None) or getattr(self, f"_{_family(case)}", None)
        if maker is None:
            return None
        a = {k: tensor(v, backend=self.backend) for k, v in arrays.items()}
        return maker(case, a)

    # -- forward only ------------------------------------------------------------------------------

    def _forward(self, function: Callable[[], Any]) -> Cell:
        def run() -> Any:
            with no_grad():
                return function()

        return run, _one

    def _matmul(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(lambda: a["a"] @ a["b"])

    def _conv(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(_conv_call(case, a))

    def _max_pool(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(_pool_call(case, a))

    _avg_pool = _max_pool

    def _rnn(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(_rnn_call(a))

    def _softmax_ce(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(lambda: nn.cross_entropy(a["x"], a["labels"]))

    def _unary(self, case: Case, a: dict[str, Any]) -> Cell:
        x, function = a["x"], getattr(ops, case.kind)
        return self._forward(lambda: function(x))

    def _add(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(lambda: a["x"] + a["y"])

    def _bias(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(lambda: a["x"] + a["bias"])

    def _sum_rows(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(lambda: ops.sum(a["x"], axis=0))

    def _sum_columns(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(lambda: ops.sum(a["x"], axis=1))

    def _mlp_inference(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(lambda: _mlp(a))

    def _lenet_inference(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(lambda: _lenet(a))

    # -- forward and backward ----------------------------------------------------------------------

    def _backward(self, function: Callable[[], Any], leaves: list[Any], dy: Any = None) -> Cell:
        for leaf in leaves:
            leaf.requires_grad = True

        def run() -> Any:
            for leaf in leaves:
                leaf.grad = None
            y = function()
            y.backward(dy) if dy is not None else y.backward()
            return [y.detach(), *(leaf.grad for leaf in leaves)]

        return run, _all

    def _conv_backward(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._backward(_conv_call(case, a), [a["x"], a["weight"]], a["dy"])

    def _max_pool_backward(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._backward(_pool_call(case, a), [a["x"]], a["dy"])

    _avg_pool_backward = _max_pool_backward

    def _rnn_backward(self, case: Case, a: dict[str, Any]) -> Cell:
        leaves = [a["x"], a["weight_x"], a["weight_h"], a["bias"]]
        return self._backward(_rnn_call(a), leaves, a["dy"])

    def _softmax_ce_backward(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._backward(lambda: nn.cross_entropy(a["x"], a["labels"]), [a["x"]])

    def _chain(self, case: Case, a: dict[str, Any]) -> Cell:
        x, y = a["x"], a["y"]

        def chain() -> Any:
            z = x
            for _ in range(10):
                z = z * y + x
            return z.sum()

        return self._backward(chain, [x, y])

    def _adam(self, case: Case, a: dict[str, Any]) -> Cell:
        x = a["x"]
        x.requires_grad = True
        x.grad = a["y"]
        optimizer = optim.Adam([x])

        def run() -> Any:
            optimizer.step()
            return x

        return run, lambda result: [result.detach().numpy().copy()]

    def _mlp_step(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._step(lambda: nn.cross_entropy(_mlp(a), a["labels"]), a)

    def _lenet_step(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._step(lambda: nn.cross_entropy(_lenet(a), a["labels"]), a)

    def _step(self, loss_of: Callable[[], Any], a: dict[str, Any]) -> Cell:
        leaves = [v for k, v in a.items() if k[0] in "wb" and k[1:].isdigit()]
        for leaf in leaves:
            leaf.requires_grad = True
        optimizer = optim.Adam(leaves)

        def run() -> Any:
            optimizer.zero_grad()
            loss = loss_of()
            loss.backward()
            optimizer.step()
            return [loss.detach(), *(leaf.grad for leaf in leaves)]

        return run, _all


def _family(case: Case) -> str:
    return "unary" if case.kind in ("relu", "sum", "exp", "tanh", "sigmoid") else case.kind


def _conv_call(case: Case, a: dict[str, Any]) -> Callable[[], Any]:
    stride, padding = case.sizes["stride"], case.sizes["padding"]
    return lambda: ops.conv2d(a["x"], a["weight"], stride=stride, padding=padding)


def _pool_call(case: Case, a: dict[str, Any]) -> Callable[[], Any]:
    pool = ops.max_pool2d if case.kind.startswith("max") else ops.avg_pool2d
    return lambda: pool(a["x"], case.sizes["K"], case.sizes["stride"])


def _rnn_call(a: dict[str, Any]) -> Callable[[], Any]:
    return lambda: ops.rnn_sequence(a["x"], a["h0"], a["weight_x"], a["weight_h"], a["bias"])


def _mlp(a: dict[str, Any]) -> Any:
    h = ops.relu(ops.linear(a["x"], a["w0"], a["b0"]))
    return ops.linear(ops.relu(ops.linear(h, a["w1"], a["b1"])), a["w2"], a["b2"])


def _lenet(a: dict[str, Any]) -> Any:
    h = ops.max_pool2d(ops.relu(ops.conv2d(a["x"], a["w0"], a["b0"])), 2)
    h = ops.max_pool2d(ops.relu(ops.conv2d(h, a["w1"], a["b1"])), 2)
    h = ops.relu(ops.linear(h.reshape(h.shape[0], 1600), a["w2"], a["b2"]))
    return ops.linear(h, a["w3"], a["b3"])
