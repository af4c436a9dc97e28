"""What one row of the tables says: the function of an operator, and how its inputs reach it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ... import ops
from ...errors import ConfigError, FormatError, ShapeError
from ...quoting import quoted
from ...tensor import Tensor
from ..graph import Node

#: How an operator takes images. ONNX has them as (N, C, H, W), tinydl as (N, H, W, C).
PLAIN = "plain"  # as ONNX numbers the axes
LAST = "last"  # channels last, and so is the result
ANY = "any"  # element by element: as they come
AXIS = "axis"  # as they come, with the attribute `axis` renumbered
RAW = "raw"  # as they come, as an `Image` where they are one

#: What a file may make of a few bytes (ConstantOfShape, Expand, Tile): elements of one array, at
#: import and at a call.
MOST_FOLDED, MOST_ELEMENTS = 1 << 22, 1 << 28

FLOATS = ("float32", "float64")
DTYPES = {1: "float32", 2: "uint8", 6: "int32", 7: "int64", 9: "bool", 11: "float64"}


@dataclass(frozen=True)
class Operator:
    """function(node, *inputs) -> a tensor or a tuple of them, or NumPy arrays.

    inputs are tensors; None where an optional one is absent, and at the end not passed at all. At
    the places `host` they are NumPy arrays (shapes, axes, bounds), at `either` arrays or tensors.
    weights: {place: what turns the stored array into tinydl's layout}, trainable; buffers: places
    that are kept but not trained. refuses(node): why this node is not imported, or None. of_shapes:
    the result depends on shapes alone and stays an array of the host.
    """

    function: Callable[..., Any]
    layout: str = PLAIN
    host: frozenset[int] = frozenset()
    either: frozenset[int] = frozenset()
    weights: Mapping[int, Callable[[Any], Any]] = field(default_factory=dict)
    buffers: frozenset[int] = frozenset()
    refuses: Callable[[Node], str | None] | None = None
    of_shapes: bool = False


def row(
    function: Callable[..., Any],
    layout: str = PLAIN,
    *,
    host: Sequence[int] = (),
    either: Sequence[int] = (),
    weights: Mapping[int, Callable[[Any], Any]] | Sequence[int] = (),
    buffers: Sequence[int] = (),
    refuses: Callable[[Node], str | None] | None = None,
    of_shapes: bool = False,
) -> Operator:
    if not isinstance(weights, Mapping):
        weights = dict.fromkeys(weights, same)
    return Operator(
        function, layout, frozenset(host), frozenset(either), weights, frozenset(buffers), refuses,
        of_shapes,
    )  # fmt: skip


class Image:
    """A tensor (N, *places, C) that the graph knows as (N, C, *places)."""

    __slots__ = ("_plain", "last")

    def __init__(self, last: Tensor, plain: Tensor | None = None) -> None:
        self.last, self._plain = last, plain

    @property
    def shape(self) -> tuple[int, ...]:
        """As the graph has it."""
        N, *places, C = self.last.shape
        return (N, C, *places)

    def plain(self) -> Tensor:
        if self._plain is None:
            self._plain = to_first(self.last)
        return self._plain


def to_last(x: Any) -> Any:
    """(N, C, *places) -> (N, *places, C); without moving anything where there is one place."""
    N, C, *places = x.shape
    if C == 1 or prod(places) == 1:
        return x.reshape((N, *places, C))
    return x.transpose((0, *range(2, x.ndim), 1))


def to_first(x: Any) -> Any:
    """(N, *places, C) -> (N, C, *places)."""
    N, *places, C = x.shape
    if C == 1 or prod(places) == 1:
        return x.reshape((N, C, *places))
    return x.transpose((0, x.ndim - 1, *range(1, x.ndim - 1)))


def axis_of_image(axis: int, ndim: int) -> int:
    """Where an axis of (N, C, *places) stands in (N, *places, C)."""
    axis = axis_in("axis", axis, ndim)
    return 0 if axis == 0 else ndim - 1 if axis == 1 else axis - 1


def same(weight: Any) -> Any:
    return weight


def swapped(weight: Any) -> Any:
    """(..., n, m) -> (..., m, n)"""
    return weight.transpose((*range(weight.ndim - 2), weight.ndim - 1, weight.ndim - 2))


# -- what files say, checked -----------------------------------------------------------------------


def axis_in(op: str, axis: Any, ndim: int) -> int:
    if not -ndim <= axis < max(ndim, 1):
        raise ShapeError(f"{op}: axis {quoted(axis)} of an array with {ndim} axes")
    return int(axis) % max(ndim, 1)


def integers(values: Any) -> list[int]:
    """A host array or list of integers as Python's; FormatError for what is no whole number."""
    array = np.asarray(values).reshape(-1)
    whole = array.dtype.kind in "iub"
    if array.dtype.kind == "f" and np.all(np.isfinite(array)):
        whole = np.array_equal(array, np.trunc(array))
    if not whole:
        raise FormatError(f"integers were expected, got {array.dtype} {quoted(array.tolist(), 80)}")
    return [int(v) for v in array]


def bounded(node: Node, shape: Sequence[int], share: int = 1) -> tuple[int, ...]:
    """A shape that the file asks for; FormatError for one beyond all reason. share: only so many
    times less is allowed, for what costs so much more than memory."""
    most = (MOST_FOLDED if node.folded else MOST_ELEMENTS) // share
    if any(n < 0 for n in shape) or prod(shape) > most:
        raise FormatError(f"the file asks for an array of shape {quoted(tuple(shape), 80)}")
    return tuple(shape)


def scalar(value: Any) -> Any:
    """The one number of an array of one element."""
    array = np.asarray(value)
    if array.size != 1:
        raise ShapeError(f"one number was expected, got an array {array.shape}")
    return array.reshape(-1)[0].item()


def beside(like: Tensor, value: Any) -> Tensor:
    """A host array or number as a tensor of the same type and place."""
    array = np.ascontiguousarray(np.asarray(value, like.dtype)).reshape(np.shape(value))
    return Tensor(array, backend=like.backend)


def converted(x: Tensor, dtype: Any) -> Tensor:
    return x if x.dtype == np.dtype(dtype) else ops.astype(x, dtype)


def element_type(op: str, code: int) -> np.dtype:
    """tinydl's element type for ONNX's number."""
    if code not in DTYPES:
        raise ConfigError(
            f"{op}: element type {code} is not in tinydl ({', '.join(DTYPES.values())})"
        )
    return np.dtype(DTYPES[code])


def on_float(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """function(x); integers go by float64 and back."""
    if x.dtype.kind == "f":
        return function(x)
    return ops.astype(function(ops.astype(x, np.float64)), x.dtype)
