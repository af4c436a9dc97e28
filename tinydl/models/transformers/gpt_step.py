"""One character at a time through a GPT: what `run` computes, on plain arrays.

A training step's operations check and record; of one character they would cost more than its
arithmetic. Here the kernels of the backend are called one after the other, queries, keys and values
as one product, and keys and values are written into arrays that are as long as the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ConfigError
from ...tensor import Tensor

if TYPE_CHECKING:
    from .gpt import GPT


class Steps:
    """The characters of one text, of a GPT in evaluation whose weights stay as they are.

    On the backends whose arrays are NumPy's. seen: the last characters; taken: how many of them
    have a place.
    """

    def __init__(self, model: GPT) -> None:
        def held(x: Tensor | None) -> np.ndarray:
            if x is None:
                raise ConfigError("GPT: every layer read step by step has a bias and a scale")
            return np.ascontiguousarray(x.data)

        self.room, self.taken, self.last = model.backend, 0, model.steps
        self.seen = np.zeros(0, np.int64)
        self.rows, self.places = held(model.embedding.weight), held(model.positions.weight)
        self.head = np.ascontiguousarray(self.rows.T)
        self.blocks = []
        for b in model.blocks:
            parts = (b.attention.query, b.attention.key, b.attention.value)
            self.blocks.append((
                held(b.attention_norm.scale), held(b.attention_norm.shift), b.attention_norm.eps,
                np.concatenate([held(p.weight) for p in parts], axis=1),
                np.concatenate([held(p.bias) for p in parts]),
                held(b.attention.output.weight), held(b.attention.output.bias),
                held(b.feed_norm.scale), held(b.feed_norm.shift), b.feed_norm.eps,
                held(b.feed.first.weight), held(b.feed.first.bias),
                held(b.feed.second.weight), held(b.feed.second.bias),
            ))  # fmt: skip
        self.norm = held(model.norm.scale), held(model.norm.shift), model.norm.eps
        self.heads = model.blocks[0].attention.heads
        D = self.rows.shape[1]
        shape = (len(self.blocks), 2, 1, self.last, self.heads, D // self.heads)
        self.kept = np.zeros(shape, self.rows.dtype)

    def read(self, ids: np.ndarray) -> np.ndarray:
        """Logits (tokens,) of what follows ids (T,), behind those read before; where no T places
        are left, the window is begun anew as `GPT.run` does."""
        self.seen, T = np.concatenate([self.seen, ids])[-self.last :], len(ids)
        if self.taken + T > self.last:
            T = min(len(self.seen), max(min(T, self.last), (self.last + 1) // 2))
            self.taken = 0
        return self._logits(self.seen[-T:])

    def _logits(self, ids: np.ndarray) -> np.ndarray:
        room, T, first = self.room, len(ids), self.taken
        end = self.taken = first + T
        x = self.rows[ids] + self.places[first:end]
        D = x.shape[1]
        H, E = self.heads, D // self.heads
        for (scale, shift, eps, mix, mixed, out, added, scale2, shift2, eps2, up, over, down,
             under), kept in zip(self.blocks, self.kept, strict=True):  # fmt: skip
            h = room.matmul(room.row_norm(x, scale, shift, eps)[0], mix, mixed)
            q, k, v = h.reshape(1, T, 3, H, E).transpose(2, 0, 1, 3, 4)
            kept[0, :, first:end], kept[1, :, first:end] = k, v
            keys, values = kept[:, :, :end]
            y, _ = room.attention(q, keys, values, None, None, first, E**-0.5, 0, 0, 0.0)
            x = x + room.matmul(y.reshape(T, D), out, added)
            h = room.matmul(room.row_norm(x, scale2, shift2, eps2)[0], up, over)
            x = x + room.matmul(room.gelu(h), down, under)
        logits: np.ndarray = room.matmul(room.row_norm(x[-1:], *self.norm)[0], self.head)[0]
        return logits
