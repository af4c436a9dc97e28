"""Hypothesis strategies for tensors and geometries. Needs hypothesis (`pip install hypothesis`).

Shapes and geometries are drawn by hypothesis and shrink; element values come from a drawn seed, so
that an example is a few integers instead of a list of floats.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..backend import Backend
from ..tensor import Tensor
from .cases import Example, OpCase
from .draws import Draw

KINDS = ("normal", "positive", "away_from_zero", "distinct")


def seeds() -> st.SearchStrategy[int]:
    return st.integers(0, 2**32 - 1)


@st.composite
def draws(draw: Any) -> Draw:
    """A `Draw` whose integers come from hypothesis; use it inside the same strategy only."""
    return _draw_from(draw)


def _draw_from(draw: Any) -> Draw:
    return Draw(draw(seeds()), lambda low, high: draw(st.integers(low, high)))


def shapes(
    min_ndim: int = 0, max_ndim: int = 3, min_side: int = 1, max_side: int = 4
) -> st.SearchStrategy[tuple[int, ...]]:
    sides = st.integers(min_side, max_side)
    return st.lists(sides, min_size=min_ndim, max_size=max_ndim).map(tuple)


@st.composite
def arrays(
    draw: Any,
    shape: Any = None,
    dtype: Any = np.float64,
    kind: str = "normal",
    gap: float | None = None,
) -> np.ndarray:
    """ndarray of a shape (a tuple, a strategy, or None: any small one).

    kind: "normal"; "positive" (0.5 to 2); "away_from_zero" (|x| >= gap, default 0.1: for relu, abs,
    divisors); "distinct" (values at least gap apart, default 0.02: for max, pooling).
    """
    if shape is None:
        shape = shapes()
    if isinstance(shape, st.SearchStrategy):
        shape = draw(shape)
    source = Draw(draw(seeds()))
    if kind == "normal":
        values = source.normal(shape)
    elif kind == "positive":
        values = source.uniform(shape, 0.5, 2.0)
    elif kind == "away_from_zero":
        values = source.away_from_zero(shape, 0.1 if gap is None else gap)
    elif kind == "distinct":
        values = source.distinct(shape, 0.02 if gap is None else gap)
    else:
        raise ValueError(f"arrays: kind must be one of {KINDS}, got {kind!r}")
    return values.astype(dtype)


@st.composite
def tensors(
    draw: Any,
    shape: Any = None,
    dtype: Any = np.float64,
    kind: str = "normal",
    gap: float | None = None,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Tensor with the values of `arrays(shape, dtype, kind, gap)`."""
    return Tensor(
        draw(arrays(shape, dtype, kind, gap)), backend=backend, requires_grad=requires_grad
    )


@st.composite
def broadcastable_pairs(draw: Any, dtype: Any = np.float64) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays of normal deviates whose shapes broadcast."""
    source = _draw_from(draw)
    a, b = [source.normal(shape).astype(dtype) for shape in source.broadcastable()]
    return a, b


@st.composite
def conv2d_geometries(draw: Any) -> dict[str, Any]:
    """{"x_shape", "weight_shape", "options": {stride, padding, dilation, groups}}, independent."""
    return _draw_from(draw).conv2d()


@st.composite
def pool2d_geometries(draw: Any) -> dict[str, Any]:
    """{"x_shape", "options": {kernel_size, stride, padding}}."""
    return _draw_from(draw).pool2d()


@st.composite
def examples(draw: Any, case: OpCase, largest: int = 4000) -> Example:
    """Inputs and options of an operation, from its row in `tinydl.testing.CASES`."""
    example = case.draw(_draw_from(draw))
    if sum(prod(x.shape) for x in example.inputs) > largest:
        raise ValueError(f"examples: the row of {case.name} draws more than {largest} elements")
    return example
