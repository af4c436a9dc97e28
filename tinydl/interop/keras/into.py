"""The weights of a Keras file in a model of tinydl's: the layers of both, in their order.

A file of weights alone says neither what its layers are nor how they are connected. `.h5` lists
them in the order in which they were made, and so are the modules of a model counted: the first with
the first. `.weights.h5` of Keras 3 counts the layers of each class: the first Dense is the first
Linear. All shapes must agree; nothing is changed before they do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import nn
from ...errors import ConfigError, FormatError
from ...nn import Module
from ...nn.parameter import Stored
from ...quoting import quoted
from .kinds import recurrent
from .kinds.table import put
from .stored import OP, KerasFile, Place
from .weights import as_float

Turn = Callable[[np.ndarray], np.ndarray]
#: Keras's class, and its arrays in their order with the attributes that take them.
PARTS: dict[type[Module], tuple[str, list[tuple[str, str]]]] = {
    nn.Linear: ("dense", [("kernel", "weight"), ("bias", "bias")]),
    nn.Conv1d: ("conv1d", [("kernel", "weight"), ("bias", "bias")]),
    nn.Conv2d: ("conv2d", [("kernel", "weight"), ("bias", "bias")]),
    nn.ConvTranspose2d: ("conv2d_transpose", [("kernel", "weight"), ("bias", "bias")]),
    nn.DepthwiseConv2d: ("depthwise_conv2d", [("depthwise_kernel", "weight"), ("bias", "bias")]),
    nn.SeparableConv2d: ("separable_conv2d", [
        ("depthwise_kernel", "weight"), ("pointwise_kernel", "pointwise"), ("bias", "bias")]),
    nn.Embedding: ("embedding", [("embeddings", "weight")]),
    nn.BatchNorm: ("batch_normalization", [
        ("gamma", "scale"), ("beta", "shift"), ("moving_mean", "running_mean"),
        ("moving_variance", "running_variance")]),
    nn.LayerNorm: ("layer_normalization", [("gamma", "scale"), ("beta", "shift")]),
    nn.GroupNorm: ("group_normalization", [("gamma", "scale"), ("beta", "shift")]),
    nn.SimpleRNN: ("simple_rnn", [
        ("kernel", "weight_x"), ("recurrent_kernel", "weight_h"), ("bias", "bias")]),
    nn.LSTM: ("lstm", [
        ("kernel", "weight_x"), ("recurrent_kernel", "weight_h"), ("bias", "bias")]),
    nn.GRU: ("gru", [
        ("kernel", "weight_x"), ("recurrent_kernel", "weight_h"), ("bias", "bias")]),
}  # fmt: skip


@dataclass
class Target:
    """A module that takes arrays. kind: the class that Keras counts it under."""

    path: str
    module: Module
    kind: str

    def wanted(self) -> list[tuple[str, tuple[int, ...]]]:
        """(name, shape in Keras) of its arrays."""
        found = []
        for name, attribute in PARTS[type(self.module)][1]:
            stored = getattr(self.module, attribute)
            if stored is not None:
                two = name == "bias" and getattr(self.module, "bias_h", None) is not None
                found.append((name, (2, *stored.shape) if two else stored.shape))
        return found

    def take(self, arrays: list[np.ndarray]) -> None:
        for (name, _), array in zip(self.wanted(), arrays, strict=True):
            attribute = dict(PARTS[type(self.module)][1])[name]
            if isinstance(self.module, nn.GRU):
                array = recurrent.in_order("GRU", array)
            stored: Stored = getattr(self.module, attribute)
            if array.ndim == 2 and stored.ndim == 1:
                put(vars(self.module)["bias_h"], array[1])
                array = array[0]
            put(stored, array.astype(stored.dtype))


@dataclass
class Source:
    """The arrays of one layer of the file. kind: "" where the file does not say it."""

    name: str
    kind: str
    arrays: list[np.ndarray]


def fill(model: Any, file: KerasFile, path: str) -> Module:
    """The model with the weights of the file. Raises one FormatError that lists what does not
    fit; then nothing was changed."""
    if not isinstance(model, Module):
        raise ConfigError(f"{OP}: model must be a Module, got {quoted(model)}")
    targets = list(_targets(model))
    sources = list(_in_lists(file.weights) if file.in_order else _in_groups(file.weights))
    pairs = _paired(targets, sources, file.in_order)
    problems = [text for text in (_problem(t, s) for t, s in pairs) if text]
    if problems:
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise FormatError(f"{OP}: {path} does not fit the model: {'; '.join(problems[:5])}{more}")
    for target, source in pairs:
        if target is not None and source is not None:
            target.take(source.arrays)
    return model


def _targets(model: Module) -> Iterator[Target]:
    both: dict[int, str] = {}
    for path, module in model.named_modules():
        if isinstance(module, nn.Bidirectional):
            both |= dict.fromkeys((id(module.ahead), id(module.back)), "bidirectional")
        if type(module) in PARTS:
            yield Target(path, module, both.get(id(module), PARTS[type(module)][0]))
        elif any(isinstance(m, Stored) for m in vars(module).values()):
            raise ConfigError(
                f"{OP}: {quoted(path or type(module).__name__, 60)} has weights of its own, for "
                "which no layer of Keras is known; modules of tinydl.nn take them"
            )


def _in_lists(root: Place) -> Iterator[Source]:
    for layer in root.names("layer_names") or list(root.groups):
        group = root.groups.get(layer)
        parts: dict[str, list[np.ndarray]] = {}
        for name in (group.names("weight_names") or []) if group is not None else []:
            array = group.array(name) if group is not None else None
            if array is None:
                raise FormatError(f"{OP}: the file lacks {quoted(name, 60)}")
            parts.setdefault(name.rpartition("/")[0], []).append(as_float(array))
        for name, arrays in parts.items():
            yield Source(name or layer, "", arrays)


def _in_groups(root: Place) -> Iterator[Source]:
    """Groups with arrays, in the order of their numbers."""
    found: list[tuple[list[str], list[np.ndarray]]] = []

    def walk(place: Place, path: list[str]) -> None:
        kept = place.groups.get("vars")
        if kept is not None and kept.arrays and "seed_generator" not in path:
            order = sorted(kept.arrays, key=lambda n: int(n) if n.isdecimal() else -1)
            found.append((path, [as_float(kept.arrays[n]) for n in order]))
        for name in sorted(place.groups, key=_numbered):
            if name != "vars":
                walk(place.groups[name], [*path, name])

    walk(root, [])
    for path, arrays in found:
        names = [p for p in path if p not in ("layers", "cell", "layer")]
        kind = next((n for n in names if n.startswith("bidirectional")), names[-1] if names else "")
        yield Source("/".join(path), re.sub(r"_\d+$", "", kind), arrays)


def _numbered(name: str) -> tuple[str, int]:
    """dense_10 after dense_9; forward_layer before backward_layer."""
    plain, _, number = name.rpartition("_")
    if plain and number.isdecimal():
        return plain, int(number)
    return ("", 0) if name == "forward_layer" else (name, -1)


def _paired(
    targets: list[Target], sources: list[Source], in_order: bool
) -> list[tuple[Target | None, Source | None]]:
    if in_order:
        count = max(len(targets), len(sources))
        return [(_at(targets, i), _at(sources, i)) for i in range(count)]
    pairs: list[tuple[Target | None, Source | None]] = []
    kinds = dict.fromkeys([t.kind for t in targets] + [s.kind for s in sources])
    for kind in kinds:
        mine = [t for t in targets if t.kind == kind]
        theirs = [s for s in sources if s.kind == kind]
        above = {s.name.rpartition("layers/")[0] for s in theirs}
        if len(above) > 1:
            raise ConfigError(
                f"{OP}: the file has layers of the class {quoted(kind, 40)} in several models "
                "inside each other, whose order it does not say; save the whole model as .keras"
            )
        pairs += [(_at(mine, i), _at(theirs, i)) for i in range(max(len(mine), len(theirs)))]
    return pairs


def _at(items: list[Any], i: int) -> Any:
    return items[i] if i < len(items) else None


def _problem(target: Target | None, source: Source | None) -> str | None:
    if target is None:
        return f"no module for {quoted(source.name if source else '', 60)}"
    if source is None:
        return f"nothing for {target.path} ({type(target.module).__name__})"
    wanted = [shape for _, shape in target.wanted()]
    got = [a.shape for a in source.arrays]
    if wanted == got:
        return None
    return f"{target.path} needs {wanted}, {quoted(source.name, 60)} has {quoted(got, 120)}"
