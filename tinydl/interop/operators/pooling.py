"""Pooling, on images with the channels last."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from ... import ops
from .convolution import pads_of, spatial
from .table import LAST, beside, row


def windows(node, x):
    """(kernel, stride, dilation, pads, sizes of the result) of a pooling node."""
    places = x.shape[1:-1]
    count = len(places)
    kernel = spatial(node, "kernel_shape", count, 1)
    stride, dilation = spatial(node, "strides", count, 1), spatial(node, "dilations", count, 1)
    pads = pads_of(node, places, kernel, stride, dilation)
    sizes = []
    for n, k, s, d, (before, after) in zip(places, kernel, stride, dilation, pads, strict=True):
        room = n + before + after - d * (k - 1) - 1
        size = room // s + 1
        if node.get("ceil_mode", 0) and room % s and size * s < n + before:
            size += 1  # a last window that starts inside the image
        sizes.append(size)
    return kernel, stride, dilation, pads, sizes


def _by_kernels(x, kernel, dilation, pads):
    """Whether tinydl's pooling has such windows."""
    small = all(max(pair) < k for pair, k in zip(pads, kernel, strict=True))
    return len(kernel) == 2 and x.dtype.kind == "f" and set(dilation) == {1} and small


def _over_cells(combine, x, shape, fill):
    """combine(..., cell) over the cells of the window, each a strided view of the padded x."""
    kernel, stride, dilation, pads, sizes = shape
    wide = []
    for axis, (k, s, d, (before, _), o) in enumerate(
        zip(kernel, stride, dilation, pads, sizes, strict=True), 1
    ):
        span = (o - 1) * s + d * (k - 1) + 1
        wide.append((before, max(span - x.shape[axis] - before, 0)))
    padded = ops.pad(x, ((0, 0), *wide, (0, 0)), fill)
    found: Any = None
    for cell in product(*map(range, kernel)):
        key = [slice(None)]
        for c, o, s, d in zip(cell, sizes, stride, dilation, strict=True):
            key.append(slice(c * d, c * d + (o - 1) * s + 1, s))
        part = padded[tuple(key)]
        found = part if found is None else combine(found, part)
    return found


def max_pool(node, x):
    shape = windows(node, x)
    kernel, stride, dilation, pads, _ = shape
    if _by_kernels(x, kernel, dilation, pads):
        ceil = bool(node.get("ceil_mode", 0))
        return ops.max_pool2d(x, tuple(kernel), tuple(stride), tuple(pads), ceil)
    fill = -np.inf if x.dtype.kind == "f" else int(np.iinfo(x.dtype).min)
    return _over_cells(ops.maximum, x, shape, fill)


def average_pool(node, x):
    shape = windows(node, x)
    kernel, stride, dilation, pads, sizes = shape
    counted = bool(node.get("count_include_pad", 0))
    if _by_kernels(x, kernel, dilation, pads):
        ceil = bool(node.get("ceil_mode", 0))
        return ops.avg_pool2d(x, tuple(kernel), tuple(stride), tuple(pads), ceil, counted)
    total = _over_cells(ops.add, x, shape, 0.0)
    ones = beside(x, np.ones((1, *x.shape[1:-1], 1)))
    if counted:
        ones = ops.pad(ones, ((0, 0), *pads, (0, 0)), 1.0)
        shape = (kernel, stride, dilation, [(0, 0)] * len(pads), sizes)
    return total / ops.broadcast_to(_over_cells(ops.add, ones, shape, 0.0), total.shape)


def lp_pool(node, x):
    """(sum |x|^p)^(1/p) of each window."""
    p = float(node.get("p", 2))
    return _over_cells(ops.add, ops.abs(x) ** p, windows(node, x), 0.0) ** (1 / p)


def _places(x):
    return tuple(range(1, x.ndim - 1))


def global_average_pool(node, x):
    return ops.mean(x, _places(x), True)


def global_max_pool(node, x):
    return ops.max(x, _places(x), True)


def global_lp_pool(node, x):
    p = float(node.get("p", 2))
    return ops.sum(ops.abs(x) ** p, _places(x), True) ** (1 / p)


def refuses_places(node):
    return "its second output, Indices" if node.wants(1) else None


OPERATORS = {
    "MaxPool": row(max_pool, LAST, refuses=refuses_places),
    "AveragePool": row(average_pool, LAST),
    "LpPool": row(lp_pool, LAST),
    "GlobalAveragePool": row(global_average_pool, LAST),
    "GlobalMaxPool": row(global_max_pool, LAST),
    "GlobalLpPool": row(global_lp_pool, LAST),
}
