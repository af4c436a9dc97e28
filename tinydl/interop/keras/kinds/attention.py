"""MultiHeadAttention, Attention and AdditiveAttention.

Keras's heads have a size of their own, which need not be a part of the features. A mask says True
where a query may look; a query that may look nowhere sees everything alike, as in Keras.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from .... import nn, ops
from ....errors import ShapeError
from ....nn import Module, Parameter
from ....tensor import Tensor
from .table import Given, Kind, Slot, Unit, fitting, not_one_of, put, real, whole

PROJECTIONS = ("query", "key", "value")
FAR = 1e9  # taken off a score where a query may not look


def weights_of(scores: Tensor, mask: Tensor | None) -> Tensor:
    """softmax over the last axis, of what the mask leaves."""
    if mask is not None:
        scores = ops.where(mask, scores, scores * 0.0 - FAR)
    return ops.softmax(scores, axis=-1)


class HeadAttention(Module):
    """Heads of `size` numbers each: output(concat_h(softmax(q_h k_h^T / sqrt(size)) v_h)).

    query (N, L, D), value and key (N, S, ...); mask bool, broadcasting to (N, 1, L, S). query, key,
    value and output are Linear layers whose columns are the heads side by side."""

    def __init__(self, layers: dict[str, nn.Linear], heads: int, dropout: float) -> None:
        self.query, self.key = layers["query"], layers["key"]
        self.value, self.output = layers["value"], layers["output"]
        self.heads, self.dropout = heads, dropout

    def _split(self, x: Tensor) -> Tensor:
        N, steps, width = x.shape
        apart = ops.reshape(x, (N, steps, self.heads, width // self.heads))
        return ops.transpose(apart, (0, 2, 1, 3))

    def forward(
        self, query: Tensor, value: Tensor, key: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The output (N, L, ...) and the weights (N, heads, L, S)."""
        if query.ndim != 3 or value.ndim != 3:
            raise ShapeError(f"attention needs (N, T, D), got {query.shape} and {value.shape}")
        q = self._split(self.query(query))
        k = self._split(self.key(value if key is None else key))
        v = self._split(self.value(value))
        scores = ops.matmul(q, ops.swapaxes(k, 2, 3)) * q.shape[-1] ** -0.5
        weights = ops.dropout(weights_of(scores, mask), self.dropout, self.training, None)
        heads = ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3))
        return self.output(ops.reshape(heads, (*heads.shape[:2], -1))), weights

    def arguments(self) -> str:
        return f"heads={self.heads}"


def _linear(layer, arrays, name, kernel, bias_shape):
    """A Linear of a kernel with two axes; its bias is that of all heads."""
    rows, columns = kernel.shape
    module = nn.Linear(rows, columns, f"{name}/bias" in arrays, weight_init="zeros")
    put(module.weight, kernel)
    if module.bias is not None:
        put(module.bias, fitting(layer, arrays, f"{name}/bias", *bias_shape).reshape(-1))
    return module


def _heads(layer, arrays, maker):
    heads, size = whole(layer, "num_heads"), whole(layer, "key_dim")
    sizes = {"query": size, "key": size, "value": whole(layer, "value_dim", default=size)}
    layers = {}
    for name in PROJECTIONS:
        kernel = fitting(layer, arrays, f"{name}/kernel", None, heads, sizes[name])
        kernel = kernel.reshape(kernel.shape[0], -1)
        layers[name] = _linear(layer, arrays, name, kernel, (heads, sizes[name]))
    kernel = fitting(layer, arrays, "output/kernel", heads, sizes["value"], None)
    width = kernel.shape[2]
    layers["output"] = _linear(layer, arrays, "output", kernel.reshape(-1, width), (width,))
    module = HeadAttention(layers, heads, real(layer, "dropout", 0.0))
    return Unit([("", module)], looked_up)


def _slots(layer):
    found = []
    for name in (*PROJECTIONS, "output"):
        found.append(Slot(f"{name}/kernel", 0, f"{name}_dense"))
        if layer.get("use_bias", True):
            found.append(Slot(f"{name}/bias", 1, f"{name}_dense"))
    return found


def looked_up(modules, given: Given):
    """query, value and perhaps key, by place or by name."""
    tensors, masks = _named(given, ("query", "value", "key"))
    query, value, key = tensors
    if query is None or value is None:
        raise ShapeError("attention needs a query and a value")
    mask = _whole_mask(given, query, value, masks)
    y, weights = modules[0](query, value, key, mask)
    if given.kwargs.get("return_attention_scores"):
        return [y, weights], [masks[0], None]
    return [y], [masks[0]]


