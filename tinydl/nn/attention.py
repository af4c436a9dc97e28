"""Attention layers, from Bahdanau's to Vaswani's, and positions as sines; see tinydl/ops/attention.

All of them take query (N, L, ...), key (N, S, ...) and value (N, S, ...), and masks that are bool
and True where a query may look: PyTorch's `key_padding_mask` is the opposite of `key_mask`.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .. import ops
from ..doors import checked
from ..errors import ConfigError, DTypeError, ShapeError
from ..ops.attention import attend, joint_mask, present_weights, without_absent
from ..random import Generator
from ..tensor import Tensor
from .dropout import check_rate
from .linear import Linear, check_size
from .module import Module


def _check_sequence(op: str, name: str, x: Tensor, features: int) -> None:
    if x.ndim != 3 or x.shape[-1] != features:
        raise ShapeError(f"{op}: {name} must be (N, steps, {features}), got {x.shape}")


def _joint_mask(
    op: str, mask: Tensor | None, key_mask: Tensor | None, N: int, L: int, S: int
) -> Tensor | None:
    """mask (L, S) or (N, L, S) and key_mask (N, S) as one that broadcasts to (N, L, S)."""
    for name, given, shapes in (
        ("mask", mask, ((L, S), (N, L, S))),
        ("key_mask", key_mask, ((N, S),)),
    ):
        if given is not None and given.dtype != np.bool_:
            raise DTypeError(
                f"{op}: {name} must be bool, True where one may attend, got {given.dtype}"
            )
        if given is not None and given.shape not in shapes:
            wanted = " or ".join(map(str, shapes))
            raise ShapeError(f"{op}: {name} must be {wanted}, got {given.shape}")
    if key_mask is None:
        return mask
    keys = key_mask.reshape(N, 1, S)
    return keys if mask is None else ops.logical_and(keys, mask)


class Attention(Module):
    """What attention with one head shares: weights = softmax(scores), context = weights @ value.

    query (N, L, query_size), key (N, S, key_size), value (N, S, V) or None (the keys), mask bool
    (L, S) or (N, L, S), key_mask bool (N, S) -> (N, L, V), and with return_weights also the weights
    (N, L, S): the attention map. A query that may look nowhere gets zeros. Raises ShapeError and
    DTypeError. A subclass writes `scores`.
    """

    query_size: int
    key_size: int

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """How well each query fits each key: (N, L, S)."""
        raise NotImplementedError(f"{type(self).__name__} has no scores")

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor | None = None,
        mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        return_weights: bool = False,
    ) -> Any:
        name = type(self).__name__
        _check_sequence(name, "query", query, self.query_size)
        _check_sequence(name, "key", key, self.key_size)
        value = key if value is None else value
        if value.ndim != 3 or value.shape[:2] != key.shape[:2] or query.shape[0] != key.shape[0]:
            raise ShapeError(
                f"{name}: query (N, L, ...), key and value (N, S, ...) do not fit: {query.shape}, "
                f"{key.shape} and {value.shape}"
            )
        N, L, S = query.shape[0], query.shape[1], key.shape[1]
        mask = _joint_mask(name, mask, key_mask, N, L, S)
        if mask is not None:  # before any product
            query, key, value = without_absent(mask, query, key, value)
        weights = ops.masked_softmax(self.scores(query, key), mask)
        context = ops.matmul(weights, value)  # [L x S] @ [S x V]
        return (context, weights) if return_weights else context

    def arguments(self) -> str:
        return f"{self.query_size}, {self.key_size}"


class AdditiveAttention(Attention):
    """score(q, k) = v . tanh(q W + k U): a small network looks at query and key together.

    W is `query.weight` (query_size, hidden_size), U `key.weight` (key_size, hidden_size), v
    `score.weight` (hidden_size, 1); none has a bias. Bahdanau, Cho and Bengio 2015
    (arXiv:1409.0473), appendix A.1.2. Raises ConfigError for sizes below 1.
    """

    @checked
    def __init__(
        self, query_size: int, key_size: int, hidden_size: int, *, rng: Generator | None = None
    ) -> None:
        self.query_size, self.key_size, self.hidden_size = query_size, key_size, hidden_size
        self.query = Linear(query_size, hidden_size, bias=False, rng=rng)
        self.key = Linear(key_size, hidden_size, bias=False, rng=rng)
        self.score = Linear(hidden_size, 1, bias=False, rng=rng)

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        rows = ops.expand_dims(self.query(query), 2)  # (N, L, 1, hidden)
        columns = ops.expand_dims(self.key(key), 1)  # (N, 1, S, hidden)
        return ops.squeeze(self.score(ops.tanh(rows + columns)), 3)

    def arguments(self) -> str:
        return f"{super().arguments()}, {self.hidden_size}"


class DotAttention(Attention):
    """score(q, k) = q . k, without parameters and without a scale. Luong, Pham and Manning 2015
    (arXiv:1508.04025), equation 8, "dot". Raises ConfigError for a size below 1."""

    @checked
    def __init__(self, size: int) -> None:
        check_size("DotAttention", size=size)
        self.query_size = self.key_size = size

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        return ops.matmul(query, key.transpose((0, 2, 1)))  # [L x E] @ [E x S]

    def arguments(self) -> str:
        return f"{self.query_size}"


class GeneralAttention(Attention):
    """score(q, k) = q W k: the dot product after the query was turned into the keys' space.

    W is `weight.weight` (query_size, key_size). Luong, Pham and Manning 2015 (arXiv:1508.04025),
    equation 8, "general". Raises ConfigError for sizes below 1.
    """

    @checked
    def __init__(self, query_size: int, key_size: int, *, rng: Generator | None = None) -> None:
        self.query_size, self.key_size = query_size, key_size
        self.weight = Linear(query_size, key_size, bias=False, rng=rng)

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        return ops.matmul(self.weight(query), key.transpose((0, 2, 1)))


class KeyValueCache:
    """Keys and values of the positions that were seen, (N, steps, heads, size), of one attention:
    what comes next is then one query at a time. `steps` counts them. For generation: nothing that
    is kept has a gradient."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    @property
    def steps(self) -> int:
        return 0 if self.keys is None else self.keys.shape[1]

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Those so far, then these; ShapeError if they do not fit."""
        if self.keys is not None and self.values is not None:
            keys = ops.concat([self.keys, keys.detach()], 1)
            values = ops.concat([self.values, values.detach()], 1)
        self.keys, self.values = keys.detach(), values.detach()
        return keys, values


class MultiHeadAttention(Module):
    """Heads that each attend in their own projection of size features / heads, side by side:

    output = concat_h(softmax(q_h k_h^T / sqrt(features / heads)) v_h) W_o + b_o.

    query (N, L, features); key (N, S, key_size), value (N, S, value_size): None for the query (self
    attention) and for the key. mask bool (L, S) or (N, L, S), key_mask bool (N, S), causal: a query
    sees keys up to its own place. -> (N, L, features), and with return_weights also the maps
    (N, heads, L, S), as they were before dropout. A query that may look nowhere gets the bias of
    the output (PyTorch: NaN, if it returns weights). `dropout` acts on the weights, in training.

    query, key, value and output are Linear layers. kv_heads: so many heads of keys and values,
    which the others share (Ainslie et al. 2023, arXiv:2305.13245). positions: a module that turns
    queries and keys (N, T, heads, size) by their place, such as RotaryPositions. cache: a
    KeyValueCache, which the call extends; its keys come first, and causal counts them (neither mask
    nor return_weights goes with it). Without return_weights the maps are never in memory. Vaswani
    et al. 2017 (arXiv:1706.03762), section 3.2.2. Raises ConfigError; the call ShapeError and
    DTypeError.
    """

    @checked
    def __init__(
        self,
        features: int,
        heads: int,
        *,
        key_size: int | None = None,
        value_size: int | None = None,
        dropout: float = 0.0,
        bias: bool = True,
        kv_heads: int | None = None,
        positions: Module | None = None,
        rng: Generator | None = None,
    ) -> None:
        check_size("MultiHeadAttention", features=features, heads=heads)
        kv_heads = heads if kv_heads is None else kv_heads
        if kv_heads < 1 or heads % kv_heads:
            raise ConfigError(
                f"MultiHeadAttention: kv_heads must divide heads, got {kv_heads} and {heads}"
            )
        if features % heads:
            raise ConfigError(
                f"MultiHeadAttention: heads must divide features, got {heads} and {features}"
            )
        check_rate("MultiHeadAttention", "dropout", dropout)
        self.features, self.heads, self.dropout, self.rng = features, heads, dropout, rng
        self.kv_heads, self.positions = kv_heads, positions
        shared = features // heads * kv_heads
        self.query = Linear(features, features, bias, rng=rng)
        self.key = Linear(features if key_size is None else key_size, shared, bias, rng=rng)
        self.value = Linear(features if value_size is None else value_size, shared, bias, rng=rng)
        self.output = Linear(features, features, bias, rng=rng)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        causal: bool = False,
        return_weights: bool = False,
        cache: KeyValueCache | None = None,
    ) -> Any:
        key = query if key is None else key
        value = key if value is None else value
        if cache is not None and not (mask is None is key_mask and not return_weights):
            raise ConfigError(
                "MultiHeadAttention: a cache goes with neither mask, key_mask nor return_weights"
            )
        self._check(query, key, value)
        N, L, S = query.shape[0], query.shape[1], key.shape[1]
        mask = _joint_mask("MultiHeadAttention", mask, key_mask, N, L, S)
        rate = self.dropout if self.training else 0.0
        if mask is not None or (causal and S > L):  # somebody may be absent: before any product
            mask = joint_mask(query, key, mask, causal)
            query, key, value = without_absent(mask, query, key, value)
            mask = ops.expand_dims(mask, 1) if mask.ndim == 3 else mask  # the same for every head
        q, k, v = self._projected(query, key, value)
        past = 0 if cache is None else cache.steps
        if self.positions is not None:
            q, k = self.positions(q, past), self.positions(k, past)
        if cache is not None:
            k, v = cache.extend(k, v)
        if return_weights:
            heads, weights = self._composed(q, k, v, mask, causal, rate)
        else:
            first = past if causal and mask is None else None
            seen = None if mask is None else ops.broadcast_to(mask, (N, self.heads, L, S))
            heads = attend(q, k, v, seen, first, None, rate, self.rng)
        y = self.output(heads.reshape(N, L, self.features))
        return (y, weights) if return_weights else y

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        _check_sequence("MultiHeadAttention", "query", query, self.features)
        _check_sequence("MultiHeadAttention", "key", key, self.key.in_features)
        _check_sequence("MultiHeadAttention", "value", value, self.value.in_features)
        if key.shape[0] != query.shape[0] or value.shape[:2] != key.shape[:2]:
            raise ShapeError(
                f"MultiHeadAttention: query (N, L, ...), key and value (N, S, ...) do not fit: "
                f"{query.shape}, {key.shape} and {value.shape}"
            )

    def _projected(self, *inputs: Tensor) -> list[Tensor]:
        """Query, key and value as (N, steps, heads, features / heads)."""
        size = self.features // self.heads
        layers = (self.query, self.key, self.value)
        heads = (self.heads, self.kv_heads, self.kv_heads)
        return [
            layer(x).reshape(x.shape[0], x.shape[1], n, size)
            for layer, x, n in zip(layers, inputs, heads, strict=True)
        ]

    def _composed(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool, rate: float
    ) -> tuple[Tensor, Tensor]:
        """(heads (N, L, heads, features / heads), weights), by operations that hold the weights."""
        q, k, v = [x.transpose((0, 2, 1, 3)) for x in (q, k, v)]
        if self.kv_heads < self.heads:  # each as often as it is shared
            (N, G, S, E), times = k.shape, self.heads // self.kv_heads
            wide = (N, G, times, S, E)
            k, v = [
                ops.broadcast_to(x.expand_dims(2), wide).reshape(N, self.heads, S, E)
                for x in (k, v)
            ]
        if mask is None:
            weights = ops.attention_weights(q, k, None, causal)
        else:
            weights = present_weights(q, k, mask)
        kept = ops.dropout(weights, rate, True, self.rng)
        heads = ops.matmul(kept, v)  # [L x S] @ [S x features / heads]
        return heads.transpose((0, 2, 1, 3)), weights

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        """Of scores and averages in self attention; the projections count themselves."""
        return 2 * prod(x_shape) * x_shape[1]

    def arguments(self) -> str:
        return f"{self.features}, {self.heads}" + (
            f", dropout={self.dropout:g}" if self.dropout else ""
        )


@checked
def sinusoidal_positions(length: int, features: int) -> np.ndarray:
    """float64 (length, features): sin(t / 10000^(2i / features)) in column 2i, cos in 2i + 1.

    Vaswani et al. 2017 (arXiv:1706.03762), section 3.5. Raises ConfigError for sizes below 1.
    """
    check_size("sinusoidal_positions", length=length, features=features)
    column = np.arange(features)
    angles = np.arange(length)[:, None] / 10000.0 ** (column // 2 * 2 / features)
    return np.where(column % 2 == 0, np.sin(angles), np.cos(angles))


class PositionalEncoding(Module):
    """x plus `sinusoidal_positions`: attention itself does not know the order of its keys.

    x (N, T, features) float, any T -> like x. No parameters. Raises ConfigError for a size below 1;
    the call ShapeError and DTypeError.
    """

    @checked
    def __init__(self, features: int) -> None:
        check_size("PositionalEncoding", features=features)
        self.features = features

    def forward(self, x: Tensor) -> Tensor:
        _check_sequence("PositionalEncoding", "x", x, self.features)
        if x.dtype.kind != "f":
            raise DTypeError(f"PositionalEncoding: x must be a float tensor, got {x.dtype}")
        table = sinusoidal_positions(max(x.shape[1], 1), self.features)[: x.shape[1]]
        return x + Tensor(table.astype(x.dtype), backend=x.backend)

    def arguments(self) -> str:
        return f"{self.features}"
