"""Sums, means, extrema and norms along axes."""

from __future__ import annotations

import numpy as np

from ... import ops
from .arrange import axes_of
from .table import RAW, Image, axis_in, axis_of_image, beside, converted, on_float, row


def reduced(function):
    """function(x, axes, keepdims) under ONNX's rules for axes, on images as they lie."""

    def along(node, x, axes=None):
        ndim, keep = len(x.shape), bool(node.get("keepdims", 1))
        axes = axes_of(node, axes, [])
        if not axes:
            if node.get("noop_with_empty_axes", 0):
                plain = x.plain() if isinstance(x, Image) else x
                return function(ops.reshape(plain, (*plain.shape, 1)), (ndim,), False)
            axes = list(range(ndim))
        axes = sorted({axis_in(node.kind, a, ndim) for a in axes})
        if not isinstance(x, Image):
            return function(x, tuple(axes), keep)
        found = function(x.last, tuple(axis_of_image(a, ndim) for a in axes), keep)
        if keep:
            return Image(found)
        left = [i for i in (0, *range(2, ndim), 1) if i not in axes]
        return ops.transpose(found, tuple(np.argsort(left).tolist())) if left else found

    return along


def _sum(x, axes, keep):
    return converted(ops.sum(x, axes, keep), x.dtype)


def _mean(x, axes, keep):
    return on_float(lambda x: ops.mean(x, axes, keep), x)


def _extreme(function, integer_start, float_start):
    """Of an empty axis the neutral element."""

    def along(x, axes, keep):
        if x.dtype.kind == "b":
            found = along(ops.astype(x, np.int32), axes, keep)
            return ops.greater(found, beside(found, 0))
        if any(x.shape[a] == 0 for a in axes):
            start = float_start if x.dtype.kind == "f" else integer_start(np.iinfo(x.dtype))
            shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
            shape = shape if keep else [n for i, n in enumerate(x.shape) if i not in axes]
            return beside(x, np.full(shape, start, x.dtype))
        return function(x, axes, keep)

    return along


def _prod(x, axes, keep):
    return converted(ops.prod(x, axes, keep), x.dtype)


def _l2(x, axes, keep):
    return on_float(lambda x: ops.sqrt(ops.sum(x * x, axes, keep)), x)


def _log_sum_exp(x, axes, keep):
    if any(x.shape[a] == 0 for a in axes):
        return ops.log(_sum(x, axes, keep))
    return on_float(lambda x: ops.logsumexp(x, axes, keep), x)


OPERATORS = {
    f"Reduce{name}": row(reduced(function), RAW, host=(1,))
    for name, function in {
        "Sum": _sum,
        "Mean": _mean,
        "Max": _extreme(ops.max, lambda t: t.min, -np.inf),
        "Min": _extreme(ops.min, lambda t: t.max, np.inf),
        "Prod": _prod,
        "L1": lambda x, axes, keep: _sum(ops.abs(x), axes, keep),
        "L2": _l2,
        "SumSquare": lambda x, axes, keep: _sum(x * x, axes, keep),
        "LogSum": lambda x, axes, keep: on_float(lambda x: ops.log(ops.sum(x, axes, keep)), x),
        "LogSumExp": _log_sum_exp,
    }.items()
}
