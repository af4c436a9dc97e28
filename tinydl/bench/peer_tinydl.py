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
from ..function import grad, no_grad
from ..tensor import Tensor
from .cases import Case
from .games import Game
from .networks import NETWORKS, Parameters, is_parameter
from .rules import RULES

FAMILIES = ("_step", "_inference", "_compiled", "_imported", "_game", "_rule", "_writing")

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
            from ..backend.cpu import _runtime

            _runtime.set_threads(threads)
            self.version += f" {_runtime.level()}"

    def build(self, case: Case, arrays: dict[str, np.ndarray]) -> Cell | None:
        """`run` and `export` of one cell, or None."""
        maker = getattr(self, f"_{case.kind}", None) or getattr(self, f"_{_family(case)}", None)
        if maker is None:
            return None
        a = {k: Tensor(v, backend=self.backend) for k, v in arrays.items()}
        return maker(case, a)

    # -- forward only ------------------------------------------------------------------------------

    def _forward(self, function: Callable[[], Any]) -> Cell:
        """One operation: the worker switches recording off once, around a block of calls."""
        vars(function)["within"] = no_grad
        return function, _one

    def _matmul(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(lambda: a["a"] @ a["b"])

    def _conv(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(_conv_call(case, a))

    def _max_pool(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(_pool_call(case, a))

    _avg_pool = _max_pool
    _depthwise = _conv

    def _rnn(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(_rnn_call(case, a))

    _lstm = _gru = _rnn

    def _batch_norm(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(_norm_call(case, a))

    _layer_norm = _batch_norm

    def _softmax_ce(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(lambda: nn.cross_entropy(a["x"], a["labels"]))

    def _attention(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._forward(_attention_call(case, a))

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

    def _transpose(self, case: Case, a: dict[str, Any]) -> Cell:
        backend, array = a["x"].backend, a["x"].data
        return lambda: a["x"]._new(backend.copy(backend.transpose(array, (1, 0))), backend), _one

    def _inference(self, case: Case, a: dict[str, Any]) -> Cell:
        """A request: recording is switched off for each."""

        def run() -> Any:
            with no_grad():
                return _outputs(case, a)

        return run, _one

    def _compiled(self, case: Case, a: dict[str, Any]) -> Cell:
        """A request to the program of the network as it is deployed."""
        from ..inference import compile  # here: older builds are measured by this file too
        from .deployed import deployed

        arrays = {name: t.numpy() for name, t in a.items()}
        model = deployed(case.kind.rpartition("_")[0], arrays).to(self.backend)
        program, x = compile(model, a["x"]), a["x"]
        return lambda: program(x), _one

    def _imported(self, case: Case, a: dict[str, Any]) -> Cell:
        """A request to the program of a file that others wrote."""
        from ..inference import compile
        from ..interop import load_onnx
        from .deployed import foreign_file

        model, x = load_onnx(foreign_file(case)).to(self.backend), a["x"]
        program = compile(model, x)
        return lambda: program(x), lambda y: _one(y[0] if isinstance(y, tuple) else y)

    def _writing(self, case: Case, a: dict[str, Any]) -> Cell:
        """A text from its prompt on."""
        from .writing import writer, writing

        model = writer(case.kind.removesuffix("_writing")).to(self.backend)
        return writing(model, a["x"].numpy(), case.tokens), lambda ids: [ids.astype(np.float64)]

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

    _depthwise_backward = _conv_backward

    def _max_pool_backward(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._backward(_pool_call(case, a), [a["x"]], a["dy"])

    _avg_pool_backward = _max_pool_backward

    def _batch_norm_backward(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._backward(_norm_call(case, a), [a["x"], a["scale"], a["shift"]], a["dy"])

    _layer_norm_backward = _batch_norm_backward

    def _rnn_backward(self, case: Case, a: dict[str, Any]) -> Cell:
        leaves = [a["x"], a["weight_x"], a["weight_h"], a["bias"]]
        return self._backward(_rnn_call(case, a), leaves, a["dy"])

    _lstm_backward = _gru_backward = _rnn_backward

    def _softmax_ce_backward(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._backward(lambda: nn.cross_entropy(a["x"], a["labels"]), [a["x"]])

    def _attention_backward(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._backward(_attention_call(case, a), [a["q"], a["k"], a["v"]], a["dy"])

    def _ctc_backward(self, case: Case, a: dict[str, Any]) -> Cell:
        return self._backward(lambda: nn.ctc(a["x"], a["labels"]), [a["x"]])

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

    def _rule(self, case: Case, a: dict[str, Any]) -> Cell:
        rule = RULES[case.kind.removesuffix("_rule")]
        parameters = [nn.Parameter(row, backend=self.backend) for row in a["x"].numpy()]
        for parameter, row in zip(parameters, a["y"].numpy(), strict=True):
            parameter.grad = Tensor(row, backend=self.backend)
        optimizer = getattr(optim, rule.ours)(parameters, **rule.options)

        def run() -> Any:
            optimizer.step()
            return parameters

        return run, lambda result: [p.detach().numpy().copy() for p in result]

    def _step(self, case: Case, a: dict[str, Any]) -> Cell:
        leaves = [tensor for name, tensor in a.items() if is_parameter(name)]
        for leaf in leaves:
            leaf.requires_grad = True
        rule = NETWORKS[case.kind.removesuffix("_step")].optimizer
        optimizer = optim.AdamW(leaves) if rule == "adamw" else optim.Adam(leaves)

        def run() -> Any:
            optimizer.zero_grad()
            loss = nn.cross_entropy(_outputs(case, a), a["labels"])
            loss.backward()
            optimizer.step()
            return [loss.detach(), *(leaf.grad for leaf in leaves)]

        return run, _all

    def _game(self, case: Case, a: dict[str, Any]) -> Cell:
        return Game(Layers, case.kind.removesuffix("_game"), a).run, _all


def _family(case: Case) -> str:
    """The method for a kind that has none of its own name."""
    if case.kind.endswith(FAMILIES):
        return case.kind.rpartition("_")[2]
    return "unary" if case.kind in ("relu", "sum", "exp", "tanh", "sigmoid") else case.kind


def _conv_call(case: Case, a: dict[str, Any]) -> Callable[[], Any]:
    stride, padding = case.sizes["stride"], case.sizes["padding"]
    groups = case.sizes["C"] if case.kind.startswith("depthwise") else 1
    return lambda: ops.conv2d(a["x"], a["weight"], None, stride, padding, groups=groups)


def _attention_call(case: Case, a: dict[str, Any]) -> Callable[[], Any]:
    heads = case.sizes["H"]
    return lambda: attended(a["q"], a["k"], a["v"], heads)


def attended(q: Any, k: Any, v: Any, heads: int) -> Any:
    """Causal attention of (N, T, heads * size)."""
    N, T, W = q.shape
    q, k, v = [x.reshape(N, T, heads, W // heads).transpose((0, 2, 1, 3)) for x in (q, k, v)]
    y = ops.scaled_dot_product_attention(q, k, v, causal=True)
    return y.transpose((0, 2, 1, 3)).reshape(N, T, W)


def _norm_call(case: Case, a: dict[str, Any]) -> Callable[[], Any]:
    norm = ops.batch_norm if case.kind.startswith("batch") else ops.layer_norm
    return lambda: norm(a["x"], a["scale"], a["shift"])


def _pool_call(case: Case, a: dict[str, Any]) -> Callable[[], Any]:
    pool: Any = ops.max_pool2d if case.kind.startswith("max") else ops.avg_pool2d
    return lambda: pool(a["x"], case.sizes["K"], case.sizes["stride"])


def _rnn_call(case: Case, a: dict[str, Any]) -> Callable[[], Any]:
    x, h, weights = a["x"], a["h0"], (a["weight_x"], a["weight_h"], a["bias"])
    if case.kind.startswith("lstm"):
        return lambda: ops.lstm_sequence(x, h, h, *weights)[0]
    sequence = ops.gru_sequence if case.kind.startswith("gru") else ops.rnn_sequence
    return lambda: sequence(x, h, *weights)


def _outputs(case: Case, a: dict[str, Any]) -> Any:
    network = NETWORKS[case.kind.rpartition("_")[0]]
    return network.forward(Layers, a["x"], Parameters(a))


class Layers:
    """What `networks.py` is made of, in tinydl's operations."""

    relu = staticmethod(ops.relu)
    linear = staticmethod(ops.linear)
    conv = staticmethod(ops.conv2d)
    max_pool = staticmethod(ops.max_pool2d)
    batch_norm = staticmethod(ops.batch_norm)
    global_avg_pool = staticmethod(ops.global_avg_pool)

    layer_norm = staticmethod(ops.layer_norm)
    gelu = staticmethod(ops.gelu)

    @staticmethod
    def self_attention(x: Any, heads: int) -> Any:
        q, k, v = ops.split(x, sections=3, axis=2)
        return attended(q, k, v, heads)

    @staticmethod
    def depthwise(x: Any, weight: Any, stride: int, padding: int) -> Any:
        return ops.conv2d(x, weight, None, stride, padding, groups=x.shape[3])

    leaky_relu = staticmethod(ops.leaky_relu)
    softplus = staticmethod(ops.softplus)
    tanh = staticmethod(ops.tanh)
    no_grad = staticmethod(no_grad)

    @staticmethod
    def conv_transpose(x: Any, weight: Any, bias: Any) -> Any:
        return ops.conv_transpose2d(x, weight, bias, 2, 2, 1)

    @staticmethod
    def maps(x: Any, side: int) -> Any:
        return x.reshape(x.shape[0], side, side, -1)

    @staticmethod
    def rows_of_maps(x: Any) -> Any:
        return x.reshape(x.shape[0], -1)

    @staticmethod
    def slope(y: Any, x: Any) -> Any:
        return grad(ops.sum(y), x, create_graph=True)[0]

    @staticmethod
    def lengths(x: Any) -> Any:
        return ops.norm(x, axis=(1, 2, 3))

    @staticmethod
    def adam(leaves: Any, rate: float, beta: float) -> Any:
        return optim.Adam(leaves, rate, beta)

    @staticmethod
    def flatten(x: Any) -> Any:
        return x.reshape(x.shape[0], -1)

    @staticmethod
    def rows(x: Any, width: int) -> Any:
        return x.reshape(-1, width)

    @staticmethod
    def embedding(x: Any, table: Any) -> Any:
        return ops.embedding(table, x)

    @staticmethod
    def lstm(x: Any, weight_x: Any, weight_h: Any, bias: Any) -> Any:
        backend, shape = x.backend, (x.shape[0], weight_h.shape[0])
        zeros = x._new(backend.zeros(shape, x.dtype), backend)
        return ops.lstm_sequence(x, zeros, zeros, weight_x, weight_h, bias)[0]
