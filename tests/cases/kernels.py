"""One row per kernel of the reference backend: arguments to compare backends on, and how closely.

draw(d, dtype) gives the arguments in the kernel's order; the test puts arrays among them into other
layouts. Sizes sit around vector widths: 0, 1, 3, 7, 8, 9, 15, 31, 33, 65.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from tinydl.backend.reference import Backend
from tinydl.geometry import adaptive_pool2d_geometry, conv2d_geometry, pool2d_geometry
from tinydl.ops.roi import bin_cells, bin_weights
from tinydl.testing import CASES, Draw

SIZES = (1, 0, 3, 7, 8, 9, 15, 31, 33, 65)
FLOATS = ("float32", "float64")
NUMBERS = (*FLOATS, "int32", "int64")
ALL = (*NUMBERS, "uint8", "bool")
REFERENCE = Backend()


@dataclass(frozen=True)
class KernelCase:
    """How one kernel is called and compared.

    ulps: allowed distance in units of the last place of each element (0, and integers: bitwise).
    terms(*args): products summed per element; then the tolerance is relative to the tensor.
    writes: positions of arguments changed in place. view: the result may share memory.
    """

    name: str
    draw: Callable[[Draw, np.dtype], tuple]
    dtypes: tuple[str, ...] = FLOATS
    ulps: float = 0.0
    terms: Callable[..., int] | None = None
    writes: tuple[int, ...] = ()
    view: bool = False


def size(d: Draw, low: int = 0) -> int:
    return max(low, d.choose(SIZES))


def shape(d: Draw) -> tuple[int, ...]:
    """() or up to four axes, one of them around a vector width."""
    kind = d.integer(0, 4)
    if kind == 4:
        return (size(d), size(d))
    small = [d.integer(1, 3) for _ in range(kind)]
    if small:
        small[d.integer(0, kind - 1)] = size(d)
    return tuple(small)


def values(d: Draw, where: tuple[int, ...], dtype: np.dtype, kind: str = "normal") -> np.ndarray:
    """Elements of any dtype; floats are rounded to it."""
    return np.asarray(_elements(d, where, dtype, kind), dtype)  # a 0-d array, never a NumPy scalar


def _elements(d: Draw, where: tuple[int, ...], dtype: np.dtype, kind: str) -> np.ndarray:
    if kind not in KINDS:
        raise ValueError(f"no values of kind {kind!r}, there are {', '.join(KINDS)}")
    if dtype.kind == "b":
        return d.bools(where)
    if dtype.kind in "iu":
        low = 0 if dtype.kind == "u" else -50
        numbers = np.asarray(d.rng.integers(low, 51, where))
        return (np.where(numbers == 0, 7, numbers) if kind == "away" else numbers).astype(dtype)
    return KINDS[kind](d, where).astype(dtype)


#: What floats may be drawn from. "tied": few different values, so that equal maxima and equal
#: operands occur; "halves": multiples of 1/2, ties and integers of both signs.
KINDS = {
    "normal": lambda d, where: d.normal(where) * 2,
    "positive": lambda d, where: d.uniform(where, 0.1, 3.0),
    "away": lambda d, where: d.away_from_zero(where, 0.5),
    "tied": lambda d, where: np.asarray(d.rng.integers(-2, 3, where)),
    "halves": lambda d, where: np.asarray(d.rng.integers(-9, 10, where) / 2),
}

# -- elementwise -----------------------------------------------------------------------------------


def elementwise(*kinds: str):
    """Operands of equal shape, or one of two 0-d."""

    def draw(d: Draw, dtype: np.dtype) -> tuple:
        where = shape(d)
        if len(kinds) == 1:
            return (values(d, where, dtype, kinds[0]),)
        shapes = d.choose(((where, where), (where, ()), ((), where)))
        return tuple([values(d, s, dtype, k) for s, k in zip(shapes, kinds, strict=True)])

    return draw


def elementwise_rows() -> tuple[KernelCase, ...]:
    """Those of tinydl/testing/cases_elementwise.py that have a kernel."""
    kernels = {c.name: c.kernel for c in CASES.values() if c.kernel is not None}
    return tuple(
        [KernelCase(n, elementwise(*k.kinds), k.dtypes, k.ulps) for n, k in kernels.items()]
    )


def choice(d: Draw, dtype: np.dtype) -> tuple:
    where = shape(d)
    shapes = [where if d.integer(0, 3) else () for _ in range(3)]
    return d.bools(shapes[0]), values(d, shapes[1], dtype), values(d, shapes[2], dtype)


def conversion(d: Draw, dtype: np.dtype) -> tuple:
    return np.asarray(np.abs(values(d, shape(d), dtype))), np.dtype(d.choose(ALL))


ELEMENTWISE = (
    *elementwise_rows(),
    KernelCase("astype", conversion, ALL),
    KernelCase("where", choice, ALL),
)

# -- reduce ----------------------------------------------------------------------------------------


def reduction(d: Draw, dtype: np.dtype) -> tuple:
    where = shape(d)
    axes = tuple([i for i in range(len(where)) if d.flag()])
    return values(d, where, dtype), axes, d.flag()


def maxima(d: Draw, dtype: np.dtype) -> tuple:
    where = tuple([max(n, 1) for n in shape(d)])
    axes = tuple([i for i in range(len(where)) if d.flag()])
    return values(d, where, dtype, "tied"), axes, d.flag()


def first_maximum(d: Draw, dtype: np.dtype) -> tuple:
    where = tuple([max(n, 1) for n in shape(d)]) or (3,)
    return values(d, where, dtype, "tied"), d.integer(0, len(where) - 1), d.flag()


def running(d: Draw, dtype: np.dtype) -> tuple:
    where = shape(d) or (3,)
    return values(d, where, dtype), d.integer(0, len(where) - 1), d.flag()


def ranking(d: Draw, dtype: np.dtype) -> tuple:
    where = shape(d) or (3,)
    return values(d, where, dtype, "tied"), d.integer(0, len(where) - 1), d.flag()


def reduced(x, axes, keepdims):
    return prod([x.shape[a] for a in axes])


REDUCE = (
    KernelCase("sum", reduction, ALL, terms=reduced),
    KernelCase("max", maxima, NUMBERS),
    KernelCase("min", maxima, NUMBERS),
    KernelCase("argmax", first_maximum, NUMBERS),
    KernelCase("argmin", first_maximum, NUMBERS),
    KernelCase("cumsum", running, ALL, terms=lambda x, axis, reverse: x.shape[axis]),
    KernelCase("argsort", ranking, ALL),
)

# -- shape -----------------------------------------------------------------------------------------


def reshaping(d: Draw, dtype: np.dtype) -> tuple:
    where = shape(d)
    new = d.choose([(prod(where),), tuple(reversed(where)), (1, *where), where])
    return values(d, where, dtype), new


def permutation(d: Draw, dtype: np.dtype) -> tuple:
    where, left = shape(d), []
    left = list(range(len(where)))
    axes = [left.pop(d.integer(0, len(left) - 1)) for _ in range(len(where))]
    return values(d, where, dtype), tuple(axes)


def repetition(d: Draw, dtype: np.dtype) -> tuple:
    target = shape(d)
    first = d.integer(0, len(target))
    where = tuple([1 if d.flag() else n for n in target[first:]])
    return values(d, where, dtype), target


def strides_of(d: Draw, where: tuple[int, ...]) -> tuple:
    """starts, steps of both signs, counts that stay inside `where`."""
    starts, steps, counts = [], [], []
    for n in where:
        step = d.choose((1, 2, -1, -3))
        start = d.integer(0, n - 1) if n else 0
        most = 0 if n == 0 else (n - 1 - start) // step + 1 if step > 0 else start // -step + 1
        count = d.integer(0, most)
        starts.append(start if count else 0)
        steps.append(step)
        counts.append(count)
    return tuple(starts), tuple(steps), tuple(counts)


def cutting(d: Draw, dtype: np.dtype) -> tuple:
    where = shape(d)
    return values(d, where, dtype), *strides_of(d, where)


def bordering(d: Draw, dtype: np.dtype) -> tuple:
    target = shape(d)
    starts, steps, counts = strides_of(d, target)
    value = d.choose((0, 1)) if dtype.kind == "b" else d.choose((0, 2))
    return values(d, counts, dtype), starts, steps, target, value


def joining(d: Draw, dtype: np.dtype) -> tuple:
    where = shape(d) or (3,)
    axis = d.integer(0, len(where) - 1)
    sizes = [d.choose((1, 0, 3, 8)) for _ in range(d.integer(1, 3))]
    parts = [values(d, where[:axis] + (n,) + where[axis + 1 :], dtype) for n in sizes]
    return parts, axis


SHAPE = (
    KernelCase("reshape", reshaping, ALL, view=True),
    KernelCase("transpose", permutation, ALL, view=True),
    KernelCase("broadcast_to", repetition, ALL, view=True),
    KernelCase("slice", cutting, ALL, view=True),
    KernelCase("pad", bordering, ALL),
    KernelCase("concat", joining, ALL),
)

# -- index -----------------------------------------------------------------------------------------


def rows(d: Draw, dtype: np.dtype) -> tuple:
    count = size(d, 1)
    x = values(d, (count, *d.choose(((), (size(d),), (2, size(d))))), dtype)
    return x, d.indices(d.choose(((size(d),), (), (2, 3))), count)


def adding(d: Draw, dtype: np.dtype) -> tuple:
    count, where = size(d, 1), d.choose(((size(d),), (), (2, 3)))
    rest = d.choose(((), (size(d),), (2, size(d))))
    return values(d, where + rest, dtype), d.indices(where, count), count


def marking(d: Draw, dtype: np.dtype) -> tuple:
    depth = size(d, 1)
    return d.indices(d.choose(((size(d),), (), (2, 3))), depth), depth, dtype


INDEX = (
    KernelCase("gather", rows, NUMBERS),
    KernelCase("scatter_add", adding),
    KernelCase("one_hot", marking, ALL),
)

# -- matmul ----------------------------------------------------------------------------------------


def product(d: Draw, dtype: np.dtype) -> tuple:
    M, K, N = size(d), size(d), size(d)
    left, right = d.choose((((), ()), ((2,), (2,)), ((3,), ()), ((), (3,)), ((2, 1), (1, 3))))
    bias = values(d, (N,), dtype) if d.flag() else None
    return values(d, (*left, M, K), dtype), values(d, (*right, K, N), dtype), bias, d.flag()


MATMUL = (KernelCase("matmul", product, terms=lambda a, b, bias, relu: 4 * a.shape[-1]),)

# -- conv ------------------------------------------------------------------------------------------


def convolution(d: Draw):
    """A geometry; sometimes the special ones: 1x1, depthwise, an empty batch, a window as large as
    the image."""
    drawn = d.conv2d(largest=4, channels=d.choose((2, 9, 20)), extra=d.choose((3, 9, 17)))
    x_shape, weight_shape, options = drawn["x_shape"], drawn["weight_shape"], drawn["options"]
    kind = d.integer(0, 6)
    if kind == 0:
        x_shape = (0, *x_shape[1:])
    if kind == 1:
        weight_shape = (1, 1, *weight_shape[2:])
        options = {**options, "padding": 0, "stride": d.choose((1, 2)), "groups": 1}
        weight_shape = (1, 1, x_shape[3], weight_shape[3])
    if kind == 2:
        weight_shape = (*weight_shape[:2], 1, x_shape[3] * d.integer(1, 2))
        options = {**options, "groups": x_shape[3]}
    if kind == 3:
        x_shape = (*x_shape[:1], *weight_shape[:2], x_shape[3])
        options = {**options, "padding": 0, "dilation": 1}
    return conv2d_geometry(x_shape, weight_shape, **options)


def patches(d: Draw, dtype: np.dtype) -> tuple:
    g = convolution(d)
    return values(d, g.x_shape, dtype), g


def columns(d: Draw, dtype: np.dtype) -> tuple:
    g = convolution(d)
    return values(d, g.columns_shape, dtype), g


def conv_forward(d: Draw, dtype: np.dtype) -> tuple:
    g = convolution(d)
    bias = values(d, (g.F,), dtype) if d.flag() else None
    return values(d, g.x_shape, dtype), values(d, g.weight_shape, dtype), bias, g


def conv_input(d: Draw, dtype: np.dtype) -> tuple:
    g = convolution(d)
    return values(d, g.y_shape, dtype), values(d, g.weight_shape, dtype), g


def conv_weight(d: Draw, dtype: np.dtype) -> tuple:
    g = convolution(d)
    return values(d, g.x_shape, dtype), values(d, g.y_shape, dtype), g


CONV = (
    KernelCase("im2col", patches),
    KernelCase("col2im", columns, terms=lambda x, g: g.KH * g.KW),
    KernelCase("conv2d", conv_forward, terms=lambda x, w, b, g: 4 * g.KH * g.KW * g.C // g.groups),
    KernelCase(
        "conv2d_input_grad",
        conv_input,
        terms=lambda y, w, g: 4 * g.KH * g.KW * g.F // g.groups,
    ),
    KernelCase(
        "conv2d_weight_grad", conv_weight, terms=lambda x, y, g: 4 * max(1, g.N * g.OH * g.OW)
    ),
)

# -- pool ------------------------------------------------------------------------------------------


def windows(d: Draw):
    drawn = d.pool2d(largest=4, channels=d.choose((2, 9, 20)), extra=d.choose((3, 9, 17)))
    kind = d.integer(0, 5)
    x_shape = (0, *drawn["x_shape"][1:]) if kind == 0 else drawn["x_shape"]
    if kind == 1:
        return adaptive_pool2d_geometry(x_shape, (d.integer(1, 6), d.integer(1, 6)))
    return pool2d_geometry(x_shape, **drawn["options"])


def pooled(kind: str):
    def draw(d: Draw, dtype: np.dtype) -> tuple:
        g = windows(d)
        return values(d, g.x_shape, dtype, kind), g

    return draw


def pooled_grad(d: Draw, dtype: np.dtype) -> tuple:
    g = windows(d)
    return values(d, g.y_shape, dtype), g


def placed(which: str):
    def draw(d: Draw, dtype: np.dtype) -> tuple:
        g = windows(d)
        _, place = REFERENCE.max_pool2d(values(d, g.x_shape, dtype, "tied"), g)
        return values(d, g.y_shape if which == "scatter" else g.x_shape, dtype), place, g

    return draw


def cells(*arguments):
    g = arguments[-1]
    return g.KH * g.KW


POOL = (
    KernelCase("max_pool2d", pooled("tied")),
    KernelCase("max_pool2d_scatter", placed("scatter"), terms=cells),
    KernelCase("max_pool2d_gather", placed("gather")),
    KernelCase("avg_pool2d", pooled("normal"), terms=cells),
    KernelCase("avg_pool2d_grad", pooled_grad, terms=cells),
)

# -- roi -------------------------------------------------------------------------------------------


def boxed(d: Draw):
    """Sizes of images, the image of each of R boxes, and (start, length) of them along both axes:
    some far outside, some without extent."""
    N, C = d.integer(1, 3), d.choose((1, 3, 8, 17, 33))
    H, W, R = d.integer(1, 7), d.integer(1, 7), d.choose((3, 0, 1, 5))
    image = np.asarray(d.rng.integers(0, N, (R,)), np.int32)
    sides = [(d.uniform((R,), -3, n + 2), d.uniform((R,), -1, n)) for n in (H, W)]
    return (N, H, W, C), image, (d.integer(1, 3), d.integer(1, 4)), sides


def region_bins(d: Draw):
    x_shape, image, bins, sides = boxed(d)
    sizes = x_shape[1:3]
    tables = [
        bin_cells(start, start + length, b, n)
        for (start, length), b, n in zip(sides, bins, sizes, strict=True)
    ]
    return x_shape, (len(image), *bins, x_shape[3]), image, tables


def region_weights(d: Draw, dtype: np.dtype):
    x_shape, image, bins, sides = boxed(d)
    tables = []
    for (start, length), b, n in zip(sides, bins, x_shape[1:3], strict=True):
        samples = np.asarray(d.rng.integers(0, 4, (len(image),)))
        first, weights = bin_weights(start, length, b, n, samples)
        tables += [first, weights.astype(dtype)]
    return x_shape, (len(image), *bins, x_shape[3]), (image, *tables)


def region_maxima(d: Draw, dtype: np.dtype) -> tuple:
    x_shape, _, image, tables = region_bins(d)
    return values(d, x_shape, dtype, "tied"), image, *tables


def region_places(which: str):
    def draw(d: Draw, dtype: np.dtype) -> tuple:
        x_shape, y_shape, image, tables = region_bins(d)
        _, place = REFERENCE.roi_pool(values(d, x_shape, dtype, "tied"), image, *tables)
        if which == "gather":
            return values(d, x_shape, dtype), place, image
        return values(d, y_shape, dtype), place, image, x_shape

    return draw


def region_means(d: Draw, dtype: np.dtype) -> tuple:
    x_shape, _, tables = region_weights(d, dtype)
    return values(d, x_shape, dtype), *tables


def region_means_grad(d: Draw, dtype: np.dtype) -> tuple:
    x_shape, y_shape, tables = region_weights(d, dtype)
    return values(d, y_shape, dtype), *tables, x_shape


def overlapping(*arguments):
    """Every region may add at one cell, from bins that all see it."""
    return 4 * arguments[0].size


ROI = (
    KernelCase("roi_pool", region_maxima),
    KernelCase("roi_pool_scatter", region_places("scatter"), terms=overlapping),
    KernelCase("roi_pool_gather", region_places("gather")),
    KernelCase("roi_align", region_means, terms=lambda x, *tables: 4 * x.shape[1] * x.shape[2]),
    KernelCase("roi_align_grad", region_means_grad, terms=overlapping),
)

# -- recurrent -------------------------------------------------------------------------------------


def recurrent(d: Draw):
    N, T = d.choose((1, 0, 2, 9)), d.choose((1, 2, 5))
    return N, T, d.choose((1, 3, 8, 17)), d.choose((1, 3, 8, 17))


def recurrence(gates: int, states: int = 1) -> Callable[[Draw, np.dtype], tuple]:
    """x, the first states, weight_x, weight_h, bias, mask or None, drop or None."""

    def draw(d: Draw, dtype: np.dtype) -> tuple:
        N, T, D, H = recurrent(d)
        shapes = (N, T, D), *((N, H),) * states, (D, gates * H), (H, gates * H), (gates * H,)
        arrays = [np.asarray(d.normal(s) * 0.4, dtype) for s in shapes]
        mask = d.bools((N, T)) if d.flag() else None
        drop = (d.bools((N, H)) * 2).astype(dtype) if d.flag() else None
        return *arrays, mask, drop

    return draw


def vanilla(d: Draw, dtype: np.dtype) -> tuple:
    return *recurrence(1)(d, dtype), d.flag()


def vanilla_grad(d: Draw, dtype: np.dtype) -> tuple:
    _, h0, _, weight_h, _, mask, drop, relu = args = vanilla(d, dtype)
    states = REFERENCE.rnn_forward(*args)
    return d.normal(states.shape).astype(dtype), states, h0, weight_h, mask, drop, relu


def lstm(d: Draw, dtype: np.dtype) -> tuple:
    return *recurrence(4, 2)(d, dtype), d.flag()


def lstm_grad(d: Draw, dtype: np.dtype) -> tuple:
    _, _, c0, _, weight_h, _, mask, drop, hard = args = lstm(d, dtype)
    rows, cells, gates = REFERENCE.lstm_forward(*args)
    return d.normal(rows.shape).astype(dtype), cells, gates, c0, weight_h, mask, drop, hard


def gru(d: Draw, dtype: np.dtype) -> tuple:
    *weights, mask, drop = recurrence(3)(d, dtype)
    bias_h = np.asarray(d.normal(weights[-1].shape), dtype) if d.flag() else None
    return *weights, bias_h, mask, drop, d.flag()


def gru_grad(d: Draw, dtype: np.dtype) -> tuple:
    _, h0, _, weight_h, _, bias_h, mask, drop, hard = args = gru(d, dtype)
    states, gates, inner = REFERENCE.gru_forward(*args)
    grad, after = d.normal(states.shape).astype(dtype), bias_h is not None
    return grad, states, gates, inner, h0, weight_h, mask, drop, after, hard


def forward_terms(x, *rest) -> int:
    return 64 * x.shape[1] * (x.shape[2] + 17)


def backward_terms(grad, states, *rest) -> int:
    return 64 * max(1, prod(states.shape[:2])) * 17


RECURRENT = (
    KernelCase("rnn_forward", vanilla, terms=forward_terms),
    KernelCase("rnn_backward", vanilla_grad, terms=backward_terms),
    KernelCase("lstm_forward", lstm, terms=forward_terms),
    KernelCase("lstm_backward", lstm_grad, terms=backward_terms),
    KernelCase("gru_forward", gru, terms=forward_terms),
    KernelCase("gru_backward", gru_grad, terms=backward_terms),
)

# -- random ----------------------------------------------------------------------------------------


def place_in_stream(d: Draw) -> tuple[int, int]:
    """key and offset, also around the carries into the upper words."""
    key = d.choose((0, 1, 2**32 - 1, 2**32, 2**64 - 1))
    return key, d.choose((0, 5, 2**32 - 2, 2**32, 2**63))


def stream(d: Draw, dtype: np.dtype) -> tuple:
    return *place_in_stream(d), shape(d), dtype


def coins(d: Draw, dtype: np.dtype) -> tuple:
    return *place_in_stream(d), d.choose((0.5, 0.0, 0.1, 0.9, 1.0)), shape(d)


def dropping(d: Draw, dtype: np.dtype) -> tuple:
    return values(d, shape(d), dtype), *place_in_stream(d), d.choose((0.5, 0.1, 0.9))


RANDOM = (
    KernelCase("uniform", stream),
    KernelCase("normal", stream, ulps=8),
    KernelCase("bernoulli", coins, ("bool",)),
    KernelCase("dropout", dropping, ulps=2),
)

# -- softmax ---------------------------------------------------------------------------------------


def class_rows(d: Draw, dtype: np.dtype) -> tuple:
    return (values(d, (*d.choose(((), (size(d),), (2, 3))), size(d, 1)), dtype),)


def labelled(d: Draw, dtype: np.dtype) -> tuple:
    N, C = size(d), size(d, 1)
    return values(d, (N, C), dtype), d.indices((N,), C)


def labelled_grad(d: Draw, dtype: np.dtype) -> tuple:
    logits, labels = labelled(d, dtype)
    _, shifts = REFERENCE.cross_entropy(logits, labels)
    return logits, shifts, labels, values(d, labels.shape, dtype)


def labelled_steps(d: Draw, dtype: np.dtype) -> tuple:
    """Labels that often repeat, and often fit into no alignment."""
    N, T, C, L = d.integer(0, 4), size(d, 1), size(d, 2), d.choose((0, 1, 2, 5, 9))
    blank = d.integer(0, C - 1)
    labels = (blank + 1 + d.indices((N, L), min(C - 1, 2))) % C
    lengths = [d.rng.integers(low, high + 1, N) for low, high in ((1, T), (0, L))]
    log_p = REFERENCE.log_softmax(values(d, (N, T, C), dtype))
    return log_p, labels.astype(np.int64), *lengths, blank


SOFTMAX = (
    KernelCase("softmax", class_rows, terms=lambda x: 8),
    KernelCase("log_softmax", class_rows, terms=lambda x: 8),
    KernelCase("cross_entropy", labelled, terms=lambda x, labels: 8),
    KernelCase("cross_entropy_grad", labelled_grad, terms=lambda *a: 8),
)
CTC = (KernelCase("ctc", labelled_steps, terms=lambda *a: 8 * a[0].shape[1]),)

# -- attention -------------------------------------------------------------------------------------


def heads(d: Draw, dtype: np.dtype) -> tuple:
    """q, k, v, mask, bias, first, scale, key, offset, rate; masks may leave a query nothing."""
    N, G = d.integer(1, 2), d.integer(1, 2)
    H, L, S, E, V = G * d.integer(1, 2), size(d), size(d), size(d, 1), size(d)
    q, k = values(d, (N, L, H, E), dtype), values(d, (N, S, G, E), dtype)
    mask = d.bools((N, H, L, S)) if d.flag() else None
    bias = values(d, (N, H, L, S), dtype) if d.flag() else None
    options = d.choose((None, 0, 5)), 0.5 * E**-0.5, 2**40 + 7, 11, d.choose((0.0, 0.3, 1.0))
    return q, k, values(d, (N, S, G, V), dtype), mask, bias, *options


def heads_grad(d: Draw, dtype: np.dtype) -> tuple:
    arguments = heads(d, dtype)
    y, logs = REFERENCE.attention(*arguments)
    return values(d, y.shape, dtype), y, logs, *arguments


def scores_of(*arguments):
    """An error of a score is one of the same size of its weight relative to itself."""
    return 1024


ATTENTION = (
    KernelCase("attention", heads, terms=scores_of),
    KernelCase("attention_grad", heads_grad, terms=scores_of),
)

# -- norm ------------------------------------------------------------------------------------------


def channels(d: Draw, dtype: np.dtype) -> tuple:
    """x (N, P, C), scale, shift, groups; sometimes all values equal: no variance at all."""
    groups = d.integer(1, 3)
    C = size(d, 1) if d.flag() else groups * d.choose((1, 2, 5, 16))
    groups = d.choose((1, C)) if C % groups else groups
    x = values(d, (d.choose((1, 0, 2, 17)), d.choose(SIZES), C), dtype)
    if d.integer(0, 3) == 0:
        x[...] = 1000.1
    return x, values(d, (C,), dtype), values(d, (C,), dtype), groups


def channel_norm(d: Draw, dtype: np.dtype) -> tuple:
    return *channels(d, dtype), d.choose((1e-3, 0.1))


def moments(d: Draw, x: np.ndarray, groups: int) -> tuple:
    where = (len(x), groups)
    return values(d, where, x.dtype), values(d, where, x.dtype, "positive")


def channel_norm_apply(d: Draw, dtype: np.dtype) -> tuple:
    x, scale, shift, groups = channels(d, dtype)
    return x, scale, shift, *moments(d, x, groups), 1e-3


def channel_norm_sums(d: Draw, dtype: np.dtype) -> tuple:
    x, _, _, groups = channels(d, dtype)
    return values(d, x.shape, dtype), x, *moments(d, x, groups), 1e-3


def channel_norm_grad(d: Draw, dtype: np.dtype) -> tuple:
    x, scale, _, groups = channels(d, dtype)
    sums = [values(d, (len(x), x.shape[2]), dtype) for _ in range(2)]
    return values(d, x.shape, dtype), x, scale, *moments(d, x, groups), *sums, 1e-3


def row_norm(d: Draw, dtype: np.dtype) -> tuple:
    x = values(d, (size(d), size(d, 1)), dtype)
    if d.integer(0, 3) == 0:
        x[...] = 1000.1
    return x, values(d, x.shape[1:], dtype), values(d, x.shape[1:], dtype), d.choose((1e-3, 0.1))


def row_norm_grad(d: Draw, dtype: np.dtype) -> tuple:
    x, scale, shift, eps = row_norm(d, dtype)
    _, mean, variance = REFERENCE.row_norm(x, scale, shift, eps)
    return values(d, x.shape, dtype), x, scale, mean, variance, eps


def many(*arguments):
    return 256


def more(*arguments):
    """Differences that nearly cancel are divided by deviations down to 0.03."""
    return 1024


NORM = (
    KernelCase("channel_norm", channel_norm, terms=many),
    KernelCase("channel_norm_apply", channel_norm_apply, terms=many),
    KernelCase("channel_norm_sums", channel_norm_sums, terms=more),
    KernelCase("channel_norm_grad", channel_norm_grad, terms=more),
    KernelCase("row_norm", row_norm, terms=many),
    KernelCase("row_norm_grad", row_norm_grad, terms=more),
)

# -- optim -----------------------------------------------------------------------------------------


def parameters(d: Draw, dtype: np.dtype, kinds: str) -> list[list[np.ndarray]]:
    """As many lists as letters: normal or positive numbers, of the same few shapes each."""
    shapes = [shape(d) for _ in range(d.integer(1, 3))]
    names = {"n": "normal", "p": "positive"}
    return [[values(d, s, dtype, names[kind]) for s in shapes] for kind in kinds]


def descent(d: Draw, dtype: np.dtype) -> tuple:
    momentum = d.choose((0.9, 0.0))
    params, grads, velocities = parameters(d, dtype, "nnn")
    rest = 0.1, momentum, bool(momentum) and d.flag(), d.choose((0.0, 0.01))
    return params, grads, velocities if momentum else None, *rest


def rms(d: Draw, dtype: np.dtype) -> tuple:
    return *parameters(d, dtype, "nnp"), 0.01, 0.9, 1e-7, d.choose((0.0, 0.01))


def adam(d: Draw, dtype: np.dtype) -> tuple:
    *lists, largest = parameters(d, dtype, "nnnpp")
    steps = tuple([d.choose((1, 2, 1000)) for _ in largest])
    rest = 0.01, 0.9, 0.999, 1e-7, d.choose((0.0, 0.01)), d.flag(), steps
    return *lists, largest if d.flag() else None, *rest


def adagrad(d: Draw, dtype: np.dtype) -> tuple:
    return *parameters(d, dtype, "nnp"), 0.01, 1e-7, d.choose((0.0, 0.01))


def adadelta(d: Draw, dtype: np.dtype) -> tuple:
    return *parameters(d, dtype, "nnpp"), 1.0, 0.9, 1e-6, d.choose((0.0, 0.01))


def centred(d: Draw, dtype: np.dtype) -> tuple:
    """The mean square lies well above the square of the mean: rounding decides nothing."""
    params, grads, squares, means, velocities = parameters(d, dtype, "nnpnn")
    squares = [np.asarray(1 + s + 4 * m * m) for s, m in zip(squares, means, strict=True)]
    momentum = d.choose((0.9, 0.0))
    states = squares, means if d.flag() else None, velocities if momentum else None
    return params, grads, *states, 0.01, 0.9, momentum, 1e-7, d.choose((0.0, 0.01))


def adamax(d: Draw, dtype: np.dtype) -> tuple:
    *lists, largest = parameters(d, dtype, "nnnp")
    steps = tuple([d.choose((1, 2, 1000)) for _ in largest])
    return *lists, largest, 0.01, 0.9, 0.999, 1e-7, d.choose((0.0, 0.01)), steps


def nadam(d: Draw, dtype: np.dtype) -> tuple:
    lists = parameters(d, dtype, "nnnp")
    steps = tuple([d.choose((1, 2, 1000)) for _ in lists[0]])
    weights = tuple([(d.choose((0.5, 0.9)), d.choose((0.1, 0.5))) for _ in lists[0]])
    return *lists, 0.01, 0.9, 0.999, 1e-7, d.choose((0.0, 0.01)), steps, weights


def rprop(d: Draw, dtype: np.dtype) -> tuple:
    """Some sizes are 0, which is where a parameter begins."""
    params, grads, before, sizes = parameters(d, dtype, "nnnp")
    sizes = [np.asarray(s * d.bools(s.shape), dtype) for s in sizes]
    return params, grads, before, sizes, 0.1, 0.5, 1.2, 0.3, 0.9, d.choose((0.0, 0.01))


def vectors(d: Draw, dtype: np.dtype) -> tuple:
    scale = d.choose((1.0, 1e30))  # whose squares are beyond float32
    return ([(x * scale).astype(dtype) for x in parameters(d, dtype, "n")[0]],)


def few(*arguments):
    return 8


OPTIM = (
    KernelCase("sgd_step", descent, terms=few, writes=(0, 2)),
    KernelCase("rmsprop_step", rms, terms=few, writes=(0, 2)),
    KernelCase("adam_step", adam, terms=few, writes=(0, 2, 3, 4)),
    KernelCase("adagrad_step", adagrad, terms=few, writes=(0, 2)),
    KernelCase("adadelta_step", adadelta, terms=few, writes=(0, 2, 3)),
    KernelCase("centred_rmsprop_step", centred, terms=few, writes=(0, 2, 3, 4)),
    KernelCase("adamax_step", adamax, terms=few, writes=(0, 2, 3)),
    KernelCase("nadam_step", nadam, terms=few, writes=(0, 2, 3)),
    KernelCase("rprop_step", rprop, terms=few, writes=(0, 2, 3)),
    KernelCase("norms", vectors, terms=lambda xs: 16 * max(x.size for x in xs)),
)

ROOMS = {
    "elementwise": ELEMENTWISE,
    "reduce": REDUCE,
    "shape": SHAPE,
    "index": INDEX,
    "matmul": MATMUL,
    "conv": CONV,
    "pool": POOL,
    "roi": ROI,
    "recurrent": RECURRENT,
    "random": RANDOM,
    "softmax": SOFTMAX,
    "attention": ATTENTION,
    "ctc": CTC,
    "norm": NORM,
    "optim": OPTIM,
}
ROWS = tuple([case for room in ROOMS.values() for case in room])
KERNELS = {case.name: case for case in ROWS}
