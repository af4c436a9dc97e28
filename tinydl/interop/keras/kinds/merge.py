"""Layers of several inputs: sums, products, concatenation, dot products."""

from __future__ import annotations

from functools import partial, reduce
from typing import Any

from .... import ops
from ....errors import ConfigError, ShapeError
from ....nn import Module
from ....tensor import Tensor
from .table import Given, Kind, Unit, flat, single_axis


def average(tensors: list[Tensor]) -> Tensor:
    return reduce(ops.add, tensors) * (1 / len(tensors))


#: What each does with a list of tensors of the same number of axes.
WAYS: dict[str, Any] = {
    "add": partial(reduce, ops.add),
    "subtract": partial(reduce, ops.subtract),
    "multiply": partial(reduce, ops.multiply),
    "average": average,
    "maximum": partial(reduce, ops.maximum),
    "minimum": partial(reduce, ops.minimum),
}


class Merge(Module):
    """Several tensors as one: add, subtract, multiply, average, maximum, minimum (they broadcast).

    Fewer axes: sizes of 1 behind the batch, as in Keras."""

    def __init__(self, way: str) -> None:
        if way not in WAYS:
            raise ConfigError(f"Merge: {way!r} is none of {', '.join(WAYS)}")
        self.way = way

    def forward(self, *tensors: Tensor) -> Tensor:
        ndim = max(t.ndim for t in tensors)
        return WAYS[self.way]([_with_axes(t, ndim) for t in tensors])

    def arguments(self) -> str:
        return self.way


def _with_axes(x: Tensor, ndim: int) -> Tensor:
    if x.ndim == ndim:
        return x
    return ops.reshape(x, (x.shape[0], *[1] * (ndim - x.ndim), *x.shape[1:]))


class Concatenate(Module):
    """Tensors one after the other along an axis."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, *tensors: Tensor) -> Tensor:
        return ops.concat(list(tensors), self.axis)

    def arguments(self) -> str:
        return f"axis={self.axis}"


class Dot(Module):
    """Products of two tensors summed over an axis of each, for every sample; with `normalize` the
    axes have length 1 before, so that it is the cosine."""

    def __init__(self, axes: tuple[int, int], normalize: bool = False) -> None:
        self.axes, self.normalize = axes, normalize

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        i, j = self.axes[0] % a.ndim, self.axes[1] % b.ndim
        if self.normalize:
            a, b = ops.l2_normalize(a, axis=i), ops.l2_normalize(b, axis=j)
        if i == 0 or j == 0 or a.shape[i] != b.shape[j]:
            raise ShapeError(f"Dot: axes {self.axes} of {a.shape} and {b.shape}")
        left = "abcdefgh"[: a.ndim]
        right = "a" + "ijklmnop"[: b.ndim - 1]
        right = right[:j] + left[i] + right[j + 1 :]
        kept = [c for k, c in enumerate(left) if k != i]
        kept += [c for k, c in enumerate(right) if k not in (0, j)]
        y = ops.einsum(f"{left},{right}->{''.join(kept)}", a, b)
        return ops.expand_dims(y, 1) if y.ndim == 1 else y

    def arguments(self) -> str:
        return f"{self.axes}" + (", normalize=True" if self.normalize else "")


def merged(modules, given: Given):
    """One output of all tensors; a step is masked where it is in every input."""
    tensors = [v for v in flat(given.args) if isinstance(v, Tensor)]
    masks = given.masks
    mask = None
    if masks and all(m is not None for m in masks):
        mask = reduce(ops.logical_or, masks)
    return [modules[0](*tensors)], [mask]


def concatenated(modules, given: Given, axis: int):
    """As Keras: a missing mask is one that lets all pass."""
    tensors, mask = given.tensors, None
    if any(m is not None for m in given.masks):
        wide = []
        for x, m in zip(tensors, given.masks, strict=True):
            full = x == x
            wide.append(full if m is None else ops.logical_and(full, ops.expand_dims(m, -1)))
        mask = ops.any(ops.concat(wide, axis), axis=-1)
    return [modules[0](*tensors)], [mask]


def _merge(layer, arrays, maker, way):
    return Unit([("", Merge(way))], merged)


def _concatenate(layer, arrays, maker):
    axis = single_axis(layer)
    return Unit([("", Concatenate(axis))], partial(concatenated, axis=axis))


def _dot(layer, arrays, maker):
    axes = layer.get("axes", -1)
    axes = tuple(axes) if isinstance(axes, list) else (axes, axes)
    return Unit([("", Dot(axes, bool(layer.get("normalize", False))))], of_two)


def of_two(modules, given: Given):
    return [modules[0](*given.tensors)], [None]


def _tensors_only(layer):
    """Keras 3 writes `x + 1` as an operation that has the name of a layer."""
    for call in layer.calls:
        if any(not hasattr(v, "layer") for v in _leaves(call.args)):
            return "an operation with constants"
    return None


def _leaves(value):
    if isinstance(value, list):
        return [leaf for v in value for leaf in _leaves(v)]
    return [value]


KINDS = {way.capitalize(): Kind(partial(_merge, way=way), refuses=_tensors_only) for way in WAYS}
KINDS |= {"Concatenate": Kind(_concatenate), "Dot": Kind(_dot)}
