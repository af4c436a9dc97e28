"""Reading and writing by index, and what finds indices: Gather, Scatter, TopK, ArgMax."""

from __future__ import annotations

from math import prod

import numpy as np

from ... import ops
from ...errors import ShapeError
from ...tensor import Tensor
from .table import axis_in, beside, converted, integers, row, scalar


def from_the_end(indices, size):
    """Negative indices count from the end."""
    if not isinstance(indices, Tensor):
        return np.where(indices < 0, indices + size, indices)
    if indices.dtype != np.int64:
        indices = converted(indices, np.int64)
    return ops.where(ops.less(indices, beside(indices, 0)), indices + size, indices)


def gather(node, x, indices):
    axis = axis_in("Gather", node.get("axis", 0), x.ndim)
    return ops.take(x, from_the_end(indices, x.shape[axis]), axis)


def array_feature_extractor(node, x, indices):
    """Columns of x, as scikit-learn's exporter reads the names of the classes."""
    found = ops.take(x, integers(indices), x.ndim - 1)
    return found if x.ndim > 1 else ops.reshape(found, (1, -1))


def gather_elements(node, x, indices):
    axis = axis_in("GatherElements", node.get("axis", 0), x.ndim)
    indices = from_the_end(indices, x.shape[axis])
    for i in range(x.ndim):  # the other axes of indices may be shorter
        if i != axis and indices.shape[i] < x.shape[i]:
            x = x[(slice(None),) * i + (slice(0, indices.shape[i]),)]
    return ops.take_along_axis(x, indices, axis)


def _flat(indices, shape):
    """Tuples along the last axis of indices as positions in a flattened array of `shape`."""
    depth, place = indices.shape[-1], None
    for i in range(depth):
        step = prod(shape[i + 1 : depth])
        part = from_the_end(indices[..., i], shape[i]) * step
        place = part if place is None else place + part
    return place


def gather_nd(node, x, indices):
    """x at tuples of indices; the first batch_dims axes go along with those of indices."""
    b = node.get("batch_dims", 0)
    depth = indices.shape[-1]
    if b + depth > x.ndim:
        raise ShapeError(f"GatherND: indices {indices.shape} for x {x.shape}, batch_dims {b}")
    places = _flat(indices, x.shape[b:])
    block = prod(x.shape[b : b + depth])
    if b:
        lead = np.arange(prod(x.shape[:b])).reshape(*x.shape[:b], *[1] * (places.ndim - b))
        places = places + beside(places, lead * block)
    rows = ops.reshape(x, (prod(x.shape[: b + depth]), *x.shape[b + depth :]))
    return ops.take(rows, places, 0)


def _combined(node, x, places, updates):
    """x (rows, ...) with updates at the rows `places`, by the attribute `reduction`."""
    how = node.get("reduction", "none")
    if how in ("mul", "max", "min"):  # one after the other, on the host
        work = {"mul": np.multiply, "max": np.maximum, "min": np.minimum}[how]
        found = x.numpy().copy()
        work.at(found, places.numpy(), updates.numpy())
        return Tensor(found, backend=x.backend)
    wide = x.dtype if x.dtype.kind == "f" else np.dtype(np.int64)
    added = ops.scatter_add(converted(updates, wide), places, x.shape[0])
    if how == "add":
        return converted(converted(x, wide) + added, x.dtype)
    hits = ops.scatter_add(converted(ops.equal(updates, updates), np.int64) * 0 + 1, places,
                           x.shape[0])  # fmt: skip
    return ops.where(ops.greater(hits, beside(hits, 0)), converted(added, x.dtype), x)


def scatter_nd(node, x, indices, updates):
    depth = indices.shape[-1]
    places = _flat(indices, x.shape)
    rows = ops.reshape(x, (prod(x.shape[:depth]), *x.shape[depth:]))
    flat = ops.reshape(places, (places.size,))
    parts = ops.reshape(updates, (places.size, *x.shape[depth:]))
    return ops.reshape(_combined(node, rows, flat, parts), x.shape)


def scatter_elements(node, x, indices, updates):
    axis = axis_in(node.kind, node.get("axis", 0), x.ndim)
    elsewhere = np.zeros(indices.shape, np.int64)  # the place that the other axes make up
    for i, ladder in enumerate(np.indices(indices.shape)):
        elsewhere += 0 if i == axis else ladder * prod(x.shape[i + 1 :])
    place = from_the_end(indices, x.shape[axis]) * prod(x.shape[axis + 1 :])
    place = place + beside(place, elsewhere)
    flat, new = ops.reshape(place, (place.size,)), ops.reshape(updates, (place.size,))
    return ops.reshape(_combined(node, ops.reshape(x, (x.size,)), flat, new), x.shape)


def extreme(function):
    """ArgMax and ArgMin: the first place, or the last with select_last_index."""

    def place(node, x):
        axis = axis_in(node.kind, node.get("axis", 0), x.ndim)
        keep = bool(node.get("keepdims", 1))
        if not node.get("select_last_index", 0):
            return converted(function(x, axis, keep), np.int64)
        found = converted(function(ops.flip(x, axis), axis, keep), np.int64)
        return beside(found, x.shape[axis] - 1) - found

    return place


def top_k(node, x, k=None):
    axis = axis_in("TopK", node.get("axis", -1), x.ndim)
    k = node.get("k") if k is None else int(scalar(k))
    values, places = ops.topk(x, k, axis, bool(node.get("largest", 1)))
    return values, places


def cumulative_sum(node, x, axis):
    """exclusive: without the element itself; reverse: from the end."""
    axis = axis_in("CumSum", int(scalar(axis)), x.ndim)
    total = converted(ops.cumsum(x, axis, bool(node.get("reverse", 0))), x.dtype)
    return total - x if node.get("exclusive", 0) else total


def cumulative_product(node, x, axis):
    axis = axis_in("CumProd", int(scalar(axis)), x.ndim)
    parts = ops.split(x, sections=(1,) * x.shape[axis], axis=axis)
    parts = parts[::-1] if node.get("reverse", 0) else parts
    total, found = beside(parts[0], np.ones(parts[0].shape)), []
    for part in parts:
        after = total * part
        found.append(total if node.get("exclusive", 0) else after)
        total = after
    return ops.concat(found[::-1] if node.get("reverse", 0) else found, axis)


def compress(node, x, condition):
    """The slices of x where the condition holds."""
    kept = np.flatnonzero(condition)
    if node.get("axis") is None:
        return ops.take(ops.reshape(x, (x.size,)), kept, 0)
    return ops.take(x, kept, axis_in("Compress", node.get("axis"), x.ndim))


OPERATORS = {
    "Gather": row(gather, either=(1,), weights=(0,)),
    "ai.onnx.ml.ArrayFeatureExtractor": row(array_feature_extractor, host=(1,)),
    "GatherElements": row(gather_elements),
    "GatherND": row(gather_nd),
    "ScatterND": row(scatter_nd),
    "ScatterElements": row(scatter_elements),
    "Scatter": row(scatter_elements),
    "ArgMax": row(extreme(ops.argmax)),
    "ArgMin": row(extreme(ops.argmin)),
    "TopK": row(top_k, host=(1,)),
    "CumSum": row(cumulative_sum, host=(1,)),
    "CumProd": row(cumulative_product, host=(1,)),
    "Compress": row(compress, host=(1,)),
}