def _named(given: Given, names: tuple[str, ...]):
    """Tensors and their masks under the names of Keras's arguments."""
    tensors: list[Tensor | None] = list(given.tensors)
    masks = list(given.masks)
    found = [given.kwargs.get(n) for n in names[len(tensors) :]]
    tensors += [t if isinstance(t, Tensor) else None for t in found]
    masks += [given.named_masks.get(n) for n in names[len(masks) :]]
    return tensors[: len(names)], masks[: len(names)]


def _whole_mask(given: Given, query: Tensor, value: Tensor, masks) -> Tensor | None:
    """Where every query may look, (N, 1, L, S) or what broadcasts to it; None for everywhere."""
    parts = []
    asked = given.kwargs.get("attention_mask")
    if isinstance(asked, Tensor):
        asked = asked if asked.dtype.kind == "b" else asked != 0
        parts.append(ops.expand_dims(asked, 1) if asked.ndim == 3 else asked)
    for mask, axis in zip(masks, (3, 2, 2), strict=True):
        if mask is not None:  # (N, T) as (N, 1, L, 1) or (N, 1, 1, S)
            parts.append(ops.expand_dims(ops.expand_dims(mask, 1), axis))
    if given.kwargs.get("use_causal_mask"):
        parts.append(_causal(query, value))
    if not parts:
        return None
    found = parts[0]
    for part in parts[1:]:
        found = ops.logical_and(found, part)
    return found


def _causal(query: Tensor, value: Tensor) -> Tensor:
    L, S = query.shape[1], value.shape[1]
    return Tensor(np.tril(np.ones((1, 1, L, S), bool)), backend=query.backend)


# -- one head --------------------------------------------------------------------------------------


class ScoredAttention(Module):
    """softmax(score(query, key)) value, with the score q . k, or sum tanh(q + k) (`additive`),
    times a trained scale."""

    def __init__(self, additive: bool, scale: np.ndarray | None, dropout: float) -> None:
        self.additive, self.dropout = additive, dropout
        self.scale = None if scale is None else Parameter(scale)

    def forward(
        self, query: Tensor, value: Tensor, key: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        if self.additive:
            joint = ops.tanh(ops.expand_dims(query, 2) + ops.expand_dims(key, 1))
            scores = ops.sum(joint if self.scale is None else self.scale * joint, axis=-1)
        else:
            scores = ops.matmul(query, ops.swapaxes(key, 1, 2))
            scores = scores if self.scale is None else scores * self.scale
        weights = ops.dropout(weights_of(scores, mask), self.dropout, self.training, None)
        return ops.matmul(weights, value), weights


def _scored(layer, arrays, maker, additive):
    module = ScoredAttention(additive, arrays.get("scale"), real(layer, "dropout", 0.0))
    return Unit([("", module)], partial(scored, hands_on=maker.version < 3))


def scored(modules, given: Given, hands_on: bool):
    """[query, value] or [query, value, key]; what a masked query finds is 0.

    hands_on: Keras 2 takes the masks of the tensors; Keras 3, in a model, those that are named."""
    tensors, masks = given.tensors, given.masks
    named = given.kwargs.get("mask")
    if not hands_on:
        masks = named if isinstance(named, list) else [None] * len(tensors)
    if not 2 <= len(tensors) <= 3:
        raise ShapeError(f"attention takes two or three tensors, got {len(tensors)}")
    query, value, key = tensors[0], tensors[1], tensors[-1]
    mask = None if masks[1] is None else ops.expand_dims(masks[1], 1)
    if given.kwargs.get("use_causal_mask"):
        causal = ops.squeeze(_causal(query, value), 1)
        mask = causal if mask is None else ops.logical_and(mask, causal)
    y, weights = modules[0](query, value, key, mask)
    if masks[0] is not None:
        y = y * ops.astype(ops.expand_dims(masks[0], -1), y.dtype)
    if given.kwargs.get("return_attention_scores"):
        return [y, weights], [masks[0], None]
    return [y], [masks[0]]


def _no_heads(layer):
    for key, allowed in (("use_gate", False), ("attention_axes", [1]), ("sliding_window", 0)):
        if reason := not_one_of(key, allowed, (1,))(layer):
            return reason
    return None


def _scale_slot(layer):
    wanted = layer.get("use_scale", layer.kind == "AdditiveAttention")
    return [Slot("scale", 0)] if wanted else []


KINDS = {
    "MultiHeadAttention": Kind(_heads, _slots, _no_heads),
    "Attention": Kind(
        partial(_scored, additive=False), _scale_slot, not_one_of("score_mode", "dot")
    ),
    "AdditiveAttention": Kind(partial(_scored, additive=True), _scale_slot),
}
