"""What a row of the table of layers is: the names of its arrays, what is refused, and the modules
that stand for it with the way in which they are called.

A caller is `caller(modules, given) -> (outputs, masks)`: plain functions with bound options, so
that a net can be copied and stored. Masks are bool (N, T) or None, one for each tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .... import ops
from ....errors import FormatError, ShapeError
from ....nn import Module
from ....nn.parameter import Stored
from ....quoting import quoted
from ....tensor import Tensor
from ..description import Layer


class Slot(NamedTuple):
    """One array of a layer. group: where it lies in .keras below the layer; place: its number."""

    name: str
    place: int
    group: str = ""
    trainable: bool = True


@dataclass
class Given:
    """A call: args and kwargs with tensors in the place of Refs; masks: of the tensors in args,
    named_masks: of those among kwargs."""

    args: list[Any]
    kwargs: dict[str, Any] = field(default_factory=dict)
    masks: list[Tensor | None] = field(default_factory=list)
    named_masks: dict[str, Tensor | None] = field(default_factory=dict)

    @property
    def tensors(self) -> list[Tensor]:
        return [t for t in flat(self.args) if isinstance(t, Tensor)]

    @property
    def x(self) -> Tensor:
        """The only, or the first tensor."""
        found = self.tensors
        if not found:
            raise ShapeError("a layer is called without a tensor")
        return found[0]

    @property
    def mask(self) -> Tensor | None:
        """The mask that the call names, or that of the first tensor."""
        mask = self.kwargs.get("mask")
        if not isinstance(mask, Tensor):
            return self.masks[0] if self.masks else None
        return mask if mask.dtype.kind == "b" else mask != 0


Outputs = tuple[list[Tensor], list[Tensor | None]]
Caller = Callable[[Sequence[Any], Given], Outputs]


def flat(value: Any) -> list[Any]:
    """The items of nested lists and dictionaries."""
    if isinstance(value, list | tuple):
        return [item for v in value for item in flat(v)]
    if isinstance(value, dict):
        return [item for v in value.values() for item in flat(v)]
    return [value]


@dataclass
class Unit:
    """What stands for one layer: modules, each with what its name adds to the layer's, and how they
    are called."""

    modules: list[tuple[str, Module]]
    call: Caller
    makes_mask: bool = False


@dataclass(frozen=True)
class Kind:
    """A row of the table. build(layer, arrays by the names of the slots, maker)."""

    build: Callable[[Layer, dict[str, np.ndarray], Any], Unit]
    slots: Callable[[Layer], list[Slot]] = lambda layer: []
    refuses: Callable[[Layer], str | None] = lambda layer: None


def numbered(*names: str, group: str = "", fixed: Sequence[str] = ()) -> list[Slot]:
    """Slots in their order; "" and None stand for no array. fixed: those that are not trained."""
    kept = [name for name in names if name]
    return [Slot(name, k, group, name not in fixed) for k, name in enumerate(kept)]


def if_true(layer: Layer, key: str, name: str, default: bool = True) -> str:
    """The slot's name where the layer has it."""
    return name if layer.config.get(key, default) else ""


# -- callers ---------------------------------------------------------------------------------------


def in_a_row(modules: Sequence[Module], given: Given, keeps_mask: bool = True) -> Outputs:
    """Each module on the output of the one before."""
    x = given.x
    for module in modules:
        x = module(x)
    return [x], [given.mask if keeps_mask else None]


def around(
    modules: Sequence[Module],
    given: Given,
    before: Callable[[Tensor], Tensor],
    after: Callable[[Tensor], Tensor],
    keeps_mask: bool = True,
) -> Outputs:
    """The first module in another layout, the others, its activation, in the layer's own."""
    x = after(modules[0](before(given.x)))
    for module in modules[1:]:
        x = module(x)
    return [x], [given.mask if keeps_mask else None]


def to_last(x: Tensor) -> Tensor:
    """(N, C, ...) -> (N, ..., C)."""
    return ops.transpose(x, (0, *range(2, x.ndim), 1))


def to_first(x: Tensor) -> Tensor:
    """(N, ..., C) -> (N, C, ...)."""
    return ops.transpose(x, (0, x.ndim - 1, *range(1, x.ndim - 1)))


def as_row(x: Tensor) -> Tensor:
    """Sequences (N, T, C) as images of one row, (N, 1, T, C)."""
    return ops.expand_dims(x, 1)


def from_row(x: Tensor) -> Tensor:
    return ops.squeeze(x, 1)


def first_to_row(x: Tensor) -> Tensor:
    return as_row(to_last(x))


