"""Attention: weighted averages of values, weights being a softmax of scores, composed from products
and softmax.

A mask is bool and True where a query may attend to a key (PyTorch's scaled_dot_product_attention;
the masks of its MultiheadAttention are the opposite). A query that may attend to nothing gets the
weights 0 and so the result 0, with a gradient of 0 (PyTorch: so since 2.5, NaN before).

A key that no query may attend to is absent, and so is such a query: both are replaced by 0 before
anything is multiplied, because 0 * NaN is NaN and what pads a sequence may be anything. (A NaN in a
key that some queries may attend to, as under causality, reaches the others' results through their
weight 0: to part them would take a second product.)
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from ..arguments import sizes, tensor
from ..doors import door
from ..errors import DTypeError, ShapeError
from ..geometry import broadcast_shape
from .compare import logical_and
from .elementwise import where
from .matmul import matmul
from .operands import _constant, _require_float
from .reduce import any
from .shape import expand_dims, reshape, transpose
from .softmax import softmax
from .special import masked_fill


@door
def causal_mask(like, queries, keys):
    """bool (queries, keys), True where key <= query: a position sees itself and what came before.

    On the backend of `like`. With more keys than queries the first query stands at the first key
    (PyTorch's upper-left corner).
    """
    shape = sizes("causal_mask", (queries, keys))
    tensor("causal_mask", "like", like)
    allowed = np.tri(*shape, dtype=np.bool_)
    return like._new(like.backend.asarray(allowed), like.backend)


@door
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


def joint_mask(query, key, mask, causal):
    """`mask` and causality as one mask of query (..., L, E) and key (..., S, E), or None."""
    if not causal:
        return mask
    past = causal_mask(query, query.shape[-2], key.shape[-2])
    return past if mask is None else logical_and(mask, past)


def without_absent(mask, query, *keys):
    """query (..., L, E) and keys (..., S, E), 0 where a query may attend to nothing and where
    nothing may attend to a key. mask: bool, broadcasting to (..., L, S)."""
    mask = reshape(mask, (1,) * (2 - mask.ndim) + mask.shape) if mask.ndim < 2 else mask
    looks, is_seen = [expand_dims(any(mask, axis), -1) for axis in (-1, -2)]
    return (
        where(looks, query, _constant(query, 0)),
        *[where(is_seen, x, _constant(x, 0)) for x in keys],
    )


def _present(mask, causal, query, *keys):
    """(joint mask, query, *keys), nothing absent among them."""
    _require_float("attention", query, *keys)
    key = keys[0]
    if query.ndim < 2 or key.ndim < 2 or query.shape[-1] != key.shape[-1]:
        raise ShapeError(
            "attention: query must be (..., L, E) and key (..., S, E), got "
            f"{query.shape} and {key.shape}"
        )
    L, S = query.shape[-2], key.shape[-2]
    joint = joint_mask(query, key, mask, causal)
    if joint is None or joint.dtype != np.bool_ or (mask is None and S <= L):
        return joint, query, *keys  # causality alone leaves something to everybody
    scores = (*broadcast_shape("attention", query.shape[:-2], key.shape[:-2]), L, S)
    if broadcast_shape("attention", scores, joint.shape) != scores:
        raise ShapeError(f"attention: mask {joint.shape} does not broadcast to scores {scores}")
    return joint, *without_absent(joint, query, *keys)


@door
def attention_weights(query, key, mask=None, causal=False, scale=None):
    """softmax over the S keys of scale * query @ key^T, 0 where mask or causality forbid.

    query (..., L, E), key (..., S, E), mask bool broadcasting to (..., L, S) or None -> weights
    (..., L, S), rows summing to 1, or to 0 where nothing is allowed. scale None is 1 / sqrt(E).
    Raises ShapeError and DTypeError. Vaswani et al. 2017 (arXiv:1706.03762), equation 1.
    """
    mask, query, key = _present(mask, causal, query, key)
    return present_weights(query, key, mask, scale)


def present_weights(query, key, mask=None, scale=None):
    """`attention_weights` where nothing absent is left among query and key."""
    scale = 1 / sqrt(max(query.shape[-1], 1)) if scale is None else float(scale)
    axes = (*range(key.ndim - 2), key.ndim - 1, key.ndim - 2)
    # [L x E] @ [E x S]; the smaller operand is scaled, not the L x S scores
    scores = matmul(query * _constant(query, scale), transpose(key, axes))
    return masked_softmax(scores, mask)


@door
def scaled_dot_product_attention(query, key, value, mask=None, causal=False, scale=None):
    """attention_weights(query, key, mask, causal, scale) @ value.

    query (..., L, E), key (..., S, E), value (..., S, V) -> (..., L, V); a query whose keys are all
    masked gets zeros. Raises ShapeError and DTypeError. Vaswani et al. 2017 (arXiv:1706.03762).
    """
    _require_float("attention", query, key, value)
    if value.ndim < 2 or key.ndim < 2 or value.shape[-2] != key.shape[-2]:
        raise ShapeError(
            f"attention: value must be (..., S, V) with S of key, got {value.shape} and {key.shape}"
        )
    mask, query, key, value = _present(mask, causal, query, key, value)
    return matmul(present_weights(query, key, mask, scale), value)  # [L x S] @ [S x V]
