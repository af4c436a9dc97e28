"""One forward pass, written down as it runs.

The operations report themselves (`instruments.watching`): what each was, which arrays it read and
which it made. Arrays are told apart by identity, and all are kept until the end. An array that no
operation has made is an input or a constant. Python code between the operations is not seen; what
it decided for this example holds for every later call. So the pass is run a second time with other
numbers: if anything but the numbers differs, or a constant, the model cannot be compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import get_ident
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..instruments import reading, user_line, watching
from ..nn.module import Module
from ..nn.watch import looking
from ..quoting import quoted
from ..tensor import Tensor
from .program import Part, Program, Step, Value

OP = "compile"


class Pass:
    """(function, input arrays, output array) of every operation, in order."""

    def __init__(self, model: Module, inputs: Sequence[Tensor]) -> None:
        self.calls: list[tuple[Any, list[Any], Any]] = []
        self.options: list[tuple[str, ...]] = []  # attributes among a call's arrays, by name
        self.thread = get_ident()  # others are watched too: watching is the process's
        self.inputs = [t.data for t in inputs]
        self.computed = {id(array) for array in self.inputs}  # from the inputs
        self.kept: list[Any] = [inputs]
        with watching(self.watch), reading(self.read):
            found = model(*inputs)
        self.structure, tensors = _taken_apart(found)
        self.outputs = [t.data for t in tensors]
        self.kept.append(found)

    def watch(self, function: Any, given: Sequence[Any], array: Any, seconds: float) -> None:
        if get_ident() != self.thread:
            return
        arrays = [t.data for t in given]
        self.kept.append((given, array))
        if any(id(a) in self.computed for a in arrays):
            self.computed.add(id(array))
        if any(array is a for a in arrays):  # nothing was done
            return
        hidden = {
            n: x for n, x in _attributes(function) if id(x) in self.computed and x is not array
        }
        self.calls.append((function, [*arrays, *hidden.values()], array))
        self.options.append(tuple(hidden))

    def read(self, tensor: Tensor) -> None:
        """A model that looks at numbers may decide by them."""
        if get_ident() == self.thread and id(tensor.data) in self.computed:
            raise ConfigError(
                f"{OP}: the model reads the numbers of a tensor {tensor.shape} that was computed "
                f"from its input, and may decide by them ({user_line()}); a program does the same "
                "steps for every input. Compile the parts before and after it"
            )


def _attributes(function: Any) -> list[tuple[str, Any]]:
    """What a function keeps beside its inputs; a tensor as its array."""
    return [(name, getattr(x, "data", x) if isinstance(x, Tensor) else x)
            for name, x in getattr(function, "__dict__", {}).items()]  # fmt: skip


def _taken_apart(found: Any) -> tuple[Any, list[Tensor]]:
    """What the model returns: how it is put together, and the tensors in it."""
    if isinstance(found, Tensor):
        return None, [found]
    if isinstance(found, dict) and all(isinstance(t, Tensor) for t in found.values()):
        return tuple(found), list(found.values())
    if isinstance(found, tuple | list) and all(isinstance(t, Tensor) for t in found):
        return type(found), list(found)
    raise ConfigError(
        f"{OP}: the model returns {quoted(found)}; a program returns a tensor, or a tuple, list or "
        "dictionary of tensors"
    )


def put_together(structure: Any, tensors: list[Tensor]) -> Any:
    """The results as the model returns them."""
    if structure is None:
        return tensors[0]
    if isinstance(structure, tuple):
        return dict(zip(structure, tensors, strict=True))
    if structure in (tuple, list):
        return structure(tensors)
    return structure(*tensors)  # a named tuple


def record(model: Module, inputs: Sequence[Tensor]) -> tuple[Program, Any]:
    """The program of model(*inputs) in evaluation, unchanged by any pass, and the structure of what
    the model returns."""
    with looking(model):
        Pass(model, inputs)  # what is worked out once for inputs of a size: shapes of a graph
        versions = {name: t._version[0] for name, t in model._state().items()}
        first = Pass(model, inputs)
        changed = [n for n, t in model._state().items() if t._version[0] != versions[n]]
        if changed:
            raise ConfigError(
                f"{OP}: a call changes {changed[0]}; a program only reads what the model stores"
            )
        second = Pass(model, [_others(t) for t in inputs])
    return _Writer(model, first, second).program, first.structure


def _others(t: Tensor) -> Tensor:
    """Other numbers of the same kind: the same in another order, floats smaller too (indices stay
    indices)."""
    x = np.ascontiguousarray(np.flip(t.numpy()))
    return Tensor(x * x.dtype.type(0.75) if x.dtype.kind == "f" else x, backend=t.backend)


class _Writer:
    """From the calls of two passes to values and steps."""

    def __init__(self, model: Module, first: Pass, second: Pass) -> None:
        self.backend = model.backend if not first.inputs else first.kept[0][0].backend
        self.stored = {id(t.data): name for name, t in model._state().items()}
        self.values: dict[int, Value] = {}
        self.made: list[tuple[Any, Any, Value]] = []  # function, array, value: of second results
        self.compare(first, second)
        inputs = [self.value(a) for a in first.inputs]
        steps = []
        calls = zip(first.calls, second.calls, first.options, strict=True)
        for (function, arrays, array), other, options in calls:
            given = [self.source(a, b) for a, b in zip(arrays, other[1], strict=True)]
            output = self.values[id(array)] = self.value(array)
            steps.append(Step([Part(function, tuple(given), options)], output))
        pairs = zip(first.outputs, second.outputs, strict=True)
        outputs = [self.source(a, b) for a, b in pairs]
        self.program = Program(inputs, steps, outputs, self.backend)

    def value(self, array: Any) -> Value:
        if id(array) not in self.values:
            self.values[id(array)] = Value(tuple(array.shape), np.dtype(array.dtype))
        return self.values[id(array)]

    def source(self, array: Any, other: Any) -> Value:
        """What is read: a value that is known, or a constant."""
        if id(array) in self.values:
            return self.values[id(array)]
        numbers = [np.asarray(self.backend.to_numpy(a)) for a in (array, other)]
        if not _same(*numbers):
            raise ConfigError(
                f"{OP}: the model computes an array {numbers[0].shape} outside of tinydl's "
                "operations, from its input, by chance, or from the call before; a program does "
                "not see how"
            )
        value = self.value(array)
        value.array, value.name = array, self.stored.get(id(array), "")
        return value

    def compare(self, first: Pass, second: Pass) -> None:
        """ConfigError where the passes did other operations, or the same with other settings."""
        names = [[f.name for f, _, _ in p.calls] for p in (first, second)]
        if names[0] != names[1]:
            where = next((a for a, b in zip(*names, strict=False) if a != b), "the end")
            raise ConfigError(
                f"{OP}: the model runs other operations for other numbers (first difference at "
                f"{where}); a program does the same steps for every input"
            )
        for (f, _, array), (g, _, other) in zip(first.calls, second.calls, strict=True):
            if array.shape != other.shape or not same_settings(f, g, settings_only=True):
                raise ConfigError(
                    f"{OP}: {f.name} has other sizes or settings for other numbers; a program "
                    "does the same steps for every input"
                )


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


PLAIN = (int, float, bool, str, type(None), np.dtype, np.generic)


def _is_plain(x: Any) -> bool:
    several = isinstance(x, tuple | list) and all(isinstance(y, PLAIN) for y in x)
    return several or isinstance(x, PLAIN) or type(x).__name__.endswith("Geometry")


def same_settings(f: Any, g: Any, settings_only: bool = False) -> bool:
    """Whether two functions of a pass do the same to the same inputs, as far as can be seen: equal
    types and attributes. `settings_only` leaves out what no comparison knows, arrays among it."""
    mine, theirs = (getattr(function, "__dict__", {}) for function in (f, g))
    if type(f) is not type(g) or mine.keys() != theirs.keys():
        return False
    for name, a in mine.items():
        b = theirs[name]
        if _is_plain(a):
            same = bool(a == b)
        elif settings_only:
            same = True
        else:
            arrays = isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
            same = a is b or (arrays and _same(a, b))
        if not same:
            return False
    return True
