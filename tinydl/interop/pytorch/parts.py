"""What PyTorch calls the arrays of each module, and how it lays them out.

PyTorch keeps (out, in) where tinydl keeps (in, out), channels first in kernels, recurrent weights
with the gates above each other (in tinydl's order: i, f, g, o and r, z, n), and two biases of each
recurrent layer, of which tinydl's SimpleRNN and LSTM hold the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ... import nn
from ...nn import Module
from ...nn.parameter import Stored

Arrays = list[np.ndarray]


@dataclass
class Part:
    """An array of the model: made of which arrays of the file.

    names: PyTorch's, of which `optional` ones may be missing together. turn(arrays) gives it in
    tinydl's layout; shapes(model's shape): what each array of the file must be. how: in words.
    refused: why the model cannot hold what the file has."""

    path: str
    stored: Stored
    names: list[str]
    turn: Callable[[Arrays], np.ndarray] = lambda arrays: arrays[0]
    shapes: Callable[[tuple[int, ...]], list[tuple[int, ...]]] = lambda shape: [shape]
    how: str = "as it is"
    optional: bool = False
    refused: str = ""


def _same(path: str, stored: Stored, name: str, optional: bool = False) -> Part:
    return Part(path, stored, [name], optional=optional)


def _turned(path: str, stored: Stored, name: str, axes: tuple[int, ...]) -> Part:
    """PyTorch's array with its axes in the order `axes` is the model's."""
    back = [axes.index(i) for i in range(len(axes))]
    return Part(
        path, stored, [name], lambda a: a[0].transpose(axes),
        lambda shape: [tuple(shape[i] for i in back)], "transposed",
    )  # fmt: skip


def _depthwise(path: str, stored: Stored, name: str) -> Part:
    """(C * M, 1, KH, KW) -> (KH, KW, C, M)."""
    KH, KW, C, M = stored.shape
    return Part(
        path, stored, [name], lambda a: a[0].reshape(C, M, KH, KW).transpose(2, 3, 0, 1),
        lambda shape: [(C * M, 1, KH, KW)], "transposed",
    )  # fmt: skip


#: Axes of PyTorch's weight in the order of tinydl's.
WEIGHTS: dict[type[Module], tuple[int, ...]] = {
    nn.Linear: (1, 0),
    nn.Conv1d: (2, 1, 0),
    nn.Conv2d: (2, 3, 1, 0),
    nn.ConvTranspose2d: (2, 3, 1, 0),
}
AFFINE = (nn.BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm)


def parts(module: Module, path: str, name: str) -> Iterator[Part]:
    """The parts of what the module itself holds. path: its name in the model, name: PyTorch's."""
    for kind, axes in WEIGHTS.items():
        if isinstance(module, kind):
            yield _turned(_at(path, "weight"), module.weight, _at(name, "weight"), axes)  # type: ignore[attr-defined]
            yield from _plain(module, path, name, {"bias": "bias"})
            return
    if isinstance(module, nn.DepthwiseConv2d):
        yield from _depthwise_parts(module, path, name)
    elif isinstance(module, AFFINE):
        named = {"scale": "weight", "shift": "bias", "running_mean": "running_mean"}
        named |= {"running_variance": "running_var", "batches": "num_batches_tracked"}
        yield from _plain(module, path, name, named)
    elif isinstance(module, nn.SimpleRNN | nn.LSTM | nn.GRU):
        yield from recurrent(module, path, name, "_l0")
    else:
        own = {n: n for n, m in module._members() if isinstance(m, Stored)}
        yield from _plain(module, path, name, own)


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _plain(module: Module, path: str, name: str, named: dict[str, str]) -> Iterator[Part]:
    members = dict(module._members())
    for mine, theirs in named.items():
        stored = members.get(mine)
        if isinstance(stored, Stored):
            yield _same(_at(path, mine), stored, _at(name, theirs))


