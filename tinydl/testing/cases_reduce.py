"""Rows of the newer reductions, of ops/order.py, ops/counting.py and ops/einsum.py."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from .. import ops
from .case import NO_DERIVATIVE, Example, OpCase
from .draws import Draw


def _axes(d: Draw, x: np.ndarray, **options: Any) -> Example:
    return Example((x,), {"axis": d.axes(x.ndim), "keepdims": d.flag(), **options})


def _min(d: Draw) -> Example:
    return _axes(d, d.distinct(d.shape()))


def _argmin(d: Draw) -> Example:
    shape = d.shape(1, 3)
    axis = d.integer(-len(shape), len(shape) - 1) if d.flag() else None
    return Example((d.distinct(shape),), {"axis": axis, "keepdims": d.flag()})


def _prod(d: Draw) -> Example:
    """Factors 0 included, also several in one product."""
    x = d.normal(d.shape())
    return _axes(d, np.where(d.uniform(x.shape, 0.0, 1.0) < 0.2, 0.0, x))


def _std(d: Draw) -> Example:
    shape = d.shape(1, 3, 2, 4)
    axis = d.integer(-len(shape), len(shape) - 1) if d.flag() else None
    options = {"axis": axis, "keepdims": d.flag(), "correction": d.integer(0, 1)}
    return Example((d.distinct(shape, 0.2),), options)


def _norm(d: Draw) -> Example:
    """|x| away from 0, and no two equal: the largest is clear."""
    x = d.distinct(d.shape(), 0.05)
    magnitude = x - x.min(initial=0.0) + 0.3
    signs = np.where(d.bools(x.shape), 1.0, -1.0)
    return _axes(d, np.asarray(signs * magnitude), p=d.choose((2, 1, 3, 2.5, inf)))


def _truths(d: Draw) -> Example:
    return _axes(d, d.bools(d.shape()))


def _along(kind: str) -> Any:
    def draw(d: Draw) -> Example:
        shape = d.shape(1, 3)
        axis: Any = d.integer(-len(shape), len(shape) - 1)
        if kind != "cumsum" and not d.integer(0, 3):
            axis = None
        x = d.normal(shape) if kind == "cumsum" else d.distinct(shape)
        flag = "reverse" if kind == "cumsum" else "descending"
        return Example((x,), {"axis": axis, flag: d.flag()})

    return draw


def _two_terms(d: Draw) -> Example:
    a, b = d.broadcastable()
    return Example((d.normal(a), d.normal(b)))


def _running_product(d: Draw) -> Example:
    """Of numbers around 0, so that a zero stands among them now and then."""
    shape = d.shape(1, 3)
    x = d.normal(shape) * d.bools(shape) if d.flag() else d.normal(shape)
    return Example((x,), {"axis": d.integer(-len(shape), len(shape) - 1)})


def _best_so_far(d: Draw) -> Example:
    shape = d.shape(1, 3)
    return Example((d.distinct(shape),), {"axis": d.integer(-len(shape), len(shape) - 1)})


def _few_values(d: Draw) -> Example:
    return Example((d.indices(d.shape(1, 3), 3).astype(np.float64) - 1.0,))


def _sorted_places(d: Draw) -> Example:
    ordered = np.sort(_few_values(d).inputs[0].reshape(-1))
    return Example((ordered, d.normal(d.shape())), {"side": d.choose(("left", "right"))})


def _weighed_counts(d: Draw) -> Example:
    shape = d.shape(1, 1, 0, 6)
    return Example((d.indices(shape, 4), d.normal(shape)), {"minlength": d.integer(0, 6)})


def _middle(d: Draw) -> Example:
    shape = d.shape(1, 3)
    axis = d.integer(-len(shape), len(shape) - 1) if d.flag() else None
    return Example((d.distinct(shape),), {"axis": axis, "keepdims": d.flag()})


def _quantile(d: Draw) -> Example:
    example = _middle(d)
    return Example(example.inputs, {"q": d.choose((0.0, 0.3, 0.5, 1.0)), **example.options})


def _topk(d: Draw) -> Example:
    shape = d.shape(1, 3)
    axis = d.integer(-len(shape), len(shape) - 1)
    options = {"k": d.integer(0, shape[axis]), "axis": axis, "largest": d.flag()}
    return Example((d.distinct(shape),), options)


def _einsum(d: Draw) -> Example:
    """One to three terms, with letters twice and axes of "..." here and there; every letter of the
    result occurs where it is drawn, or the result is left out."""
    letters = "abcd"[: d.integer(1, 4)]
    size = {c: d.integer(1, 3) for c in letters}
    shapes = d.broadcastable(3, 2, 3)
    terms, arrays = [], []
    for shape in shapes[: d.integer(1, 3)]:
        term = _some(d, letters)
        term += d.choose(term) if term and d.flag() else ""
        place, more = d.integer(0, len(term)), d.flag()
        sizes = [size[c] for c in term]
        arrays.append(d.normal((*sizes[:place], *(shape if more else ()), *sizes[place:])))
        terms.append(f"{term[:place]}{'...' * more}{term[place:]}")
    subscripts = ",".join(terms)
    if d.flag():
        output = _some(d, "".join(sorted(set("".join(terms)) - set("."))))
        subscripts += f"->{'...' * ('...' in subscripts)}{output}"
    return Example(tuple(arrays), {"subscripts": subscripts})


def _some(d: Draw, letters: str) -> str:
    """Some of the letters, in any order."""
    left, term = list(letters), ""
    for _ in range(d.integer(0, len(left))):
        term += left.pop(d.integer(0, len(left) - 1))
    return term


def _gram(d: Draw) -> Example:
    return Example((d.normal(d.shape(d.choose((4, 3, 2)), 4, 1, 3)),))


ROWS = (
    OpCase("min", ops.min, _min),
    OpCase("argmin", ops.argmin, _argmin, 0, NO_DERIVATIVE),
    OpCase("prod", ops.prod, _prod),
    OpCase("std", ops.std, _std),
    OpCase("norm", ops.norm, _norm),
    OpCase("any", ops.any, _truths, 0, NO_DERIVATIVE),
    OpCase("all", ops.all, _truths, 0, NO_DERIVATIVE),
    OpCase("cumsum", ops.cumsum, _along("cumsum")),
    OpCase("logaddexp", ops.logaddexp, _two_terms, torch="logaddexp"),
    OpCase("cumprod", ops.cumprod, _running_product),
    OpCase("quantile", ops.quantile, _quantile),
    OpCase("median", ops.median, _middle),
    OpCase("argsort", ops.argsort, _along("argsort"), 0, NO_DERIVATIVE),
    OpCase("sort", ops.sort, _along("sort")),
    OpCase("cummax", lambda x, axis: ops.cummax(x, axis)[0], _best_so_far),
    OpCase("cummin", lambda x, axis: ops.cummin(x, axis)[0], _best_so_far),
    OpCase("logcumsumexp", ops.logcumsumexp, _running_product),
    OpCase("argwhere", ops.argwhere, _few_values, 0, NO_DERIVATIVE),
    OpCase(
        "nonzero",
        lambda x: ops.stack(ops.nonzero(x, as_tuple=True)),
        _few_values,
        0,
        NO_DERIVATIVE,
    ),
    OpCase("unique", ops.unique, _few_values, 0, NO_DERIVATIVE),
    OpCase("searchsorted", ops.searchsorted, _sorted_places, 0, NO_DERIVATIVE),
    OpCase("bincount", ops.bincount, _weighed_counts),
    OpCase("topk", lambda x, **options: ops.topk(x, **options)[0], _topk),
    OpCase("einsum", lambda *tensors, subscripts: ops.einsum(subscripts, *tensors), _einsum),
    OpCase("gram_matrix", ops.gram_matrix, _gram),
)
