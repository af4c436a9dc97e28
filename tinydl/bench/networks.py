"""The networks of the end-to-end cells, written once: `layers` is a peer's own set of operations.

Parameters are named by what they are, in the order in which the network takes them: w convolution
or linear weight, d depthwise weight, b bias, g and s scale and shift of a norm, e embedding table,
i and r input and recurrent weights of an LSTM. Every peer keeps them in its own layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Shape = tuple[int, ...]
Shapes = Iterator[tuple[str, Shape]]


class Parameters:
    """Hands out a network's parameters: `p.w()` is the next convolution or linear weight."""

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self.arrays, self.taken = arrays, dict.fromkeys("wdbgseir", 0)

    def take(self, kind: str) -> Any:
        """The next parameter of a kind."""
        i = self.taken[kind]
        self.taken[kind] = i + 1
        return self.arrays[f"{kind}{i}"]


def is_parameter(name: str) -> bool:
    """w0, b12, ... and not x, labels, dy."""
    return name[0] in "wdbgseir" and name[1:].isdigit()


# -- MLP 784-256-256-10 ----------------------------------------------------------------------------


def mlp_shapes() -> Shapes:
    for pair in pairwise((784, 256, 256, 10)):
        yield from (("w", pair), ("b", pair[1:]))


def mlp(layers: Any, x: Any, p: Parameters) -> Any:
    for _ in range(2):
        x = layers.relu(layers.linear(x, p.take("w"), p.take("b")))
    return layers.linear(x, p.take("w"), p.take("b"))


# -- LeNet: two 3x3 convolutions of 32 and 64 filters, two linear layers ---------------------------


def lenet_shapes() -> Shapes:
    for shape in ((3, 3, 1, 32), (3, 3, 32, 64), (1600, 128), (128, 10)):
        yield from (("w", shape), ("b", shape[-1:]))


def lenet(layers: Any, x: Any, p: Parameters) -> Any:
    for _ in range(2):
        x = layers.relu(layers.conv(x, p.take("w"), p.take("b"), 1, 0))
        x = layers.max_pool(x, 2, 2)
    x = layers.relu(layers.linear(layers.flatten(x), p.take("w"), p.take("b")))
    return layers.linear(x, p.take("w"), p.take("b"))


# -- ResNet-20 for 32x32 images, He et al. 2015 (arXiv 1512.03385), 1x1 shortcuts ------------------

STAGES = ((16, 1), (32, 2), (64, 2))  # filters, stride of the first block


def resnet20_shapes() -> Shapes:
    def normed(*shape: int) -> Shapes:
        yield from (("w", shape), ("g", shape[-1:]), ("s", shape[-1:]))

    yield from normed(3, 3, 3, 16)
    C = 16
    for F, _ in STAGES:
        for _ in range(3):
            yield from normed(3, 3, C, F)
            yield from normed(3, 3, F, F)
            if C != F:
                yield ("w", (1, 1, C, F))
            C = F
    yield from (("w", (64, 10)), ("b", (10,)))


def resnet20(layers: Any, x: Any, p: Parameters) -> Any:
    def normed(x: Any, stride: int) -> Any:
        x = layers.conv(x, p.take("w"), None, stride, 1)
        return layers.batch_norm(x, p.take("g"), p.take("s"))

    x = layers.relu(normed(x, 1))
    C = 16
    for F, first in STAGES:
        for block in range(3):
            stride = first if block == 0 else 1
            y = normed(layers.relu(normed(x, stride)), 1)
            if C != F:
                x = layers.conv(x, p.take("w"), None, stride, 0)
            x = layers.relu(y + x)
            C = F
    return layers.linear(layers.global_avg_pool(x), p.take("w"), p.take("b"))


# -- MobileNet v1 of width 0.25, Howard et al. 2017 (arXiv 1704.04861) -----------------------------

# Filters of the pointwise convolution at width 1, stride of the depthwise one before it.
SEPARABLE = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2),
    (1024, 1),
)  # fmt: skip


