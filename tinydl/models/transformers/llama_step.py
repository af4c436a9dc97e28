"""One token at a time through a Llama: what `run` computes, on plain arrays.

As for the GPT (gpt_step.py): the kernels of the backend one after the other, what multiplies the
same row as one product (queries, keys and values; gate and up), and keys and values in arrays that
are doubled when they are full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ...nn import Linear, RMSNorm
    from .llama import Llama

FIRST_ROOM = 64  # places before the arrays are doubled for the first time


class LlamaSteps:
    """The tokens of one text, of a Llama in evaluation whose weights stay as they are.

    On the backends whose arrays are NumPy's. taken: the tokens read so far.
    """

    def __init__(self, model: Llama) -> None:
        self.room, self.taken = model.norm.scale.backend, 0
        self.rows = np.ascontiguousarray(model.embedding.weight.data)
        head = self.rows.T if model.head is None else model.head.weight.data
        self.head, self.norm = np.ascontiguousarray(head), _norm(model.norm)
        self.blocks = []
        for b in model.blocks:
            a, feed = b.attention, b.feed
            self.blocks.append((
                _norm(b.attention_norm), _joined(a.query, a.key, a.value), _joined(a.output),
                _norm(b.feed_norm), _joined(feed.gate, feed.up), _joined(feed.down),
            ))  # fmt: skip
        first = model.blocks[0].attention
        self.heads, self.kv_heads, self.size = (
            first.heads,
            first.kv_heads,
            first.features // first.heads,
        )
        self.positions: Any = first.positions
        self.kept = np.zeros((len(self.blocks), 2, 1, 0, self.kv_heads, self.size), self.rows.dtype)
        self.widen(FIRST_ROOM)

    def widen(self, places: int) -> None:
        """Room for the keys, values and angles of so many places."""
        shape = (len(self.blocks), 2, 1, places, self.kv_heads, self.size)
        kept = np.zeros(shape, self.rows.dtype)
        kept[:, :, :, : self.taken] = self.kept[:, :, :, : self.taken]
        self.kept, self.places = kept, places
        rates = self.positions.base ** (-np.arange(0, self.size, 2) / self.size)
        angles = np.arange(places)[:, None, None] * rates
        self.cos, self.sin = (f(angles).astype(self.rows.dtype) for f in (np.cos, np.sin))

    def turned(self, x: np.ndarray, first: int) -> np.ndarray:
        """x (T, heads, size) turned by its places from `first` on, as `tinydl.rotary` does."""
        cos, sin = (table[first : first + len(x)] for table in (self.cos, self.sin))
        y, half = np.empty_like(x), self.size // 2
        apart = self.positions.halves
        left, right = (np.s_[..., :half], np.s_[..., half:]) if apart else (
            np.s_[..., 0::2], np.s_[..., 1::2])  # fmt: skip
        a, b = x[left], x[right]
        y[left], y[right] = a * cos - b * sin, a * sin + b * cos
        return y

    def read(self, ids: np.ndarray) -> np.ndarray:
        """Logits (vocabulary,) of what follows ids (T,), behind those read before."""
        room, T, first = self.room, len(ids), self.taken
        end = first + T
        if end > self.places:
            self.widen(max(end, 2 * self.places))
        H, G, E = self.heads, self.kv_heads, self.size
        x = self.rows[ids]
        for (norm, mix, out, feed_norm, up, down), kept in zip(self.blocks, self.kept, strict=True):
            h = room.matmul(_normed(x, norm), mix).reshape(T, H + 2 * G, E)
            turned = self.turned(h[:, : H + G], first)
            kept[0, 0, first:end], kept[1, 0, first:end] = turned[:, H:], h[:, H + G :]
            y, _ = room.attention(
                turned[None, :, :H], kept[0, :, :end], kept[1, :, :end], None, None, first,
                E**-0.5, 0, 0, 0.0,
            )  # fmt: skip
            x = x + room.matmul(y.reshape(T, H * E), out)
            h = room.matmul(_normed(x, feed_norm), up)
            gate, wide = np.split(h, 2, axis=1)
            x = x + room.matmul(gate * room.sigmoid(gate) * wide, down)
        self.taken = end
        logits: np.ndarray = room.matmul(_normed(x[-1:], self.norm), self.head)[0]
        return logits


def _joined(*layers: Linear) -> np.ndarray:
    """The weights (in, out) of layers without a bias that read the same row, side by side."""
    return np.concatenate([layer.weight.data for layer in layers], axis=1)


def _norm(layer: RMSNorm) -> tuple[np.ndarray, float]:
    return np.ascontiguousarray(layer.scale.data), layer.eps


def _normed(x: np.ndarray, norm: tuple[np.ndarray, float]) -> np.ndarray:
    """x / sqrt(mean of x^2 + eps) * scale, the squares in float64: none leaves its range."""
    scale, eps = norm
    squares = np.square(x, dtype=np.float64).mean(-1, keepdims=True)
    return x / np.sqrt(squares + eps).astype(x.dtype) * scale
