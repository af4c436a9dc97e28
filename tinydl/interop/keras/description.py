"""The configuration of a Keras file as a graph of layers: what each is called with, and how often.

Keras 2 and 3 write calls differently: `[["conv", 0, 0, {}]]` and `{"args": [tensor], "kwargs":
{}}`. Here both are `Call`s whose tensors are `Ref`s. A model inside a model, a wrapper's layer and
the two directions of a Bidirectional are `children`, each under the path where its weights lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from ...errors import FormatError
from ...quoting import quoted

MODELS = ("Sequential", "Functional", "Model")
DEEPEST = 30


class Ref(NamedTuple):
    """One output of one call of a layer."""

    layer: str
    call: int = 0
    output: int = 0


@dataclass
class Call:
    """What a layer is called with: tensors are Refs, also inside lists and dictionaries."""

    args: list[Any]
    kwargs: dict[str, Any]

    def refs(self) -> list[Ref]:
        return list(_refs([self.args, self.kwargs]))


@dataclass
class Layer:
    """One entry of "layers". kind: Keras's class name; registered: that of a class of the user's
    own, or where a class that is no layer comes from, None for Keras's own layers."""

    kind: str
    name: str
    config: dict[str, Any]
    registered: str | None = None
    shape: tuple[int | None, ...] | None = None  # of its input, where the file says it
    calls: list[Call] = field(default_factory=list)
    children: list[tuple[str, Layer]] = field(default_factory=list)
    graph: Graph | None = None

    def get(self, name: str, default: Any = None) -> Any:
        found = self.config.get(name)
        return default if found is None else found


@dataclass
class Graph:
    """A model: its layers in an order in which they can be called, what goes in and comes out."""

    name: str
    layers: list[Layer]
    inputs: list[Ref]
    outputs: Any


def described(config: dict[str, Any]) -> Layer:
    """The model of a file. Raises FormatError for what no Keras writes."""
    found = _layer(config, 0)
    if found.graph is None and found.registered is None:
        raise FormatError(f"the configuration is of {quoted(found.kind, 60)}, which is no model")
    return found


def _layer(entry: Any, depth: int) -> Layer:
    if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str):
        raise FormatError(f"a layer is {quoted(entry, 80)}, without a class")
    if depth > DEEPEST:
        raise FormatError(f"models inside models, more than {DEEPEST} deep")
    kind, config = entry["class_name"], entry.get("config", {})
    if kind == "Sequential" and isinstance(config, list):  # Keras before 2.2.3
        config = {"name": entry.get("name", "sequential"), "layers": config}
    if not isinstance(config, dict):
        raise FormatError(f"{quoted(kind, 60)} has the configuration {quoted(config, 80)}")
    name = entry.get("name") or config.get("name") or kind.lower()
    kind = f"ops.{kind}" if _is_operation(entry) else kind
    found = Layer(kind, str(name), config, _stranger(entry), _input_shape(entry))
    if found.registered is None and kind in MODELS:
        found.graph = _sequential(found, depth) if kind == "Sequential" else _graph(found, depth)
        names = _counted(found.graph.layers)
        found.children = [
            (f"layers/{n}", c) for n, c in zip(names, found.graph.layers, strict=True)
        ]
        steps(found.graph)
    elif kind == "TimeDistributed" and found.registered is None:
        found.children = [("layer", _layer(config.get("layer"), depth + 1))]
    elif kind == "Bidirectional" and found.registered is None:
        found.children = _directions(config, depth)
    return found


def _directions(config: dict[str, Any], depth: int) -> list[tuple[str, Layer]]:
    ahead = config.get("layer")
    back = config.get("backward_layer") or ahead
    return [
        ("forward_layer", _layer(ahead, depth + 1)),
        ("backward_layer", _layer(back, depth + 1)),
    ]


def _stranger(entry: dict[str, Any]) -> str | None:
    """The name of a class that is none of Keras's layers or models; None for those."""
    kind, registered = entry["class_name"], entry.get("registered_name")
    module = entry.get("module")
    if ">" in kind:
        return kind
    if isinstance(registered, str) and registered != kind and ">" in registered:
        return registered
    if module is None or (kind in MODELS and str(module).startswith("keras")):
        return None
    if not isinstance(module, str) or not re.match(r"(keras|tensorflow\.keras|tf_keras)\b", module):
        return f"{module}.{kind}"
    return None


