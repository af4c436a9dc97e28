"""The steps of two GANs, written once: `layers` is a peer's own set of operations and derivatives.

Networks as in tinydl/models/adversarial (DCGAN for 32x32x1), but for the padding, 2 on every side
and one more row and column for the transposed convolutions, which all libraries have. Parameters
are named as in `networks.py`, the generator's first; x: real pictures, z: noise, share: where
between real and generated ones the slope is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from .networks import Network, Parameters, Shapes

SIDE, NOISE, KERNEL, SLOPE = 32, 100, 5, 0.2
RATE, BETA, PENALTY = 0.0002, 0.5, 10.0
GAMES = ("dcgan", "wgangp")


def generator_shapes(width: int) -> Shapes:
    widths = (4 * width, 2 * width, width, 1)
    yield from (("w", (NOISE, 16 * widths[0])), ("b", (16 * widths[0],)))
    for c_in, c_out in pairwise(widths):
        yield from (("w", (KERNEL, KERNEL, c_out, c_in)), ("b", (c_out,)))
        if c_out > 1:
            yield from (("g", (c_out,)), ("s", (c_out,)))


def critic_shapes(width: int, normed: bool) -> Shapes:
    for c_in, c_out in pairwise((1, width, 2 * width, 4 * width)):
        yield from (("w", (KERNEL, KERNEL, c_in, c_out)), ("b", (c_out,)))
        if normed and c_in > 1:
            yield from (("g", (c_out,)), ("s", (c_out,)))
    yield from (("w", (64 * width, 1)), ("b", (1,)))


def network(game: str, width: int) -> Network:
    """Both players' parameters; the multiply-adds of one step per sample.

    DCGAN: the generator's g and the critic's c, forward; the critic's step is g + 2 c + twice 2 c,
    each of the generator's two 3 g + c + c. WGAN-GP: g + 6 c, and the slope, forward and back, with
    its derivative: 6 c.
    """

    def shapes() -> Shapes:
        yield from generator_shapes(width)
        yield from critic_shapes(width, game == "dcgan")

    w, taps = width, KERNEL * KERNEL
    g = NOISE * 64 * w + taps * (16 * 8 * w * w + 64 * 2 * w * w + 256 * w)
    c = taps * (256 * w + 64 * 2 * w * w + 16 * 8 * w * w) + 64 * w
    cost = 7 * g + 10 * c if game == "dcgan" else g + 12 * c
    return Network(shapes, lambda *_: None, (SIDE, SIDE, 1), cost)


def players(arrays: Mapping[str, Any]) -> list[dict[str, Any]]:
    """[the generator's parameters, the critic's], each numbered from 0."""
    own: list[dict[str, Any]] = [{}, {}]
    first = {"w": 4, "b": 4, "g": 2, "s": 2}  # of these the generator has so many
    for name, array in arrays.items():
        if name[0] in first and name[1:].isdigit():
            kind, i = name[0], int(name[1:])
            mine = i < first[kind]
            own[0 if mine else 1][name if mine else f"{kind}{i - first[kind]}"] = array
    return own


def generate(layers: Any, z: Any, weights: Mapping[str, Any]) -> Any:
    p = Parameters(weights)
    x = layers.maps(layers.relu(layers.linear(z, p.take("w"), p.take("b"))), 4)
    for last in (False, False, True):
        x = layers.conv_transpose(x, p.take("w"), p.take("b"))
        x = layers.tanh(x) if last else layers.relu(layers.batch_norm(x, p.take("g"), p.take("s")))
    return x


def judge(layers: Any, x: Any, weights: Mapping[str, Any]) -> Any:
    """The critic's (N, 1)."""
    p, normed = Parameters(weights), "g0" in weights
    for i in range(3):
        x = layers.conv(x, p.take("w"), p.take("b"), 2, 2)
        if normed and i:
            x = layers.batch_norm(x, p.take("g"), p.take("s"))
        x = layers.leaky_relu(x, SLOPE)
    return layers.linear(layers.rows_of_maps(x), p.take("w"), p.take("b"))


class Game:
    """One step; `run()` gives losses and gradients: of the critic, then of the generator's first
    update. layers(a list of parameters) also makes their optimiser."""

    def __init__(self, layers: Any, name: str, arrays: Mapping[str, Any]) -> None:
        self.layers, self.name, self.arrays = layers, name, arrays
        self.made, self.judged = players(arrays)
        self.leaves = [list(own.values()) for own in (self.made, self.judged)]
        for leaf in (*self.leaves[0], *self.leaves[1]):
            leaf.requires_grad = True
        self.optimizers = [layers.adam(leaves, RATE, BETA) for leaves in self.leaves]

    def run(self) -> list[Any]:
        layers = self.layers
        with layers.no_grad():
            fake = generate(layers, self.arrays["z"], self.made)
        if self.name == "wgangp":
            return self._update(1, self._distance(fake))
        real = judge(layers, self.arrays["x"], self.judged)
        false = judge(layers, fake, self.judged)
        told = self._update(1, layers.softplus(-real).mean() + layers.softplus(false).mean())
        for leaf in self.leaves[1]:
            leaf.requires_grad = False
        first, _ = [self._update(0, self._passed()) for _ in range(2)]
        for leaf in self.leaves[1]:
            leaf.requires_grad = True
        return [*told, *first]

    def _passed(self) -> Any:
        fake = generate(self.layers, self.arrays["z"], self.made)
        return self.layers.softplus(-judge(self.layers, fake, self.judged)).mean()

    def _distance(self, fake: Any) -> Any:
        layers, x, share = self.layers, self.arrays["x"], self.arrays["share"]
        mixed = share * x + (1.0 - share) * fake
        mixed.requires_grad = True
        slope = layers.slope(judge(layers, mixed, self.judged), mixed)
        excess = layers.lengths(slope) - 1.0
        apart = judge(layers, fake, self.judged).mean() - judge(layers, x, self.judged).mean()
        return apart + PENALTY * (excess * excess).mean()

    def _update(self, player: int, loss: Any) -> list[Any]:
        self.optimizers[player].zero_grad()
        loss.backward()
        grads: Sequence[Any] = [leaf.grad for leaf in self.leaves[player]]
        self.optimizers[player].step()
        return [loss.detach(), *grads]
