"""`load_onnx`: a graph of another library as a Module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import array
from ..backend import Backend
from ..errors import ConfigError, ShapeError
from ..foreign import boundary
from ..inference.compiled import Programs
from ..instruments import watched
from ..nn.module import Module
from ..nn.parameter import Buffer, Parameter, Stored
from ..ops import astype
from ..quoting import quoted, shown
from ..recording import is_recording
from ..tensor import Tensor
from .graph import OP, Graph, Node, Wire, read_graph
from .operators import OPERATORS
from .operators.table import same
from .program import KNOWN_TYPES, Program, evaluated

#: Folded only up to here: what a file may blow up at import.
MOST_FOLDED = 1 << 26


class Weights(Module):
    """The weights below one part of a name: `encoder.weight` is `net.encoder.weight`."""


class Imported(Module):
    """A net from a file: called like any module, with the graph's inputs in their order.

    Weights are Parameters under the names of the file, so `named_parameters`, `freeze`, optimisers
    and `save` work as with any other model; stored moments are Buffers. Images go in as the file
    has them, mostly (N, C, H, W), and run with the channels last inside. `inputs` and `outputs`
    tell names, types and sizes; a graph of several outputs returns a tuple. Normalisation keeps
    its stored moments and dropout passes everything, also in training.

    On the processor, in evaluation and with recording off it runs as `tinydl.compile` makes it,
    from the second call with inputs of the same shapes on: `programs.program` is what ran last.
    Where the graph cannot be compiled, because it decides by the numbers that it computes,
    `not_compiled` says why, and its nodes run one by one, as they do while somebody watches them (a
    profile, a trace). `compiled = False` has them always run so.
    """

    compiled: bool = True

    def __init__(self, graph: Graph, program: Program, stored: Mapping[str, Stored]) -> None:
        self.name, self.opset, self.metadata = graph.name, graph.opset, graph.metadata
        self.inputs: dict[str, Wire] = graph.inputs
        self.outputs: dict[str, Wire] = graph.outputs
        self.program = program
        self.programs = Programs(self)
        self.not_compiled: str | None = None
        for name, tensor in stored.items():
            _put(self, name, tensor)

    def forward(self, *inputs: Any) -> Any:
        if len(inputs) != len(self.inputs):
            raise ShapeError(
                f"Imported: takes {len(self.inputs)} inputs ({', '.join(self.inputs)}), got "
                f"{len(inputs)}"
            )
        given = {
            name: fitting_input("Imported", name, wire, x)
            for (name, wire), x in zip(self.inputs.items(), inputs, strict=True)
        }
        backend = next(iter(given.values())).backend if given else self.backend
        if self._may_compile(given, backend):
            try:
                return self.programs(list(given.values()))
            except ConfigError as error:
                if "compile: " not in str(error):  # a fault of the call, which its nodes name too
                    raise
                self.not_compiled = str(error)
        found = self.program.run(given, backend)
        return found[0] if len(found) == 1 else tuple(found)

    def _may_compile(self, given: dict[str, Tensor], backend: Backend) -> bool:
        """Where there is compiled code to run, from the second call with these shapes on (the first
        one makes the plan of the nodes), and not while operations are watched: compiling watches
        them itself."""
        plain = self.compiled and self.not_compiled is None and not self.training
        if not plain or backend.name != "cpu" or watched() or is_recording():
            return False
        return self.program.key(given, backend) in self.program.plans

    def arguments(self) -> str:
        wires = [f"{name} {told(wire)}" for name, wire in self.inputs.items()]
        return f"{', '.join(wires)}; {len(self.program.nodes)} nodes, opset {self.opset}"


def told(wire: Wire) -> str:
    if wire.shape is None:
        return wire.dtype
    return f"({', '.join('?' if n is None else str(n) for n in wire.shape)})"


def fitting_input(op: str, name: str, wire: Wire, x: Tensor) -> Tensor:
    """The input in the type that the graph says; ShapeError for one of other sizes."""
    if not isinstance(x, Tensor):
        raise ShapeError(f"{op}: {name} must be a tensor or an array, got {quoted(x)}")
    if wire.shape is not None:
        alike = len(wire.shape) == x.ndim and all(
            n == m or not isinstance(n, int) for n, m in zip(wire.shape, x.shape, strict=True)
        )
        if not alike:
            raise ShapeError(f"{op}: {name} must be {told(wire)}, got {x.shape}")
    other_integer = x.dtype.kind == "i" == np.dtype(wire.dtype).kind and x.dtype != wire.dtype
    return astype(x, wire.dtype) if other_integer else x


def _put(root: Module, name: str, tensor: Stored) -> None:
    """root.a.b = tensor for "a.b"; where a part is taken or no name, an underscore goes behind."""
    *path, last = [part or "_" for part in name.split(".")]
    for part in path:
        below = vars(root).get(part)
        if not isinstance(below, Weights):
            part = free_name(root, part)
            below = vars(root).get(part) or Weights()
            setattr(root, part, below)
        root = below
    setattr(root, free_name(root, last), tensor)


def free_name(root: Module, part: str) -> str:
    while hasattr(root, part):
        part += "_"
    return part


# -- from graph to module --------------------------------------------------------------------------


def load_onnx(
    path: str | Path,
    inputs: Mapping[str, Any] | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> Imported:
    """The net in an ONNX file, as a Module (see `Imported`); needs the extra `onnx`."""
    graph = folded_graph(path, inputs, shapes)
    with boundary(path, OP):
        return built(path, graph)


def folded_graph(
    path: str | Path,
    inputs: Mapping[str, Any] | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> Graph:
    """The graph of an ONNX file, all arithmetic on what is known done."""
    graph = read_graph(path)
    with boundary(path, OP):
        _give(graph, inputs or {}, shapes or {})
        graph.all_nodes = graph.nodes
        graph.nodes = folded(graph, shown(path))
    return graph


def built(path: str | Path, graph: Graph) -> Imported:
    """The net of a graph in which nothing is left to fold."""
    _refuse(path, graph, graph.nodes)
    nodes = _used(graph.nodes, graph.outputs)
    weights, stored = stored_in(nodes, graph.constants)
    read = {name for node in nodes for name in node.inputs} | set(graph.outputs)
    kept = {n: a for n, a in graph.constants.items() if n in read}
    net = Imported(graph, Program(nodes, _shared(kept), weights, list(graph.outputs)), stored)
    return net.eval()  # type: ignore[return-value]


def _give(graph: Graph, inputs: Mapping[str, Any], shapes: Mapping[str, Sequence[int]]) -> None:
    """Inputs with a value become constants, those with a shape have it."""
    for given in (*inputs, *shapes):
        if given not in graph.inputs:
            raise ConfigError(
                f"{OP}: the graph has no input {quoted(given, 60)}, only {', '.join(graph.inputs)}"
            )
    for name, value in inputs.items():
        dtype = graph.inputs.pop(name).dtype
        values = value.numpy() if isinstance(value, Tensor) else array(OP, name, value)
        graph.constants[name] = values.astype(dtype if dtype in KNOWN_TYPES else values.dtype)
    for name, shape in shapes.items():
        graph.inputs[name].shape = tuple(int(n) for n in shape)


def folded(
    graph: Graph, path: str, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> list[Node]:
    """The nodes that are left once all that is known has been computed; `If` with a known
    condition becomes its branch. shapes: of values beside the inputs."""
    left: list[Node] = []
    known, waiting = graph.constants, list(reversed(graph.nodes))
    while waiting:
        node = waiting.pop()
        if node.kind == "If" and node.inputs[0] in known:
            waiting += reversed(_branch(node, bool(known[node.inputs[0]].reshape(-1)[0]), known))
        elif node.kind == "Shape" and (shape := _known_shape(graph, node.inputs[0], shapes)):
            sizes = np.array(shape[node.get("start", 0) : node.get("end")], np.int64)
            known[node.outputs[0]] = sizes
        elif _foldable(node, known):
            with boundary(path, f"{OP}: {node.kind} {quoted(node.name, 60)}"):
                given = [known[name] if name else None for name in node.inputs]
                found = evaluated(node, OPERATORS[node.kind], given)
            known.update(zip(node.outputs, found, strict=False))
        else:
            left.append(node)
    return left


def _known_shape(
    graph: Graph, name: str, shapes: Mapping[str, tuple[int, ...]] | None
) -> tuple[Any, ...] | None:
    if shapes and name in shapes:
        return shapes[name]
    wire = graph.inputs.get(name)
    known = wire is not None and wire.shape and all(isinstance(n, int) for n in wire.shape)
    return wire.shape if wire is not None and known else None


def _foldable(node: Node, known: Mapping[str, np.ndarray]) -> bool:
    operator = OPERATORS.get(node.kind)
    if operator is None or (operator.refuses and operator.refuses(node)):
        return False
    names = [name for name in node.inputs if name]
    if not all(name in known for name in names):
        return False
    types = all(known[n].dtype in KNOWN_TYPES for n in names)
    return types and sum(known[n].size for n in names) <= MOST_FOLDED


def _branch(node: Node, condition: bool, known: dict[str, np.ndarray]) -> list[Node]:
    """The nodes of one branch of an If, and what hands its results on."""
    chosen = node.get("then_branch" if condition else "else_branch")
    known.update(chosen.constants)
    handed = [
        Node("Identity", f"{node.name}/{inner}", (inner,), (outer,), {}, node.opset)
        for inner, outer in zip(chosen.outputs, node.outputs, strict=True)
    ]
    return [*chosen.nodes, *handed]


def lacking_in(nodes: Iterable[Node]) -> dict[str, list[str]]:
    """{operator, or "operator (what of it)": names of its nodes} of what is not imported."""
    lacking: dict[str, list[str]] = {}
    for node in nodes:
        operator = OPERATORS.get(node.kind)
        if operator is None:
            lacking.setdefault(node.kind, []).append(node.name)
        elif operator.refuses is not None and (reason := operator.refuses(node)):
            lacking.setdefault(f"{node.kind} ({reason})", []).append(node.name)
    return lacking


def _refuse(path: str | Path, graph: Graph, nodes: Iterable[Node]) -> None:
    """One ConfigError that lists everything which cannot be imported."""
    lacking = lacking_in(nodes)
    wires = {**graph.inputs, **graph.outputs}
    types = Counter(w.dtype for w in wires.values() if w.dtype not in KNOWN_TYPES)
    problems = [f"{kind} x {len(names)}: {_some(names)}" for kind, names in lacking.items()]
    problems += [f"inputs or outputs of type {kind} x {n}" for kind, n in types.items()]
    if problems:
        raise ConfigError(
            f"{OP}: {shown(path)} needs what tinydl does not import: {'; '.join(problems)}"
        )


def _some(names: Sequence[str]) -> str:
    shown_names = ", ".join(quoted(name, 40) for name in names[:4])
    return shown_names + (", ..." if len(names) > 4 else "")


def _used(nodes: Sequence[Node], outputs: Iterable[str]) -> list[Node]:
    """Without the nodes that no output waits for."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted & set(node.outputs):
            wanted |= set(node.inputs)
            kept.append(node)
    return kept[::-1]


def stored_in(
    nodes: Iterable[Node], constants: Mapping[str, np.ndarray]
) -> tuple[dict[tuple[str, Callable[..., Any]], Stored], dict[str, Stored]]:
    """The weights by (value, layout), and by the name under which the module has them."""
    weights: dict[tuple[str, Callable[..., Any]], Stored] = {}
    names: dict[str, Stored] = {}
    for node in nodes:
        operator = OPERATORS[node.kind]
        for i, value in enumerate(node.inputs):
            kept = i in operator.buffers
            turned = operator.weights.get(i, same if kept else None)
            found = constants.get(value)
            if turned is None or found is None or found.dtype.kind != "f" or found.size < 2:
                continue
            if (value, turned) in weights or found.dtype not in KNOWN_TYPES:
                continue
            name = value
            while name in names:
                name += "_"
            names[name] = (Buffer if kept else Parameter)(np.ascontiguousarray(turned(found)))
            weights[value, turned] = names[name]
    return weights, names


def _shared(constants: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Equal constants as one array."""
    seen: dict[Any, np.ndarray] = {}
    return {
        name: seen.setdefault((a.dtype.str, a.shape, a.tobytes()), a)
        for name, a in constants.items()
    }
