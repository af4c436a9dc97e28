"""One row per operation: how to call it and how to draw arguments for which its derivative exists.

`CASES[name]` is a row; a test fails when something public in `tinydl.ops`, or a Function there, has
none. Add yours at the end of the group it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..geometry import conv2d_geometry, pool2d_geometry
from ..ops import conv, pool
from ..random import Generator
from . import cases_elementwise, cases_forms, cases_recurrent, cases_reduce, cases_shape
from .case import NO_DERIVATIVE, Example, OpCase
from .draws import Draw

# -- reduce ----------------------------------------------------------------------------------------


def _reduction(kind: str, **options: Any) -> Callable[[Draw], Example]:
    def draw(d: Draw) -> Example:
        shape = d.shape()
        x = d.distinct(shape) if kind == "distinct" else d.normal(shape)
        return Example((x,), {"axis": d.axes(len(shape)), "keepdims": d.flag(), **options})

    return draw


def _variance(d: Draw) -> Example:
    shape = d.shape(1, 3, 2, 4)
    axis = d.integer(-len(shape), len(shape) - 1) if d.flag() else None
    options = {"axis": axis, "keepdims": d.flag(), "correction": d.integer(0, 1)}
    return Example((d.normal(shape),), options)


def _argmax(d: Draw) -> Example:
    shape = d.shape(1, 3)
    axis = d.integer(-len(shape), len(shape) - 1) if d.flag() else None
    return Example((d.distinct(shape),), {"axis": axis, "keepdims": d.flag()})


REDUCE = (
    OpCase("sum", ops.sum, _reduction("normal")),
    OpCase("mean", ops.mean, _reduction("normal")),
    OpCase("var", ops.var, _variance),
    OpCase("max", ops.max, _reduction("distinct")),
    OpCase("argmax", ops.argmax, _argmax, 0, NO_DERIVATIVE),
    OpCase("logsumexp", ops.logsumexp, _reduction("normal")),
)

# -- shape -----------------------------------------------------------------------------------------


def _reshape(d: Draw) -> Example:
    shape = d.shape()
    size = int(np.prod(shape))
    new = d.choose([(-1,), (size,), (1, size), tuple(reversed(shape)), shape + (1,)])
    return Example((d.normal(shape),), {"shape": new})


def _permutation(d: Draw, n: int) -> tuple[int, ...]:
    left = list(range(n))
    return tuple([left.pop(d.integer(0, len(left) - 1)) for _ in range(n)])


def _transpose(d: Draw) -> Example:
    shape = d.shape(1, 4)
    axes = _permutation(d, len(shape)) if d.flag() else ()
    return Example((d.normal(shape),), {"axes": axes})


def _swapaxes(d: Draw) -> Example:
    shape = d.shape(1, 4)
    axes = [d.integer(-len(shape), len(shape) - 1) for _ in range(2)]
    return Example((d.normal(shape),), {"axis1": axes[0], "axis2": axes[1]})


def _broadcast_to(d: Draw) -> Example:
    (shape,) = d.broadcastable(1)
    target = tuple([d.integer(1, 4) if n == 1 else n for n in shape])
    return Example((d.normal(shape),), {"shape": d.shape(0, 2) + target})


def _pad(d: Draw) -> Example:
    shape = d.shape()
    widths = tuple([(d.integer(0, 2), d.integer(0, 2)) for _ in shape])
    return Example((d.normal(shape),), {"widths": widths, "value": d.choose((0.0, 2.5))})


def _concat(d: Draw) -> Example:
    shape = d.shape(1, 3)
    axis = d.integer(0, len(shape) - 1)
    sizes = [d.integer(0, 3) for _ in range(d.integer(1, 3))]
    parts = [d.normal(shape[:axis] + (n,) + shape[axis + 1 :]) for n in sizes]
    return Example(tuple(parts), {"axis": axis - len(shape) if d.flag() else axis})


def _squeeze(d: Draw) -> Example:
    shape = d.shape(0, 2) + (1,) + d.shape(0, 1)
    axis = None if d.flag() else shape.index(1)
    return Example((d.normal(shape),), {"axis": axis})


def _expand_dims(d: Draw) -> Example:
    shape = d.shape()
    return Example((d.normal(shape),), {"axis": d.integer(-len(shape) - 1, len(shape))})


def _getitem(d: Draw) -> Example:
    """Integers, slices of both directions (also empty), None, Ellipsis; or an array of rows."""
    shape = d.shape(1, 4)
    if d.integer(0, 3) == 0:
        return Example((d.normal(shape),), {"key": d.indices(d.shape(0, 2), shape[0])})
    key: list[Any] = []
    for n in shape[: d.integer(0, len(shape))]:
        kind = d.integer(0, 3)
        if kind == 0:
            key.append(d.integer(-n, n - 1))
        elif kind == 1:
            key.append(slice(d.integer(-n, n), None, d.integer(1, 3)))
        elif kind == 2:
            key.append(slice(d.integer(0, n), d.integer(-n - 1, n), -d.integer(1, 3)))
        else:
            key += [None, slice(None, d.integer(-n, n))]
    if d.flag():
        key.append(Ellipsis)
    return Example((d.normal(shape),), {"key": tuple(key)})


SHAPE = (
    OpCase("reshape", lambda x, shape: ops.reshape(x, shape), _reshape),
    OpCase("transpose", lambda x, axes: ops.transpose(x, axes or None), _transpose),
    OpCase("swapaxes", ops.swapaxes, _swapaxes),
    OpCase("broadcast_to", lambda x, shape: ops.broadcast_to(x, shape), _broadcast_to),
    OpCase("pad", ops.pad, _pad),
    OpCase("concat", lambda *tensors, axis: ops.concat(tensors, axis), _concat),
    OpCase("squeeze", ops.squeeze, _squeeze),
    OpCase("copy", ops.copy, lambda d: Example((d.normal(d.shape()),)), torch="clone"),
    OpCase("expand_dims", ops.expand_dims, _expand_dims),
    OpCase("getitem", ops.getitem, _getitem),
)

# -- index -----------------------------------------------------------------------------------------


def _gather(d: Draw) -> Example:
    shape = d.shape(1, 3)
    return Example((d.normal(shape), d.indices(d.shape(0, 2), shape[0])))


def _embedding(d: Draw) -> Example:
    rows = d.integer(1, 5)
    return Example((d.normal((rows, d.integer(1, 4))), d.indices(d.shape(0, 2), rows)))


def _scatter_add(d: Draw) -> Example:
    shape, rows = d.shape(0, 2), d.integer(1, 4)
    x = d.normal(shape + d.shape(0, 2))
    return Example((x, d.indices(shape, rows)), {"rows": rows})


def _one_hot(d: Draw) -> Example:
    depth = d.integer(1, 5)
    return Example((d.indices(d.shape(0, 2), depth),), {"depth": depth})


INDEX = (
    OpCase("gather", ops.gather, _gather),
    OpCase("embedding", ops.embedding, _embedding),
    OpCase("scatter_add", ops.scatter_add, _scatter_add),
    OpCase("one_hot", ops.one_hot, _one_hot, 0, NO_DERIVATIVE),
)

# -- matmul ----------------------------------------------------------------------------------------


def _matmul(d: Draw) -> Example:
    M, K, N = d.integer(1, 4), d.integer(1, 4), d.integer(1, 4)
    kind = d.integer(0, 4)
    left: tuple[int, ...]
    right: tuple[int, ...]
    if kind == 0:
        left, right = (M, K), (K, N)
    elif kind == 1:
        left, right = ((K,), (K, N)) if d.flag() else ((M, K), (K,))
    elif kind == 2:
        left, right = d.shape(1, 2, 1, 3) + (M, K), (K, N)
    elif kind == 3:
        a, b = d.broadcastable(2, 2, 3)
        left, right = a + (M, K), b + (K, N)
    else:
        left, right = (K,), (K,)
    return Example((d.normal(left), d.normal(right)))


def _linear(d: Draw) -> Example:
    size, out = d.integer(1, 4), d.integer(1, 4)
    inputs = [d.normal(d.shape(0, 2) + (size,)), d.normal((size, out))]
    return Example((*inputs, d.normal((out,))) if d.flag() else tuple(inputs))


MATMUL = (OpCase("matmul", ops.matmul, _matmul), OpCase("linear", ops.linear, _linear))

# -- conv ------------------------------------------------------------------------------------------


def _conv2d(d: Draw) -> Example:
    g = d.conv2d()
    inputs = [d.normal(g["x_shape"]), d.normal(g["weight_shape"])]
    if d.flag():
        inputs.append(d.normal((g["weight_shape"][3],)))
    return Example(tuple(inputs), g["options"])


def _conv2d_gradients(which: str) -> Callable[[Draw], Example]:
    def draw(d: Draw) -> Example:
        drawn = d.conv2d()
        geometry = conv2d_geometry(drawn["x_shape"], drawn["weight_shape"], **drawn["options"])
        grad = d.normal(geometry.y_shape)
        if which == "input":
            return Example((grad, d.normal(geometry.weight_shape)), {"geometry": geometry})
        return Example((d.normal(geometry.x_shape), grad), {"geometry": geometry})

    return draw


def _patches(d: Draw) -> tuple[tuple[int, ...], dict[str, Any]]:
    drawn = d.conv2d()
    options = {k: v for k, v in drawn["options"].items() if k != "groups"}
    return drawn["x_shape"], {"kernel_size": drawn["weight_shape"][:2], **options}


def _im2col(d: Draw) -> Example:
    x_shape, options = _patches(d)
    return Example((d.normal(x_shape),), options)


def _col2im(d: Draw) -> Example:
    x_shape, options = _patches(d)
    weight_shape = options["kernel_size"] + (x_shape[3], 1)
    rest = {k: v for k, v in options.items() if k != "kernel_size"}
    geometry = conv2d_geometry(x_shape, weight_shape, **rest)
    return Example((d.normal(geometry.columns_shape),), {"x_shape": x_shape, **options})


CONV = (
    OpCase("conv2d", ops.conv2d, _conv2d),
    OpCase(
        "conv2d_input_grad",
        lambda grad, weight, geometry: conv.Conv2dInputGrad(geometry).apply(grad, weight),
        _conv2d_gradients("input"),
    ),
    OpCase(
        "conv2d_weight_grad",
        lambda x, grad, geometry: conv.Conv2dWeightGrad(geometry).apply(x, grad),
        _conv2d_gradients("weight"),
    ),
    OpCase("im2col", ops.im2col, _im2col),
    OpCase("col2im", ops.col2im, _col2im),
)

# -- pool ------------------------------------------------------------------------------------------


def _max_pool2d(d: Draw) -> Example:
    drawn = d.pool2d()
    return Example((d.distinct(drawn["x_shape"]),), drawn["options"])


def _avg_pool2d(d: Draw) -> Example:
    drawn = d.pool2d()
    options = {**drawn["options"], "count_include_pad": d.flag()}
    return Example((d.normal(drawn["x_shape"]),), options)


def _pool_gradients(which: str) -> Callable[[Draw], Example]:
    """(what is moved, image whose maxima give the places)."""

    def draw(d: Draw) -> Example:
        drawn = d.pool2d()
        geometry = pool2d_geometry(drawn["x_shape"], **drawn["options"])
        moved = d.normal(geometry.x_shape if which == "gather" else geometry.y_shape)
        return Example((moved, d.distinct(geometry.x_shape)), {"geometry": geometry})

    return draw


def _places(image: Any, geometry: Any) -> Any:
    places = image.backend.max_pool2d(image.data, geometry)[1]
    return image._new(places, image.backend)


POOL = (
    OpCase("max_pool2d", ops.max_pool2d, _max_pool2d),
    OpCase(
        "max_pool2d_scatter",
        lambda g, x, geometry: pool.MaxPool2dScatter(geometry).apply(g, _places(x, geometry)),
        _pool_gradients("scatter"),
    ),
    OpCase(
        "max_pool2d_gather",
        lambda g, x, geometry: pool.MaxPool2dGather(geometry).apply(g, _places(x, geometry)),
        _pool_gradients("gather"),
    ),
    OpCase("avg_pool2d", ops.avg_pool2d, _avg_pool2d),
    OpCase(
        "avg_pool2d_grad",
        lambda g, x, geometry: pool.AvgPool2dGrad(geometry).apply(g),
        _pool_gradients("average"),
    ),
)

# -- random, softmax -------------------------------------------------------------------------------


def _dropout(d: Draw) -> Example:
    options = {"rate": d.choose((0.0, 0.25, 0.5, 1.0)), "seed": d.integer(0, 1000)}
    return Example((d.normal(d.shape()),), options)


def _dropout_with_seed(x: Any, rate: float, seed: int) -> Any:
    return ops.dropout(x, rate, rng=Generator(seed))


def _over_axis(d: Draw) -> Example:
    shape = d.shape(1, 3)
    return Example((d.normal(shape),), {"axis": d.integer(-len(shape), len(shape) - 1)})


def _cross_entropy(d: Draw) -> Example:
    N, C = d.integer(1, 5), d.integer(1, 5)
    return Example((d.normal((N, C)), d.indices((N,), C)))


def _labelled_steps(d: Draw) -> Example:
    N, T, C, L = d.integer(1, 3), d.integer(1, 5), d.integer(2, 4), d.integer(0, 3)
    steps = np.array([d.integer(1, T) for _ in range(N)])
    counts = np.array([d.integer(0, L) for _ in range(N)])
    return Example((d.normal((N, T, C)), d.indices((N, L), C - 1) + 1, steps, counts))


def _possible_rows(logits: Any, labels: Any, steps: Any, counts: Any) -> Any:
    """Without the rows that no alignment spells: -inf has no difference quotient."""
    total = ops.ctc_log_likelihood(ops.log_softmax(logits), labels, steps, counts)
    return ops.masked_fill(total, total == -np.inf, 0.0)


RANDOM = (OpCase("dropout", _dropout_with_seed, _dropout),)
SOFTMAX = (
    OpCase("softmax", ops.softmax, _over_axis),
    OpCase("log_softmax", ops.log_softmax, _over_axis),
    OpCase("cross_entropy_per_row", ops.cross_entropy_per_row, _cross_entropy),
    OpCase("mean_cross_entropy", ops.mean_cross_entropy, _cross_entropy),
    OpCase("ctc_log_likelihood", _possible_rows, _labelled_steps),
)

ROWS = (
    *cases_elementwise.ROWS, *REDUCE, *cases_reduce.ROWS, *SHAPE, *cases_shape.ROWS,
    *INDEX, *MATMUL, *CONV, *POOL, *cases_recurrent.ROWS, *RANDOM, *SOFTMAX, *cases_forms.ROWS,
)  # fmt: skip
CASES: dict[str, OpCase] = {case.name: case for case in ROWS}
