"""PyTorch, eager: with its default image layout (NCHW), or `channels_last`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from .cases import Case
from .games import Game
from .networks import NETWORKS, Parameters, is_parameter
from .peer_tinydl import Cell
from .rules import RULES, Rule

IMAGES = (
    "conv",
    "depthwise",
    "max_pool",
    "avg_pool",
    "batch_norm",
    "lenet",
    "resnet20",
    "mobilenet",
    "dcgan",
    "wgangp",
)


def open_peer(argument: str, threads: int) -> TorchPeer:
    """The worker's peer; `argument` is "channels_last" or ""."""
    return TorchPeer(argument == "channels_last", threads)


class TorchPeer:
    """`build` as in `peer_tinydl.py`; arrays are brought to torch's layouts before the clock."""

    def __init__(self, channels_last: bool, threads: int) -> None:
        self.torch: Any = import_module("torch")
        self.F: Any = self.torch.nn.functional
        self.torch.set_num_threads(threads)
        self.channels_last = channels_last
        self.version = f"torch {self.torch.__version__}"

    def build(self, case: Case, arrays: dict[str, np.ndarray]) -> Cell | None:
        """`run` and `export` of one cell, or None (channels_last has only image cells)."""
        if self.channels_last and not case.kind.startswith(IMAGES):
            return None
        a = {name: self._tensor(name, array) for name, array in arrays.items()}
        network, _, what = case.kind.rpartition("_")
        if what in ("step", "inference"):
            return self._step(network, a) if what == "step" else self._inference(network, a)
        if what == "writing":
            from .writing import torch_loop

            loop, prompt = torch_loop(self.torch, network), arrays["x"]
            return lambda: loop.write(prompt, case.tokens), lambda ids: [ids.astype(np.float64)]
        if what == "game":
            return self._game(network, a)
        if what == "rule":
            return self._rule(RULES[network], a)
        maker = getattr(self, f"_{case.kind.removesuffix('_backward')}", None)
        if maker is None:
            return None
        if case.kind in ("adam", "chain"):
            return maker(case, a)
        call, leaves = maker(case, a)
        if case.kind.endswith("_backward"):
            return self._backward(call, [a[name] for name in leaves], a.get("dy"))
        return self._forward(call)

    def _tensor(self, name: str, array: np.ndarray) -> Any:
        t = self.torch.from_numpy(array.copy())
        if array.ndim == 4:
            weight = name[0] in "wd" and name != "dy"  # weight of a cell, or of a network
            t = t.permute(3, 2, 0, 1) if weight else t.permute(0, 3, 1, 2)
            last = self.channels_last
            layout = self.torch.channels_last if last else self.torch.contiguous_format
            return t.contiguous(memory_format=layout)
        if name == "w2" and array.shape[0] == 1600:  # after flattening (C, H, W), not (H, W, C)
            t = t.reshape(5, 5, 64, 128).permute(2, 0, 1, 3).reshape(1600, 128)
        if array.ndim == 2 and name[0] in "wir" and is_parameter(name):
            return t.t().contiguous()  # torch's Linear weight is (out, in), its LSTM's (4H, D)
        return t

    def _numpy(self, t: Any, is_weight: bool, name: str = "") -> np.ndarray:
        """A result back in (N, H, W, C), (KH, KW, C, F) or (in, out)."""
        t = t.detach()
        if t.ndim == 4:
            t = t.permute(2, 3, 1, 0) if is_weight else t.permute(0, 2, 3, 1)
        elif is_weight and t.ndim == 2 and name[:1] != "e":
            t = t.t()
            if t.shape[0] == 1600:
                t = t.reshape(64, 5, 5, 128).permute(1, 2, 0, 3).reshape(1600, 128)
        return t.contiguous().numpy()

    # -- how cells run -----------------------------------------------------------------------------

    def _forward(self, call: Callable[[], Any]) -> Cell:
        """One operation: the worker switches recording off once, around a block of calls."""
        vars(call)["within"] = self.torch.inference_mode
        return call, lambda result: [self._numpy(result, False)]

    def _backward(self, call: Callable[[], Any], leaves: list[Any], dy: Any) -> Cell:
        for leaf in leaves:
            leaf.requires_grad_(True)

        def run() -> Any:
            for leaf in leaves:
                leaf.grad = None
            y = call()
            y.backward(dy)
            return [y, *(leaf.grad for leaf in leaves)]

        def export(result: Any) -> list[np.ndarray]:
            # result: y, the input's gradient, then those of weights (rank 4, or 2 as (out, in))
            return [self._numpy(t, i > 1) for i, t in enumerate(result)]

        return run, export

    def _outputs(self, network: str, a: dict[str, Any]) -> Any:
        return NETWORKS[network].forward(Layers(self.torch), a["x"], Parameters(a))

    def _inference(self, network: str, a: dict[str, Any]) -> Cell:
        """A request: recording is switched off for each."""

        def run() -> Any:
            with self.torch.inference_mode():
                return self._outputs(network, a)

        return run, lambda result: [self._numpy(result, False)]

    def _step(self, network: str, a: dict[str, Any]) -> Cell:
        names = [name for name in a if is_parameter(name)]
        leaves = [a[name].requires_grad_(True) for name in names]
        adamw = NETWORKS[network].optimizer == "adamw"
        rule = self.torch.optim.AdamW if adamw else self.torch.optim.Adam
        optimizer = rule(leaves, lr=0.001, eps=1e-7, fused=True)

        def run() -> Any:
            optimizer.zero_grad()
            loss = self.F.cross_entropy(self._outputs(network, a), a["labels"])
            loss.backward()
            optimizer.step()
            return [loss, *(leaf.grad for leaf in leaves)]

        def export(result: Any) -> list[np.ndarray]:
            grads = [self._numpy(t, True, n) for t, n in zip(result[1:], names, strict=True)]
            return [self._numpy(result[0], False), *grads]

        return run, export

    def _game(self, name: str, a: dict[str, Any]) -> Cell:
        game = Game(Layers(self.torch), name, a)
        each = [list(own) for own in (game.judged, game.made)]
        names = [n for own in each for n in ("", *own)]  # a loss before the gradients of each

        def export(result: Any) -> list[np.ndarray]:
            used = zip(result, names[: len(result)], strict=True)
            return [self._numpy(t, bool(n), n) for t, n in used]

        return game.run, export

    # -- kinds: the call, and the names of what gets a gradient ------------------------------------

    def _matmul(self, case: Case, a: dict[str, Any]) -> Any:
        return lambda: a["a"] @ a["b"], ()

    def _conv(self, case: Case, a: dict[str, Any]) -> Any:
        stride, padding = case.sizes["stride"], case.sizes["padding"]
        conv = self.F.conv2d
        return lambda: conv(a["x"], a["weight"], None, stride, padding), ("x", "weight")

    def _depthwise(self, case: Case, a: dict[str, Any]) -> Any:
        stride, conv, groups = case.sizes["stride"], self.F.conv2d, case.sizes["C"]
        return (
            lambda: conv(a["x"], a["weight"], None, stride, 1, groups=groups), ("x", "weight")
        )  # fmt: skip

    def _transpose(self, case: Case, a: dict[str, Any]) -> Any:
        return lambda: a["x"].t().contiguous(), ()

    def _max_pool(self, case: Case, a: dict[str, Any]) -> Any:
        pool = self.F.max_pool2d if case.kind.startswith("max") else self.F.avg_pool2d
        return lambda: pool(a["x"], case.sizes["K"], case.sizes["stride"]), ("x",)

    _avg_pool = _max_pool

    def _batch_norm(self, case: Case, a: dict[str, Any]) -> Any:
        norm, x, vectors = self.F.batch_norm, a["x"], (a["scale"], a["shift"])
        return lambda: norm(x, None, None, *vectors, True, 0.0, 1e-3), ("x", "scale", "shift")

    def _layer_norm(self, case: Case, a: dict[str, Any]) -> Any:
        norm, x, vectors = self.F.layer_norm, a["x"], (a["scale"], a["shift"])
        return lambda: norm(x, x.shape[-1:], *vectors, 1e-3), ("x", "scale", "shift")

    def _softmax_ce(self, case: Case, a: dict[str, Any]) -> Any:
        return lambda: self.F.cross_entropy(a["x"], a["labels"]), ("x",)

    def _ctc(self, case: Case, a: dict[str, Any]) -> Any:
        N, T, L = (case.sizes[k] for k in "NTL")
        steps, counts = (self.torch.full((N,), n) for n in (T, L))

        def call() -> Any:
            log_p = a["x"].log_softmax(-1).transpose(0, 1)
            return self.F.ctc_loss(log_p, a["labels"], steps, counts)

        return call, ("x",)

    def _attention(self, case: Case, a: dict[str, Any]) -> Any:
        names, layers = ("q", "k", "v"), Layers(self.torch)
        return lambda: layers.attended(a["q"], a["k"], a["v"], case.sizes["H"]), names

    def _of_x(self, case: Case, a: dict[str, Any]) -> Any:
        function, x = getattr(self.torch, case.kind), a["x"]
        return lambda: function(x), ()

    _relu = _sum = _exp = _tanh = _sigmoid = _of_x

    def _add(self, case: Case, a: dict[str, Any]) -> Any:
        return lambda: a["x"] + a["y"], ()

    def _bias(self, case: Case, a: dict[str, Any]) -> Any:
        return lambda: a["x"] + a["bias"], ()

    def _sum_rows(self, case: Case, a: dict[str, Any]) -> Any:
        return lambda: a["x"].sum(0), ()

    def _sum_columns(self, case: Case, a: dict[str, Any]) -> Any:
        return lambda: a["x"].sum(1), ()

    def _rnn(self, case: Case, a: dict[str, Any]) -> Any:
        """The kernel of torch.nn.RNN, LSTM or GRU: two biases (the second zero), weights (G*H, D)
        and (G*H, H), gates in our order."""
        for name in ("weight_x", "weight_h"):
            a[name] = a[name].t().contiguous()
        zero, h0 = self.torch.zeros_like(a["bias"]), a["h0"][None]
        cell = case.kind.removesuffix("_backward")
        kernel = getattr(self.torch, "rnn_tanh" if cell == "rnn" else cell)
        first = (h0, h0) if cell == "lstm" else h0

        def call() -> Any:
            weights = [a["weight_x"], a["weight_h"], a["bias"], zero]
            training = case.kind.endswith("_backward")
            return kernel(a["x"], first, weights, True, 1, 0.0, training, False, True)[0]

        return call, ("x", "weight_x", "weight_h", "bias")

    _lstm = _gru = _rnn

    def _adam(self, case: Case, a: dict[str, Any]) -> Cell:
        x = a["x"].requires_grad_(True)
        x.grad = a["y"]
        optimizer = self.torch.optim.Adam([x], lr=0.001, eps=1e-7, fused=True)

        def run() -> Any:
            optimizer.step()
            return x

        return run, lambda result: [result.detach().numpy().copy()]

    def _rule(self, rule: Rule, a: dict[str, Any]) -> Cell:
        """As torch.optim does it by default."""
        parameters = [row.clone().requires_grad_(True) for row in a["x"]]
        for parameter, grad in zip(parameters, a["y"], strict=True):
            parameter.grad = grad.clone()
        optimizer = getattr(self.torch.optim, rule.theirs)(parameters, **rule.their_options)

        def run() -> Any:
            optimizer.step()
            return parameters

        return run, lambda result: [p.detach().numpy().copy() for p in result]

    def _chain(self, case: Case, a: dict[str, Any]) -> Cell:
        def chain() -> Any:
            z = a["x"]
            for _ in range(10):
                z = z * a["y"] + a["x"]
            return z.sum()

        return self._backward(chain, [a["x"], a["y"]], None)