def _is_operation(entry: dict[str, Any]) -> bool:
    """Whether an entry is an operation of Keras 3, such as that of `x * 2`, and no layer, which may
    have the same name: .h5 does not say it, but layers have settings that operations lack."""
    module, nodes = entry.get("module"), entry.get("inbound_nodes")
    if isinstance(module, str):
        return bool(re.match(r"keras(\.src)?\.ops\b", module))
    new = isinstance(nodes, list) and any(isinstance(n, dict) for n in nodes)
    return new and "trainable" not in (entry.get("config") or {})


def _input_shape(entry: dict[str, Any]) -> tuple[int | None, ...] | None:
    built = entry.get("build_config")
    shape = built.get("input_shape") if isinstance(built, dict) else None
    if isinstance(shape, list) and all(n is None or isinstance(n, int) for n in shape):
        return tuple(shape)
    return None


def _counted(layers: list[Layer]) -> list[str]:
    """The names of groups in .keras: the class in snake case, the second one with _1."""
    seen: dict[str, int] = {}
    names = []
    for layer in layers:
        plain = snake(layer.kind.rpartition(">")[2])
        count = seen[plain] = seen.get(plain, -1) + 1
        names.append(f"{plain}_{count}" if count else plain)
    return names


def snake(name: str) -> str:
    """Keras's spelling of a class as a name: Conv2D is conv2d, LSTM lstm, ReLU re_lu."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


# -- sequential and functional ---------------------------------------------------------------------


def _listed(config: dict[str, Any]) -> list[Any]:
    layers = config.get("layers")
    if not isinstance(layers, list) or not layers:
        raise FormatError(f"the model {quoted(config.get('name'), 60)} has no layers")
    return layers


def _sequential(model: Layer, depth: int) -> Graph:
    layers = [_layer(entry, depth + 1) for entry in _listed(model.config)]
    if layers[0].kind != "InputLayer":
        shape = layers[0].get("batch_input_shape") or model.get("build_input_shape")
        if shape is None and layers[0].graph is not None:
            inside = [la for la in layers[0].graph.layers if la.kind == "InputLayer"]
            shape = inside[0].get("batch_input_shape") or inside[0].get("batch_shape")
        given = {"batch_input_shape": shape, "dtype": layers[0].config.get("dtype")}
        layers.append(Layer("InputLayer", f"{layers[0].name}_input", given))
        layers = layers[-1:] + layers[:-1]
    _named_once(layers)
    for before, layer in pairwise(layers):
        layer.calls = [Call([Ref(before.name)], {})]
    return Graph(model.name, layers, [Ref(layers[0].name)], Ref(layers[-1].name))


def _graph(model: Layer, depth: int) -> Graph:
    layers = []
    for entry in _listed(model.config):
        layer = _layer(entry, depth + 1)
        nodes = entry.get("inbound_nodes", [])
        if not isinstance(nodes, list):
            raise FormatError(f"{quoted(layer.name, 60)} has the calls {quoted(nodes, 80)}")
        layer.calls = [_call(node, layer.name) for node in nodes]
        layers.append(layer)
    _named_once(layers)
    inputs = list(_refs(_tensors(model.config.get("input_layers"))))
    outputs = _tensors(model.config.get("output_layers"))
    if not inputs or not list(_refs(outputs)):
        raise FormatError(f"the model {quoted(model.name, 60)} has no inputs or no outputs")
    graph = Graph(model.name, layers, inputs, outputs)
    entries = [node for entry in _listed(model.config) for node in entry.get("inbound_nodes", [])]
    _from_zero(graph, any(isinstance(node, dict) for node in entries))
    return graph


def _named_once(layers: list[Layer]) -> None:
    names = [layer.name for layer in layers]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"two layers are called {quoted(twice, 60)}")


def _call(node: Any, name: str) -> Call:
    if isinstance(node, dict):
        args, kwargs = node.get("args", []), node.get("kwargs", {})
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise FormatError(f"a call of {quoted(name, 60)} is {quoted(node, 80)}")
        return Call([_values(a) for a in args], {k: _values(v) for k, v in kwargs.items()})
    if isinstance(node, list) and node and isinstance(node[0], str):  # one tensor, unwrapped
        node = [node]
    if not isinstance(node, list) or not all(_is_ref(n, 4) for n in node):
        raise FormatError(f"a call of {quoted(name, 60)} is {quoted(node, 80)}")
    named: dict[str, Any] = {}
    for tensor in node:
        if len(tensor) == 4 and isinstance(tensor[3], dict):
            named |= {k: _old_values(v) for k, v in tensor[3].items()}
    refs = [Ref(*tensor[:3]) for tensor in node]
    return Call([refs[0] if len(refs) == 1 else refs], named)


def _is_ref(value: Any, most: int = 3) -> bool:
    return (
        isinstance(value, list)
        and 3 <= len(value) <= most
        and isinstance(value[0], str)
        and all(type(n) is int and n >= 0 for n in value[1:3])
    )


def _values(value: Any) -> Any:
    """An argument of Keras 3."""
    if isinstance(value, list):
        return [_values(v) for v in value]
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            history = value.get("config", {}).get("keras_history")
            if not _is_ref(history):
                raise FormatError(f"a tensor comes from {quoted(history, 80)}")
            return Ref(*history)
        if value.get("class_name") == "__tuple__":
            return [_values(v) for v in value.get("items", [])]
        return {k: _values(v) for k, v in value.items()}
    return value


def _old_values(value: Any) -> Any:
    """A keyword of Keras 2, where a tensor is ["name", 0, 0]."""
    if _is_ref(value):
        return Ref(*value)
    if isinstance(value, list):
        return [_old_values(v) for v in value]
    return value


def _tensors(value: Any) -> Any:
    """input_layers and output_layers: one tensor, a list or a dictionary of them."""
    if _is_ref(value, 4):
        return Ref(*value[:3])
    if isinstance(value, list):
        return [_tensors(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _tensors(v) for k, v in value.items()}
    raise FormatError(f"the model's inputs or outputs are {quoted(value, 80)}")


def _refs(value: Any) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _refs(item)


def _from_zero(graph: Graph, new: bool) -> None:
    """Calls of a nested model count from 1 where it was called once when it was made: in Keras 2
    everywhere, in Keras 3 (`new`) in the model's outputs only."""
    calls = {la.name: len(la.calls) for la in graph.layers}
    outside = _refs([graph.inputs, graph.outputs])
    if new:
        nested = {la.name for la in graph.layers if la.graph and la.kind != "Sequential"}
        first = {ref.layer: 1 for ref in outside if ref.layer in nested}
    else:
        inside = [[c.args, c.kwargs] for la in graph.layers for c in la.calls]
        first = {}
        for ref in [*outside, *_refs(inside)]:
            before = ref.call - max(calls.get(ref.layer, 1) - 1, 0)
            first[ref.layer] = max(first.get(ref.layer, 0), before)
        for layer in graph.layers:
            layer.calls = [Call(*_moved([c.args, c.kwargs], first)) for c in layer.calls]
    graph.inputs, graph.outputs = _moved(graph.inputs, first), _moved(graph.outputs, first)