def row_to_first(x: Tensor) -> Tensor:
    return to_first(from_row(x))


def swapped(x: Tensor, axis: int) -> Tensor:
    """`axis` and the last one exchanged; its own inverse."""
    if not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"axis {axis} of an input {x.shape}")
    return x if axis % x.ndim == x.ndim - 1 else ops.swapaxes(x, axis % x.ndim, x.ndim - 1)


def on_axis(axis: int, keeps_mask: bool = True) -> Caller:
    """A module for the last axis, called for another one."""
    if axis == -1:
        return partial(in_a_row, keeps_mask=keeps_mask)
    turn = partial(swapped, axis=axis)
    return partial(around, before=turn, after=turn, keeps_mask=keeps_mask)


def images(layer: Layer, keeps_mask: bool = False) -> Caller:
    """For layers of images and sequences: channels stand where data_format says."""
    if layer.get("data_format") == "channels_first":
        return partial(around, before=to_last, after=to_first, keeps_mask=keeps_mask)
    return partial(in_a_row, keeps_mask=keeps_mask)


# -- values ----------------------------------------------------------------------------------------


def fitting(layer: Layer, arrays: dict[str, np.ndarray], name: str, *sizes: Any) -> np.ndarray:
    """The array of a slot, once its shape is `sizes` (None: any)."""
    found = arrays[name]
    alike = len(found.shape) == len(sizes) and all(
        n is None or n == m for n, m in zip(sizes, found.shape, strict=True)
    )
    if not alike or not found.size:
        wanted = tuple("?" if n is None else n for n in sizes)
        raise FormatError(
            f"{layer.kind} {quoted(layer.name, 60)}: {name} is {found.shape}, its configuration "
            f"says ({', '.join(map(str, wanted))})"
        )
    return found


def put(parameter: Stored, values: np.ndarray) -> None:
    """Take the values over, in their own float type."""
    if parameter.shape != values.shape:
        raise FormatError(f"an array is {values.shape}, its layer needs {parameter.shape}")
    kind = values.dtype if values.dtype in (np.float32, np.float64) else np.float32
    parameter.replace(np.ascontiguousarray(values, kind))


def whole(layer: Layer, key: str, low: int = 1, high: int = 1 << 24, default: Any = None) -> int:
    """A whole number of the configuration."""
    value = layer.get(key, default)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if type(value) is not int or not low <= value <= high:
        raise FormatError(
            f"{layer.kind} {quoted(layer.name, 60)}: {key} is {quoted(value, 60)}, not a whole "
            f"number in {low} ... {high}"
        )
    return value


def wholes(layer: Layer, key: str, n: int, default: Any = None, low: int = 1) -> tuple[int, ...]:
    """n whole numbers of the configuration; one number stands for all of them."""
    value = layer.get(key, default)
    value = [value] * n if type(value) is int else value
    alike = isinstance(value, list | tuple) and len(value) == n
    if not alike or not all(type(v) is int and low <= v <= 1 << 20 for v in value):
        raise FormatError(
            f"{layer.kind} {quoted(layer.name, 60)}: {key} is {quoted(value, 60)}, not {n} whole "
            f"numbers >= {low}"
        )
    return tuple(value)


def real(layer: Layer, key: str, default: float | None = None) -> float:
    value = layer.get(key, default)
    if isinstance(value, dict):  # Keras 2.x writes some numbers as arrays
        value = value.get("value", value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormatError(
            f"{layer.kind} {quoted(layer.name, 60)}: {key} is {quoted(value, 60)}, not a number"
        )
    return float(value)


def word(layer: Layer, key: str, default: str, allowed: Sequence[str]) -> str:
    value = layer.get(key, default)
    if value not in allowed:
        raise FormatError(
            f"{layer.kind} {quoted(layer.name, 60)}: {key} is {quoted(value, 60)}, not one of "
            f"{', '.join(allowed)}"
        )
    return value


def not_one_of(key: str, *allowed: Any) -> Callable[[Layer], str | None]:
    """Refuses a layer whose value is another; None stands for what an older Keras leaves out."""

    def refuses(layer: Layer) -> str | None:
        value = layer.config.get(key)
        return None if value is None or value in allowed else f"{key}={quoted(value, 40)}"

    return refuses


def single_axis(layer: Layer, default: int = -1) -> int:
    """axis: a number, or a list of one (TensorFlow's Keras)."""
    value = layer.get("axis", default)
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    if type(value) is not int:
        raise FormatError(f"{layer.kind} {quoted(layer.name, 60)}: axis is {quoted(value, 60)}")
    return value
