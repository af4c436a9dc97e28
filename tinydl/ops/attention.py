"""Attention: weighted averages of values, weights being a softmax of scores. One fused operation in
tiles (csrc/attention.c), whose memory grows with the length and not with its square; beside it the
composition of products and softmax that it replaces, which has the weights as a result and gives
second derivatives.

A mask is bool and True where a query may attend to a key (PyTorch's scaled_dot_product_attention;
the masks of its MultiheadAttention are the opposite), or float and added to the scores, -inf where
a query may not. A query that may attend to nothing gets the weights 0 and so the result 0, with a
gradient of 0 (PyTorch: so since 2.5, NaN before).

What a query may not attend to does not reach it, be it NaN: the fused kernel leaves out every such
pair. The composition multiplies whole rows, and 0 * NaN is NaN: it replaces by 0 the keys that no
query may attend to, and such queries, before any product. (There a NaN in a key that some queries
may attend to, as under causality, reaches the others' results through their weight 0.)
"""

from __future__ import annotations

from math import inf, prod, sqrt

import numpy as np

from ..arguments import flag, is_tensor, probability, sizes, tensor, whole
from ..doors import door, generator
from ..errors import DTypeError, ShapeError
from ..function import Function, composed_gradients, is_recording
from ..geometry import broadcast_shape
from ..random import default_generator
from .broadcast import broadcast_to
from .compare import greater, logical_and
from .elementwise import where
from .matmul import matmul
from .operands import _constant, _require_float
from .random import Dropout
from .reduce import any
from .shape import expand_dims, reshape, transpose
from .softmax import softmax
from .special import masked_fill

#: From heads beside positions, as the kernels have them, to heads before them, and back.
TURN = (0, 2, 1, 3)


class Attention(Function):
    """q (N, L, H, E), k (N, S, G, E), v (N, S, G, V) -> (N, L, H, V): heads beside positions, or
    before them, (N, H, L, E) and so on, if `turned`."""

    name = "attention"
    saves: tuple[int, ...] = (0, 1, 2)
    saves_output = True

    def __init__(self, first, scale, stream, turned=False):
        self.first, self.scale, self.stream = first, scale, stream  # stream: key, offset, rate
        self.turned = turned

    def _turn(self, *arrays):
        return [self.backend.transpose(x, TURN) for x in arrays] if self.turned else arrays

    def forward(self, q, k, v, mask=None):
        y, self.logs = self.backend.attention(*self._turn(q, k, v), *self._options(mask))
        return self._turn(y)[0]

    def _options(self, mask):
        bias = mask if mask is not None and mask.dtype.kind == "f" else None
        return (mask if bias is None else None, bias, self.first, self.scale, *self.stream)

    def flops(self, arrays, y):
        return self._pairs(arrays[0], arrays[1]) * (2 * (arrays[0].shape[3] + y.shape[3]) + 4)

    def _pairs(self, q, k):
        """How many weights there are, of those that causality leaves."""
        N, L, H, _ = [q.shape[axis] for axis in TURN] if self.turned else q.shape
        S = k.shape[2 if self.turned else 1]
        if self.first is None:
            return N * H * L * S
        return N * H * int(np.clip(np.arange(L) + self.first + 1, 0, S).sum())

    def backward_flops(self):
        q, k, v = self.saved[:3]
        return self._pairs(q, k) * (6 * q.shape[3] + 4 * v.shape[3] + 8)

    def backward(self, grad):
        if is_recording():
            return composed_gradients(self.composition, self.saved, grad)
        q, k, v, *mask = [t.data for t in self.saved]
        given, y, *heads = self._turn(grad.data, self.output(grad).data, q, k, v)
        options = self._options(mask[0] if mask else None)
        found = self.backend.attention_grad(given, y, self.logs, *heads, *options)
        found = [grad._new(g, self.backend) for g in self._turn(*found)]
        return (*found, *[None] * len(mask))

    def composition(self, q, k, v, mask=None):
        q, k, v = [transpose(x, TURN) for x in (q, k, v)] if self.turned else (q, k, v)
        y = attention_composed(q, k, v, mask, self.first, self.scale, self.stream)
        return transpose(y, TURN) if self.turned else y

    def release(self):
        super().release()
        self.logs = None