def _depthwise_parts(module: nn.DepthwiseConv2d, path: str, name: str) -> Iterator[Part]:
    if isinstance(module, nn.SeparableConv2d):  # two layers in PyTorch
        yield _depthwise(_at(path, "weight"), module.weight, _at(name, "depthwise.weight"))
        pointwise = _at(name, "pointwise.weight")
        yield _turned(_at(path, "pointwise"), module.pointwise, pointwise, (2, 3, 1, 0))
        yield from _plain(module, path, name, {"bias": "pointwise.bias"})
    else:
        yield _depthwise(_at(path, "weight"), module.weight, _at(name, "weight"))
        yield from _plain(module, path, name, {"bias": "bias"})


# -- recurrent layers, attention -------------------------------------------------------------------


def recurrent(
    module: nn.SimpleRNN | nn.LSTM | nn.GRU, path: str, name: str, suffix: str
) -> Iterator[Part]:
    """One direction of one layer; suffix: "_l0", "_l1_reverse"."""
    for mine, theirs in (("weight_x", "weight_ih"), ("weight_h", "weight_hh")):
        yield _turned(_at(path, mine), getattr(module, mine), _at(name, theirs + suffix), (1, 0))
    first, second = _at(name, f"bias_ih{suffix}"), _at(name, f"bias_hh{suffix}")
    if isinstance(module, nn.GRU) and module.bias_h is not None:
        yield _same(_at(path, "bias"), module.bias, first, optional=True)
        yield _same(_at(path, "bias_h"), module.bias_h, second, optional=True)
    else:
        before = isinstance(module, nn.GRU)
        yield Part(
            _at(path, "bias"), module.bias, [first, second], lambda a: a[0] + a[1],
            lambda shape: [shape, shape], "two biases added", optional=True,
            refused="its two biases need a GRU with reset_after=True" if before else "",
        )  # fmt: skip


def layered(module: Module, path: str, name: str) -> Iterator[Part]:
    """Bidirectional and StackedRNN, which are one module in PyTorch."""
    stack = [("", module)]
    if isinstance(module, nn.StackedRNN):
        stack = [(f"layers.{k}", layer) for k, layer in enumerate(module.layers)]
    for k, (inner, layer) in enumerate(stack):
        here = _at(path, inner) if inner else path
        if isinstance(layer, nn.Bidirectional):
            yield from recurrent(layer.ahead, _at(here, "ahead"), name, f"_l{k}")  # type: ignore[arg-type]
            yield from recurrent(layer.back, _at(here, "back"), name, f"_l{k}_reverse")  # type: ignore[arg-type]
        else:
            yield from recurrent(layer, here, name, f"_l{k}")  # type: ignore[arg-type]


def attention(module: nn.MultiHeadAttention, path: str, name: str, apart: bool) -> Iterator[Part]:
    """nn.MultiheadAttention, which keeps three projections in one array, or apart where keys and
    values have sizes of their own."""
    E = module.features
    for k, inner in enumerate(("query", "key", "value")):
        layer, here = getattr(module, inner), _at(path, inner)
        if apart:
            weight = _at(name, f"{inner[0]}_proj_weight")
            yield _turned(_at(here, "weight"), layer.weight, weight, (1, 0))
        else:
            yield _third(_at(here, "weight"), layer.weight, _at(name, "in_proj_weight"), k, E)
        if layer.bias is not None:
            yield _third(_at(here, "bias"), layer.bias, _at(name, "in_proj_bias"), k, E)
    yield from parts(module.output, _at(path, "output"), _at(name, "out_proj"))


def _third(path: str, stored: Stored, name: str, k: int, E: int) -> Part:
    return Part(
        path, stored, [name], lambda a: a[0][k * E : (k + 1) * E].T,
        lambda shape: [(3 * E, *shape[:-1])],
        f"part {k + 1} of 3" + ", transposed" * (stored.ndim == 2),
    )  # fmt: skip
