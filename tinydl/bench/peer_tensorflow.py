"""TensorFlow: every cell is one tf.function; images (N, H, W, C) as ours; LSTM through Keras."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from .cases import Case
from .networks import NETWORKS, Parameters, is_parameter
from .peer_tinydl import Cell

# What a cell differentiates, in the order in which the gradients are compared.
LEAVES = ("x", "weight", "weight_x", "weight_h", "bias", "scale", "shift")


def open_peer(argument: str, threads: int) -> TensorFlowPeer:
    """The worker's peer, on that many threads."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return TensorFlowPeer(threads)


class TensorFlowPeer:
    """`build` as in `peer_tinydl.py`; traced before the clock, by the run that is verified."""

    def __init__(self, threads: int) -> None:
        self.tf: Any = import_module("tensorflow")
        self.tf.config.threading.set_intra_op_parallelism_threads(threads)
        self.tf.config.threading.set_inter_op_parallelism_threads(1)
        self.layers = Layers(self.tf)
        self.version = f"tensorflow {self.tf.__version__}"

    def build(self, case: Case, arrays: dict[str, np.ndarray]) -> Cell | None:
        """`run` and `export` of one cell, or None."""
        a = {name: self.tf.constant(array) for name, array in arrays.items()}
        network, _, what = case.kind.rpartition("_")
        if what == "step":
            return self._step(network, a)
        if what == "inference":
            return self._cell(lambda: self._outputs(network, a))
        function = self._function(case, a, case.kind.removesuffix("_backward"))
        if function is None:
            return None
        backward = case.kind.endswith("_backward") or case.kind == "chain"
        return self._cell(self._gradient(case, a, function) if backward else function)

    def _cell(self, call: Callable[[], Any]) -> Cell:
        traced = self.tf.function(call, autograph=False)

        def export(result: Any) -> list[np.ndarray]:
            return [r.numpy() for r in (result if isinstance(result, tuple | list) else [result])]

        return traced, export

    def _gradient(
        self, case: Case, a: dict[str, Any], function: Callable[[], Any]
    ) -> Callable[[], Any]:
        names: list[str] = [n for n in LEAVES if n in a]
        if case.kind.startswith("softmax"):
            names = ["x"]
        if case.kind == "chain":
            names = ["x", "y"]
        leaves = [a[n] for n in names]

        def both() -> Any:
            with self.tf.GradientTape() as tape:
                tape.watch(leaves)
                y = function()
            return [y, *tape.gradient(y, leaves, a.get("dy"))]

        return both

    def _outputs(self, network: str, a: dict[str, Any]) -> Any:
        return NETWORKS[network].forward(self.layers, a["x"], Parameters(a))

    def _step(self, network: str, a: dict[str, Any]) -> Cell:
        tf = self.tf
        names = [n for n in a if is_parameter(n)]
        variables = {n: tf.Variable(a[n]) for n in names}
        optimizer = tf.keras.optimizers.Adam(0.001, epsilon=1e-7)
        optimizer.build([variables[n] for n in names])

        def step() -> Any:
            with tf.GradientTape() as tape:
                outputs = self._outputs(network, a | variables)
                loss = self.layers.cross_entropy(outputs, a["labels"])
            grads = tape.gradient(loss, [variables[n] for n in names])
            grads = [tf.convert_to_tensor(g) for g in grads]  # an embedding's come as rows
            optimizer.apply_gradients(zip(grads, [variables[n] for n in names], strict=True))
            return [loss, *grads]

        return self._cell(step)

    def _function(self, case: Case, a: dict[str, Any], kind: str) -> Callable[[], Any] | None:
        """The cell as a function of nothing."""
        tf, layers, s = self.tf, self.layers, case.sizes
        simple = {
            "matmul": lambda: a["a"] @ a["b"], "add": lambda: a["x"] + a["y"],
            "bias": lambda: a["x"] + a["bias"], "relu": lambda: tf.nn.relu(a["x"]),
            "exp": lambda: tf.exp(a["x"]), "tanh": lambda: tf.tanh(a["x"]),
            "sigmoid": lambda: tf.sigmoid(a["x"]), "sum": lambda: tf.reduce_sum(a["x"]),
            "sum_rows": lambda: tf.reduce_sum(a["x"], 0),
            "sum_columns": lambda: tf.reduce_sum(a["x"], 1),
            "transpose": lambda: tf.transpose(a["x"]), "chain": lambda: _chain(tf, a),
            "softmax_ce": lambda: layers.cross_entropy(a["x"], a["labels"]),
            "conv": lambda: layers.conv(a["x"], a["weight"], None, s["stride"], s["padding"]),
            "depthwise": lambda: layers.depthwise(a["x"], a["weight"], s["stride"], 1),
            "max_pool": lambda: layers.max_pool(a["x"], s["K"], s["stride"]),
            "avg_pool": lambda: tf.nn.avg_pool2d(a["x"], s["K"], s["stride"], "VALID"),
            "batch_norm": lambda: layers.batch_norm(a["x"], a["scale"], a["shift"]),
            "lstm": lambda: layers.lstm(a["x"], a["weight_x"], a["weight_h"], a["bias"]),
            "gru": lambda: layers.gru(a["x"], a["h0"], a["weight_x"], a["weight_h"], a["bias"]),
            "rnn": lambda: layers.rnn(a["x"], a["h0"], a["weight_x"], a["weight_h"], a["bias"]),
        }  # fmt: skip
        return simple.get(kind)


