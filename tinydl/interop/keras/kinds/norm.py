"""Normalisations."""

from __future__ import annotations

from functools import partial
from math import prod

import numpy as np

from .... import nn, ops
from ....errors import FormatError, ShapeError
from ....nn import Buffer, Module, Parameter
from ....quoting import quoted
from ....tensor import Tensor
from .table import (
    Given,
    Kind,
    Unit,
    fitting,
    if_true,
    in_a_row,
    not_one_of,
    numbered,
    on_axis,
    put,
    real,
    single_axis,
    whole,
)


def affine(layer, module, arrays, scale="gamma", shift="beta", size=None):
    """scale and shift where the layer has them; one that it lacks stays 1 or 0."""
    for name, attribute in ((scale, "scale"), (shift, "shift")):
        if name in arrays:
            values = arrays[name] if size is None else fitting(layer, arrays, name, size)
            put(getattr(module, attribute), values)


def _one_size(layer, arrays):
    found = next(iter(arrays.values()), None)
    if found is None or found.ndim != 1 or not found.size:
        raise FormatError(f"{layer.kind} {quoted(layer.name, 60)}: no array tells its channels")
    return found.shape[0]


def _batch(layer, arrays, maker):
    channels = _one_size(layer, {"moving_mean": arrays["moving_mean"]})
    affine_there = "gamma" in arrays or "beta" in arrays
    momentum = min(max(real(layer, "momentum", 0.99), 0.5), 1.0)
    module = nn.BatchNorm(channels, momentum, real(layer, "epsilon", 1e-3), affine_there)
    affine(layer, module, arrays, size=channels)
    put(module.running_mean, arrays["moving_mean"])
    put(module.running_variance, fitting(layer, arrays, "moving_variance", channels))
    return Unit([("", module)], on_axis(single_axis(layer)))


def _batch_slots(layer):
    return numbered(
        if_true(layer, "scale", "gamma"), if_true(layer, "center", "beta"), "moving_mean",
        "moving_variance", fixed=("moving_mean", "moving_variance"),
    )  # fmt: skip


def _affine_slots(layer):
    return numbered(if_true(layer, "scale", "gamma"), if_true(layer, "center", "beta"))


def _layer(layer, arrays, maker):
    axes = layer.get("axis", -1)
    axes = axes if isinstance(axes, list) else [axes]
    eps = real(layer, "epsilon", 1e-3)
    found = next(iter(arrays.values()), None)
    if found is None:
        return Unit([("", Standardized(axes, eps))], in_a_row)
    if found.ndim != len(axes):
        raise FormatError(f"{layer.kind} {quoted(layer.name, 60)}: {found.shape}, axes {axes}")
    module = nn.LayerNorm(found.shape, eps)
    affine(layer, module, arrays)
    if len(axes) == 1:
        return Unit([("", module)], on_axis(axes[0]))
    return Unit([("", module)], partial(of_last_axes, axes=tuple(axes)))


def of_last_axes(modules, given: Given, axes):
    """Layer normalisation over several axes, which must be the last ones."""
    x = given.x
    if sorted(a % x.ndim for a in axes) != list(range(x.ndim - len(axes), x.ndim)):
        raise ShapeError(f"LayerNormalization: axes {axes} are not the last ones of {x.shape}")
    return in_a_row(modules, given)


class Standardized(Module):
    """(x - mean) / sqrt(variance + eps) over some axes of each sample, without parameters."""

    def __init__(self, axes: list[int], eps: float) -> None:
        self.axes, self.eps = tuple(axes), eps

    def forward(self, x: Tensor) -> Tensor:
        apart = x - ops.mean(x, axis=self.axes, keepdims=True)
        variance = ops.mean(apart * apart, axis=self.axes, keepdims=True)
        return apart / ops.sqrt(variance + self.eps)