def _width(filters: int) -> int:
    return max(8, filters // 4)


def mobilenet_shapes() -> Shapes:
    C = _width(32)
    yield from (("w", (3, 3, 3, C)), ("g", (C,)), ("s", (C,)))
    for filters, _ in SEPARABLE:
        F = _width(filters)
        yield from (("d", (3, 3, 1, C)), ("g", (C,)), ("s", (C,)))
        yield from (("w", (1, 1, C, F)), ("g", (F,)), ("s", (F,)))
        C = F
    yield from (("w", (C, 10)), ("b", (10,)))


def mobilenet(layers: Any, x: Any, p: Parameters) -> Any:
    def finished(x: Any) -> Any:
        return layers.relu(layers.batch_norm(x, p.take("g"), p.take("s")))

    x = finished(layers.conv(x, p.take("w"), None, 2, 1))
    for _, stride in SEPARABLE:
        x = finished(layers.depthwise(x, p.take("d"), stride, 1))
        x = finished(layers.conv(x, p.take("w"), None, 1, 0))
    return layers.linear(layers.global_avg_pool(x), p.take("w"), p.take("b"))


# -- character LSTM: embedding 80 -> 800, LSTM 800, linear 800 -> 80 -------------------------------

CHARACTERS, HIDDEN = 80, 800


def charlstm_shapes() -> Shapes:
    yield ("e", (CHARACTERS, HIDDEN))
    yield from (("i", (HIDDEN, 4 * HIDDEN)), ("r", (HIDDEN, 4 * HIDDEN)), ("b", (4 * HIDDEN,)))
    yield from (("w", (HIDDEN, CHARACTERS)), ("b", (CHARACTERS,)))


def charlstm(layers: Any, x: Any, p: Parameters) -> Any:
    """x: (N, T) characters -> (N * T, characters)."""
    rows = layers.embedding(x, p.take("e"))
    states = layers.lstm(rows, p.take("i"), p.take("r"), p.take("b"))
    return layers.linear(layers.rows(states, HIDDEN), p.take("w"), p.take("b"))


# -- GPT: blocks of causal attention and two linear layers, layer norm before each -----------------

TOKENS = 65  # the characters of nanoGPT's Shakespeare


@dataclass(frozen=True)
class Gpt:
    """Radford et al. 2019, without dropout; `steps` is the length of the text that it sees."""

    blocks: int
    heads: int
    width: int
    steps: int

    def shapes(self) -> Shapes:
        W = self.width

        def linear(*shape: int) -> Shapes:
            yield from (("w", shape), ("b", shape[-1:]))

        norm = (("g", (W,)), ("s", (W,)))
        yield from (("e", (TOKENS, W)), ("e", (self.steps, W)))
        for _ in range(self.blocks):
            yield from (*norm, *linear(W, 3 * W), *linear(W, W))
            yield from (*norm, *linear(W, 4 * W), *linear(4 * W, W))
        yield from (*norm, *linear(W, TOKENS))

    def __call__(self, layers: Any, x: Any, p: Parameters) -> Any:
        """x: (N, steps) tokens -> (N * steps, TOKENS)."""

        def linear(x: Any) -> Any:
            return layers.linear(x, p.take("w"), p.take("b"))

        def normed(x: Any) -> Any:
            return layers.layer_norm(x, p.take("g"), p.take("s"))

        x = layers.embedding(x, p.take("e")) + p.take("e")
        for _ in range(self.blocks):
            x = x + linear(layers.self_attention(linear(normed(x)), self.heads))
            x = x + linear(layers.gelu(linear(normed(x))))
        return linear(layers.rows(normed(x), self.width))

    def multiply_adds(self) -> int:
        W, T = self.width, self.steps
        return T * (self.blocks * (12 * W * W + T * W) + W * TOKENS)


SMALL_GPT, LARGE_GPT = Gpt(4, 4, 128, 64), Gpt(6, 6, 384, 256)

# -- all of them -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Network:
    """`x` is the shape of one sample, of integers below `tokens` unless that is 0; `multiply_adds`
    are those of one sample, norms and pools left out; `optimizer`: "adam" or "adamw"."""

    shapes: Callable[[], Shapes]
    forward: Callable[[Any, Any, Parameters], Any]
    x: Shape
    multiply_adds: int
    tokens: int = 0
    optimizer: str = "adam"


NETWORKS = {
    "mlp": Network(mlp_shapes, mlp, (784,), 784 * 256 + 256 * 256 + 256 * 10),
    "lenet": Network(
        lenet_shapes, lenet, (28, 28, 1), 676 * 9 * 32 + 121 * 288 * 64 + 1600 * 128 + 1280
    ),
    "resnet20": Network(resnet20_shapes, resnet20, (32, 32, 3), 40_813_184),
    "mobilenet": Network(mobilenet_shapes, mobilenet, (96, 96, 3), 7_491_712),
    "charlstm": Network(
        charlstm_shapes, charlstm, (40,), 40 * (2 * HIDDEN * 4 * HIDDEN + HIDDEN * CHARACTERS),
        tokens=CHARACTERS,
    ),
    **{
        name: Network(g.shapes, g, (g.steps,), g.multiply_adds(), TOKENS, "adamw")
        for name, g in (("gpt", SMALL_GPT), ("largegpt", LARGE_GPT))
    },
}  # fmt: skip


CENTRES = {"b": 0.0, "g": 0.5, "s": 2.0}


def parameters(network: Network, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """First values in float32, weights scaled by 1 / sqrt(fan in).

    Norms get a scale near 0.5 and a shift near 2, so that hardly any of their results is negative:
    the time is the same, and gradients can be compared between libraries. With values around the
    kink of ReLU some lie within rounding of it, and MobileNet's gradients then differ by percents
    between any two correct programs.
    """
    found: dict[str, np.ndarray] = {}
    counts: dict[str, int] = {}
    for kind, shape in network.shapes():
        i = counts.get(kind, 0)
        counts[kind] = i + 1
        values = rng.standard_normal(shape, dtype=np.float32)
        if kind in "wdir":
            values *= np.float32(np.prod(shape[:-1]) ** -0.5)
        elif kind in CENTRES:
            values = np.float32(CENTRES[kind]) + np.float32(0.1) * values
        found[f"{kind}{i}"] = values
    return found