def _chain(tf: Any, a: dict[str, Any]) -> Any:
    z = a["x"]
    for _ in range(10):
        z = z * a["y"] + a["x"]
    return tf.reduce_sum(z)


class Layers:
    """What `networks.py` is made of, in TensorFlow."""

    def __init__(self, tf: Any) -> None:
        self.tf, self.relu = tf, tf.nn.relu

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        return x @ weight + bias

    def conv(self, x: Any, weight: Any, bias: Any, stride: int, padding: int) -> Any:
        pads = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
        y = self.tf.nn.conv2d(x, weight, stride, pads)
        return y if bias is None else self.tf.nn.bias_add(y, bias)

    def depthwise(self, x: Any, weight: Any, stride: int, padding: int) -> Any:
        pads = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
        filters = self.tf.transpose(weight, (0, 1, 3, 2))  # (KH, KW, C, 1)
        return self.tf.nn.depthwise_conv2d(x, filters, (1, stride, stride, 1), pads)

    def batch_norm(self, x: Any, scale: Any, shift: Any) -> Any:
        if x.shape.rank == 4:
            return self.tf.compat.v1.nn.fused_batch_norm(x, scale, shift, epsilon=1e-3)[0]
        mean, var = self.tf.nn.moments(x, (0,))
        return self.tf.nn.batch_normalization(x, mean, var, shift, scale, 1e-3)

    def max_pool(self, x: Any, size: int, stride: int) -> Any:
        return self.tf.nn.max_pool2d(x, size, stride, "VALID")

    def global_avg_pool(self, x: Any) -> Any:
        return self.tf.reduce_mean(x, (1, 2))

    def flatten(self, x: Any) -> Any:
        return self.tf.reshape(x, (x.shape[0], -1))

    def rows(self, x: Any, width: int) -> Any:
        return self.tf.reshape(x, (-1, width))

    def embedding(self, x: Any, table: Any) -> Any:
        return self.tf.gather(table, x)

    def rnn(self, x: Any, h0: Any, weight_x: Any, weight_h: Any, bias: Any) -> Any:
        def cell(row: Any, states: list) -> tuple:
            h = self.tf.tanh(row + states[0] @ weight_h)
            return h, [h]

        rows = x @ weight_x + bias
        return self.tf.keras.backend.rnn(cell, rows, [h0], return_all_outputs=True)[1]

    def gru(self, x: Any, h0: Any, weight_x: Any, weight_h: Any, bias: Any) -> Any:
        sigmoid, split = self.tf.sigmoid, self.tf.split

        def cell(row: Any, states: list) -> tuple:
            h = states[0]
            (r, z, n), (hr, hz, hn) = split(row, 3, 1), split(h @ weight_h, 3, 1)
            n = self.tf.tanh(n + sigmoid(r + hr) * hn)
            h = n + sigmoid(z + hz) * (h - n)
            return h, [h]

        rows = x @ weight_x + bias
        return self.tf.keras.backend.rnn(cell, rows, [h0], return_all_outputs=True)[1]

    def lstm(self, x: Any, weight_x: Any, weight_h: Any, bias: Any) -> Any:
        sigmoid, tanh = self.tf.sigmoid, self.tf.tanh

        def cell(row: Any, states: list) -> tuple:
            i, f, g, o = self.tf.split(row + states[0] @ weight_h, 4, axis=1)
            c = sigmoid(f) * states[1] + sigmoid(i) * tanh(g)
            h = sigmoid(o) * tanh(c)
            return h, [h, c]

        zeros = self.tf.zeros((x.shape[0], weight_h.shape[0]), x.dtype)
        rows = x @ weight_x + bias
        states = self.tf.keras.backend.rnn(cell, rows, [zeros, zeros], return_all_outputs=True)[1]
        return states

    def cross_entropy(self, logits: Any, labels: Any) -> Any:
        each = self.tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        return self.tf.reduce_mean(each)