class Layers:
    """What `networks.py` is made of, in torch's functions and layouts."""

    def __init__(self, torch: Any) -> None:
        self.torch, self.F = torch, torch.nn.functional
        self.relu, self.gelu, self.linear = self.F.relu, self.F.gelu, self.F.linear
        self.leaky_relu, self.softplus, self.tanh = self.F.leaky_relu, self.F.softplus, torch.tanh
        self.no_grad = torch.no_grad

    def attended(self, q: Any, k: Any, v: Any, heads: int) -> Any:
        N, T, W = q.shape
        q, k, v = [x.view(N, T, heads, W // heads).transpose(1, 2) for x in (q, k, v)]
        y = self.F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return y.transpose(1, 2).reshape(N, T, W)

    def self_attention(self, x: Any, heads: int) -> Any:
        q, k, v = x.split(x.shape[2] // 3, 2)
        return self.attended(q, k, v, heads)

    def layer_norm(self, x: Any, scale: Any, shift: Any) -> Any:
        return self.F.layer_norm(x, x.shape[-1:], scale, shift, 1e-3)

    def conv(self, x: Any, weight: Any, bias: Any, stride: int, padding: int) -> Any:
        return self.F.conv2d(x, weight, bias, stride, padding)

    def conv_transpose(self, x: Any, weight: Any, bias: Any) -> Any:
        return self.F.conv_transpose2d(x, weight, bias, 2, 2, 1)

    def maps(self, x: Any, side: int) -> Any:
        return x.reshape(x.shape[0], side, side, -1).permute(0, 3, 1, 2)

    def rows_of_maps(self, x: Any) -> Any:
        return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)

    def slope(self, y: Any, x: Any) -> Any:
        return self.torch.autograd.grad(y.sum(), x, create_graph=True)[0]

    def lengths(self, x: Any) -> Any:
        return self.torch.linalg.vector_norm(x, dim=(1, 2, 3))

    def adam(self, leaves: Any, rate: float, beta: float) -> Any:
        return self.torch.optim.Adam(leaves, lr=rate, betas=(beta, 0.999), eps=1e-7, fused=True)

    def depthwise(self, x: Any, weight: Any, stride: int, padding: int) -> Any:
        return self.F.conv2d(x, weight, None, stride, padding, groups=x.shape[1])

    def batch_norm(self, x: Any, scale: Any, shift: Any) -> Any:
        return self.F.batch_norm(x, None, None, scale, shift, True, 0.0, 1e-3)

    def max_pool(self, x: Any, size: int, stride: int) -> Any:
        return self.F.max_pool2d(x, size, stride)

    def global_avg_pool(self, x: Any) -> Any:
        return x.mean((2, 3))

    def flatten(self, x: Any) -> Any:
        return x.reshape(x.shape[0], -1)  # the weight after it is permuted to this order

    def rows(self, x: Any, width: int) -> Any:
        return x.reshape(-1, width)

    def embedding(self, x: Any, table: Any) -> Any:
        return self.F.embedding(x, table)

    def lstm(self, x: Any, weight_x: Any, weight_h: Any, bias: Any) -> Any:
        zeros = self.torch.zeros(1, x.shape[0], weight_h.shape[1])
        weights = [weight_x, weight_h, bias, self.torch.zeros_like(bias)]
        training = weight_x.requires_grad
        return self.torch.lstm(x, (zeros, zeros), weights, True, 1, 0.0, training, False, True)[0]
