"""Matrix products."""

from __future__ import annotations

import numpy as np

from ... import ops
from ...errors import ShapeError
from .table import converted, row


def matmul(node, a, b):
    """NumPy's rules. A matrix that is the same for all rows of a takes them as one matrix."""
    if a.dtype.kind != "f":
        wide = (converted(a, np.float64), converted(b, np.float64))
        return converted(matmul(node, *wide), a.dtype)
    if a.ndim == 1 and b.ndim == 1:
        return ops.sum(a * b)
    if a.ndim == 1:
        return ops.squeeze(matmul(node, ops.expand_dims(a, 0), b), -2)
    if b.ndim == 1:
        return ops.squeeze(matmul(node, a, ops.expand_dims(b, 1)), -1)
    if b.ndim == 2 and a.ndim > 2:
        if a.shape[-1] != b.shape[0]:
            raise ShapeError(f"MatMul: {a.shape} times {b.shape}")
        flat = ops.matmul(ops.reshape(a, (-1, a.shape[-1])), b)
        return ops.reshape(flat, (*a.shape[:-1], b.shape[1]))
    return ops.matmul(a, b)


def gemm(node, a, b, c=None):
    """alpha a' b' + beta c, with a and b perhaps transposed."""
    if a.dtype.kind != "f":
        wide = [converted(t, np.float64) for t in (a, b, c) if t is not None]
        return converted(gemm(node, *wide), a.dtype)
    a = ops.transpose(a) if node.get("transA", 0) else a
    b = ops.transpose(b) if node.get("transB", 0) else b
    alpha, beta = float(node.get("alpha", 1.0)), float(node.get("beta", 1.0))
    if c is not None and alpha == beta == 1 and c.shape == b.shape[1:]:
        return ops.linear(a, b, c)
    y = ops.matmul(a, b)
    y = y if alpha == 1 else y * alpha
    if c is None or beta == 0:
        return y
    return y + (c if beta == 1 else c * beta)


def einsum(node, *operands):
    equation = node.get("equation").replace(" ", "")
    if "->" not in equation:  # the letters that come once, in the order of the alphabet
        letters = sorted(set(equation) - {","})
        equation += "->" + "".join(c for c in letters if equation.count(c) == 1)
    return ops.einsum(equation, *operands)


def refuses_einsum(node):
    terms = node.get("equation", "").replace(" ", "").split("->")[0].split(",")
    if any("." in term for term in terms):
        return "an ellipsis"
    return "a diagonal" if any(len(set(t)) < len(t) for t in terms) else None


OPERATORS = {
    "MatMul": row(matmul, weights=(0, 1)),
    "Gemm": row(gemm, weights=(1, 2)),
    "Einsum": row(einsum, weights=(0, 1), refuses=refuses_einsum),
}
