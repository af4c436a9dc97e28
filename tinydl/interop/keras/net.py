"""A Keras model as a Module: its layers as tinydl's, called as the graph of the file says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import FormatError, ShapeError, TinydlError
from ...nn import Module
from ...quoting import quoted, shown
from ...tensor import Tensor
from ..graph import Wire
from ..imported import fitting_input, free_name, told
from .description import Graph, Layer, Ref, steps
from .kinds.table import Caller, Given, Unit, flat


class Step:
    """One call of one layer: of which modules, with what, and what it makes."""

    def __init__(self, layer: Layer, call: int) -> None:
        self.place, self.kind = (layer.name, call), layer.kind
        self.args, self.kwargs = layer.calls[call].args, layer.calls[call].kwargs
        self.still = self.kwargs.get("training") is False

    def __repr__(self) -> str:
        return f"{self.kind} {self.place[0]}"


class KerasNet(Module):
    """A net from a Keras file: called like any module, with the inputs in their order.

    Every layer of the file is an attribute of its name (`net.conv2d_1`), an nn module with
    trainable weights; its activation stands behind it (`net.conv2d_1_relu`). `inputs` and `outputs`
    tell names, types and sizes; several outputs are a tuple, named ones a dictionary. Assigning
    another module to an attribute exchanges the layer. In training, Dropout and BatchNorm do what
    Keras's do.
    """

    def __init__(self, graph: Graph, units: Mapping[str, Unit]) -> None:
        self.name = graph.name
        by_name = {layer.name: layer for layer in graph.layers}
        self.inputs: dict[str, Wire] = {r.layer: _wire(by_name[r.layer]) for r in graph.inputs}
        if len(self.inputs) < len(graph.inputs):
            names = quoted([r.layer for r in graph.inputs], 200)
            raise FormatError(f"{graph.name}: an input is named twice among {names}")
        self.outputs: Any = graph.outputs
        self.steps = [Step(layer, call) for layer, call in steps(graph)]
        self._sources = list(graph.inputs)
        self._calls: dict[str, Caller] = {}
        self._names: dict[str, list[str]] = {}
        self.makes_masks = any(unit.makes_mask for unit in units.values())
        for name, unit in units.items():
            self._calls[name] = unit.call
            self._names[name] = [self._kept(name + more, m) for more, m in unit.modules]

    def _kept(self, name: str, module: Module) -> str:
        """The attribute under which the module is kept."""
        found = free_name(self, "".join(c if c.isalnum() else "_" for c in name) or "_")
        setattr(self, found, module)
        return found

    def forward(self, *inputs: Any) -> Any:
        if len(inputs) == 1 and isinstance(inputs[0], list | tuple) and len(self.inputs) > 1:
            inputs = tuple(inputs[0])
        return self.run(inputs)[0]

    def run(
        self, inputs: Sequence[Any], masks: Sequence[Tensor | None] = ()
    ) -> tuple[Any, list[Tensor | None]]:
        """The outputs, and the masks of the outputs; masks: those of the inputs."""
        if len(inputs) != len(self.inputs):
            raise ShapeError(
                f"{self.name}: takes {len(self.inputs)} inputs ({', '.join(self.inputs)}), got "
                f"{len(inputs)}"
            )
        values: dict[Ref, Tensor] = {}
        known: dict[Ref, Tensor | None] = {}
        for place, (ref, wire) in enumerate(zip(self._sources, self.inputs.items(), strict=True)):
            values[ref] = fitting_input("KerasNet", *wire, inputs[place])
            known[ref] = masks[place] if place < len(masks) else None
        for step in self.steps:
            found, made = self._step(step, values, known)
            for i, y in enumerate(found):
                ref = Ref(*step.place, i)
                values[ref] = y
                known[ref] = made[i] if i < len(made) else None
        outputs = _filled(self.outputs, values)
        outputs = tuple(outputs) if isinstance(outputs, list) else outputs
        outputs = outputs[0] if isinstance(outputs, tuple) and len(outputs) == 1 else outputs
        return outputs, [known[ref] for ref in flat_refs(self.outputs)]

    def _step(self, step: Step, values: dict, masks: dict) -> tuple[list[Tensor], list]:
        name = step.place[0]
        modules = [getattr(self, attribute) for attribute in self._names[name]]
        given = Given(
            [_filled(a, values) for a in step.args],
            {k: _filled(v, values) for k, v in step.kwargs.items()},
            [masks[ref] for ref in flat_refs(step.args)],
            {k: masks[v] for k, v in step.kwargs.items() if isinstance(v, Ref)},
        )
        modes = [(m, m.training) for m in modules] if step.still and self.training else []
        try:
            for module, _ in modes:
                module.eval()
            return self._calls[name](modules, given)
        except TinydlError as error:
            raise type(error)(f"{step.kind} {quoted(name, 60)}: {error}") from error
        except (LookupError, TypeError, ValueError, ArithmeticError, MemoryError) as error:
            reason = f"cannot be computed ({type(error).__name__}: {shown(error, 160)})"
            raise ShapeError(f"{step.kind} {quoted(name, 60)}: {reason}") from error
        finally:
            for module, mode in modes:
                module.train(mode)

    def arguments(self) -> str:
        wires = [f"{name} {told(wire)}" for name, wire in self.inputs.items()]
        return f"{', '.join(wires)}; {len(self.steps)} layers"


def nested(modules: Sequence[Any], given: Given) -> tuple[list[Tensor], list[Tensor | None]]:
    """The caller of a model inside a model."""
    net = modules[0]
    inputs = given.tensors
    if net.makes_masks or any(m is not None for m in given.masks):
        outputs, masks = net.run(inputs, given.masks)
    else:
        outputs, masks = net(*inputs), []
    found = [t for t in flat(outputs) if isinstance(t, Tensor)]
    return found, masks


def flat_refs(value: Any) -> list[Ref]:
    if isinstance(value, Ref):
        return [value]
    if isinstance(value, list | dict):
        items = value.values() if isinstance(value, dict) else value
        return [ref for item in items for ref in flat_refs(item)]
    return []


def _filled(value: Any, values: Mapping[Ref, Tensor]) -> Any:
    """The same structure with tensors in the place of Refs."""
    if isinstance(value, Ref):
        if value not in values:
            raise ShapeError(f"{quoted(value.layer, 60)} has no output {value.output}")
        return values[value]
    if isinstance(value, list):
        return [_filled(v, values) for v in value]
    if isinstance(value, dict):
        return {k: _filled(v, values) for k, v in value.items()}
    return value


def _wire(layer: Layer) -> Wire:
    """What an InputLayer says; a size that is open is None."""
    shape = layer.get("batch_shape") or layer.get("batch_input_shape")
    dtype = layer.get("dtype", "float32")
    dtype = dtype if isinstance(dtype, str) and dtype != "bfloat16" else "float32"
    if not isinstance(shape, list):
        return Wire(dtype, None)
    return Wire(dtype, (None, *[n if type(n) is int else None for n in shape[1:]]))
