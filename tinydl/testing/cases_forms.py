"""Rows of operations composed from others: forms of convolution, global pooling."""

from __future__ import annotations

from .. import ops
from .case import Example, OpCase
from .draws import Draw


def _conv1d(d: Draw) -> Example:
    groups, K, T = d.integer(1, 2), d.integer(1, 3), d.integer(5, 8)
    C, F = groups * d.integer(1, 2), groups * d.integer(1, 2)
    padding = d.choose((0, 1, (0, 2), "valid", "same", "causal"))
    options = {"stride": d.integer(1, 3), "padding": padding, "dilation": d.integer(1, 2)}
    inputs = (d.normal((d.integer(1, 2), T, C)), d.normal((K, C // groups, F)), d.normal((F,)))
    return Example(inputs[: d.integer(2, 3)], {**options, "groups": groups})


def _conv_transpose2d(d: Draw) -> Example:
    groups, stride = d.integer(1, 2), (d.integer(1, 3), d.integer(1, 3))
    kernel = (d.integer(2, 3), d.integer(2, 3))
    C, F = groups * d.integer(1, 2), d.integer(1, 2)
    x = d.normal((d.integer(1, 2), d.integer(2, 4), d.integer(2, 3), C))
    padding = d.choose((0, 1, ((0, 1), (1, 0)), "valid", "same"))
    extra = (d.integer(0, stride[0] - 1), d.integer(0, stride[1] - 1))
    options = {"stride": stride, "padding": padding, "dilation": d.integer(1, 2)}
    options |= {"output_padding": 0 if padding == "same" else extra, "groups": groups}
    inputs = (x, d.normal((*kernel, F, C)), d.normal((F * groups,)))
    return Example(inputs[: d.integer(2, 3)], options)


def _depthwise(d: Draw) -> Example:
    C, M = d.integer(1, 3), d.integer(1, 2)
    x = d.normal((d.integer(1, 2), d.integer(3, 5), d.integer(3, 5), C))
    options = {"stride": d.integer(1, 2), "padding": d.choose((0, 1, "same")), "dilation": 1}
    return Example((x, d.normal((2, 3, C, M)), d.normal((C * M,))), options)


def _separable(d: Draw) -> Example:
    first = _depthwise(d)
    x, depthwise, bias = first.inputs
    F = d.integer(1, 3)
    inputs = (x, depthwise, d.normal((1, 1, bias.shape[0], F)), d.normal((F,)))
    return Example(inputs[: d.integer(3, 4)], first.options)


def _places(d: Draw) -> Example:
    shape = d.shape(3, 4, 1, 3)
    return Example((d.distinct(shape),), {"keepdims": d.flag()})


ROWS = (
    OpCase("conv1d", ops.conv1d, _conv1d),
    OpCase("conv_transpose2d", ops.conv_transpose2d, _conv_transpose2d),
    OpCase("depthwise_conv2d", ops.depthwise_conv2d, _depthwise),
    OpCase("separable_conv2d", ops.separable_conv2d, _separable),
    OpCase("global_avg_pool", ops.global_avg_pool, _places),
    OpCase("global_max_pool", ops.global_max_pool, _places),
)
