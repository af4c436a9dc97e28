"""Which engine runs: function.py itself, or its compiled twin (csrc/_function.pyx).

TINYDL_ENGINE=python, or a tree whose modules are not built, leaves function.py in force. The three
questions here spare an operation its checks, and their error messages, in the usual case.
"""

from __future__ import annotations

import os
from typing import Any

from .errors import REBUILD

compiled: Any = None
if os.environ.get("TINYDL_ENGINE") != "python":
    try:
        from . import _function as compiled
    except ImportError:  # not built; backend "cpu" says so when it is asked for
        compiled = None


def alike(a: Any, b: Any) -> bool:
    """Whether a and b are surely tensors of one type, and of one shape or one a constant number."""
    try:
        x, y = a.data, b.data
        return x.dtype is y.dtype and (
            x.shape == y.shape or _is_constant(a, x) or _is_constant(b, y)
        )
    except AttributeError:
        return False


def _is_constant(t: Any, array: Any) -> bool:
    """A number that needs no gradient: kernels take it beside any shape."""
    return array.shape == () and not t._requires_grad


def is_float(t: Any) -> bool:
    """Whether t is surely a tensor of float32 or float64."""
    try:
        return t.data.dtype.kind == "f"
    except AttributeError:
        return False


def fit(a: Any, b: Any, bias: Any = None) -> bool:
    """Whether a (M, K), b (K, N) and bias (N,) or None are surely tensors of one float type."""
    try:
        x, y = a.data, b.data
        if len(x.shape) != 2 or len(y.shape) != 2 or x.shape[1] != y.shape[0]:
            return False
        if bias is not None and (bias.data.shape != y.shape[1:] or bias.data.dtype is not y.dtype):
            return False
        return x.dtype is y.dtype and x.dtype.kind == "f"
    except AttributeError:
        return False


readable = (alike, is_float, fit)
if compiled is not None:
    try:
        alike, is_float, fit = compiled.alike, compiled.is_float, compiled.fit
    except AttributeError as error:
        raise ImportError(f"{error}; {REBUILD}") from error
