"""JAX: every cell is one jitted function; images (N, H, W, C) as ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from .cases import Case
from .networks import NETWORKS, Parameters, is_parameter
from .peer_tinydl import Cell

IMAGE = ("NHWC", "HWIO", "NHWC")

# What a cell differentiates, in the order in which the gradients are compared.
LEAVES = ("x", "weight", "weight_x", "weight_h", "bias", "scale", "shift")


def open_peer(argument: str, threads: int) -> JaxPeer:
    """The worker's peer; XLA takes the number of threads from the cores it may use."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    return JaxPeer()


class JaxPeer:
    """`build` as in `peer_tinydl.py`; compiled before the clock, by the run that is verified."""

    def __init__(self) -> None:
        self.jax: Any = import_module("jax")
        self.jnp: Any = import_module("jax.numpy")
        self.layers = Layers(self.jax, self.jnp)
        self.version = f"jax {self.jax.__version__}"

    def build(self, case: Case, arrays: dict[str, np.ndarray]) -> Cell | None:
        """`run` and `export` of one cell, or None."""
        a = {name: self.jnp.asarray(array) for name, array in arrays.items()}
        network, _, what = case.kind.rpartition("_")
        if what == "step":
            return self._step(network, a)
        if what == "inference":
            call = self.jax.jit(lambda v: self._outputs(network, v))
            return self._cell(lambda: call(a))
        if case.kind == "adam":
            return self._adam(a)
        backward = case.kind.endswith("_backward") or case.kind == "chain"
        function = self._function(case, case.kind.removesuffix("_backward"))
        if function is None:
            return None
        call = self._gradient(case, a, function) if backward else self.jax.jit(function)
        return self._cell(lambda: call(a))

    def _cell(self, call: Callable[[], Any]) -> Cell:
        def run() -> Any:
            return self.jax.block_until_ready(call())

        def export(result: Any) -> list[np.ndarray]:
            return [np.asarray(r) for r in result] if isinstance(result, tuple) else [result]

        return run, export

    def _gradient(self, case: Case, a: dict[str, Any], function: Callable[..., Any]) -> Any:
        """y and the gradients of what the cell differentiates."""
        names: list[str] = [n for n in LEAVES if n in a]
        if case.kind.startswith("softmax"):
            names = ["x"]
        if case.kind == "chain":
            names = ["x", "y"]

        def both(a: dict[str, Any]) -> tuple:
            def of_leaves(*leaves: Any) -> Any:
                return function(a | dict(zip(names, leaves, strict=True)))

            y, pull = self.jax.vjp(of_leaves, *[a[n] for n in names])
            return (y, *pull(a["dy"] if "dy" in a else self.jnp.ones_like(y)))

        return self.jax.jit(both)

    # -- networks and Adam -------------------------------------------------------------------------

    def _outputs(self, network: str, a: dict[str, Any]) -> Any:
        return NETWORKS[network].forward(self.layers, a["x"], Parameters(a))

    def _step(self, network: str, a: dict[str, Any]) -> Cell:
        names = [n for n in a if is_parameter(n)]  # jit sorts the keys of a dictionary
        leaves = {n: a[n] for n in names}
        # Buffers are donated, so the averages start as two sets of zeros.
        mean, square = ({n: self.jnp.zeros_like(v) for n, v in leaves.items()} for _ in range(2))
        state = {"now": (leaves, mean, square, self.jnp.zeros((), "int32"))}

        def loss(leaves: dict[str, Any], a: dict[str, Any]) -> Any:
            return self.layers.cross_entropy(self._outputs(network, a | leaves), a["labels"])

        def step(now: tuple, a: dict[str, Any]) -> tuple:
            leaves, mean, square, t = now
            value, grads = self.jax.value_and_grad(loss)(leaves, a)
            found = {n: self._rule(leaves[n], grads[n], mean[n], square[n], t + 1) for n in leaves}
            parts = [{n: f[k] for n, f in found.items()} for k in range(3)]
            return (*parts, t + 1), (value, *(grads[n] for n in names))

        step = self.jax.jit(step, donate_argnums=0)
        data = {n: v for n, v in a.items() if not is_parameter(n)}

        def run() -> Any:
            state["now"], results = step(state["now"], data)
            return self.jax.block_until_ready(results)

        return run, lambda results: [np.asarray(r) for r in results]

    def _rule(self, w: Any, g: Any, m: Any, v: Any, t: Any) -> tuple:
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        root = self.jnp.sqrt(v / (1 - 0.999**t)) + 1e-7
        return w - 0.001 * (m / (1 - 0.9**t)) / root, m, v

    def _adam(self, a: dict[str, Any]) -> Cell:
        zeros = [self.jnp.zeros_like(a["x"]) for _ in range(2)]
        state: dict[str, Any] = {"now": (a["x"], *zeros), "t": 0}
        step = self.jax.jit(
            lambda now, g, t: self._rule(now[0], g, now[1], now[2], t), donate_argnums=0
        )

        def run() -> Any:
            state["t"] += 1
            state["now"] = step(state["now"], a["y"], float(state["t"]))
            return self.jax.block_until_ready(state["now"][0])

        return run, lambda result: [np.array(result)]

    # -- kinds -------------------------------------------------------------------------------------

    def _function(self, case: Case, kind: str) -> Callable[[dict[str, Any]], Any] | None:
        """The cell as a function of its arrays."""
        jnp, layers, s = self.jnp, self.layers, case.sizes
        simple = {
            "matmul": lambda a: a["a"] @ a["b"], "add": lambda a: a["x"] + a["y"],
            "bias": lambda a: a["x"] + a["bias"], "relu": lambda a: layers.relu(a["x"]),
            "exp": lambda a: jnp.exp(a["x"]), "tanh": lambda a: jnp.tanh(a["x"]),
            "sigmoid": lambda a: self.jax.nn.sigmoid(a["x"]), "sum": lambda a: a["x"].sum(),
            "sum_rows": lambda a: a["x"].sum(0), "sum_columns": lambda a: a["x"].sum(1),
            "transpose": lambda a: a["x"].T + 0, "chain": _chain, "rnn": self._rnn,
            "softmax_ce": lambda a: layers.cross_entropy(a["x"], a["labels"]),
            "conv": lambda a: layers.conv(a["x"], a["weight"], None, s["stride"], s["padding"]),
            "depthwise": lambda a: layers.depthwise(a["x"], a["weight"], s["stride"], 1),
            "max_pool": lambda a: layers.max_pool(a["x"], s["K"], s["stride"]),
            "batch_norm": lambda a: layers.batch_norm(a["x"], a["scale"], a["shift"]),
            "layer_norm": lambda a: layers.layer_norm(a["x"], a["scale"], a["shift"]),
            "lstm": lambda a: layers.lstm(a["x"], a["weight_x"], a["weight_h"], a["bias"]),
            "gru": self._gru,
            "avg_pool": lambda a: layers.avg_pool(a["x"], s["K"], s["stride"]),
        }  # fmt: skip
        return simple.get(kind)

    def _rnn(self, a: dict[str, Any]) -> Any:
        def cell(h: Any, row: Any) -> tuple:
            h = self.jnp.tanh(row + h @ a["weight_h"])
            return h, h

        rows = (a["x"] @ a["weight_x"] + a["bias"]).swapaxes(0, 1)
        return self.jax.lax.scan(cell, a["h0"], rows)[1].swapaxes(0, 1)

    def _gru(self, a: dict[str, Any]) -> Any:
        sigmoid, split = self.jax.nn.sigmoid, self.jnp.split

        def cell(h: Any, row: Any) -> tuple:
            (r, z, n), (hr, hz, hn) = split(row, 3, 1), split(h @ a["weight_h"], 3, 1)
            n = self.jnp.tanh(n + sigmoid(r + hr) * hn)
            h = n + sigmoid(z + hz) * (h - n)
            return h, h

        rows = (a["x"] @ a["weight_x"] + a["bias"]).swapaxes(0, 1)
        return self.jax.lax.scan(cell, a["h0"], rows)[1].swapaxes(0, 1)


