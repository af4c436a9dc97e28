"""Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as
easy as 1, 2, 3").

Block i of a stream is a pure function of (key, offset + i): four 32-bit words, equal on every
backend.
Element e of a float32 or bool draw uses word e % 4 of block e // 4; of a float64 draw, words 2(e %
2) and
2(e % 2) + 1 of block e // 2. `key` and `offset` are integers below 2^64.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array

MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
MASK = np.uint64(0xFFFFFFFF)


def philox(key: int, offset: int, blocks: int) -> np.ndarray:
    """Blocks offset ... offset + blocks - 1 of the stream `key` as uint32 (blocks, 4)."""
    counter = np.uint64(offset) + np.arange(blocks, dtype=np.uint64)
    c0, c1 = counter & MASK, counter >> np.uint64(32)
    c2, c3 = np.zeros_like(c0), np.zeros_like(c0)
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(ROUNDS):
        p0, p1 = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2  # 32 x 32 -> 64 bits: high and low words
        c0, c1, c2, c3 = (
            (p1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0),
            p1 & MASK,
            (p0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1),
            p0 & MASK,
        )
        k0, k1 = (k0 + WEYL[0]) & 0xFFFFFFFF, (k1 + WEYL[1]) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def blocks_needed(elements: int, dtype: np.dtype) -> int:
    """How far a draw of `elements` values advances the stream."""
    per_block = 2 if np.dtype(dtype) == np.float64 else 4
    return -(-elements // per_block)


def bernoulli_threshold(probability: float) -> int:
    """word >> 8 < threshold holds with this probability (in steps of 2^-24)."""
    return round(probability * 2**24)


def _unit(words: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Words (blocks, 4) -> uniforms in [0, 1), flat: 24 bits for float32, 53 bits for float64."""
    if np.dtype(dtype) == np.float64:
        high, low = words[:, 0::2].ravel() >> 5, words[:, 1::2].ravel() >> 6
        return (high * 2.0**26 + low) * 2.0**-53
    return (words.ravel() >> 8).astype(np.float32) * np.float32(2**-24)


class Random:
    def uniform(self, key: int, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        """Uniform on [0, 1)."""
        n = int(np.prod(shape))
        words = philox(key, offset, blocks_needed(n, dtype))
        return _unit(words, dtype)[:n].reshape(shape)

    def normal(self, key: int, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        """Standard normal by Box and Muller (1958): from uniforms u1, u2 the pair
        sqrt(-2 log(1 - u1)) * (cos 2 pi u2, sin 2 pi u2) at elements 2i and 2i + 1."""
        n = int(np.prod(shape))
        u = _unit(philox(key, offset, blocks_needed(n, dtype)), dtype)
        u1, u2 = u[0::2], u[1::2]
        radius = np.sqrt(-2 * np.log(1 - u1))
        angle = u.dtype.type(2 * np.pi) * u2
        pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return pairs.ravel()[:n].astype(dtype).reshape(shape)

    def bernoulli(self, key: int, offset: int, probability: float, shape: tuple[int, ...]) -> Array:
        """bool: True with `probability`; the same for every dtype and backend."""
        n = int(np.prod(shape))
        words = philox(key, offset, blocks_needed(n, np.dtype(np.float32))).ravel()[:n]
        return ((words >> 8) < bernoulli_threshold(probability)).reshape(shape)

    def dropout(self, x: Array, key: int, offset: int, rate: float) -> Array:
        """x * keep / (1 - rate) with keep = bernoulli(1 - rate): "inverted" dropout, expectation x.

        It is linear and its own adjoint, so the backward pass calls it again with the same key and
        offset.
        """
        keep = self.bernoulli(key, offset, 1 - rate, x.shape)
        return np.where(keep, x * x.dtype.type(1 / (1 - rate)), x.dtype.type(0))
