"""Texts without a network: counted characters, and a program that packs files."""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class WittenBell:
    """Characters counted behind their last `order` ones, every length interpolated with the next
    shorter one (Witten and Bell 1991, doi:10.1109/18.87000):

    p(c | h) = (n(h c) + d(h) p(c | h')) / (n(h) + d(h)), with n the counts in the training part,
    d(h) how many different characters followed h, h' the text h without its first character; below
    the empty h all characters are equally likely. A held-out text is read with all that stands
    before it, and nothing is learnt from it."""

    order: int = 5

    def __str__(self) -> str:
        return f"Witten-Bell of order {self.order}"

    def __call__(self, training: Any, part: str) -> dict[str, float]:
        data = training.text
        text = np.concatenate([data.train, data.test])
        p = self.probabilities(data.train, text, data.tokens)[len(data.train) :]
        nats = float(-np.log(p).mean())
        return {"bits": nats / np.log(2), "loss": nats}

    def probabilities(self, learnt: np.ndarray, text: np.ndarray, tokens: int) -> np.ndarray:
        """p of every character of `text` (N,) behind those before it in `text`; at its beginning
        the context is shorter."""
        found = np.full(len(text), 1 / tokens)
        for length in range(self.order + 1):
            if length >= len(text) or length >= len(learnt):
                break
            known, context = _grams(learnt, length, tokens), _grams(text, length, tokens)
            behind, after = known * tokens + learnt[length:], context * tokens + text[length:]
            places, counts = np.unique(behind, return_counts=True)
            heads, first, kinds = np.unique(
                places // tokens, return_index=True, return_counts=True
            )  # places are sorted, so those of one context lie together
            sums = np.add.reduceat(counts, first)
            n, d = _looked_up(heads, sums, context), _looked_up(heads, kinds, context)
            both = _looked_up(places, counts, after)
            seen = n > 0
            lower = found[length:]
            lower[seen] = (both + d * lower)[seen] / (n + d)[seen]
        return found


def _grams(text: np.ndarray, length: int, tokens: int) -> np.ndarray:
    """One number for the `length` characters before each place from `length` on."""
    found = np.zeros(len(text) - length, np.int64)
    for k in range(length):
        found = found * tokens + text[k : len(text) - length + k]
    return found


def _looked_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The values of sorted keys; 0 where a key is missing."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)


def xz(training: Any, part: str) -> dict[str, float]:
    """The bytes by which a file that `xz -9e` makes of the training part grows when the held-out
    part stands behind it, in bits for each held-out character."""
    data = training.text
    both = [data.decoded(ids).encode() for ids in (data.train, data.test)]
    sizes = [
        len(lzma.compress(t, preset=9 | lzma.PRESET_EXTREME)) for t in (both[0], b"".join(both))
    ]
    bits = 8 * (sizes[1] - sizes[0]) / len(data.test)
    return {"bits": bits, "loss": bits * float(np.log(2))}