def _chain(a: dict[str, Any]) -> Any:
    z = a["x"]
    for _ in range(10):
        z = z * a["y"] + a["x"]
    return z.sum()


class Layers:
    """What `networks.py` is made of, in JAX."""

    def __init__(self, jax: Any, jnp: Any) -> None:
        self.jax, self.jnp, self.lax, self.relu = jax, jnp, jax.lax, jax.nn.relu

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        return x @ weight + bias

    def conv(
        self, x: Any, weight: Any, bias: Any, stride: int, padding: int, groups: int = 1
    ) -> Any:
        pads = [(padding, padding)] * 2
        y = self.lax.conv_general_dilated(
            x, weight, (stride, stride), pads, dimension_numbers=IMAGE, feature_group_count=groups
        )
        return y if bias is None else y + bias

    def depthwise(self, x: Any, weight: Any, stride: int, padding: int) -> Any:
        return self.conv(x, weight, None, stride, padding, x.shape[3])

    def batch_norm(self, x: Any, scale: Any, shift: Any) -> Any:
        axes = tuple(range(x.ndim - 1))
        mean, var = x.mean(axes), x.var(axes)
        return (x - mean) * (self.lax.rsqrt(var + 1e-3) * scale) + shift

    def layer_norm(self, x: Any, scale: Any, shift: Any) -> Any:
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) * self.lax.rsqrt(var + 1e-3) * scale + shift

    def _windows(self, x: Any, first: float, rule: Any, size: int, stride: int) -> Any:
        window, strides = (1, size, size, 1), (1, stride, stride, 1)
        return self.lax.reduce_window(x, first, rule, window, strides, "VALID")

    def max_pool(self, x: Any, size: int, stride: int) -> Any:
        return self._windows(x, -self.jnp.inf, self.lax.max, size, stride)

    def avg_pool(self, x: Any, size: int, stride: int) -> Any:
        return self._windows(x, 0.0, self.lax.add, size, stride) / (size * size)

    def global_avg_pool(self, x: Any) -> Any:
        return x.mean((1, 2))

    def flatten(self, x: Any) -> Any:
        return x.reshape(x.shape[0], -1)

    def rows(self, x: Any, width: int) -> Any:
        return x.reshape(-1, width)

    def embedding(self, x: Any, table: Any) -> Any:
        return table[x]

    def lstm(self, x: Any, weight_x: Any, weight_h: Any, bias: Any) -> Any:
        sigmoid, tanh = self.jax.nn.sigmoid, self.jnp.tanh

        def cell(state: tuple, row: Any) -> tuple:
            h, c = state
            i, f, g, o = self.jnp.split(row + h @ weight_h, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * tanh(g)
            h = sigmoid(o) * tanh(c)
            return (h, c), h

        rows = (x @ weight_x + bias).swapaxes(0, 1)
        zeros = self.jnp.zeros((x.shape[0], weight_h.shape[0]), x.dtype)
        return self.lax.scan(cell, (zeros, zeros), rows)[1].swapaxes(0, 1)

    def cross_entropy(self, logits: Any, labels: Any) -> Any:
        logs = self.jax.nn.log_softmax(logits)
        return -self.jnp.take_along_axis(logs, labels[:, None], 1).mean()
