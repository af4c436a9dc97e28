"""Rows of operations composed from others: convolution forms, pooling, normalisation,
attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..ops import roi
from .case import NO_DERIVATIVE, Example, OpCase
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
    dilation = d.integer(1, 3)
    extra = tuple([d.integer(0, max(s, dilation) - 1) for s in stride])
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    options |= {"output_padding": 0 if padding == "same" else extra, "groups": groups}
    inputs = (x, d.normal((*kernel, F, C)), d.normal((F * groups,)))
    return Example(inputs[: d.integer(2, 3)], options)


def _conv_transpose1d(d: Draw) -> Example:
    groups, stride, dilation = d.integer(1, 2), d.integer(1, 3), d.integer(1, 3)
    C, F, K = groups * d.integer(1, 2), d.integer(1, 2), d.integer(2, 3)
    padding = d.choose((0, 1, (0, 1), "valid", "same"))
    extra = 0 if padding == "same" else d.integer(0, max(stride, dilation) - 1)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    options |= {"output_padding": extra, "groups": groups}
    inputs = (d.normal((2, d.integer(3, 5), C)), d.normal((K, F, C)), d.normal((F * groups,)))
    return Example(inputs[: d.integer(2, 3)], options)


def _conv3d(d: Draw) -> Example:
    groups, kernel = d.integer(1, 2), tuple([d.integer(1, 2) for _ in range(3)])
    C, F = groups * d.integer(1, 2), groups * d.integer(1, 2)
    options = {
        "stride": d.choose((1, 2, (2, 1, 2))),
        "padding": d.choose((0, 1, (1, 0, 2), ((0, 1), (1, 0), (0, 0)), "valid", "same")),
        "dilation": d.choose((1, 2, (2, 1, 1))),
        "groups": groups,
    }
    inputs = (d.normal((1, 3, 3, 4, C)), d.normal((*kernel, C // groups, F)), d.normal((F,)))
    return Example(inputs[: d.integer(2, 3)], options)


def _pool3d(d: Draw, **more: Any) -> Example:
    options = {
        "kernel_size": d.choose((1, 2, (2, 1, 3))),
        "stride": d.choose((None, 1, (1, 2, 2))),
        "padding": d.choose((0, ((1, 0), (0, 0), (0, 0)), "same")),
    }
    if options["kernel_size"] == 1 and options["padding"] != "same":
        options["padding"] = 0
    x = d.distinct((d.integer(1, 2), d.integer(2, 3), 3, 4, d.integer(1, 2)))
    return Example((x,), {**options, "ceil_mode": d.flag(), **more})


def _dilated(d: Draw) -> Example:
    """The cells of a window `dilation` apart."""
    x = d.distinct((d.integer(1, 2), d.integer(4, 6), d.integer(5, 6), d.integer(1, 2)))
    options = {"kernel_size": d.choose((2, (1, 3), (2, 1))), "stride": d.choose((None, 1, (2, 1)))}
    options |= {"padding": d.choose((0, ((1, 0), (0, 0)), "same")), "ceil_mode": d.flag()}
    if options["kernel_size"] == (1, 3) and options["padding"] != "same":
        options["padding"] = 0
    return Example((x,), {**options, "dilation": d.choose((2, (1, 2), (3, 1)))})


def _depthwise(d: Draw) -> Example:
    C, M = d.integer(1, 3), d.integer(1, 2)
    x = d.normal((d.integer(1, 2), d.integer(3, 5), d.integer(5, 7), C))
    options = {
        "stride": d.choose((1, 2, (1, 3))),
        "padding": d.choose((0, 1, "same", ((1, 0), (0, 2)))),
        "dilation": d.choose((1, 2, (1, 2))),
    }
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


def _pool1d(d: Draw, **more: Any) -> Example:
    K, T = d.integer(1, 3), d.integer(4, 8)
    padding = d.choose((0, K - 1, (K - 1, 0), (0, K - 1), "valid", "same"))
    options = {"kernel_size": K, "stride": d.choose((None, 1, 2, 3)), "padding": padding}
    x = d.distinct((d.integer(1, 2), T, d.integer(1, 3)))
    return Example((x,), {**options, "ceil_mode": d.flag(), **more})


def _bins(d: Draw) -> Example:
    x = d.distinct((d.integer(1, 2), d.integer(1, 6), d.integer(1, 6), d.integer(1, 2)))
    return Example((x,), {"size": d.choose((1, 2, 3, (2, 1), (4, 7)))})


def _bins1d(d: Draw) -> Example:
    x = d.distinct((d.integer(1, 2), d.integer(1, 6), d.integer(1, 2)))
    return Example((x,), {"size": d.integer(1, 7)})


def _unpool(d: Draw) -> Example:
    shape, size = d.shape(4, 4, 1, 3), (d.integer(1, 3), d.integer(2, 4))
    return Example((d.normal(shape), d.indices(shape, size[0] * size[1])), {"size": size})


def _regions(d: Draw, values: Callable[..., np.ndarray], **more: Any) -> Example:
    """Boxes inside, across the edge, outside and without extent; a scale that moves them."""
    R, shape = d.integer(0, 3), (d.integer(1, 2), d.integer(2, 5), d.integer(2, 5), d.integer(1, 2))
    corner, extent = d.uniform((R, 2), -2, 5), d.uniform((R, 2), -0.5, 5)
    scale = d.choose((1.0, 0.5))
    options = {"boxes": np.concatenate([corner, corner + extent], 1) / scale, "scale": scale}
    options |= {"batch_index": d.indices((R,), shape[0]), "size": (d.integer(1, 3), 2)}
    return Example((values(shape),), {**options, **more})


def _roi_align(d: Draw) -> Example:
    return _regions(d, d.normal, sampling_ratio=d.integer(0, 2), aligned=d.flag())


def _region_places(d: Draw) -> Example:
    shape, R = (d.integer(1, 2), 2, 3, d.integer(1, 2)), d.integer(0, 3)
    place = d.indices((R, 2, 1, shape[3]), 7).astype(np.int32) - 1  # -1: an empty bin
    return Example((d.normal(shape), place, d.indices((R,), shape[0]).astype(np.int32)))


def _channels(d: Draw, least: int = 2) -> tuple[int, ...]:
    """(N, ..., C) with values enough for a variance that is not tiny."""
    return (*[d.integer(2, 3) for _ in range(d.integer(least, 4) - 1)], d.integer(2, 4))


def _affine(d: Draw, x: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    return (x, d.normal(shape), d.normal(shape)) if d.flag() else (x,)


def _batch_norm(d: Draw) -> Example:
    x = d.distinct(_channels(d), 0.2)
    inputs, shape = _affine(d, x, x.shape[-1:]), x.shape[-1:]
    if len(inputs) == 3 and d.flag():
        inputs = (*inputs, d.normal(shape), d.uniform(shape, 0.5, 2.0))
    return Example(inputs, {"eps": d.choose((1e-3, 1e-5))})


def _normalized(x: Any, *vectors: Any, eps: float) -> Any:
    """scale and shift by place, moments by keyword."""
    moments = dict(zip(("mean", "variance"), vectors[2:], strict=False))
    return ops.batch_norm(x, *vectors[:2], **moments, eps=eps)


def _first_of_statistics(*tensors: Any, eps: float) -> Any:
    function: Any = ops.batch_norm_with_statistics
    return function(*tensors[:3], eps=eps)[0]


def _layer_norm(d: Draw) -> Example:
    x = d.distinct(_channels(d, 1), 0.2)
    axes = d.integer(1, x.ndim)
    return Example(_affine(d, x, x.shape[-axes:]), {"axes": axes})


def _instance_norm(d: Draw) -> Example:
    x = d.distinct(_channels(d, 3), 0.2)
    return Example(_affine(d, x, x.shape[-1:]))


def _group_norm(d: Draw) -> Example:
    groups = d.integer(1, 2)
    x = d.distinct((*_channels(d), 2 * groups), 0.2)
    return Example((x, d.normal(x.shape[-1:]), d.normal(x.shape[-1:])), {"groups": groups})


def _local_response_norm(d: Draw) -> Example:
    options = {"size": d.integer(1, 5), "alpha": 0.3, "beta": d.choose((0.75, 0.5))}
    return Example((d.normal(_channels(d, 1)),), {**options, "k": d.choose((1.0, 2.0))})


def _l2_normalize(d: Draw) -> Example:
    x = d.away_from_zero(_channels(d, 1))
    return Example((x, d.normal(x.shape[-1:])) if d.flag() else (x,))


def _masked_rows(d: Draw) -> Example:
    shape = d.shape(1, 3)
    x = d.normal(shape)
    return Example((x, d.bools(shape[d.integer(0, len(shape) - 1) :])) if d.flag() else (x,))


def _rms_norm(d: Draw) -> Example:
    shape = (*d.shape(0, 2), d.integer(2, 4))  # of one number the sign would be left
    x = d.normal(shape)
    return Example((x, d.normal(shape[-1:])) if d.flag() else (x,), {"eps": d.choose((1e-6, 0.1))})


def _rotary(d: Draw) -> Example:
    shape = (*d.shape(0, 2), d.integer(1, 4), d.integer(1, 3), 2 * d.integer(1, 3))
    options = {"start": d.choose((0, 7)), "axis": d.choose((-2, -3)), "halves": d.flag()}
    return Example((d.normal(shape),), options)


def _attention(value: bool) -> Callable[[Draw], Example]:
    """A mask may leave a query nothing to look at; heads may share key and value."""

    def draw(d: Draw) -> Example:
        L, S, E = d.integer(1, 3), d.integer(1, 4), d.integer(1, 3)
        batch = d.shape(0, 2, 1, 2)
        shapes = [(*batch, L, E), (*batch[: d.integer(0, len(batch))], S, E)]
        if len(shapes[1]) < len(shapes[0]):
            shapes[1] = (S, E)
        inputs = [d.normal(s) for s in shapes]
        if value:
            inputs.append(d.normal((*shapes[1][:-1], d.integer(1, 2))))
        options = {"causal": d.flag(), "scale": d.choose((None, 0.7))}
        mask = d.bools((*batch, L, S) if d.flag() else (S,))
        if d.flag():
            mask = d.normal(mask.shape)  # added, and differentiated too
        return Example((*inputs, mask) if d.flag() else tuple(inputs), options)

    return draw


ROWS = (
    OpCase("conv1d", ops.conv1d, _conv1d),
    OpCase("conv_transpose2d", ops.conv_transpose2d, _conv_transpose2d),
    OpCase("conv_transpose1d", ops.conv_transpose1d, _conv_transpose1d),
    OpCase("conv3d", ops.conv3d, _conv3d),
    OpCase("max_pool3d", ops.max_pool3d, _pool3d),
    OpCase("avg_pool3d", ops.avg_pool3d, lambda d: _pool3d(d, count_include_pad=d.flag())),
    OpCase("max_pool2d_dilated", ops.max_pool2d, _dilated),
    OpCase("depthwise_conv2d", ops.depthwise_conv2d, _depthwise),
    OpCase("separable_conv2d", ops.separable_conv2d, _separable),
    OpCase("global_avg_pool", ops.global_avg_pool, _places),
    OpCase("global_max_pool", ops.global_max_pool, _places),
    OpCase("max_pool1d", ops.max_pool1d, _pool1d),
    OpCase("avg_pool1d", ops.avg_pool1d, lambda d: _pool1d(d, count_include_pad=d.flag())),
    OpCase("adaptive_avg_pool1d", ops.adaptive_avg_pool1d, _bins1d),
    OpCase("adaptive_max_pool1d", ops.adaptive_max_pool1d, _bins1d),
    OpCase("adaptive_avg_pool2d", ops.adaptive_avg_pool2d, _bins),
    OpCase("adaptive_max_pool2d", ops.adaptive_max_pool2d, _bins),
    OpCase("max_unpool2d", ops.max_unpool2d, _unpool),
    OpCase("roi_pool", ops.roi_pool, lambda d: _regions(d, d.distinct)),
    OpCase(
        "roi_pool_gather",
        lambda x, place, image: roi.RoiPoolGather().apply(x, place, image),
        _region_places,
    ),
    OpCase("roi_align", ops.roi_align, _roi_align),
    OpCase("batch_norm", _normalized, _batch_norm),
    OpCase(
        "batch_norm_with_statistics",
        _first_of_statistics,
        _batch_norm,
    ),
    OpCase(
        "batch_statistics",
        lambda x: ops.concat(ops.batch_statistics(x)),
        lambda d: Example((d.normal(_channels(d)),)),
    ),
    OpCase("layer_norm", ops.layer_norm, _layer_norm),
    OpCase("instance_norm", ops.instance_norm, _instance_norm),
    OpCase("group_norm", lambda x, a, b, groups: ops.group_norm(x, groups, a, b), _group_norm),
    OpCase("rms_norm", ops.rms_norm, _rms_norm),
    OpCase("rotary", ops.rotary, _rotary),
    OpCase("local_response_norm", ops.local_response_norm, _local_response_norm),
    OpCase("l2_normalize", ops.l2_normalize, _l2_normalize),
    OpCase("masked_softmax", ops.masked_softmax, _masked_rows),
    OpCase("attention_weights", ops.attention_weights, _attention(False)),
    OpCase("scaled_dot_product_attention", ops.scaled_dot_product_attention, _attention(True)),
    OpCase(
        "causal_mask",
        ops.causal_mask,
        lambda d: Example((d.normal(()),), {"queries": d.integer(1, 4), "keys": d.integer(1, 4)}),
        0,
        NO_DERIVATIVE,
    ),
)
