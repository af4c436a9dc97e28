"""Layers that move, repeat, cut or surround elements."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .... import nn, ops
from ....errors import FormatError, ShapeError
from ....nn import Module
from ....quoting import quoted
from ....tensor import Tensor
from .table import (
    Given,
    Kind,
    Unit,
    in_a_row,
    not_one_of,
    real,
    to_last,
    whole,
    wholes,
    word,
)

flat_call = partial(in_a_row, keeps_mask=False)


def _flatten(layer, arrays, maker):
    if layer.get("data_format") == "channels_first":
        return Unit([("", nn.Flatten())], flattened_last)
    return Unit([("", nn.Flatten())], flat_call)


def flattened_last(modules, given: Given):
    """Keras flattens channels_first as if the channels were last."""
    x = given.x
    return [modules[0](to_last(x) if x.ndim > 2 else x)], [None]


def _reshape(layer, arrays, maker):
    shape = layer.get("target_shape")
    if not isinstance(shape, list) or not all(type(n) is int for n in shape):
        raise FormatError(f"Reshape {quoted(layer.name, 60)}: target_shape {quoted(shape, 60)}")
    return Unit([("", nn.Reshape(*shape))], flat_call)


class Permute(Module):
    """The axes of a sample in another order; dims count from 1, as in Keras."""

    def __init__(self, dims: tuple[int, ...]) -> None:
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        return ops.transpose(x, (0, *self.dims))

    def arguments(self) -> str:
        return f"{self.dims}"


def _permute(layer, arrays, maker):
    return Unit([("", Permute(tuple(layer.config["dims"])))], flat_call)


def _repeat(layer, arrays, maker):
    return Unit([("", nn.RepeatVector(whole(layer, "n")))], flat_call)


class Border(Module):
    """Zeros around the axes between batch and channels, or, below 0, elements cut off there."""

    def __init__(self, sides: tuple[tuple[int, int], ...], first: bool = False) -> None:
        self.sides, self.first = sides, first

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != len(self.sides) + 2:
            raise ShapeError(f"Border: {len(self.sides)} axes have sides, x is {x.shape}")
        start = 2 if self.first else 1
        widths = [(0, 0)] * x.ndim
        places = [slice(None)] * x.ndim
        for axis, (before, after) in enumerate(self.sides, start):
            widths[axis] = max(before, 0), max(after, 0)
            places[axis] = slice(max(-before, 0), x.shape[axis] - max(-after, 0))
            if x.shape[axis] + before + after < 1:
                raise ShapeError(f"Border: nothing is left of {x.shape} with {self.sides}")
        x = x[tuple(places)]
        return ops.pad(x, tuple(widths)) if any(map(any, widths)) else x

    def arguments(self) -> str:
        return f"{self.sides}"


def _border(layer, arrays, maker, key, sign, axes):
    value = layer.get(key, 1 if sign > 0 else 0)
    value = [value] * axes if type(value) is int else value
    if axes == 1 and isinstance(value, list) and len(value) == 2:
        value = [value]
    sides = [(v, v) if type(v) is int else tuple(v) for v in value]
    alike = len(sides) == axes and all(len(s) == 2 for s in sides)
    if not alike or not all(type(n) is int and 0 <= n < 1 << 16 for s in sides for n in s):
        raise FormatError(f"{layer.kind} {quoted(layer.name, 60)}: {key} {quoted(value, 60)}")
    signed: Any = tuple((sign * a, sign * b) for a, b in sides)
    first = layer.get("data_format") == "channels_first"
    if axes == 2 and sign > 0 and not first:
        return Unit([("", nn.ZeroPad2d(signed))], flat_call)
    return Unit([("", Border(signed, first))], flat_call)


class Repeat(Module):
    """Every element so many times along the axes between batch and channels."""

    def __init__(self, times: tuple[int, ...], first: bool = False) -> None:
        self.times, self.first = times, first

    def forward(self, x: Tensor) -> Tensor:
        for axis, n in enumerate(self.times, 2 if self.first else 1):
            x = ops.repeat(x, repeats=n, axis=axis) if n > 1 else x
        return x

    def arguments(self) -> str:
        return f"{self.times}"


def _upsample(layer, arrays, maker, axes):
    size = wholes(layer, "size", axes, 2)
    first = layer.get("data_format") == "channels_first"
    if layer.get("interpolation", "nearest") == "bilinear":
        module = nn.Upsample(scale_factor=(float(size[0]), float(size[1])), mode="bilinear")
        return Unit([("", module)], images_call(first))
    return Unit([("", Repeat(size, first))], flat_call)


def images_call(first):
    from .table import around, to_first

    return partial(around, before=to_last, after=to_first, keeps_mask=False) if first else flat_call


def _resizing(layer, arrays, maker):
    size = whole(layer, "height"), whole(layer, "width")
    mode = word(layer, "interpolation", "bilinear", ("bilinear", "nearest"))
    first = layer.get("data_format") == "channels_first"
    return Unit([("", nn.Upsample(size, mode=mode))], images_call(first))


def _no_resizing(layer):
    for key in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        if layer.config.get(key):
            return f"{key}=True"
    return not_one_of("interpolation", "bilinear")(layer)


class CenterCrop(Module):
    """The middle of images (N, H, W, C)."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        top, left = ((n - m) // 2 for n, m in zip(x.shape[1:3], self.size, strict=True))
        if top < 0 or left < 0:
            raise ShapeError(f"CenterCrop: {self.size} of smaller images {x.shape}")
        return x[:, top : top + self.size[0], left : left + self.size[1]]

    def arguments(self) -> str:
        return f"{self.size}"


def _crop(layer, arrays, maker):
    size = whole(layer, "height"), whole(layer, "width")
    return Unit([("", CenterCrop(size))], flat_call)


def rescaled(x: Tensor, scale: float, offset: float) -> Tensor:
    """x * scale + offset."""
    x = x if x.dtype.kind == "f" else ops.astype(x, np.float32)
    return x * scale + offset


def _rescaling(layer, arrays, maker):
    options = {"scale": real(layer, "scale", 1.0), "offset": real(layer, "offset", 0.0)}
    return Unit([("", nn.Apply(rescaled, **options))], in_a_row)


def _borders(key, sign):
    kinds = {1: "1D", 2: "2D", 3: "3D"}
    name = "ZeroPadding" if sign > 0 else "Cropping"
    return {f"{name}{kinds[n]}": Kind(partial(_border, key=key, sign=sign, axes=n)) for n in kinds}


KINDS = {
    "Flatten": Kind(_flatten),
    "Reshape": Kind(_reshape),
    "Permute": Kind(_permute),
    "RepeatVector": Kind(_repeat),
    **_borders("padding", 1),
    **_borders("cropping", -1),
    "UpSampling1D": Kind(partial(_upsample, axes=1)),
    "UpSampling2D": Kind(
        partial(_upsample, axes=2), refuses=not_one_of("interpolation", "nearest", "bilinear")
    ),
    "UpSampling3D": Kind(partial(_upsample, axes=3)),
    "Resizing": Kind(_resizing, refuses=_no_resizing),
    "CenterCrop": Kind(_crop, refuses=not_one_of("data_format", "channels_last")),
    "Rescaling": Kind(_rescaling, refuses=lambda la: _not_numbers(la, "scale", "offset")),
}


def _not_numbers(layer, *keys):
    for key in keys:
        if isinstance(layer.config.get(key), list):
            return f"{key} as a list"
    return None