class MaskedAttention(Attention):
    """The same with a mask (N, H, L, S), bool, or float and added to the scores."""

    saves = (0, 1, 2, 3)


@door
def causal_mask(like, queries, keys, first=0):
    """bool (queries, keys), True where key <= query + first: a position sees itself and the past.

    On the backend of `like`. `first` is the place of the first query among the keys: 0, the first
    key (PyTorch's upper-left corner), or as many keys as stand in a cache before it.
    """
    shape = sizes("causal_mask", (queries, keys))
    tensor("causal_mask", "like", like)
    diagonal = whole("causal_mask", "first", first, 0)
    allowed = np.tri(shape[0], shape[1], diagonal, dtype=np.bool_)
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


def joint_mask(query, key, mask, causal, first=0):
    """`mask` and causality as one mask of query (..., L, E) and key (..., S, E), or None."""
    if not causal:
        return mask
    past = causal_mask(query, query.shape[-2], key.shape[-2], first)
    return past if mask is None else logical_and(mask, past)


def seen_and_added(mask):
    """A mask as what may be seen, bool, and what is added to the scores; None for what it has not.

    float: -inf is not seen, and 0 is added there."""
    if mask is None or mask.dtype.kind != "f":
        return mask, None
    seen = greater(mask, _constant(mask, -inf))
    return seen, masked_fill(mask, ~seen, 0.0)


def without_absent(mask, query, *keys):
    """query (..., L, E) and keys (..., S, E), 0 where a query may attend to nothing and where
    nothing may attend to a key. mask: bool, broadcasting to (..., L, S)."""
    mask = reshape(mask, (1,) * (2 - mask.ndim) + mask.shape) if mask.ndim < 2 else mask
    looks, is_seen = [expand_dims(any(mask, axis), -1) for axis in (-1, -2)]
    return (
        where(looks, query, _constant(query, 0)),
        *[where(is_seen, x, _constant(x, 0)) for x in keys],
    )


def _checked_scores(query, key, mask):
    """The shape (..., L, S) of the scores; ShapeError and DTypeError for what does not fit."""
    _require_float("attention", query, key)
    if query.ndim < 2 or key.ndim < 2 or query.shape[-1] != key.shape[-1]:
        raise ShapeError(
            "attention: query must be (..., L, E) and key (..., S, E), got "
            f"{query.shape} and {key.shape}"
        )
    _check_kind(query, mask)
    batch = broadcast_shape("attention", query.shape[:-2], key.shape[:-2])
    return (*batch, query.shape[-2], key.shape[-2])


def _check_kind(query, mask):
    if mask is None:
        return
    tensor("attention", "mask", mask)
    if mask.dtype.kind != "b" and mask.dtype != query.dtype:
        raise DTypeError(
            "attention: mask must be bool, True where one may attend, or added to the scores, in "
            f"their type {query.dtype}; got {mask.dtype}"
        )


def _check_mask(mask, scores):
    if mask is not None and broadcast_shape("attention", scores, mask.shape) != scores:
        raise ShapeError(f"attention: mask {mask.shape} does not broadcast to scores {scores}")


def _present(mask, causal, query, *keys):
    """(joint mask, what is added, query, *keys), nothing absent among them."""
    scores = _checked_scores(query, keys[0], mask)
    L, S = scores[-2:]
    seen, added = seen_and_added(mask)
    joint = joint_mask(query, keys[0], seen, causal)
    if joint is None or (mask is None and S <= L):
        return joint, added, query, *keys  # causality alone leaves something to everybody
    _check_mask(joint, scores)
    return joint, added, *without_absent(joint, query, *keys)


