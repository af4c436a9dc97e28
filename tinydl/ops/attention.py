"""Attention: weighted averages of values, weights being a softmax of scores, composed from products
and softmax.

A mask is bool and True where a query may attend to a key (PyTorch's scaled_dot_product_attention;
the masks of its MultiheadAttention are the opposite). A query that may attend to nothing gets the
weights 0 and so the result 0, with a gradient of 0 (PyTorch: so since 2.5, NaN before).
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from ..errors import DTypeError, ShapeError
from ..geometry import broadcast_shape
from .elementwise import _constant, _require_float
from .matmul import matmul
from .shape import transpose
from .softmax import softmax
from .special import logical_and, masked_fill


def causal_mask(like, queries, keys):
    """bool (queries, keys), True where key <= query: a position sees itself and what came before.

    On the backend of `like`. With more keys than queries the first query stands at the first key
    (PyTorch's upper-left corner).
    """
    allowed = np.tri(queries, keys, dtype=np.bool_)
    return like._new(like.backend.asarray(allowed), like.backend)


def masked_softmax(x, mask=None):
    """softmax over the last axis among the places where `mask` holds; the others get 0.

    x (..., S) float; mask bool, broadcasting to x's shape, or None (all hold). A row without any
    such place is 0 everywhere and has no gradient. Raises ShapeError and DTypeError.
    """
    if mask is None:
        return softmax(x)
    if mask.dtype != np.bool_:
        raise DTypeError(
            f"masked_softmax: mask must be bool, True where one may attend, got {mask.dtype}; "
            "add other masks to the scores"
        )
    if broadcast_shape("masked_softmax", x.shape, mask.shape) != x.shape:
        raise ShapeError(f"masked_softmax: mask {mask.shape} does not broadcast to x {x.shape}")
    # The lowest finite number, not -inf: a row of it is uniform instead of 0 / 0, and then cleared.
    blocked = ~mask
    lowest = float(np.finfo(x.dtype).min) if x.dtype.kind == "f" else 0.0
    return masked_fill(softmax(masked_fill(x, blocked, lowest)), blocked, 0.0)


def attention_weights(query, key, mask=None, causal=False, scale=None):
    """softmax over the S keys of scale * query @ key^T, 0 where mask or causality forbid.

    query (..., L, E), key (..., S, E), mask bool broadcasting to (..., L, S) or None -> weights
    (..., L, S), rows summing to 1, or to 0 where nothing is allowed. scale None is 1 / sqrt(E).
    Raises ShapeError and DTypeError. Vaswani et al. 2017 (arXiv:1706.03762), equation 1.
    """
    _require_float("attention", query, key)
    if query.ndim < 2 or key.ndim < 2 or query.shape[-1] != key.shape[-1]:
        raise ShapeError(
            "attention: query must be (..., L, E) and key (..., S, E), got "
            f"{query.shape} and {key.shape}"
        )
    scale = 1 / sqrt(max(query.shape[-1], 1)) if scale is None else float(scale)
    axes = (*range(key.ndim - 2), key.ndim - 1, key.ndim - 2)
    # [L x E] @ [E x S]; the smaller operand is scaled, not the L x S scores
    scores = matmul(query * _constant(query, scale), transpose(key, *axes))
    if causal:
        past = causal_mask(query, query.shape[-2], key.shape[-2])
        mask = past if mask is None else logical_and(mask, past)
    return masked_softmax(scores, mask)


def scaled_dot_product_attention(query, key, value, mask=None, causal=False, scale=None):
    """attention_weights(query, key, mask, causal, scale) @ value.

    query (..., L, E), key (..., S, E), value (..., S, V) -> (..., L, V); a query whose keys are all
    masked gets zeros. Raises ShapeError and DTypeError. Vaswani et al. 2017 (arXiv:1706.03762).
    """
    if value.ndim < 2 or value.shape[-2] != key.shape[-2]:
        raise ShapeError(
            f"attention: value must be (..., S, V) with S of key, got {value.shape} and {key.shape}"
        )
    weights = attention_weights(query, key, mask, causal, scale)
    return matmul(weights, value)  # [L x S] @ [S x V]