def _group(layer, arrays, maker):
    groups = layer.get("groups", 32)
    found = next(iter(arrays.values()), None)
    if found is None:
        raise FormatError(f"GroupNormalization {quoted(layer.name, 60)} has no array for channels")
    channels = found.shape[0]
    groups = channels if groups == -1 else whole(layer, "groups", default=32)
    module = nn.GroupNorm(groups, channels, real(layer, "epsilon", 1e-3))
    affine(layer, module, arrays, size=channels)
    return Unit([("", module)], on_axis(single_axis(layer)))


class RMSNorm(Module):
    """x / sqrt(mean(x^2) + eps) over the last axis, times a trained scale. Zhang, Sennrich 2019."""

    def __init__(self, scale: np.ndarray, eps: float) -> None:
        self.eps, self.scale = eps, Parameter(scale)

    def forward(self, x: Tensor) -> Tensor:
        return x / ops.sqrt(ops.mean(x * x, axis=-1, keepdims=True) + self.eps) * self.scale


def _rms(layer, arrays, maker):
    module = RMSNorm(np.zeros(arrays["scale"].shape, np.float32), real(layer, "epsilon", 1e-6))
    put(module.scale, arrays["scale"])
    return Unit([("", module)], on_axis(single_axis(layer)))


class UnitNorm(Module):
    """x / its Euclidean length over an axis."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        return x / ops.sqrt(ops.sum(x * x, axis=self.axes, keepdims=True) + 1e-12)


def _unit(layer, arrays, maker):
    axes = layer.get("axis", -1)
    return Unit([("", UnitNorm(tuple(axes) if isinstance(axes, list) else (axes,)))], in_a_row)


class Normalization(Module):
    """(x - mean) / max(standard deviation, 1e-7) by stored moments, or back with `invert`.

    mean, variance: of the shape of the axes that have moments of their own, which broadcast."""

    def __init__(self, mean: np.ndarray, variance: np.ndarray, axes: tuple[int, ...] | None,
                 invert: bool) -> None:  # fmt: skip
        self.mean, self.variance = Buffer(mean), Buffer(variance)
        self.axes, self.invert = axes, invert

    def forward(self, x: Tensor) -> Tensor:
        x = x if x.dtype.kind == "f" else ops.astype(x, self.mean.dtype)
        mean, deviation = self._beside(self.mean, x), ops.sqrt(self._beside(self.variance, x))
        deviation = ops.maximum(deviation, 1e-7)
        return x * deviation + mean if self.invert else (x - mean) / deviation

    def _beside(self, moments: Tensor, x: Tensor) -> Tensor:
        if self.axes is None or moments.size == 1:
            return ops.reshape(moments, ()) if moments.size == 1 else moments
        kept = {axis % x.ndim for axis in self.axes}
        shape = tuple(n if i in kept else 1 for i, n in enumerate(x.shape))
        if prod(shape) != moments.size:
            raise ShapeError(f"Normalization: moments of {moments.shape} for an input {x.shape}")
        return ops.reshape(moments, shape)


def _normalization(layer, arrays, maker):
    axes = layer.config.get("axis", -1)
    axes = None if axes is None else tuple(axes) if isinstance(axes, list) else (axes,)
    given = (layer.config.get("mean"), layer.config.get("variance"))
    if given[0] is None:
        given = arrays["mean"], arrays["variance"]
    mean, variance = (np.asarray(m, np.float32) for m in given)
    module = Normalization(mean, variance, axes, bool(layer.get("invert", False)))
    return Unit([("", module)], in_a_row)


def _normalization_slots(layer):
    if layer.config.get("mean") is not None:
        return []
    return numbered("mean", "variance", "count", fixed=("mean", "variance", "count"))


KINDS = {
    "BatchNormalization": Kind(_batch, _batch_slots, not_one_of("renorm", False)),
    "LayerNormalization": Kind(_layer, _affine_slots, not_one_of("rms_scaling", False)),
    "GroupNormalization": Kind(_group, _affine_slots),
    "RMSNormalization": Kind(_rms, lambda layer: numbered("scale")),
    "UnitNormalization": Kind(_unit),
    "Normalization": Kind(_normalization, _normalization_slots),
}
