"""A graph as plain data and back: what a run folder keeps of an imported net.

The description holds nodes, attributes and sizes, as JSON; arrays that are no weights stand beside
it under their names; the weights are the module's own state. Nothing in it is code.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, FormatError
from ..foreign import boundary
from ..nn.module import Module
from ..quoting import printable, quoted, shown
from ..train.schema import KINDS, Kind, integer, keyed, listed, mapped, optional, text
from .graph import Graph, Node, Wire, graph_of, onnx_package
from .imported import Imported, built
from .operators import OPERATORS
from .operators.table import same
from .program import KNOWN_TYPES

OP = "net"
LONGEST = 200  # characters of a name
MOST_NODES = 100_000

_NAME, _SIZE = text(1_000), integer(0, 1 << 40)
_SIZES = listed(lambda n: None if isinstance(n, str) else optional(_SIZE)(n), 0, 32)


def _attribute(value: Any) -> str | None:
    if isinstance(value, dict):
        return keyed({"array": _NAME})(value)
    items = value if isinstance(value, list) else [value]
    if all(isinstance(v, str) and len(v) <= 1_000 for v in items):
        return None
    known = (int, float)
    good = all(isinstance(v, known) and not isinstance(v, bool) for v in items)
    return None if good and len(items) <= 1_000_000 else "is no attribute"


_WIRE = keyed({"name": _NAME, "dtype": text(40), "shape": optional(_SIZES)})
_NODE = keyed(
    {
        "kind": text(200), "name": _NAME, "inputs": listed(_NAME, 0, 10_000),
        "outputs": listed(_NAME, 1, 10_000), "attributes": mapped(_attribute, 1_000),
        "opset": integer(1, 1_000),
    }
)  # fmt: skip
KINDS["net"] = Kind(
    "the description of a net",
    keyed(
        {
            "format": text(40, "tinydl-net-1"), "name": _NAME, "opset": integer(1, 1_000),
            "inputs": listed(_WIRE, 0, 1_000), "outputs": listed(_WIRE, 1, 1_000),
            "nodes": listed(_NODE, 0, MOST_NODES),
            "weights": mapped(keyed({"dtype": text(20), "shape": listed(_SIZE, 0, 32)}), 100_000),
            "sha256": text(64, "[0-9a-f]{64}"),
        },
        ("sha256",),
    ),
    most=1 << 26,
    infinite=True,
)  # fmt: skip


# -- out -------------------------------------------------------------------------------------------


def imported(net: Module, example: Any = None) -> Imported:
    """The net as a graph: itself, or the operations of its forward pass on `example`, one batch or
    a tuple of them (None: `examples`). Needs the extra `onnx` for what is none yet."""
    if isinstance(net, Imported):
        return net
    from .export import model_proto

    onnx = onnx_package()
    example = examples(net) if example is None else example
    graph = graph_of(onnx, model_proto(onnx, net, example, 17), type(net).__name__)
    return built(type(net).__name__, graph)


def examples(net: Module, open_size: int = 12) -> tuple[np.ndarray, ...]:
    """A batch of two for each input that a net from a file names; sizes that are open are
    `open_size`. ConfigError for a net that names none."""
    wires = getattr(net, "inputs", {})
    if not wires or any(w.shape is None or w.dtype not in KNOWN_TYPES for w in wires.values()):
        raise ConfigError(f"{OP}: the {type(net).__name__} does not say what it takes")
    found = []
    for wire in wires.values():
        sizes = [n if isinstance(n, int) else open_size for n in wire.shape[1:]]
        shape = (wire.shape[0] if isinstance(wire.shape[0], int) else 2, *sizes)
        dtype = np.dtype(wire.dtype)
        drawn = np.random.default_rng(0).uniform(0.1, 0.9, size=shape)
        found.append(drawn.astype(dtype) if dtype.kind == "f" else np.ones(shape, dtype))
    return tuple(found)


def described(net: Imported) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(the description, its arrays). Names that cannot be printed or are endless get others."""
    called = _printable([n for node in net.program.nodes for n in (*node.inputs, *node.outputs)])
    constants = net.program.constants
    weights = {value for value, _ in net.program.weights}
    apart = _read_plainly(net) | set(net.program.outputs)
    arrays: dict[str, np.ndarray] = {}
    for name, array in constants.items():
        if name not in weights or name in apart:
            arrays[called.get(name, name)] = array
    nodes = [_node(node, called, arrays) for node in net.program.nodes]
    lone = [n for n in constants if n in weights and n not in apart]
    described = {
        "format": "tinydl-net-1", "name": printable(net.name)[:LONGEST], "opset": net.opset,
        "inputs": _wires(net.inputs, called), "outputs": _wires(net.outputs, called),
        "nodes": nodes,
        "weights": {
            called.get(n, n): {"dtype": str(constants[n].dtype), "shape": list(constants[n].shape)}
            for n in lone
        },
    }  # fmt: skip
    return described, arrays


