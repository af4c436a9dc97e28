"""The operations of one forward pass, written down as they run.

Two passes are recorded, over batches of different length, and compared: what differs between them
is the batch axis and what follows from it; anything else that differs cannot be said in a graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..instruments import watching
from ..nn.module import Module
from ..recording import no_grad
from ..tensor import Tensor

OP = "save_onnx"


@dataclass
class Value:
    """An array of the pass: what came in (`name`), a stored array (`name`, `array`), or a result.

    shapes: in the two passes. `array` is known where no input takes part.
    """

    shapes: list[tuple[int, ...]]
    dtype: np.dtype
    name: str = ""
    array: np.ndarray | None = None
    written: dict[str, str] = field(default_factory=dict)  # name in the file, by layout
    step: int = 0  # of an array of integers: by how much a sample's row is more than the one before
    repeated: Value | None = None  # of what it is a repetition, which others broadcast themselves

    @property
    def bare(self) -> Value:
        return self if self.repeated is None else self.repeated


@dataclass
class Step:
    functions: list[Any]  # the operation in the two passes
    inputs: list[Value]
    output: Value
    mask: Value | None = None  # of a recurrent layer: which steps are there


class Pass:
    """One forward pass: (function, input arrays, output array) in order; all arrays kept alive, so
    that their identity is theirs alone."""

    def __init__(self, model: Module, inputs: Sequence[np.ndarray]) -> None:
        self.steps: list[tuple[Any, list[Any], Any]] = []
        self.backend = model.backend
        tensors = [Tensor(x, backend=self.backend) for x in inputs]

        def watch(function: Any, given: Sequence[Any], array: Any, seconds: float) -> None:
            self.steps.append((function, [t.data for t in given], array))

        with no_grad(), watching(watch):
            found = model(*tensors)
        self.inputs = [t.data for t in tensors]
        self.outputs = [t.data for t in _tensors(found)]
        self.kept = (tensors, found)


def _tensors(found: Any) -> list[Tensor]:
    if isinstance(found, Tensor):
        return [found]
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, tuple | list) and all(isinstance(t, Tensor) for t in found):
        return list(found)
    raise ConfigError(f"{OP}: the model returns {type(found).__name__}, no tensor or tuple of them")


class Recording:
    """Both passes as steps between values."""

    def __init__(self, model: Module, example: Sequence[np.ndarray], fixed: bool = False) -> None:
        """fixed: the model takes batches of this length only."""
        longer = [_longer(x, 0 if fixed else 1) for x in example]
        first, second = Pass(model, example), Pass(model, longer)
        self.batches = (example[0].shape[0], longer[0].shape[0])
        names = [f.name for f, _, _ in first.steps]
        if names != [f.name for f, _, _ in second.steps]:
            raise ConfigError(
                f"{OP}: the model runs other operations on {self.batches[1]} samples than on "
                f"{self.batches[0]}; a graph has the same for all"
            )
        self.backend = first.backend
        self.kept = (first, second)
        self.stored = {id(t.data): name for name, t in model._state().items()}
        self.values: dict[tuple[int, int], Value] = {}
        for arrays in zip(first.inputs, second.inputs, strict=True):
            self._value(arrays)
        self.inputs = [self._value(a) for a in zip(first.inputs, second.inputs, strict=True)]
        for x in self.inputs:
            x.array = None
        self.steps = [self._step(a, b) for a, b in zip(first.steps, second.steps, strict=True)]
        self.outputs = [self._value(a) for a in zip(first.outputs, second.outputs, strict=True)]

    def _step(self, a: Any, b: Any) -> Step:
        inputs = [self._value(arrays) for arrays in zip(a[1], b[1], strict=True)]
        masks: list[Any] = [getattr(f, "mask", None) for f in (a[0], b[0])]
        mask = None if masks[0] is None else self._value([m.data for m in masks])
        known = all(v.array is not None for v in inputs) and a[2].shape == b[2].shape
        return Step([a[0], b[0]], inputs, self._value((a[2], b[2]), made=not known), mask)

    def _value(self, arrays: Sequence[Any], made: bool = False) -> Value:
        """The value of these two arrays; a new one that no step has made is a constant."""
        key = (id(arrays[0]), id(arrays[1]))
        if key in self.values:
            return self.values[key]
        value = Value([tuple(a.shape) for a in arrays], np.dtype(arrays[0].dtype))
        if not made:
            value.name = self.stored.get(key[0], "")
            value.array = np.asarray(self.backend.to_numpy(arrays[0]))
            second = np.asarray(self.backend.to_numpy(arrays[1]))
            is_input = any(arrays[0] is x for x in self.kept[0].inputs)
            if not is_input and not _alike(value.array, second):
                raise ConfigError(
                    f"{OP}: the model computes an array {value.array.shape} outside of tinydl's "
                    "operations, from its input or from the number of samples; a graph does not "
                    "see how"
                )
            if not is_input and value.array.shape != second.shape:
                value.step = counted(value.array, second) or 0
        self.values[key] = value
        return value


def _longer(x: np.ndarray, extra: int) -> np.ndarray:
    """So many samples more, and other numbers where they are no indices."""
    more = np.concatenate([x[::-1], x[:extra]])
    return more * more.dtype.type(0.75) if more.dtype.kind == "f" else more


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal, or one row repeated as often as there are samples."""
    if a.shape == b.shape:
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if not (a.size and b.size) or a.ndim != b.ndim:
        return False
    filled = bool((a == a.flat[0]).all() and (b == a.flat[0]).all())
    return filled or is_repeated(a, b) or counted(a, b) is not None


def counted(a: np.ndarray, b: np.ndarray) -> int | None:
    """k where both are the same row of integers, k more for each further sample: places among the
    rows of all samples."""
    if a.dtype.kind != "i" or a.shape[1:] != b.shape[1:] or max(len(a), len(b)) < 2:
        return None
    longer = a if len(a) > len(b) else b
    k = int((longer[1] - longer[0]).flat[0])
    numbers = np.arange(len(longer)).reshape(-1, *[1] * (a.ndim - 1))
    fits = [np.array_equal(x, longer[:1] + k * numbers[: len(x)]) for x in (a, b)]
    return k if all(fits) else None


def is_repeated(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether both are the same row, so many times."""
    return a.shape[1:] == b.shape[1:] and bool((a == a[:1]).all() and (b == a[:1]).all())
