"""`load_keras`: a Keras file as a Module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ConfigError, FormatError, TinydlError
from ...foreign import boundary
from ...nn import Module
from ...quoting import quoted, shown
from .description import Layer, described
from .kinds import KINDS
from .kinds.table import Unit
from .net import KerasNet, nested
from .stored import OP, read_file
from .weights import Arrays, found_arrays

#: Why some layers will never be imported, for the list of what is refused.
REASONS = {
    "Lambda": "code in the file, which is never run",
    "TFOpLambda": "an operation of TensorFlow",
    "SlicingOpLambda": "an operation of TensorFlow",
    "TensorFlowOpLayer": "an operation of TensorFlow",
}


class Maker:
    """Modules of the layers of one file. version: 2 or 3, the Keras that wrote it."""

    def __init__(self, version: int, arrays: Arrays) -> None:
        self.version, self._arrays = version, arrays
        self._made: dict[int, Unit] = {}

    def arrays(self, layer: Layer) -> dict[str, np.ndarray]:
        return self._arrays.get(id(layer), {})

    def unit(self, layer: Layer) -> Unit:
        """Made once, however often the layer is called."""
        if id(layer) not in self._made:
            self._made[id(layer)] = self._unit(layer)
        return self._made[id(layer)]

    def _unit(self, layer: Layer) -> Unit:
        if layer.graph is not None:
            net = self.net(layer)
            return Unit([("", net)], nested, net.makes_masks)
        with boundary(f"{layer.kind} {quoted(layer.name, 60)}", OP):
            unit = KINDS[layer.kind].build(layer, self.arrays(layer), self)
        if layer.config.get("trainable", True) is False:
            for _, module in unit.modules:
                module.freeze()
        return unit

    def net(self, layer: Layer) -> KerasNet:
        graph: Any = layer.graph
        net = KerasNet(graph, {inner.name: self.unit(inner) for inner in graph.layers})
        return net.freeze() if layer.config.get("trainable", True) is False else net  # type: ignore[return-value]


def load_keras(path: str | Path, model: Module | None = None) -> Module:
    """The net in a Keras file, or `model` with the weights of the file; the extra `keras`."""
    file = read_file(path)
    with boundary(path, OP):
        if model is not None:
            from .into import fill

            return fill(model, file, shown(path))
        if file.config is None:
            raise ConfigError(
                f"{OP}: {shown(path)} holds weights alone, without a configuration: build the "
                "model and call load_keras(path, model)"
            )
        try:
            whole = described(file.config)
            refuse(whole, shown(path))
            maker = Maker(2 if file.version.startswith(("0.", "1.", "2.")) else 3,
                          found_arrays(whole, file))  # fmt: skip
            return maker.net(whole).eval()
        except TinydlError as error:
            told = str(error)
            if told.startswith(f"{OP}:") or not isinstance(error, FormatError):
                raise
            raise type(error)(f"{OP}: {shown(path)}: {told}") from error


def refuse(model: Layer, path: str) -> None:
    """One ConfigError that lists all layers which cannot be imported."""
    lacking: dict[str, list[str]] = {}
    for layer in everything(model):
        if reason := refused(layer):
            lacking.setdefault(reason, []).append(layer.name)
    if lacking:
        problems = [f"{what} x {len(names)}: {_some(names)}" for what, names in lacking.items()]
        raise ConfigError(f"{OP}: {path} needs what tinydl does not import: {'; '.join(problems)}")


def refused(layer: Layer) -> str | None:
    """What cannot be imported of a layer, in words."""
    if layer.registered is not None:
        return f"{quoted(layer.registered, 80)} (not a layer of Keras)"
    if layer.graph is not None:
        return None
    kind = KINDS.get(layer.kind)
    if kind is None:
        reason = REASONS.get(layer.kind)
        return quoted(layer.kind, 80).strip("'") + (f" ({reason})" if reason else "")
    policy = layer.config.get("dtype")
    if isinstance(policy, dict) and "Quantized" in str(policy.get("class_name")):
        return f"{layer.kind} (quantized weights)"
    reason = kind.refuses(layer)
    return f"{layer.kind} ({reason})" if reason else None


def everything(layer: Layer) -> Iterator[Layer]:
    """The layer and all below it, leaves of refused wrappers too."""
    yield layer
    if layer.kind != "Bidirectional":  # which looks at its directions itself
        for _, child in layer.children:
            yield from everything(child)


def _some(names: list[str]) -> str:
    some = ", ".join(quoted(name, 40) for name in names[:4])
    return some + (", ..." if len(names) > 4 else "")
