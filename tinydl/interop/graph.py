"""An ONNX file as plain data: nodes, their attributes, constants, what goes in and what comes out.

Nothing here computes. A file of a stranger is bounded, parsed by the `onnx` package, checked for
what the format promises (every name made once, before it is used), and copied into dataclasses;
external data is read from the file's own folder only. Nothing in a file is ever executed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, FormatError, how_to_install
from ..foreign import boundary, open_regular, read_bounded, read_regular
from ..quoting import quoted, shown

OP = "load_onnx"
MOST_BYTES = 1 << 31  # what protobuf itself allows
MOST_AXES = 16
DEFAULT_DOMAINS = ("", "ai.onnx")


@dataclass
class Node:
    """One operator of the graph. `kind` is its type, with the domain in front where it is not
    ONNX's own; an absent optional input is ""."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    opset: int
    folded: bool = False  # computed at import, where no array may grow large

    def get(self, name: str, default: Any = None) -> Any:
        return self.attributes.get(name, default)

    def has(self, place: int) -> bool:
        """Whether the optional input at this place is there."""
        return place < len(self.inputs) and bool(self.inputs[place])

    def wants(self, place: int) -> bool:
        """Whether somebody may read the optional output at this place."""
        return place < len(self.outputs) and bool(self.outputs[place])


@dataclass
class Wire:
    """What goes in or comes out: None, or a name such as "batch", for a size that is open."""

    dtype: str
    shape: tuple[int | str | None, ...] | None


@dataclass
class Graph:
    name: str
    opset: int
    inputs: dict[str, Wire]
    outputs: dict[str, Wire]
    nodes: list[Node]
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)  # what the exporter says of the whole
    producer: str = ""
    all_nodes: list[Node] = field(default_factory=list)  # also those that are folded away


def onnx_package() -> Any:
    """The `onnx` package; ConfigError where it is not installed."""
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise ConfigError(
            f"onnx: needs the package onnx; {how_to_install('onnx')} brings it"
        ) from error
    return onnx


def read_graph(path: str | Path) -> Graph:
    """The graph of an ONNX file. Raises FormatError for what is damaged, lying or no ONNX file."""
    onnx = onnx_package()
    data = read_regular(path, MOST_BYTES, OP)
    with boundary(path, OP):
        try:
            model = onnx.load_model_from_string(data)
        except Exception as error:  # protobuf's own type differs between its versions
            raise FormatError(
                f"{OP}: {shown(path)} is no ONNX file, or cut off ({len(data)} bytes)"
            ) from error
        return graph_of(onnx, model, path)


def graph_of(onnx: Any, model: Any, path: str | Path) -> Graph:
    """The graph of a ModelProto; path: where external data lie, and what messages name."""
    if not model.opset_import or not model.graph.output:
        raise FormatError(f"{OP}: {shown(path)} holds no graph with a version and an output")
    if model.functions:
        from onnx.inliner import inline_local_functions

        model = inline_local_functions(model)
    found = _Reader(onnx, model, Path(path)).graph(model.graph, set())
    found.metadata = {entry.key: entry.value for entry in model.metadata_props}
    found.producer = f"{model.producer_name} {model.producer_version}".strip()
    return found