def _printable(names: list[str]) -> dict[str, str]:
    """{name: another one} of those that would not do, each new one once."""
    found, taken = {}, set(names)
    for name in dict.fromkeys(names):
        if name.isprintable() and len(name) <= LONGEST:
            continue
        new = stem = printable(name[:LONGEST])[:LONGEST] or "_"
        while new in taken:
            new = f"{stem}_{len(taken)}"
        taken.add(new)
        found[name] = new
    return found


def _read_plainly(net: Imported) -> set[str]:
    """The values that some node reads otherwise than as a weight."""
    found = set()
    for node in net.program.nodes:
        operator = OPERATORS[node.kind]
        for i, name in enumerate(node.inputs):
            turned = operator.weights.get(i, same if i in operator.buffers else None)
            if turned is None or (name, turned) not in net.program.weights:
                found.add(name)
    return found


def _node(node: Node, called: Mapping[str, str], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    attributes = {}
    for name, value in node.attributes.items():
        if isinstance(value, np.ndarray):
            key = f"{node.name[:LONGEST]}/{name}"
            while key in arrays:
                key += "_"
            arrays[key] = value
            attributes[name] = {"array": key}
        elif isinstance(value, Graph):
            raise ConfigError(f"{OP}: {node.kind} {quoted(node.name, 60)} holds a graph")
        else:
            attributes[name] = value.tolist() if hasattr(value, "tolist") else value
    return {
        "kind": node.kind, "name": printable(node.name)[:LONGEST],
        "inputs": [called.get(n, n) for n in node.inputs],
        "outputs": [called.get(n, n) for n in node.outputs],
        "attributes": attributes, "opset": node.opset,
    }  # fmt: skip


def _wires(wires: Mapping[str, Wire], called: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": called.get(name, name), "dtype": wire.dtype,
            "shape": None if wire.shape is None
            else [printable(n)[:LONGEST] if isinstance(n, str) else n for n in wire.shape],
        }
        for name, wire in wires.items()
    ]  # fmt: skip


# -- and back --------------------------------------------------------------------------------------


def restored(
    path: str | Path,
    description: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    most: int,
) -> Imported:
    """The net of a description, its weights zeros; most: how many numbers they may be together.

    FormatError, naming `path`, for what does not fit together."""
    claimed = sum(prod(w["shape"]) for w in description["weights"].values())
    if claimed > most:
        raise FormatError(f"{OP}: {shown(path)} speaks of {claimed:,} weights, there are {most:,}")
    with boundary(path, OP):
        constants = dict(arrays)
        for name, w in description["weights"].items():
            if w["dtype"] not in ("float32", "float64"):
                raise FormatError(f"{OP}: the weight {quoted(name, 60)} is {quoted(w['dtype'])}")
            constants[name] = np.zeros(w["shape"], w["dtype"])
        inputs, outputs = (_wires_of(description[k]) for k in ("inputs", "outputs"))
        nodes = _nodes_of(description, arrays, {*constants, *inputs}, set(outputs))
        graph = Graph(description["name"], description["opset"], inputs, outputs, nodes, constants)
        try:
            return built(path, graph)
        except ConfigError as error:
            raise FormatError(f"{OP}: {shown(path)} does not fit: {shown(error, 200)}") from None


def _wires_of(rows: Any) -> dict[str, Wire]:
    return {
        row["name"]: Wire(row["dtype"], None if row["shape"] is None else tuple(row["shape"]))
        for row in rows
    }


def _nodes_of(
    description: Mapping[str, Any], arrays: Mapping[str, np.ndarray], known: set[str],
    outputs: set[str],
) -> list[Node]:  # fmt: skip
    """The nodes, each reading only what is known before it, each name made once."""
    nodes = []
    for row in description["nodes"]:
        if unknown := [n for n in row["inputs"] if n and n not in known]:
            raise FormatError(f"node {quoted(row['name'], 60)} reads {quoted(unknown[0], 60)}")
        if twice := [n for n in row["outputs"] if n and n in known]:
            raise FormatError(f"{quoted(twice[0], 60)} is made twice")
        known.update(filter(None, row["outputs"]))
        attributes = {
            k: arrays[v["array"]] if isinstance(v, dict) else v
            for k, v in row["attributes"].items()
        }
        inputs, made = tuple(row["inputs"]), tuple(row["outputs"])
        nodes.append(Node(row["kind"], row["name"], inputs, made, attributes, row["opset"]))
    if outputs - known:
        raise FormatError(f"nothing makes the output {quoted(sorted(outputs - known)[0], 60)}")
    return nodes


def copied_weights(source: Imported, target: Imported) -> None:
    """What `source` holds into the net of its description: the order is the same."""
    pairs = zip(source.program.weights.values(), target.program.weights.values(), strict=True)
    for a, b in pairs:
        b.assign(a.numpy())
