"""The net as a list of calls, between a traced graph and text.

A call is an expression with holes, `{0} + {1}`, perhaps of a layer that the module keeps,
`{layer}({0})`. Values are numbers; a call gives one or several. Nothing in an expression comes from
the file: strings of it are left out, numbers are written by `literal`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

#: How tightly an expression binds: an operand that binds less gets brackets.
SUM, PRODUCT, UNARY, ATOM = 1, 2, 3, 4


class Code(str):
    """Text that is code already, written here and by nobody else."""

    __slots__ = ()


class Parameter(Code):
    """A name in a class's `__init__`, standing for what differs between its uses."""

    __slots__ = ()


def literal(value: Any) -> str:
    """Python for a number, a truth value, None, a text, or a tuple or list of them; `Code` as it
    is."""
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, bool | np.bool_) or value is None:
        return str(value if value is None else bool(value))
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return _number(value)
    text = str(value)
    return f'"{text}"' if re.fullmatch(r"[ !#-\[\]-~]*", text) else ascii(text)


def _number(value: Any) -> str:
    """The shortest digits that give the same float32, if it is one."""
    if not isfinite(value):
        return f'float("{float(value)}")'
    single = np.float32(value)
    exact = float(single) == float(value)
    text = str(single) if exact else repr(float(value))
    return repr(float(text)) if "e" not in text else text


@dataclass
class Layer:
    """What a module keeps: `cls(args)` under a name that begins with `prefix`.

    args: all that the class takes, defaults too, positional ones first under their names; left out
    where they equal `defaults`. arrays: {name below the layer: its values}."""

    prefix: str
    cls: str
    args: dict[str, Any]
    defaults: dict[str, Any]
    arrays: dict[str, np.ndarray]
    origin: str = ""
    positional: int = 9

    def construction(self) -> str:
        """The text that makes it."""
        parts = []
        skipped = False
        for i, (name, value) in enumerate(self.args.items()):
            if name in self.defaults and literal(self.defaults[name]) == literal(value):
                skipped = True
                continue
            named = skipped or i >= self.positional or name in self.defaults
            parts.append(f"{name}={literal(value)}" if named else literal(value))
        return f"{self.cls}({', '.join(parts)})"


@dataclass
class Call:
    """template with holes {0}, {1}, ... for `inputs`, and {layer}; outputs: numbers of values.

    light: cheap enough to stand within another expression's line; binds: see SUM."""

    template: str
    inputs: list[int]
    outputs: list[int]
    layer: Layer | None = None
    light: bool = True
    binds: int = ATOM
    note: str = ""

    @property
    def signature(self) -> tuple[Any, ...]:
        """What two calls must have in common to be the same line of a class."""
        kept = None if self.layer is None else (self.layer.prefix, self.layer.cls)
        return (self.template, kept, len(self.inputs), len(self.outputs))


@dataclass
class Body:
    """Calls in order, the values that come in and those that go out, by number."""

    calls: list[Call]
    inputs: list[int]
    outputs: list[int]
    names: dict[int, str] = field(default_factory=dict)  # of inputs

    def uses(self) -> dict[int, int]:
        """How often each value is read."""
        found: dict[int, int] = {}
        for number in [n for call in self.calls for n in call.inputs] + self.outputs:
            found[number] = found.get(number, 0) + 1
        return found

    def without_dead(self) -> Body:
        """Without the calls that nobody reads."""
        read, kept = set(self.outputs), []
        for call in reversed(self.calls):
            if read & set(call.outputs):
                read |= set(call.inputs)
                kept.append(call)
        return Body(kept[::-1], self.inputs, self.outputs, self.names)

    def by_branches(self) -> Body:
        """The calls in the order in which one writes them: a branch as a whole, then the next."""
        makers = {n: call for call in self.calls for n in call.outputs}
        done: set[int] = set()
        order: list[Call] = []
        waiting = [(n, False) for n in reversed(self.outputs)]
        while waiting:
            number, ready = waiting.pop()
            call = makers.get(number)
            if call is None or id(call) in done:
                continue
            if ready:
                done.add(id(call))
                order.append(call)
            else:
                waiting.append((number, True))
                waiting += [(n, False) for n in reversed(call.inputs)]
        return Body(order, self.inputs, self.outputs, self.names)


@dataclass
class Class:
    """A class of its own, made of calls that come several times. args: names in `__init__`, with a
    default or None."""

    name: str
    body: Body
    args: dict[str, Any]
    doc: str = ""


def named_layers(calls: Iterable[Call], taken: Iterable[str] = ()) -> dict[int, str]:
    """{place of a call: name of its layer}: prefix alone where there is one of a kind, else
    numbered; a layer that is called several times has one name."""
    layers = [(k, call.layer) for k, call in enumerate(calls) if call.layer is not None]
    counts: dict[str, int] = {}
    for layer in {id(layer): layer for _, layer in layers}.values():
        counts[layer.prefix] = counts.get(layer.prefix, 0) + 1
    used, numbers, names = set(taken), dict.fromkeys(counts, 0), {}
    known: dict[int, str] = {}
    for k, layer in layers:
        if id(layer) not in known:
            numbers[layer.prefix] += 1
            single = counts[layer.prefix] == 1
            name = layer.prefix if single else f"{layer.prefix}{numbers[layer.prefix]}"
            while name in used:
                name += "_"
            used.add(name)
            known[id(layer)] = name
        names[k] = known[id(layer)]
    return names


def state_of(body: Body, names: Mapping[int, str]) -> dict[str, np.ndarray]:
    """{dotted name: array} of all layers of a body."""
    found = {}
    for k, name in names.items():
        layer = body.calls[k].layer
        if layer is not None:
            for key, array in layer.arrays.items():
                found[f"{name}.{key}" if key else name] = array
    return found