@door
def attention_weights(query, key, mask=None, causal=False, scale=None):
    """softmax over the S keys of scale * query @ key^T, 0 where mask or causality forbid.

    query (..., L, E), key (..., S, E), mask bool or float (added) broadcasting to (..., L, S) or
    None -> weights (..., L, S), rows summing to 1, or to 0 where nothing is allowed. scale None is
    1 / sqrt(E). Raises ShapeError and DTypeError. Vaswani et al. 2017 (arXiv:1706.03762), eq. 1.
    """
    mask, added, query, key = _present(mask, causal, query, key)
    return present_weights(query, key, mask, scale, added)


def _scale(query, scale):
    return 1 / sqrt(max(query.shape[-1], 1)) if scale is None else float(scale)


def present_weights(query, key, mask=None, scale=None, added=None):
    """`attention_weights` where nothing absent is left among query and key; mask bool."""
    axes = (*range(key.ndim - 2), key.ndim - 1, key.ndim - 2)
    # [L x E] @ [E x S]; the smaller operand is scaled, not the L x S scores
    scores = matmul(query * _constant(query, _scale(query, scale)), transpose(key, axes))
    return masked_softmax(scores if added is None else scores + added, mask)


def attention_composed(q, k, v, mask, first, scale, stream):
    """`attend` as operations, which hold the weights (N, H, L, S). stream: key, offset and rate of
    the dropout."""
    (N, L, H, E), (_, S, G, V) = q.shape, v.shape
    q = reshape(transpose(q, (0, 2, 1, 3)), (N, G, H // G, L, E))
    k, v = [expand_dims(transpose(x, (0, 2, 1, 3)), 2) for x in (k, v)]
    seen, added = seen_and_added(None if mask is None else reshape(mask, (N, G, H // G, L, S)))
    seen = joint_mask(q, k, seen, first is not None, first or 0)
    if seen is not None:
        q, k, v = without_absent(seen, q, k, v)
    weights = present_weights(q, k, seen, scale, added)
    if stream[2]:
        weights = Dropout(*stream).apply(weights)
    y = matmul(weights, v)  # [L x S] @ [S x V]
    return transpose(reshape(y, (N, H, L, V)), (0, 2, 1, 3))


def attend(q, k, v, mask=None, first=None, scale=None, rate=0.0, rng=None):
    """Attention with heads beside positions, as projections write them: q (N, L, H, E), k
    (N, S, G, E), v (N, S, G, V) -> (N, L, H, V), head h of the queries looking at h // (H / G).

    mask (N, H, L, S), bool or float, or None; first: query i sees the keys 0 ... i + first, None:
    all. Nothing is checked. With a float mask that requires a gradient it is the composition, as
    that gradient has the size of the map.
    """
    (N, L, H, _), S = q.shape, k.shape[1]
    key, offset = (rng or default_generator()).take(N * H * L * S) if rate else (0, 0)
    options = first, _scale(q, scale), (key, offset, rate)
    if mask is None:
        return Attention(*options).apply(q, k, v)
    if mask.requires_grad:
        return attention_composed(q, k, v, mask, *options)
    return MaskedAttention(*options).apply(q, k, v, mask)


def _beside_positions(x, outer, heads):
    """x (..., steps, size) repeated to (*outer, *heads) -> (N, steps, H, size)."""
    steps, size = x.shape[-2:]
    x = broadcast_to(x, (*outer, *heads, steps, size))
    if not heads or heads[0] == 1:
        return reshape(x, (prod(outer), steps, 1, size))
    return transpose(reshape(x, (prod(outer), *heads, steps, size)), (0, 2, 1, 3))


def _usual(query, key, value):
    """Whether these are (N, H, L, E), (N, H, S, E), (N, H, S, V) of one float type."""
    if not (is_tensor(query) and is_tensor(key) and is_tensor(value)):
        return False
    q, k, v = query.data, key.data, value.data
    a, b, c = q.shape, k.shape, v.shape
    return (
        len(a) == len(b) == len(c) == 4
        and a[:2] == b[:2] == c[:2]
        and a[3] == b[3]
        and b[2] == c[2]
        and q.dtype == k.dtype == v.dtype
        and q.dtype.kind == "f"
    )


def _batches(query, key, value, grouped):
    """(outer, heads, shared): the batch axes of the query, cut before those of its heads, and the
    heads of key and value; empty for a query without an axis of heads."""
    batches = [x.shape[:-2] for x in (query, key, value)]
    if not grouped:
        batch = broadcast_shape("attention", *batches)
        if len(batch) < 2:
            return batch, (), ()
        alone = all(b[-1:] in ((), (1,)) for b in batches[1:])  # one head that all queries share
        return batch[:-1], batch[-1:], (1,) if alone else batch[-1:]
    heads, keys, values = [b[-1:] for b in batches]
    if not heads or not keys or keys != values or (keys[0] == 0 or heads[0] % keys[0]):
        raise ShapeError(
            "attention: grouped heads are query (..., H, L, E), key and value (..., G, S, ...), G "
            f"dividing H, got {query.shape}, {key.shape} and {value.shape}"
        )
    return broadcast_shape("attention", *[b[:-1] for b in batches]), heads, keys


@door
def scaled_dot_product_attention(
    query, key, value, mask=None, causal=False, scale=None, dropout=0.0, grouped=False, rng=None
):
    """attention_weights(query, key, mask, causal, scale) @ value, without the weights in memory.

    query (..., L, E), key (..., S, E), value (..., S, V) -> (..., L, V); leading axes broadcast,
    and a query whose keys are all masked gets zeros. mask bool, or float and added to the scores,
    broadcasting to (..., L, S); of other floats than -inf, a gradient goes to it. dropout: each
    weight is 0 with this probability, else divided by 1 - dropout (give 0 in evaluation). grouped:
    with heads (..., H, L, E), (..., G, S, E), each G-th part of the query's heads shares one of
    key and value (Ainslie et al. 2023, arXiv:2305.13245). Raises ShapeError, DTypeError and
    ConfigError. Vaswani et al. 2017 (arXiv:1706.03762); in tiles: Dao et al. 2022
    (arXiv:2205.14135).
    """
    plain = mask is None and grouped is False and type(dropout) is float and dropout == 0
    if plain and (causal is True or causal is False) and _usual(query, key, value):
        scale = _scale(query, scale)
        return Attention(0 if causal else None, scale, (0, 0, 0.0), True).apply(query, key, value)
    _require_float("attention", query, key, value)
    if value.ndim < 2 or key.ndim < 2 or value.shape[-2] != key.shape[-2]:
        raise ShapeError(
            f"attention: value must be (..., S, V) with S of key, got {value.shape} and {key.shape}"
        )
    grouped = flag("attention", "grouped", grouped)
    if grouped:
        _check_kind(query, mask)
    else:
        _checked_scores(query, key, mask)
    rate = dropout if type(dropout) is float else probability("attention", "dropout", dropout)
    rate = rate if 0 <= rate <= 1 else probability("attention", "dropout", rate)
    causal = flag("attention", "causal", causal)
    if rng is not None:
        generator("attention", "rng", rng)
    if not query.dtype == key.dtype == value.dtype:
        raise DTypeError(
            "attention: query, key and value need one float type, got "
            f"{query.dtype}, {key.dtype} and {value.dtype}; convert with .astype"
        )
    outer, heads, shared = _batches(query, key, value, grouped)
    q = _beside_positions(query, outer, heads)
    k, v = [_beside_positions(x, outer, shared) for x in (key, value)]
    (N, L, H, _), S = q.shape, k.shape[1]
    scores = (*outer, *heads, L, S)
    if mask is not None:
        _check_mask(mask, scores)
        mask = reshape(broadcast_to(mask, scores), (N, H, L, S))
    y = attend(q, k, v, mask, 0 if causal else None, scale, rate, rng)
    return reshape(transpose(y, (0, 2, 1, 3)), (*scores[:-1], value.shape[-1]))
