"""Convolutions of every form that tinydl has, in one and two dimensions.

Keras's kernels are tinydl's: (KH, KW, C / groups, F), transposed (KH, KW, F, C), depthwise
(KH, KW, C, M). Forms that tinydl has for images only run sequences as images of one row.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from .... import nn
from ....quoting import quoted
from . import activations
from .table import (
    Kind,
    Unit,
    around,
    as_row,
    first_to_row,
    fitting,
    from_row,
    if_true,
    images,
    numbered,
    put,
    row_to_first,
    whole,
    wholes,
    word,
)

PADDINGS = ("valid", "same", "causal")


def _padding(layer, axes):
    """As tinydl's layers take it; "causal" of one row is all before."""
    padding = word(layer, "padding", "valid", PADDINGS if axes == 1 else PADDINGS[:2])
    return padding


def _causal_row(layer, kernel, dilation):
    return ((0, 0), ((kernel - 1) * dilation, 0))


def _conv(layer, arrays, maker, axes):
    filters, groups = whole(layer, "filters"), whole(layer, "groups", default=1)
    size: Any = wholes(layer, "kernel_size", axes)
    kernel = fitting(layer, arrays, "kernel", *size, None, filters)
    options: dict[str, Any] = {
        "stride": wholes(layer, "strides", axes, 1),
        "dilation": wholes(layer, "dilation_rate", axes, 1),
    }
    if axes == 1:
        size, options = size[0], {k: v[0] for k, v in options.items()}
    make: Any = nn.Conv1d if axes == 1 else nn.Conv2d
    module = make(
        kernel.shape[-2] * groups, filters, size, padding=_padding(layer, axes), groups=groups,
        bias="bias" in arrays, weight_init="zeros", **options,
    )  # fmt: skip
    return _filled(layer, arrays, maker, module, {"kernel": module.weight}, filters, images(layer))


def _filled(layer, arrays, maker, module, weights, filters, call):
    """The module with the file's numbers in it, and its activation behind."""
    for name, parameter in weights.items():
        put(parameter, arrays[name])
    if "bias" in arrays:
        put(module.bias, fitting(layer, arrays, "bias", filters))
    return Unit([("", module), *activations.behind(layer, maker)], call)


def _row_or_image(layer, axes):
    """The caller of a form that tinydl has for images only."""
    if axes == 2:
        return images(layer)
    if layer.get("data_format") == "channels_first":
        return partial(around, before=first_to_row, after=row_to_first, keeps_mask=False)
    return partial(around, before=as_row, after=from_row, keeps_mask=False)


def _as_image(arrays, names):
    """Kernels of one axis as kernels of one row."""
    return arrays | {name: arrays[name][None] for name in names}


def _options(layer, axes):
    """stride, padding and dilation for a form of images; a row has height 1."""
    row = (1,) if axes == 1 else ()
    size = wholes(layer, "kernel_size", axes)
    dilation = wholes(layer, "dilation_rate", axes, 1)
    padding = _padding(layer, axes)
    if padding == "causal":
        padding = _causal_row(layer, size[0], dilation[0])
    stride = wholes(layer, "strides", axes, 1)
    return {
        "kernel_size": row + size,
        "stride": row + stride,
        "padding": padding,
        "dilation": row + dilation,
    }


def _depthwise(layer, arrays, maker, axes):
    multiplier = whole(layer, "depth_multiplier", default=1)
    options = _options(layer, axes)
    name = "depthwise_kernel" if "depthwise_kernel" in arrays else "kernel"
    arrays = _as_image(arrays, [name]) if axes == 1 else arrays
    kernel = fitting(layer, arrays, name, *options["kernel_size"], None, multiplier)
    channels = kernel.shape[2]
    module = nn.DepthwiseConv2d(
        channels, multiplier=multiplier, bias="bias" in arrays, weight_init="zeros", **options
    )
    call = _row_or_image(layer, axes)
    weights = {name: module.weight}
    return _filled(layer, arrays, maker, module, weights, channels * multiplier, call)


