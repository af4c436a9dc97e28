"""New arrays: constants, ranges, one-hot rows, other element types."""

from __future__ import annotations

import numpy as np

from ... import ops
from ...errors import ConfigError
from .table import ANY, DTYPES, beside, bounded, converted, element_type, integers, row, scalar


def constant(node):
    """The value stands in one of several attributes."""
    for name, dtype in (("value_float", np.float32), ("value_int", np.int64)):
        if name in node.attributes:
            return np.array(node.get(name), dtype)
    for name, dtype in (("value_floats", np.float32), ("value_ints", np.int64)):
        if name in node.attributes:
            return np.array(node.get(name), dtype)
    if not isinstance(node.get("value"), np.ndarray):
        raise ConfigError(f"Constant: {node.name!r} has no dense numeric value")
    return node.get("value")


def constant_of_shape(node, shape):
    value = node.get("value", np.zeros(1, np.float32))
    return np.full(bounded(node, integers(shape)), value.reshape(-1)[0], value.dtype)


def ranged(node, start, limit, step):
    dtype = np.asarray(start).dtype
    start, limit, step = scalar(start), scalar(limit), scalar(step)
    if not step:
        raise ConfigError("Range: the step is 0")
    (count,) = bounded(node, [max(int(np.ceil((limit - start) / step)), 0)])
    return (start + np.arange(count) * step).astype(dtype)


def eye_like(node, x):
    rows, columns = x.shape
    found = np.eye(rows, columns, node.get("k", 0))
    kind = element_type("EyeLike", node.get("dtype")) if "dtype" in node.attributes else x.dtype
    return found.astype(kind)


def one_hot(node, indices, depth, values):
    """values = (off, on); a negative index counts from the end, one out of range gives no on."""
    n, axis = int(scalar(depth)), node.get("axis", -1)
    off, on = np.asarray(values)
    bounded(node, [*indices.shape, n])
    indices = ops.expand_dims(converted(indices, np.int64), axis)
    axis = axis % indices.ndim
    places = np.arange(n).reshape([n if i == axis else 1 for i in range(indices.ndim)])
    indices = ops.where(ops.less(indices, beside(indices, 0)), indices + n, indices)
    hit = ops.equal(indices, beside(indices, places))
    like = converted(hit, np.asarray(values).dtype)
    return ops.where(hit, beside(like, on), beside(like, off))


def cast(node, x):
    return _as_type(x, element_type("Cast", int(node.get("to"))))


def cast_like(node, x, like):
    return _as_type(x, like.dtype)


def _as_type(x, dtype):
    if dtype.kind == "b" and x.dtype.kind != "b":
        return ops.not_equal(x, beside(x, 0))
    return converted(x, dtype)


def refuses_cast(node):
    """Before opset 6 the type is a word."""
    to = node.get("to")
    if not isinstance(to, int) or to not in DTYPES:
        return f"to element type {to}"
    return None


def non_zero(node, x):
    """Positions (axes, count) of what is not 0."""
    return np.stack(np.nonzero(np.atleast_1d(x))).astype(np.int64)


def window(*terms):
    """sum_k (-1)^k terms[k] cos(2 pi k n / N) at n = 0 ... size - 1; N = size, or size - 1 where
    the window is not periodic. Harris 1978, doi:10.1109/PROC.1978.10837."""

    def made(node, size):
        (size,) = bounded(node, integers(size))
        around = size if node.get("periodic", 1) else max(size - 1, 1)
        turns = 2 * np.pi * np.arange(size) / around
        found = sum((-1) ** k * a * np.cos(k * turns) for k, a in enumerate(terms))
        return np.asarray(found).astype(element_type(node.kind, node.get("output_datatype", 1)))

    return made


OPERATORS = {
    "HannWindow": row(window(0.5, 0.5), host=(0,)),
    "HammingWindow": row(window(25 / 46, 21 / 46), host=(0,)),
    "BlackmanWindow": row(window(0.42, 0.5, 0.08), host=(0,)),
    "Constant": row(constant),
    "ConstantOfShape": row(constant_of_shape, host=(0,)),
    "Range": row(ranged, host=(0, 1, 2)),
    "EyeLike": row(eye_like),
    "OneHot": row(one_hot, host=(1, 2)),
    "Cast": row(cast, ANY, refuses=refuses_cast),
    "CastLike": row(cast_like, ANY),
    "NonZero": row(non_zero, host=(0,)),
}
