"""Layers that do something in training only, and those that do nothing."""

from __future__ import annotations

from .... import nn, ops
from ....nn import Module
from ....random import default_generator
from ....tensor import Tensor
from .table import Given, Kind, Unit, in_a_row, real


def _dropout(layer, arrays, maker):
    return Unit([("", nn.Dropout(real(layer, "rate", 0.5)))], in_a_row)


class SpatialDropout(Module):
    """In training whole channels of x (N, ..., C) are 0 with probability `rate`. Tompson 2015."""

    def __init__(self, rate: float, first: bool = False) -> None:
        self.rate, self.first = rate, first

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        shape = [1] * x.ndim
        shape[0], channels = x.shape[0], 1 if self.first else x.ndim - 1
        shape[channels] = x.shape[channels]
        ones = Tensor._new(x.backend.full(tuple(shape), 1, x.dtype), x.backend)
        return x * ops.dropout(ones, self.rate, True, None)

    def arguments(self) -> str:
        return f"{self.rate:g}"


def _spatial(layer, arrays, maker):
    first = layer.get("data_format") == "channels_first"
    return Unit([("", SpatialDropout(real(layer, "rate", 0.5), first))], in_a_row)


class GaussianNoise(Module):
    """In training x + a normal number of this standard deviation, or x (1 + it)."""

    def __init__(self, deviation: float, times: bool = False) -> None:
        self.deviation, self.times = deviation, times

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        drawn = default_generator().normal(x.shape, std=self.deviation)
        noise = Tensor(drawn, backend=x.backend, dtype=x.dtype)
        return x * (noise + 1.0) if self.times else x + noise

    def arguments(self) -> str:
        return f"{self.deviation:g}" + (", times=True" if self.times else "")


def _noise(layer, arrays, maker):
    return Unit([("", GaussianNoise(real(layer, "stddev", 1.0)))], in_a_row)


def _gaussian_dropout(layer, arrays, maker):
    rate = min(real(layer, "rate", 0.5), 0.999)
    return Unit([("", GaussianNoise((rate / (1 - rate)) ** 0.5, times=True))], in_a_row)


def _nothing(layer, arrays, maker):
    return Unit([("", nn.Identity())], in_a_row)


class Masking(Module):
    """Steps of which every number is `value` become zeros, and are passed over below."""

    def __init__(self, value: float) -> None:
        self.value = value

    def present(self, x: Tensor) -> Tensor:
        """bool (N, T)."""
        return ops.any(x != self.value, axis=-1)

    def forward(self, x: Tensor) -> Tensor:
        return x * ops.astype(ops.expand_dims(self.present(x), -1), x.dtype)

    def arguments(self) -> str:
        return f"{self.value:g}"


def _masking(layer, arrays, maker):
    return Unit([("", Masking(real(layer, "mask_value", 0.0)))], masked, makes_mask=True)


def masked(modules, given: Given):
    return [modules[0](given.x)], [modules[0].present(given.x)]


def _input(layer, arrays, maker):
    return Unit([], in_a_row)


#: Random changes of pictures, which Keras makes in training only: pictures pass as they are.
AUGMENTATION = (
    "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast",
    "RandomBrightness", "RandomHeight", "RandomWidth", "RandomColorJitter", "RandomShear",
    "RandomHue", "RandomSaturation", "RandomSharpness", "RandomPosterization", "RandomInvert",
    "RandomErasing", "RandomGaussianBlur", "RandomGrayscale", "RandomPerspective",
    "RandomElasticTransform", "RandomColorDegeneration",
)  # fmt: skip

KINDS = {
    "Dropout": Kind(_dropout),
    "SpatialDropout1D": Kind(_spatial),
    "SpatialDropout2D": Kind(_spatial),
    "SpatialDropout3D": Kind(_spatial),
    "GaussianNoise": Kind(_noise),
    "GaussianDropout": Kind(_gaussian_dropout),
    "ActivityRegularization": Kind(_nothing),
    "Identity": Kind(_nothing),
    "Masking": Kind(_masking),
    "InputLayer": Kind(_input),
    **{kind: Kind(_nothing) for kind in AUGMENTATION},
}
