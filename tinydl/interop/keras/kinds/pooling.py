"""Pooling, of windows and of everything."""

from __future__ import annotations

from functools import partial
from typing import Any

from .... import nn, ops
from .table import Given, Kind, Unit, images, to_first, to_last, wholes, word

PADDINGS = ("valid", "same")


def _pool(layer, arrays, maker, make, axes):
    size: Any = wholes(layer, "pool_size", axes, 2)
    stride: Any = wholes(layer, "strides", axes, size)
    padding = word(layer, "padding", "valid", PADDINGS)
    if axes == 1:
        size, stride = size[0], stride[0]
    return Unit([("", make(size, stride, padding))], images(layer))


def _adaptive(layer, arrays, maker, make, axes):
    size = wholes(layer, "output_size", axes)
    return Unit([("", make(size[0] if axes == 1 else size))], images(layer))


def _global(layer, arrays, maker, make):
    first = layer.get("data_format") == "channels_first"
    call = partial(of_all, first=first, keepdims=bool(layer.get("keepdims", False)))
    if layer.kind == "GlobalAveragePooling1D":
        call = partial(mean_of_present, otherwise=call)
    return Unit([("", make())], call)


def of_all(modules, given: Given, first: bool, keepdims: bool):
    """One number for each channel; keepdims leaves axes of size 1."""
    x = to_last(given.x) if first else given.x
    y = modules[0](x)
    if keepdims:
        y = ops.reshape(y, (y.shape[0], *[1] * (x.ndim - 2), y.shape[1]))
        y = to_first(y) if first else y
    return [y], [None]


def mean_of_present(modules, given: Given, otherwise):
    """The mean over the steps that a mask leaves."""
    if given.mask is None:
        return otherwise(modules, given)
    x = to_last(given.x) if otherwise.keywords["first"] else given.x
    weights = ops.astype(ops.expand_dims(given.mask, 2), x.dtype)
    y = ops.sum(x * weights, axis=1) / ops.sum(weights, axis=1)
    if otherwise.keywords["keepdims"]:
        y = ops.expand_dims(y, 2 if otherwise.keywords["first"] else 1)
    return [y], [None]


def _windows(make, axes):
    return Kind(partial(_pool, make=make, axes=axes))


def _everything(make):
    return Kind(partial(_global, make=make))


def _bins(make, axes):
    return Kind(partial(_adaptive, make=make, axes=axes))


KINDS = {
    "MaxPooling1D": _windows(nn.MaxPool1d, 1),
    "MaxPooling2D": _windows(nn.MaxPool2d, 2),
    "AveragePooling1D": _windows(nn.AvgPool1d, 1),
    "AveragePooling2D": _windows(nn.AvgPool2d, 2),
    "GlobalAveragePooling1D": _everything(nn.GlobalAvgPool),
    "GlobalAveragePooling2D": _everything(nn.GlobalAvgPool),
    "GlobalAveragePooling3D": _everything(nn.GlobalAvgPool),
    "GlobalMaxPooling1D": _everything(nn.GlobalMaxPool),
    "GlobalMaxPooling2D": _everything(nn.GlobalMaxPool),
    "GlobalMaxPooling3D": _everything(nn.GlobalMaxPool),
    "AdaptiveAveragePooling1D": _bins(nn.AdaptiveAvgPool1d, 1),
    "AdaptiveAveragePooling2D": _bins(nn.AdaptiveAvgPool2d, 2),
    "AdaptiveMaxPooling1D": _bins(nn.AdaptiveMaxPool1d, 1),
    "AdaptiveMaxPooling2D": _bins(nn.AdaptiveMaxPool2d, 2),
}
