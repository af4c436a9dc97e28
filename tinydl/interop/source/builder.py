"""Values of a traced graph, in the forms in which tinydl has them.

A form says how the axes of the graph's value lie in the variable: `plain` as the graph numbers
them; `image` with the channels last; `batch` with the first two axes exchanged, as a sequence
(T, N, D) is (N, T, D); `states` for (T, directions, N, H) as (N, T, directions * H), and `joined`
for (T, N, directions, H) as the same. Transposes between forms cost nothing, and what takes a form
asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..graph import Node
from ..operators.table import axis_in, axis_of_image
from ..tracing import Trace, Traced
from .calls import ATOM, Body, Call, Code, Layer, literal

PLAIN, IMAGE, BATCH, STATES, JOINED = "plain", "image", "batch", "states", "joined"
SMALL = 16  # numbers of an array that is written out

Sizes = tuple[int, ...]


class Builder:
    """Collects calls. `first` and `second`: traces of the net with open sizes of two values; what
    is the same in both is a constant of the source."""

    def __init__(self, first: Trace, second: Trace | None) -> None:
        self.first, self.second = first, second or first
        self.calls: list[Call] = []
        self.layers: dict[Any, Layer] = {}
        self.reshapes: dict[int, tuple[int, tuple[Sizes, Sizes]]] = {}
        self.forms: dict[str, dict[str, int]] = {}
        self.flattened: dict[str, tuple[int, np.ndarray]] = {}  # images flattened as they lie
        self.remarks: dict[str, None] = {}
        self.wanted: set[str] = set()  # what some step or the caller reads
        self._count = 0

    # -- values ------------------------------------------------------------------------------------

    def new(self) -> int:
        self._count += 1
        return self._count

    def shape(self, name: str) -> Sizes:
        return self.first.values[name].shape

    def shapes(self, name: str) -> tuple[Sizes, Sizes]:
        return self.first.values[name].shape, self.second.values[name].shape

    def known(self, name: str) -> bool:
        """Whether the value is computed by a call."""
        return name in self.first.values

    def has(self, name: str, form: str) -> bool:
        return form in self.forms.get(name, {})

    def read(self, name: str) -> bool:
        return name in self.wanted

    def put(self, name: str, form: str, number: int) -> None:
        self.forms.setdefault(name, {})[form] = number

    def get(self, name: str, form: str = PLAIN) -> int:
        """The number of the value in this form; turned where it is not there."""
        known = self.forms[name]
        if form not in known:
            if form == PLAIN:
                known[PLAIN] = self._plain(name)
            else:
                known[form] = self._turned(name, self.get(name), form)
        return known[form]

    def _plain(self, name: str) -> int:
        known, shape = self.forms[name], self.shape(name)
        if IMAGE in known:
            if shape[1] == 1 or prod(shape[2:]) == 1:
                return self.reshaped(known[IMAGE], self._lying(name, IMAGE), self.shapes(name))
            axes = (0, len(shape) - 1, *range(1, len(shape) - 1))
            return self.expression(f"{{0}}.permute({_list(axes)})", [known[IMAGE]])
        if BATCH in known:
            return self.expression("{0}.swapaxes(0, 1)", [known[BATCH]])
        joined = STATES not in known  # (T, N, directions, H), else (T, directions, N, H)
        T, directions, H = shape[0], shape[2 if joined else 1], shape[3]
        number = known[JOINED if joined else STATES]
        length = str(T) if self.second.values[name].shape[0] == T else "{0}.shape[1]"
        wide = self.expression(f"{{0}}.reshape(-1, {length}, {directions}, {H})", [number])
        order = "1, 0, 2, 3" if joined else "1, 2, 0, 3"
        return self.expression(f"{{0}}.permute({order})", [wide])

    def _lying(self, name: str, form: str) -> tuple[Sizes, Sizes]:
        """The sizes of the variable that holds a value in this form, in both traces."""
        first, second = (
            tuple(s[k] for k in turned(range(len(s)), form)) for s in self.shapes(name)
        )
        return first, second

    def _turned(self, name: str, number: int, form: str) -> int:
        shape = self.shape(name)
        if form == BATCH:
            return self.expression("{0}.swapaxes(0, 1)", [number])
        if shape[1] == 1 or prod(shape[2:]) == 1:
            return self.reshaped(number, self.shapes(name), self._lying(name, form))
        order = turned(range(len(shape)), form)
        return self.expression(f"{{0}}.permute({_list(order)})", [number])

    def reshaped(self, number: int, before: tuple[Sizes, Sizes], after: tuple[Sizes, Sizes]) -> int:
        """The value in other sizes; of several reshapes behind each other only the last is left."""
        made = self.reshapes.get(number)
        number, before = made if made is not None else (number, before)
        if before == after:
            return number
        told, named = _sizes(*before, *after)
        found = self.expression(f"{{0}}.reshape({told})", [number], light=not named)
        self.reshapes[found] = (number, before)
        return found

    def form_of(self, names: Sequence[str], ndim: int) -> str:
        """The form in which an elementwise operator works on these values."""
        full = [n for n in names if self.known(n) and len(self.shape(n)) == ndim]
        for form in (IMAGE, BATCH):
            if any(self.has(n, form) and not self.has(n, PLAIN) for n in full):
                return form
        return IMAGE if full and all(self.has(n, IMAGE) for n in full) else PLAIN

    # -- calls -------------------------------------------------------------------------------------

    def expression(self, template: str, inputs: list[int], binds: int = ATOM, light: bool = True,
                   outputs: int = 1) -> int:  # fmt: skip
        numbers = [self.new() for _ in range(outputs)]
        self.calls.append(Call(template, inputs, numbers, None, light, binds))
        return numbers[0]

    def layer(self, layer: Layer, inputs: list[int], template: str = "", outputs: int = 1,
              light: bool = False) -> list[int]:  # fmt: skip
        key = (
            layer.construction(),
            layer.origin,
            *[(k, a.tobytes()) for k, a in layer.arrays.items()],
        )
        layer = self.layers.setdefault(key, layer) if layer.arrays else layer
        holes = ", ".join(f"{{{i}}}" for i in range(len(inputs)))
        numbers = [self.new() for _ in range(outputs)]
        self.calls.append(Call(template or f"{{layer}}({holes})", inputs, numbers, layer, light))
        return numbers

    def stored(self, array: np.ndarray, prefix: str, trained: bool, origin: str = "") -> int:
        """An array that the module keeps: a parameter, or a buffer."""
        dtype = "" if array.dtype == np.float32 else f", {literal(str(array.dtype))}"
        zeros = Code(f"np.zeros({literal(array.shape)}{dtype or ', np.float32'})")
        cls = "nn.Parameter" if trained else "nn.Buffer"
        layer = Layer(prefix, cls, {"data": zeros}, {}, {"": np.ascontiguousarray(array)}, origin)
        number = self.new()
        self.calls.append(Call("{layer}", [], [number], layer))
        return number

    # -- what a step reads -------------------------------------------------------------------------

    def operand(self, step: Traced, i: int, form: str, ndim: int) -> tuple[str, list[int]]:
        """(template, inputs) of an operand of an elementwise operator in this form."""
        name = step.node.inputs[i]
        array = self.array(step, i)
        if array is None:
            own = len(self.shape(name))
            if own == ndim or own == 0 or form == PLAIN:
                return "{0}", [self.get(name, form if own == ndim else PLAIN)]
            wide = (1,) * (ndim - own) + self.shape(name)
            number = self.expression(f"{{0}}.reshape({_list(wide)})", [self.get(name)])
            order = turned(range(ndim), form)
            return "{0}", [self.expression(f"{{0}}.permute({_list(order)})", [number])]
        if array.size == 1:
            return literal(array.reshape(-1)[0].item()), []
        full = array.reshape((1,) * (ndim - array.ndim) + array.shape)
        full = full.transpose(turned(range(ndim), form))
        while full.ndim > 1 and full.shape[0] == 1:
            full = full[0]
        trained = i in step.weights
        prefix = "bias" if step.node.kind in ("Add", "Sub") else "scale"
        prefix = prefix if array.dtype.kind == "f" else "constant"
        return "{0}", [self.stored(full, prefix, trained, name)]

    def array(self, step: Traced, i: int) -> np.ndarray | None:
        """What is known of an input at import: a stored weight as the operator takes it, or an
        array; the one of the first trace where the sizes of the second give another one."""
        if i in step.weights:
            return step.weights[i].numpy()
        if i not in step.host:
            return None
        name = step.node.inputs[i]
        other = self.second.host.get(name)
        if other is not None and not np.array_equal(other, step.host[i]):
            self.remarks[FIXED] = None
        return step.host[i]

    def integers(self, step: Traced, i: int, attribute: str = "") -> list[int] | None:
        """Integers that are an input in newer opsets, an attribute in older ones."""
        found = self.array(step, i) if i < len(step.node.inputs) and step.node.inputs[i] else None
        if found is None:
            found = step.node.get(attribute) if attribute else None
        return None if found is None else [int(v) for v in np.asarray(found).reshape(-1)]

    def body(self, inputs: list[int], outputs: list[int], names: dict[int, str]) -> Body:
        return Body(self.calls, inputs, outputs, names).without_dead().by_branches()


FIXED = "its shapes are those of the sizes named above: the graph computes others from its input"


def turned(axes: Any, form: str) -> tuple[int, ...]:
    """Which of the graph's axes stands at each place of the variable."""
    order = list(axes)
    if form == IMAGE and len(order) > 2:
        return (order[0], *order[2:], order[1])
    if form == BATCH:
        return (order[1], order[0], *order[2:])
    return tuple(order)


def axis_in_form(node: Node, axis: int, ndim: int, form: str) -> int:
    """Where an axis of the graph's value stands in the variable."""
    axis = axis_in(node.kind, axis, ndim)
    if form == IMAGE:
        return axis_of_image(axis, ndim)
    return 1 - axis if form == BATCH and axis < 2 else axis


def _list(values: Any) -> str:
    return ", ".join(str(int(v)) for v in values)


def _sizes(before: Sizes, other: Sizes, after: Sizes, beside: Sizes) -> tuple[str, bool]:
    """The target of a reshape: sizes that stay open as -1 or as sizes of the value; whether the
    value is named in it. before, after: in the first trace; other, beside: in the second."""
    told: list[str] = [str(n) for n in after]
    free = [i for i, (n, m) in enumerate(zip(after, beside, strict=True)) if n != m]
    if not free and after and before and after[0] == before[0]:
        free = [0]  # the number of samples, which the file may have fixed
    named = False
    for i in free[1:]:
        pairs = list(zip(before, other, strict=True))
        if (after[i], beside[i]) in pairs:
            told[i], named = f"{{0}}.shape[{pairs.index((after[i], beside[i]))}]", True
    if free:
        told[free[0]] = "-1"
    return ", ".join(told), named
