"""`tinydl inspect`: what a file of another library holds, without making a net of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from ..foreign import boundary, read_start
from ..quoting import shown
from ..tables import Column, Page, Table, facts
from ..train.tensor_files import read_header
from .graph import Graph, Node, Wire, onnx_package
from .imported import folded, folded_graph, lacking_in, stored_in
from .kinds import KINDS, kind_of, open_model
from .operators import OPERATORS

OP = "inspect"
ROUNDS, SMALL = 4, 1_000


@dataclass
class Found:
    """What a file holds. operators: how many nodes of each, or layers of each class; missing: what
    is not imported, with the names of its nodes; tensors: of a file of weights alone.
    multiply_adds: of one sample, None where sizes are open that they depend on."""

    file: str
    format: str
    bytes: int
    producer: str = ""
    opset: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    operators: dict[str, int] = field(default_factory=dict)
    parameters: int = 0
    multiply_adds: int | None = None
    missing: dict[str, list[str]] = field(default_factory=dict)
    tensors: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def page(self) -> Page:
        """For people: facts, what goes in and out, operators or tensors, what is missing."""
        parts: list[Table | str] = [facts(self._facts())]
        wires = [("in", w) for w in self.inputs] + [("out", w) for w in self.outputs]
        if wires:
            parts += ["", Table(WIRES, [(way, *_wire_cells(w)) for way, w in wires])]
        if self.operators:
            parts += ["", Table(OPERATORS_TABLE, self._operator_rows())]
        if self.tensors:
            rows = [(t["name"], t["dtype"], _sizes(t["shape"])) for t in self.tensors]
            parts += ["", Table(TENSORS, rows)]
        return Page([*parts, "", self._verdict()])

    def _facts(self) -> list[tuple[str, str]]:
        rows = [("file", self.file), ("format", f"{self.format}, {self.bytes:,} bytes")]
        if self.producer:
            rows.append(("made by", self.producer))
        if self.opset is not None:
            rows.append(("opset", str(self.opset)))
        rows.append(("parameters", f"{self.parameters:,}"))
        if self.operators and self.opset is not None:
            open_sizes = "unknown: they depend on sizes that are open (--shape NAME=1,3,224,224)"
            known = open_sizes if self.multiply_adds is None else f"{self.multiply_adds:,}"
            rows.append(("multiply-adds of one sample", known))
        rows += [(name, value) for name, value in list(self.metadata.items())[:20]]
        return rows

    def _operator_rows(self) -> list[tuple[str, str, str, str]]:
        lacking: dict[str, list[str]] = {}
        for what, names in self.missing.items():
            lacking.setdefault(what.partition(" (")[0], []).extend(names)
        rows = []
        for name, count in sorted(self.operators.items(), key=lambda item: (-item[1], item[0])):
            without = lacking.get(name, [])
            rows.append((name, f"{count:,}", "NO" if without else "yes", _some(without)))
        return rows

    def _verdict(self) -> str:
        if self.missing:
            told = "; ".join(f"{what} x {len(names)}" for what, names in self.missing.items())
            return f"not imported: {told}"
        if self.tensors:
            return f"weights without a net: {KINDS['safetensors'].why}"
        return "everything in it is imported"


WIRES = (Column("", bold=True), Column("name", least=20), Column("type"), Column("shape", least=16))
OPERATORS_TABLE = (
    Column("operator or layer", bold=True, least=18), Column("count", right=True),
    Column("imported", marks=True), Column("nodes", least=20),
)  # fmt: skip
TENSORS = (Column("tensor", bold=True, least=24), Column("type"), Column("shape", least=12))


def _wire_cells(wire: Mapping[str, Any]) -> tuple[str, str, str]:
    return wire["name"], wire["dtype"], _sizes(wire["shape"])


def _sizes(shape: Sequence[Any] | None) -> str:
    if shape is None:
        return "open"
    return f"({', '.join('?' if n is None else str(n) for n in shape)})"


def _some(names: Sequence[str]) -> str:
    told = [shown(name, 60) for name in names[:3]]
    return ", ".join([*told, f"and {len(names) - 3} more"] if len(names) > 3 else told)


# -- reading ---------------------------------------------------------------------------------------


def inspect(path: str | Path, options: Mapping[str, Any] | None = None) -> Found:
    """What the file holds; ConfigError for one that cannot be looked into, FormatError for a
    damaged one. options: `inputs` and `shapes` of load_onnx."""
    kind, size = kind_of(path), read_start(path, 1, OP)[1]
    found = Found(shown(path), KINDS[kind].title.removeprefix("a ").removeprefix("an "), size)
    if kind == "safetensors":
        return _tensors(path, found)
    if kind == "onnx":
        return _onnx(path, found, options or {})
    net, _ = open_model(path, options)
    leaves = [m for m in net.modules() if not any(True for _ in m._members())]
    found.operators = dict(Counter(type(m).__name__ for m in leaves if m is not net))
    found.parameters = net.count_parameters()
    for name, wires in (("inputs", found.inputs), ("outputs", found.outputs)):
        there = getattr(net, name, {})
        known = there.items() if isinstance(there, Mapping) else ()
        wires += [_wire(n, w) for n, w in known if isinstance(w, Wire)]
    return found


def _tensors(path: str | Path, found: Found) -> Found:
    header = read_header(path)
    found.tensors = [
        {"name": name, "dtype": entry["dtype"], "shape": entry["shape"]}
        for name, entry in sorted(header.items())
    ]
    found.parameters = sum(prod(t["shape"]) for t in found.tensors)
    return found


def _onnx(path: str | Path, found: Found, options: Mapping[str, Any]) -> Found:
    onnx = onnx_package()
    with boundary(path, OP):
        graph = folded_graph(path, **options)
        found.producer, found.opset, found.metadata = graph.producer, graph.opset, graph.metadata
        found.inputs = [_wire(*item) for item in graph.inputs.items()]
        found.outputs = [_wire(*item) for item in graph.outputs.items()]
        found.operators = dict(Counter(node.kind for node in _all_nodes(graph.all_nodes)))
        found.missing = lacking_in(graph.nodes)
        known = [node for node in graph.nodes if node.kind in OPERATORS]
        found.parameters = sum(t.size for t in stored_in(known, graph.constants)[1].values())
        found.multiply_adds = multiply_adds(graph, _shapes(onnx, path, graph))
    return found


def _wire(name: str, wire: Wire) -> dict[str, Any]:
    shape = None if wire.shape is None else list(wire.shape)
    return {"name": name, "dtype": wire.dtype, "shape": shape}


def _all_nodes(nodes: Iterable[Node]) -> Iterator[Node]:
    """With those of the graphs inside."""
    for node in nodes:
        yield node
        for value in node.attributes.values():
            if isinstance(value, Graph):
                yield from _all_nodes(value.nodes)


Shapes = dict[str, tuple[int, ...]]


def _shapes(onnx: Any, path: str | Path, graph: Graph) -> Shapes:
    """Sizes of the values for one sample, as onnx infers them and what follows of them for targets
    of reshapes; what stays open is left out."""
    model = onnx.load_model(str(path), load_external_data=False)
    for wire in model.graph.input:
        if wire.name in graph.inputs:
            _close(wire.type.tensor_type.shape.dim, graph.inputs[wire.name].shape or ())
    found: Shapes = {}
    for _ in range(ROUNDS):
        known = len(found)
        found |= _inferred(onnx, model) | {n: a.shape for n, a in graph.constants.items()}
        if len(found) == known:
            break
        graph.nodes = folded(graph, shown(path), found)
        _put_constants(onnx, model, graph.constants)
    return found


def _close(dims: Any, known: Sequence[Any]) -> None:
    """The sizes that are known, and one sample."""
    for i, dim in enumerate(dims):
        size = known[i] if len(known) == len(dims) else None
        if isinstance(size, int) and size > 0:
            dim.dim_value = size
        elif i == 0 and len(dims) > 1:
            dim.dim_value = 1


def _inferred(onnx: Any, model: Any) -> Shapes:
    import onnx.shape_inference

    try:
        made = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception:  # of whatever type; the sizes are then not known
        return {}
    found = {}
    for value in (*made.graph.value_info, *made.graph.input, *made.graph.output):
        dims = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(d.dim_value > 0 for d in dims):
            found[value.name] = tuple(d.dim_value for d in dims)
    return found


def _put_constants(onnx: Any, model: Any, constants: Mapping[str, Any]) -> None:
    """Small arrays that were computed take the place of the nodes that made them."""
    nodes = list(model.graph.node)
    del model.graph.node[:]
    for node in nodes:
        made = [constants.get(name) for name in node.output]
        if any(a is None or a.size > SMALL for a in made):
            model.graph.node.append(node)
            continue
        for name, array in zip(node.output, made, strict=True):
            model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))


# -- counting --------------------------------------------------------------------------------------


def multiply_adds(graph: Graph, shapes: Shapes) -> int | None:
    """Of all products of matrices, convolutions and recurrent layers; None where one is open."""
    total = 0
    for node in graph.nodes:
        if node.kind not in COUNTS:
            continue
        try:
            total += COUNTS[node.kind](node, shapes)
        except (KeyError, IndexError):
            return None
    return total


def _conv(node: Node, shapes: Shapes) -> int:
    """Every number of the result meets a kernel of its group."""
    return prod(shapes[node.outputs[0]]) * prod(shapes[node.inputs[1]][1:])


def _conv_transpose(node: Node, shapes: Shapes) -> int:
    return prod(shapes[node.inputs[0]]) * prod(shapes[node.inputs[1]][1:])


def _product(node: Node, shapes: Shapes) -> int:
    a = shapes[node.inputs[0]]
    inner = a[0] if node.get("transA", 0) else a[-1]
    return prod(shapes[node.outputs[0]]) * inner


def _recurrent(node: Node, shapes: Shapes) -> int:
    steps = prod(shapes[node.inputs[0]][:2])
    return steps * (prod(shapes[node.inputs[1]]) + prod(shapes[node.inputs[2]]))


COUNTS: dict[str, Any] = {
    "Conv": _conv, "ConvTranspose": _conv_transpose, "MatMul": _product, "Gemm": _product,
    "RNN": _recurrent, "LSTM": _recurrent, "GRU": _recurrent,
}  # fmt: skip
