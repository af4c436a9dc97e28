"""Scaled dot-product attention, with ONNX's masks, caches, windows and heads."""

from __future__ import annotations

import numpy as np

from ... import ops
from ...errors import ConfigError
from ...tensor import Tensor
from .table import DTYPES, converted, element_type, row


def attention(node, q, k, v, mask=None, past_k=None, past_v=None, valid=None):
    """softmax(q k^T scale + bias) v, (B, H, T, D); what is not allowed gets no weight, and a query
    that may look nowhere gives 0.

    q (B, H, T, D), k, v (B, G, S, D), or (B, T, H D) with the numbers of heads as attributes; each
    of G heads of k and v serves H / G of q. The past stands in front of k and v. mask: bool, true
    where one may look, or numbers that are added; shorter ones are continued by what forbids.
    valid (B,): how many keys of each sample are none of the padding. Vaswani et al. 2017
    (arXiv:1706.03762), section 3.2; ONNX, Attention, opsets 23 to 25.
    """
    flat = q.ndim == 3
    if flat:
        of_keys = node.get("kv_num_heads")
        q = _heads(q, node.get("q_num_heads"))
        k, v = _heads(k, of_keys), _heads(v, of_keys)
    before = 0 if past_k is None else past_k.shape[2]
    k = k if past_k is None else ops.concat((past_k, k), axis=2)
    v = v if past_v is None else ops.concat((past_v, v), axis=2)
    H, T, D = q.shape[1:]
    G, S = k.shape[1:3]
    if H % G:
        raise ConfigError(f"Attention: {H} heads of q are no multiple of {G} of k and v")
    root = float(node.get("scale", 1 / np.sqrt(D))) ** 0.5
    keys, values = (x if G == H else ops.repeat(x, repeats=H // G, axis=1) for x in (k, v))
    raw = (q * root) @ (ops.transpose(keys, (0, 1, 3, 2)) * root)
    cap = float(node.get("softcap", 0.0))
    capped = ops.tanh(raw / cap) * cap if cap > 0 else raw
    start = before if valid is None else np.asarray(valid).reshape(-1) - T
    allowed = Tensor(_places(node, T, S, start, valid), backend=q.backend)
    scores = capped
    if mask is not None:
        may, bias = _mask(mask, S)
        allowed = ops.logical_and(allowed, may)
        scores = scores if bias is None else scores + bias
    shares = _shares(node, scores, allowed)
    y = shares @ values
    if flat:
        y = ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (y.shape[0], T, H * y.shape[3]))
    if not any(map(node.wants, (1, 2, 3))):
        return y
    forbidden = Tensor(np.array(-np.inf, scores.dtype), backend=q.backend)
    told = (raw, capped, None, shares)[node.get("qk_matmul_output_mode", 0)]
    return y, k, v, ops.where(allowed, scores, forbidden) if told is None else told


def _heads(x, count):
    """(B, T, H D) -> (B, H, T, D)"""
    B, T, width = x.shape
    if not count or width % count:
        raise ConfigError(f"Attention: {width} numbers do not make {count} heads")
    return ops.transpose(ops.reshape(x, (B, T, count, width // count)), (0, 2, 1, 3))


def _places(node, T, S, start, valid):
    """Where queries may look by their places, bool (B or 1, 1, T, S): the first of them stands
    behind `start` keys."""
    ahead = np.arange(S) - (np.arange(T)[:, None] + np.reshape(start, (-1, 1, 1, 1)))
    allowed = np.ones(ahead.shape, bool)
    left, right = node.get("left_window_size", -1), node.get("right_window_size", -1)
    if node.get("is_causal", 0):
        allowed &= ahead <= 0
    if left >= 0:
        allowed &= ahead >= -left
    if right >= 0:
        allowed &= ahead <= right
    if valid is not None:
        allowed = allowed & (np.arange(S) < np.reshape(valid, (-1, 1, 1, 1)))
    return allowed


def _mask(mask, S):
    """(where one may look, what is added or None), both as wide as there are keys."""
    missing = S - mask.shape[-1]
    least = np.array(False if mask.dtype.kind == "b" else -np.inf, mask.dtype)
    if missing > 0:
        rest = np.broadcast_to(least, (*mask.shape[:-1], missing))
        mask = ops.concat((mask, Tensor(rest.copy(), backend=mask.backend)), axis=-1)
    if mask.dtype.kind == "b":
        return mask, None
    may = ops.greater(mask, Tensor(least, backend=mask.backend))
    return may, ops.where(may, mask, Tensor(np.zeros((), mask.dtype), backend=mask.backend))


def _shares(node, scores, allowed):
    """The softmax over what is allowed, (B, H, T, S); all 0 where nothing is."""
    code = node.get("softmax_precision", None)
    wide = scores if code is None else converted(scores, element_type("Attention", code))
    lowest = Tensor(np.array(np.finfo(wide.dtype).min), backend=wide.backend)
    nothing = Tensor(np.zeros((), wide.dtype), backend=wide.backend)
    shares = ops.softmax(ops.where(allowed, wide, lowest), -1)
    return converted(ops.where(allowed, shares, nothing), scores.dtype)


def refuses_precision(node):
    code = node.get("softmax_precision", None)
    return None if code is None or DTYPES.get(code, "").startswith("float") else "softmax_precision"


OPERATORS = {"Attention": row(attention, host=(6,), refuses=refuses_precision)}