def _separable(layer, arrays, maker, axes):
    filters = whole(layer, "filters")
    multiplier = whole(layer, "depth_multiplier", default=1)
    options = _options(layer, axes)
    names = ["depthwise_kernel", "pointwise_kernel"]
    arrays = _as_image(arrays, names) if axes == 1 else arrays
    kernel = fitting(layer, arrays, names[0], *options["kernel_size"], None, multiplier)
    channels = kernel.shape[2]
    fitting(layer, arrays, names[1], 1, 1, channels * multiplier, filters)
    module = nn.SeparableConv2d(
        channels, filters, multiplier=multiplier, bias="bias" in arrays, weight_init="zeros",
        **options,
    )  # fmt: skip
    weights = {names[0]: module.weight, names[1]: module.pointwise}
    return _filled(layer, arrays, maker, module, weights, filters, _row_or_image(layer, axes))


def _transposed(layer, arrays, maker, axes):
    filters = whole(layer, "filters")
    options = _options(layer, axes)
    arrays = _as_image(arrays, ["kernel"]) if axes == 1 else arrays
    kernel = fitting(layer, arrays, "kernel", *options["kernel_size"], filters, None)
    given = layer.config.get("output_padding")
    longer = None if given is None else wholes(layer, "output_padding", axes, low=0)
    if longer is not None and axes == 1:
        longer = (0, *longer)
    places = [_deconvolution(layer, options, i, longer) for i in (0, 1)]
    options["padding"] = tuple(pads for pads, _ in places)
    options["output_padding"] = tuple(extra for _, extra in places)
    module = nn.ConvTranspose2d(
        kernel.shape[3], filters, bias="bias" in arrays, weight_init="zeros", **options
    )
    call = _row_or_image(layer, axes)
    return _filled(layer, arrays, maker, module, {"kernel": module.weight}, filters, call)


def _deconvolution(layer, options, axis, longer):
    """((before, after), output_padding) of one axis: what Keras cuts off the whole result of
    (H - 1) s + k numbers, k being the kernel with its dilation, so that "valid" gives (H - 1) s +
    max(k, s) and "same" H s; a given output_padding p gives (H - 1) s + k + p, or + k % 2 + p.
    """
    stride, dilation = options["stride"][axis], options["dilation"][axis]
    kernel = (options["kernel_size"][axis] - 1) * dilation + 1
    if options["padding"] == "valid":
        return (0, 0), max(stride - kernel, 0) if longer is None else longer[axis]
    around = stride + kernel - 2 if longer is None else kernel + kernel % 2 - 2 + longer[axis]
    before = min(around - around // 2, kernel - 1)
    cut = kernel - 1 - before, kernel - 1 - (around - before)
    return (cut[0], max(cut[1], 0)), max(-cut[1], 0)


def _no_transposed(layer):
    if (groups := layer.config.get("groups", 1)) not in (1, None):
        return f"groups={quoted(groups, 20)}"
    return activations.refused(layer)


def _row_of(build, axes, slots, refuses=activations.refused):
    return Kind(partial(build, axes=axes), slots, refuses)


def _kernel(layer):
    return numbered("kernel", if_true(layer, "use_bias", "bias"))


def _of_depth(layer):
    return numbered("depthwise_kernel", if_true(layer, "use_bias", "bias"))


def _of_two(layer):
    return numbered("depthwise_kernel", "pointwise_kernel", if_true(layer, "use_bias", "bias"))


KINDS = {
    "Conv1D": _row_of(_conv, 1, _kernel),
    "Conv2D": _row_of(_conv, 2, _kernel),
    "Conv1DTranspose": _row_of(_transposed, 1, _kernel, _no_transposed),
    "Conv2DTranspose": _row_of(_transposed, 2, _kernel, _no_transposed),
    "DepthwiseConv1D": _row_of(_depthwise, 1, _of_depth),
    "DepthwiseConv2D": _row_of(_depthwise, 2, _of_depth),
    "SeparableConv1D": _row_of(_separable, 1, _of_two),
    "SeparableConv2D": _row_of(_separable, 2, _of_two),
}
KINDS |= {  # names of Keras 1 and aliases
    "Convolution1D": KINDS["Conv1D"],
    "Convolution2D": KINDS["Conv2D"],
    "Deconvolution2D": KINDS["Conv2DTranspose"],
    "Convolution2DTranspose": KINDS["Conv2DTranspose"],
    "SeparableConvolution2D": KINDS["SeparableConv2D"],
}
