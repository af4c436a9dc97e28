"""Scaled dot-product attention in plain NumPy: over tiles of keys, so that no map of all weights
(L, S) is ever held. Dao et al. 2022 (arXiv 2205.14135).

Of each query stand the largest score m so far, the sum l of e^(score - m), and the sum of
e^(score - m) * value; a tile with a larger score multiplies both sums by e^(old m - new m). At the
end y = sum / l, and m + log l is all that backward needs to find any weight again:
e^(score - m - log l).

Heads lie beside their positions, (N, steps, heads, size), which is how a projection writes them. H
heads of queries share G of keys and values: head h looks at h // (H / G).

What a query does not see has the weight 0 and does not reach it, be it NaN: 0 * NaN would. A query
that sees nothing has the result 0.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array
from .random import bernoulli_threshold, philox

#: Keys of a tile.
KEYS = 64


class Attention:
    def attention(
        self,
        q: Array,
        k: Array,
        v: Array,
        mask: Array | None,
        bias: Array | None,
        first: int | None,
        scale: float,
        key: int,
        offset: int,
        rate: float,
    ) -> tuple[Array, Array]:
        """y (N, L, H, V) = softmax(scale * q k^T + bias) v, and logs (N, H, L), the logarithms of
        the sums of e^score; -inf for a query that sees nothing.

        q (N, L, H, E), k (N, S, G, E), v (N, S, G, V); mask bool (N, H, L, S), True where a query
        sees a key; bias float (N, H, L, S), -inf likewise hides; first: query i sees the keys
        0 ... i + first, None: all. With rate > 0 the weights are dropped as by
        `dropout(weights (N, H, L, S), key, offset, rate)`.
        """
        q, k, v = _by_heads(q, k, v)
        N, H, L, _ = q.shape
        m = np.full((N, H, L), -np.inf, q.dtype)
        total, sums = np.zeros_like(m), np.zeros((*m.shape, v.shape[3]), q.dtype)
        with np.errstate(all="ignore"):
            for tile in _tiles(k.shape[2]):
                scores = _scores(q, k, mask, bias, first, scale, tile)
                largest = np.fmax(m, np.fmax.reduce(scores, axis=-1))
                base = np.where(largest == -np.inf, 0, largest)  # nothing seen: -inf - 0
                weights = np.exp(scores - base[..., None])
                shrink = np.exp(m - base)
                total = total * shrink + weights.sum(-1)
                kept = weights * _factors(weights, L, k.shape[2], tile, key, offset, rate)
                sums = sums * shrink[..., None] + product(kept, v[:, :, tile])
                m = largest
            y = np.where(total == 0, 0, 1 / total)[..., None] * sums
            logs = np.where(total == 0, -np.inf, m + np.log(total))
        return np.ascontiguousarray(y.transpose(0, 2, 1, 3)), logs.astype(q.dtype)

    def attention_grad(
        self,
        grad: Array,
        y: Array,
        logs: Array,
        q: Array,
        k: Array,
        v: Array,
        mask: Array | None,
        bias: Array | None,
        first: int | None,
        scale: float,
        key: int,
        offset: int,
        rate: float,
    ) -> tuple[Array, Array, Array]:
        """Gradients of q, k and v, of their shapes, from grad and y (N, L, H, V) and logs.

        With P the weights and D_i = grad_i . y_i: grad_v = P^T grad, dS = P * (grad v^T - D),
        grad_q = scale * dS k, grad_k = scale * dS^T q; P in the first and grad v^T in the second
        dropped alike.
        """
        G = k.shape[2]
        q, k, v = _by_heads(q, k, v)
        grad = grad.transpose(0, 2, 1, 3)
        grad_q, grad_k, grad_v = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
        factor = q.dtype.type(scale)
        with np.errstate(all="ignore"):
            share = (grad * y.transpose(0, 2, 1, 3)).sum(-1)
            for tile in _tiles(k.shape[2]):
                scores = _scores(q, k, mask, bias, first, scale, tile)
                hidden = (scores == -np.inf) | (logs == -np.inf)[..., None]
                weights = np.where(hidden, 0, np.exp(scores - logs[..., None]))
                drop = _factors(weights, q.shape[2], k.shape[2], tile, key, offset, rate)
                slope = grad @ v[:, :, tile].swapaxes(2, 3)
                slope = np.where(drop == 0, 0, slope * drop) - share[..., None]
                ds = np.where(weights == 0, 0, weights * slope)
                dropped = np.where(drop == 0, 0, weights * drop)
                grad_v[:, :, tile] = product(dropped.swapaxes(2, 3), grad)
                grad_q += product(ds, k[:, :, tile]) * factor
                grad_k[:, :, tile] = product(ds.swapaxes(2, 3), q) * factor
        grads = grad_q, _shared(grad_k, G), _shared(grad_v, G)
        grad_q, grad_k, grad_v = [np.ascontiguousarray(x.transpose(0, 2, 1, 3)) for x in grads]
        return grad_q, grad_k, grad_v


def _by_heads(q: Array, k: Array, v: Array) -> tuple[Array, Array, Array]:
    """(N, H, steps, size) of all three: shared keys and values repeated."""
    q, k, v = [x.transpose(0, 2, 1, 3) for x in (q, k, v)]
    heads = q.shape[1] // max(k.shape[1], 1)
    return q, np.repeat(k, heads, axis=1), np.repeat(v, heads, axis=1)


def _shared(x: Array, groups: int) -> Array:
    """Gradients (N, H, ...) of repeated heads summed to (N, groups, ...)."""
    N, H = x.shape[:2]
    return x.reshape(N, groups, H // max(groups, 1), *x.shape[2:]).sum(axis=2)


def _tiles(steps: int) -> list[slice]:
    return [slice(start, min(start + KEYS, steps)) for start in range(0, steps, KEYS)]


def _scores(
    q: Array, k: Array, mask: Array | None, bias: Array | None, first: int | None, scale: float,
    tile: slice,
) -> Array:  # fmt: skip
    """scale * q k^T + bias (N, H, L, keys of the tile), -inf where a key is hidden."""
    scores = (q * q.dtype.type(scale)) @ k[:, :, tile].swapaxes(2, 3)
    seen = np.ones(scores.shape[2:], np.bool_)
    if first is not None:
        seen = np.arange(tile.start, tile.stop) <= np.arange(q.shape[2])[:, None] + first
    if mask is not None:
        seen = seen & mask[..., tile]
    if bias is not None:
        seen = seen & (bias[..., tile] != -np.inf)
        scores = scores + bias[..., tile]
    return np.where(seen, scores, q.dtype.type(-np.inf))


def _factors(
    weights: Array, L: int, S: int, tile: slice, key: int, offset: int, rate: float
) -> Array:
    """What dropout multiplies the tile's weights with: element e of the map (N, H, L, S) has word
    e % 4 of block e // 4, as in `Random.dropout`."""
    if rate == 0:
        return np.ones((), weights.dtype)
    N, H = weights.shape[:2]
    words = philox(key, offset, -(-N * H * L * S // 4)).ravel()[: N * H * L * S]
    keep = (words >> 8 < bernoulli_threshold(1 - rate)).reshape(N, H, L, S)
    return np.where(
        keep[..., tile],
        weights.dtype.type(1 / (1 - rate) if rate < 1 else 0),
        weights.dtype.type(0),
    )


def product(weights: Array, rows: Array) -> Array:
    """weights @ rows, in which a weight of 0 takes nothing of its row, be it NaN."""
    finite = np.isfinite(rows).all(axis=-1, keepdims=True)
    y = weights @ np.where(finite, rows, 0)
    for n, h, j in zip(*np.nonzero(~finite[..., 0]), strict=True):
        w = weights[n, h, :, j, None]
        y[n, h] += np.where(w == 0, 0, w * rows[n, h, j])
    return y
