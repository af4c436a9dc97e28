"""The one comparison of floating-point results: |a - b| <= tol * max|b| over a whole tensor.

A tolerance per element has no floor where the element is near 0: its rounding error is that of the
numbers it was summed from, and those differ from one instruction level to the next.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def assert_close(got: Any, want: Any, tol: float, atol: float = 0.0) -> None:
    """Fails unless |got - want| <= tol * max|want| + atol everywhere, NaN and infinities standing
    in the same places. Shapes are equal, or `want` is one number for all.

    atol: an error that is allowed whatever the size, where the quantity has a unit (pixels)."""
    problem = difference(got, want, tol, atol)
    assert problem is None, problem


def is_close(got: Any, want: Any, tol: float, atol: float = 0.0) -> bool:
    """`assert_close` as a question, for what must differ."""
    return difference(got, want, tol, atol) is None


def difference(got: Any, want: Any, tol: float, atol: float = 0.0) -> str | None:
    """The worst element and what was allowed there; None where all are close."""
    got, want = (np.asarray(x.numpy() if hasattr(x, "_version") else x) for x in (got, want))
    if want.ndim and got.shape != want.shape:
        return f"shapes differ: got {got.shape}, want {want.shape}"
    want = np.broadcast_to(want, got.shape)
    finite = np.isfinite(want)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True):
        return f"not finite in other places: got {got[~finite]}, want {want[~finite]} there"
    if not np.isfinite(got[finite]).all():
        return f"{(~np.isfinite(got[finite])).sum()} elements are not finite"
    a, b = got[finite].astype(np.float64), want[finite].astype(np.float64)
    if not a.size:
        return None
    allowed = tol * np.abs(b).max() + atol
    worst = int(np.argmax(np.abs(a - b)))
    if abs(a[worst] - b[worst]) <= allowed:
        return None
    place = tuple(map(int, np.argwhere(finite)[worst]))
    return (
        f"{place}: got {a[worst]!r}, want {b[worst]!r}: they differ by {abs(a[worst] - b[worst])},"
        f" allowed is {allowed} ({tol} * {np.abs(b).max()} + {atol})"
    )