class _Reader:
    def __init__(self, onnx: Any, model: Any, path: Path) -> None:
        self.onnx, self.path = onnx, path
        self.opsets = {o.domain: o.version for o in model.opset_import}
        for domain in DEFAULT_DOMAINS:
            self.opsets.setdefault("", self.opsets.get(domain, 1))
        if not 1 <= self.opsets[""] <= 1000:
            raise FormatError(f"{OP}: {shown(path)} claims opset {self.opsets['']}")

    def graph(self, graph: Any, outside: set[str]) -> Graph:
        """outside: the names that a graph inside another one sees there."""
        if graph.sparse_initializer:
            raise FormatError(f"{OP}: {shown(self.path)} has sparse weights, which are not read")
        constants = {t.name: self.array(t, t.name) for t in graph.initializer}
        inputs = {v.name: self.wire(v) for v in graph.input if v.name not in constants}
        known = outside | set(constants) | set(inputs)
        nodes = [self.node(n, i, known) for i, n in enumerate(graph.node)]
        outputs = {v.name: self.wire(v) for v in graph.output}
        if missing := sorted(set(outputs) - known):
            raise FormatError(f"{OP}: {shown(self.path)}: nothing makes the output {missing[0]!r}")
        return Graph(graph.name, self.opsets[""], inputs, outputs, nodes, constants)

    def node(self, proto: Any, place: int, known: set[str]) -> Node:
        domain = "" if proto.domain in DEFAULT_DOMAINS else proto.domain
        kind = f"{domain}.{proto.op_type}" if domain else proto.op_type
        name = proto.name or f"{proto.op_type}_{place}"
        for source in proto.input:
            if source and source not in known:
                raise FormatError(
                    f"{OP}: {shown(self.path)}: node {quoted(name, 60)} reads "
                    f"{quoted(source, 60)}, which nothing before it makes (a cycle, or nodes out "
                    "of order)"
                )
        for result in proto.output:
            if result and result in known:
                raise FormatError(
                    f"{OP}: {shown(self.path)}: {quoted(result, 60)} is made twice, again by node "
                    f"{quoted(name, 60)}"
                )
        attributes = {a.name: self.attribute(a, name, known) for a in proto.attribute}
        known.update(filter(None, proto.output))
        return Node(
            kind, name, tuple(proto.input), tuple(proto.output), attributes,
            self.opsets.get(domain, 1),
        )  # fmt: skip

    def attribute(self, proto: Any, node: str, known: set[str]) -> Any:
        if proto.type == self.onnx.AttributeProto.GRAPH:
            return self.graph(proto.g, set(known))
        if proto.type == self.onnx.AttributeProto.TENSOR:
            return self.array(proto.t, node)
        value = self.onnx.helper.get_attribute_value(proto)
        if isinstance(value, bytes):
            return value.decode()
        if isinstance(value, list | tuple) or hasattr(value, "__len__"):
            return [v.decode() if isinstance(v, bytes) else v for v in value]
        return value

    def wire(self, proto: Any) -> Wire:
        kind = proto.type.WhichOneof("value")
        if kind != "tensor_type":
            return Wire((kind or "unknown").removesuffix("_type"), None)
        tensor = proto.type.tensor_type
        if not tensor.HasField("shape"):
            return Wire(self.dtype(tensor.elem_type), None)
        sizes: list[int | str | None] = []
        for d in tensor.shape.dim:
            open_size = d.dim_param or None
            sizes.append(d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else open_size)
        return Wire(self.dtype(tensor.elem_type), tuple(sizes))

    def dtype(self, element: int) -> str:
        """NumPy's name where it has one, else ONNX's."""
        try:
            found = self.onnx.helper.tensor_dtype_to_np_dtype(element)
            return "string" if np.dtype(found).kind == "O" else str(found)
        except (KeyError, ValueError):
            return f"type {element}"

    def array(self, proto: Any, name: str) -> np.ndarray:
        """A stored array, once its shape and its bytes agree."""
        place = f"{OP}: {shown(self.path)}: the array {quoted(name, 60)}"
        shape = tuple(proto.dims)
        if any(n < 0 for n in shape) or len(shape) > MOST_AXES:
            raise FormatError(f"{place} has the shape {quoted(shape, 80)}")
        try:
            dtype = np.dtype(self.onnx.helper.tensor_dtype_to_np_dtype(proto.data_type))
        except (KeyError, ValueError):
            raise FormatError(f"{place} is of the unknown type {proto.data_type}") from None
        claimed = prod(shape) * max(dtype.itemsize, 1)
        if proto.data_location == self.onnx.TensorProto.EXTERNAL:
            return np.frombuffer(self.outside(proto, place, claimed), dtype).reshape(shape).copy()
        if claimed > 16 * proto.ByteSize() + 64:  # packed types are up to 16 times as wide in NumPy
            raise FormatError(
                f"{place} claims {claimed} bytes {quoted(shape, 80)}, more than the file holds"
            )
        return np.asarray(self.onnx.numpy_helper.to_array(proto))

    def outside(self, proto: Any, place: str, claimed: int) -> bytes:
        """The bytes of an array that is kept in another file of the same folder."""
        entry = {e.key: e.value for e in proto.external_data}
        location = Path(entry.get("location", ""))
        folder = self.path.parent.resolve()
        target = (folder / location).resolve()
        if location.is_absolute() or folder not in target.parents:
            raise FormatError(
                f"{place} lies in {quoted(str(location), 80)}, outside the folder of the file"
            )
        offset, length = int(entry.get("offset", 0)), int(entry.get("length", claimed))
        if offset < 0 or length != claimed or claimed > MOST_BYTES:
            raise FormatError(f"{place} needs {claimed} bytes, its entry says {length} at {offset}")
        with open_regular(target, None, OP) as file:
            file.seek(offset)
            data = read_bounded_part(file, target, claimed)
        if len(data) != claimed:
            raise FormatError(f"{place} needs {claimed} bytes, {shown(target)} has {len(data)}")
        return data


def read_bounded_part(file: Any, path: Path, count: int) -> bytes:
    """The next `count` bytes of an open file, or what is left of it."""
    import os

    left = max(os.fstat(file.fileno()).st_size - file.tell(), 0)
    if left <= count:
        return read_bounded(file, path, count, OP)
    return file.read(count)
