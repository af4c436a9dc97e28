"""Checkpoints of llama2.c, in the "legacy" layout; the tokens are in llama2c_tokens.py.

checkpoint: int32 dim, hidden, layers, heads, kv heads, vocabulary (negative: the last layer has
weights of its own), length; then float32 arrays, each of all layers at once, weights (out, in):
embedding, attention norm, query, key, value, output, feed norm, gate, down, up, last norm, two old
tables of rotary positions, and the last layer if it is not the embedding.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...errors import FormatError
from ...foreign import read_regular, reader
from ...nn import Linear
from ...quoting import shown
from .llama import Llama

HEADER = 7
#: What a header may say at most, of each of its numbers.
MOST = (1 << 16, 1 << 18, 1 << 10, 1 << 10, 1 << 10, 1 << 20, 1 << 20)


class _Numbers:
    """The float32 numbers of a file, handed out in order."""

    def __init__(self, data: bytes, path: str | Path) -> None:
        self.left, self.path = np.frombuffer(data, "<f4"), path

    def take(self, *shape: int) -> np.ndarray:
        count = int(np.prod(shape))
        if count > len(self.left):
            raise FormatError(f"llama2c: {shown(self.path)} ends in the middle of its weights")
        taken, self.left = self.left[:count].reshape(shape), self.left[count:]
        return taken


@reader("llama2c")
def load_llama2c(path: str | Path) -> Llama:
    """The model of a llama2.c checkpoint of any size. Raises MissingFileError and FormatError."""
    data = read_regular(path, op="llama2c")
    if len(data) < 4 * HEADER or len(data) % 4:
        raise FormatError(f"llama2c: {shown(path)} is no llama2.c checkpoint: {len(data)} bytes")
    header = [int(n) for n in np.frombuffer(data[: 4 * HEADER], "<i4")]
    D, hidden, blocks, heads, kv_heads, _, steps = header
    V, tied = abs(header[5]), header[5] > 0
    sizes = (D, hidden, blocks, heads, kv_heads, V, steps)
    fits = all(0 < n <= most for n, most in zip(sizes, MOST, strict=True))
    if not fits or D % heads or heads % kv_heads:
        raise FormatError(
            f"llama2c: {shown(path)} is no llama2.c checkpoint: its header is {header}"
        )
    shared, numbers = D // heads * kv_heads, _Numbers(data[4 * HEADER :], path)
    needed = V * D * (1 if tied else 2) + D * (1 + 2 * blocks)
    needed += blocks * (2 * D * D + 2 * D * shared + 3 * D * hidden) + steps * (D // heads)
    if needed != len(numbers.left):
        raise FormatError(
            f"llama2c: {shown(path)} has {len(numbers.left)} weights, its header {header} "
            f"asks for {needed}"
        )
    model = Llama(V, D, hidden, blocks, heads, kv_heads, tied=tied)
    model.embedding.weight.assign(numbers.take(V, D))
    _fill(model, numbers, D, hidden, shared)
    model.norm.scale.assign(numbers.take(D))
    numbers.take(2, steps, D // heads // 2)
    if model.head is not None:
        model.head.weight.assign(numbers.take(V, D).T)
    return model


def _fill(model: Llama, numbers: _Numbers, D: int, hidden: int, shared: int) -> None:
    """The weights of all blocks, kind by kind."""
    blocks = model.blocks
    for block in blocks:
        block.attention_norm.scale.assign(numbers.take(D))
    attentions = [b.attention for b in blocks]
    kinds: list[tuple[list[Linear], int, int]] = [
        ([a.query for a in attentions], D, D),
        ([a.key for a in attentions], shared, D),
        ([a.value for a in attentions], shared, D),
        ([a.output for a in attentions], D, D),
    ]
    for layers, rows, columns in kinds:
        for layer in layers:
            layer.weight.assign(numbers.take(rows, columns).T)
    for block in blocks:
        block.feed_norm.scale.assign(numbers.take(D))
    feeds = [b.feed for b in blocks]
    kinds = [
        ([f.gate for f in feeds], hidden, D),
        ([f.down for f in feeds], D, hidden),
        ([f.up for f in feeds], hidden, D),
    ]
    for layers, rows, columns in kinds:
        for layer in layers:
            layer.weight.assign(numbers.take(rows, columns).T)