def _moved(value: Any, first: dict[str, int]) -> Any:
    if isinstance(value, Ref):
        return value._replace(call=value.call - first.get(value.layer, 0))
    if isinstance(value, list):
        return [_moved(v, first) for v in value]
    if isinstance(value, dict):
        return {k: _moved(v, first) for k, v in value.items()}
    return value


def steps(graph: Graph) -> list[tuple[Layer, int]]:
    """(layer, number of the call) in an order in which everything is there when it is needed.

    Raises FormatError for a cycle, or where a call needs what no layer makes."""
    ready = [(la.name, 0) for la in graph.layers if la.kind == "InputLayer" and not la.calls]
    calls = {(la.name, k): (la, c) for la in graph.layers for k, c in enumerate(la.calls)}
    for ref in _refs([graph.inputs, graph.outputs, *[c.args for _, c in calls.values()]]):
        if ref[:2] not in calls and ref[:2] not in ready:
            raise FormatError(
                f"the model {quoted(graph.name, 60)} uses call {ref.call} of "
                f"{quoted(ref.layer, 60)}, which is not there"
            )
    lacks = {place: {ref[:2] for ref in c.refs()} for place, (_, c) in calls.items()}
    users: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for place, needed in lacks.items():
        for source in needed:
            users.setdefault(source, []).append(place)
    ready += [place for place, needed in lacks.items() if not needed]
    order: list[tuple[Layer, int]] = []
    for place in ready:  # which grows meanwhile
        if place in calls:
            order.append((calls[place][0], place[1]))
        for user in users.get(place, ()):
            lacks[user].discard(place)
            if not lacks[user]:
                ready.append(user)
    if len(order) < len(calls):
        stuck = next(name for (name, _), needed in lacks.items() if needed)
        raise FormatError(f"{quoted(stuck, 60)} is called with what comes after it: a cycle")
    return order
