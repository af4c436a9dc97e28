"""Calls of the kernels that add up many numbers, by how many they add: n -> arguments.

Positive numbers, so that no sum cancels: then the error of a result relative to it says how the
numbers were added. Equal numbers are the hard case, as all roundings go the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinydl.backend.reference import Backend
from tinydl.geometry import adaptive_pool2d_geometry, conv2d_geometry

EQUAL, RANDOM = "equal", "random"


@dataclass(frozen=True)
class LongSum:
    """kernel(*arguments(n, numbers)) adds up n numbers; n goes up to `most`."""

    kernel: str
    what: str
    arguments: Callable
    most: int = 10**5
    fills: tuple[str, ...] = (EQUAL, RANDOM)
    want: Callable | None = None  # of float64 arguments, where the reference would take minutes


def numbers(fill: str) -> Callable:
    """shape -> float32 numbers around 0.1."""
    rng = np.random.default_rng(0)

    def draw(*shape):
        if fill == EQUAL:
            return np.full(shape, 0.1, np.float32)
        return rng.uniform(0, 0.2, shape).astype(np.float32)

    return draw


# -- products, sums ----------------------------------------------------------------------------


def product(M, N, transposed=False):
    def arguments(n, draw):
        b = draw(N, n).T if transposed else draw(n, N)
        return draw(M, n), b, None, False

    return arguments


def gradient_product(M, N):
    """a^T @ b as in the gradient of a weight: the rows of both are added up."""
    return lambda n, draw: (draw(n, M).T, draw(n, N), None, False)


def reduced(*axes, before=(), after=(), step=1):
    def arguments(n, draw):
        x = draw(*before, n * step, *after)
        return x[(slice(None),) * len(before) + (slice(None, None, step),)], axes, False

    return arguments


def running(after=(), reverse=False):
    return lambda n, draw: (draw(n, *after), 0, reverse)


# -- windows -----------------------------------------------------------------------------------


def window(KH, KW, filters=3, which="forward", groups=1):
    """A convolution whose window (or, for the input's gradient, filters) hold n numbers."""

    def arguments(n, draw):
        C = groups * max(1, n // (KH * KW))
        if which == "forward":
            x, w = (1, KH + 1, KW + 1, C), (KH, KW, C // groups, groups * filters)
        else:
            x, w = (1, KH + 1, KW + 1, groups * filters), (KH, KW, filters, C)
        g = conv2d_geometry(x, w, groups=groups)
        if which == "forward":
            return draw(*x), draw(*w), None, g
        # every output is met by the pixel in the middle of a 2 x 2 of outputs
        return draw(*g.y_shape), draw(*w), g

    return arguments


def outputs(C, F, kernel, image, groups=1, stride=1):
    """A gradient of a weight that adds up n outputs, of images of a given size (None: n)."""

    def arguments(n, draw):
        H, W = (n if size is None else size for size in image)
        N = max(1, n // (H * W))
        x = (N, H * stride + kernel[0] - 1, W * stride + kernel[1] - 1, C)
        g = conv2d_geometry(x, (*kernel, C // groups, F), stride=stride, groups=groups)
        return draw(*x), draw(*g.y_shape), g

    return arguments


def pooled(C):
    def arguments(n, draw):
        x = (1, n // 10, 10, C)
        return draw(*x), adaptive_pool2d_geometry(x, (1, 1))

    return arguments


# -- statistics --------------------------------------------------------------------------------


def mean_of_pixels(x, g):
    return x.mean(axis=(1, 2), keepdims=True)


def depthwise_sums(x, grad, g):
    """grad_weight of stride 1, tap by tap."""
    y = np.empty(g.weight_shape)
    for kh in range(g.KH):
        for kw in range(g.KW):
            seen = x[:, kh : kh + g.OH, kw : kw + g.OW]
            y[kh, kw, 0] = np.einsum("nhwc,nhwc->c", seen, grad)
    return y


def places(N, C, groups):
    return lambda n, draw: (draw(N, n, C), draw(C), draw(C), groups, 1e-3)


def place_sums(N, C, groups):
    def arguments(n, draw):
        x = draw(N, n, C)
        moments = np.zeros((N, groups), np.float32), np.ones((N, groups), np.float32)
        return draw(N, n, C), x, *moments, 1e-3

    return arguments


def row(n, draw):
    return draw(3, n), draw(n), draw(n), 1e-3


def row_grad(rows=None):
    def arguments(n, draw):
        N, D = (3, n) if rows is None else (n, rows)
        still = np.zeros(N, np.float32), np.ones(N, np.float32)
        return draw(N, D), draw(N, D), draw(D), *still, 1e-3

    return arguments


def attended(n, draw):
    q, k, v = draw(1, 2, 1, 3), draw(1, n, 1, 3), draw(1, n, 1, 3)
    return q, k, v, None, None, None, 1.0, 0, 0, 0.0


def attended_grad(n, draw):
    """Of many queries, whose keys and values get a gradient from each."""
    q, k, v = draw(1, n, 1, 3), draw(1, 3, 1, 3), draw(1, 3, 1, 3)
    y, logs = Backend().attention(q, k, v, None, None, None, 1.0, 0, 0, 0.0)
    grad = draw(1, n, 1, 3)
    return grad, y, logs, q, k, v, None, None, None, 1.0, 0, 0, 0.0


LONG_SUMS = (
    LongSum("matmul", "1 x 1", product(1, 1)),
    LongSum("matmul", "1 x 3", product(1, 3)),
    LongSum("matmul", "1 x 9", product(1, 9)),
    LongSum("matmul", "1 x 40", product(1, 40)),
    LongSum("matmul", "1 x 600", product(1, 600), most=2 * 10**4),
    LongSum("matmul", "1 x 3, transposed", product(1, 3, transposed=True)),
    LongSum("matmul", "5 x 1", product(5, 1)),
    LongSum("matmul", "3 x 5", product(3, 5)),
    LongSum("matmul", "7 x 5, transposed", product(7, 5, transposed=True)),
    LongSum("matmul", "30 x 20", product(30, 20)),
    LongSum("matmul", "rows of both", gradient_product(5, 4)),
    LongSum("matmul", "one row of both", gradient_product(1, 1)),
    LongSum("sum", "a row", reduced(0)),
    LongSum("sum", "rows", reduced(1, before=(3,))),
    LongSum("sum", "many rows", reduced(1, before=(70,))),
    LongSum("sum", "every second", reduced(0, step=2)),
    LongSum("sum", "3 columns", reduced(0, after=(3,))),
    LongSum("sum", "100 columns", reduced(0, after=(100,))),
    LongSum("sum", "planes", reduced(1, before=(70,), after=(5,)), most=3 * 10**4),
    LongSum("cumsum", "along a row", running()),
    LongSum("cumsum", "backwards", running(reverse=True)),
    LongSum("cumsum", "columns", running(after=(3,))),
    LongSum("conv2d", "1 x 1", window(1, 1)),
    LongSum("conv2d", "7 x 7", window(7, 7)),
    LongSum("conv2d", "3 x 3, groups", window(3, 3, groups=2)),
    LongSum("conv2d_input_grad", "1 x 1", window(1, 1, which="input")),
    LongSum("conv2d_input_grad", "3 x 3", window(3, 3, which="input")),
    LongSum("conv2d_input_grad", "3 x 3, groups", window(3, 3, which="input", groups=2)),
    LongSum("conv2d_weight_grad", "one image row", outputs(2, 3, (1, 3), (1, None))),
    LongSum("conv2d_weight_grad", "wide images", outputs(2, 3, (3, 3), (10, 3000))),
    LongSum("conv2d_weight_grad", "small images", outputs(2, 20, (3, 3), (8, 8))),
    LongSum("conv2d_weight_grad", "strides", outputs(2, 3, (3, 3), (50, 50), stride=2)),
    LongSum("conv2d_weight_grad", "groups", outputs(4, 6, (3, 3), (40, 40), groups=2)),
    *[
        LongSum("conv2d_weight_grad", what, outputs(C, C, *sizes, groups=C), want=depthwise_sums)
        for what, C, *sizes in (
            ("depthwise row", 3, (1, 3), (1, None)),
            ("depthwise", 20, (3, 3), (8, 8)),
            ("depthwise wide", 20, (5, 5), (9, 1000)),
        )
    ],
    LongSum("avg_pool2d", "3 channels", pooled(3), want=mean_of_pixels),
    LongSum("avg_pool2d", "40 channels", pooled(40), want=mean_of_pixels),
    LongSum("channel_norm", "a batch", places(1, 3, 3), fills=(RANDOM,)),
    LongSum("channel_norm", "one group", places(1, 4, 1), fills=(RANDOM,)),
    LongSum("channel_norm", "20 samples", places(20, 3, 3), fills=(RANDOM,)),
    LongSum("channel_norm_sums", "a batch", place_sums(1, 3, 3)),
    LongSum("channel_norm_sums", "20 samples", place_sums(20, 3, 3)),
    LongSum("row_norm", "a row", row, fills=(RANDOM,)),
    LongSum("row_norm_grad", "a row", row_grad(), fills=(RANDOM,)),
    LongSum("row_norm_grad", "many rows", row_grad(3)),
    LongSum("softmax", "a row", lambda n, draw: (draw(2, n),)),
    LongSum("log_softmax", "a row", lambda n, draw: (draw(2, n),)),
    LongSum("cross_entropy", "a row", lambda n, draw: (draw(2, n), np.array([0, 1]))),
    LongSum("attention", "many keys", attended, most=3 * 10**4),
    LongSum("attention_grad", "many queries", attended_grad, 3 * 10**4, (RANDOM,)),
    LongSum("norms", "a vector", lambda n, draw: ([draw(n)],)),
)

#: Kernels that add products or sums too, and why they are not in the table.
SHORT_SUMS = {
    "ctc": "a step adds three ways to a state, and its states, 2 L + 1 of them",
    "scatter_add": "adds in the order of the indices; a row that many of them name is one sum",
    "col2im": "a pixel adds the windows that hold it, KH * KW at most",
    "max_pool2d_scatter": "a pixel adds the windows that hold it, KH * KW at most",
    "avg_pool2d_grad": "a pixel adds the windows that hold it, KH * KW at most",
    "roi_pool_scatter": "a pixel adds the regions that chose it",
    "roi_align": "a bin adds its own cells",
    "roi_align_grad": "a pixel adds the regions that hold it",
    "cross_entropy_grad": "the sum of its softmax is given to it, by cross_entropy",
    "rnn_forward": "its sums are those of a matmul",
    "rnn_backward": "its sums are those of a matmul",
    "lstm_forward": "its sums are those of a matmul",
    "lstm_backward": "its sums are those of a matmul",
    "gru_forward": "its sums are those of a matmul",
    "gru_backward": "its sums are those of a matmul",
    "channel_norm_apply": "adds nothing up: `terms` is the size of its error",
    "channel_norm_grad": "adds nothing up over places: the sums come in",
    "sgd_step": "adds nothing up: `terms` is the size of its error",
    "rmsprop_step": "adds nothing up: `terms` is the size of its error",
    "adam_step": "adds nothing up: `terms` is the size of its error",
    "adagrad_step": "adds nothing up: `terms` is the size of its error",
    "adadelta_step": "adds nothing up: `terms` is the size of its error",
    "centred_rmsprop_step": "adds nothing up: `terms` is the size of its error",
    "adamax_step": "adds nothing up: `terms` is the size of its error",
    "nadam_step": "adds nothing up: `terms` is the size of its error",
    "rprop_step": "adds nothing up: `terms` is the size of its error",
}
