"""Graphs as DOT text, the language of Graphviz: of a model's layers, and of recorded operations.

`model_graph` and `autodiff_graph` return the text; `write_graph` keeps it as it is (.dot), or lets
the program `dot` draw it (.svg, .png, .pdf).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, GraphError
from ..function import Function
from ..instruments import watching
from ..interop.imported import Imported
from ..interop.tracing import of_zeros
from ..nn import Module
from ..nn.watch import Forward, looking, one_sample, shadowing, tensors_in
from ..quoting import shown
from ..tensor import Tensor
from ..train import write_atomically

DRAWN = (".svg", ".png", ".pdf")
LAYER, OPERATION, LEAF, PLACE = "#dbe7f3", "#f4f4f4", "#e6f0da", "#fbe9d0"


class Dot:
    """A directed graph in the making: vertices are numbered, an edge is drawn once."""

    def __init__(self) -> None:
        self._vertices: list[tuple[list[str], str, str]] = []
        self._edges: dict[tuple[int, int], None] = {}

    def vertex(self, lines: list[str], colour: str, shape: str = "box") -> int:
        """A new vertex that shows these lines; its number."""
        self._vertices.append((lines, colour, shape))
        return len(self._vertices) - 1

    def relabel(self, vertex: int, lines: list[str]) -> None:
        self._vertices[vertex] = (lines, *self._vertices[vertex][1:])

    def edge(self, source: int, target: int) -> None:
        self._edges[source, target] = None

    def __str__(self) -> str:
        style = 'style="filled,rounded", fontname="Helvetica", fontsize=10, color="#777777"'
        vertices = [
            f'  n{i} [label="{_label(lines)}", shape={shape}, fillcolor="{colour}"]'
            for i, (lines, colour, shape) in enumerate(self._vertices)
        ]
        edges = [f"  n{a} -> n{b}" for a, b in self._edges]
        head = ["digraph {", "  rankdir=TB", f"  node [{style}]", '  edge [color="#777777"]']
        return "\n".join([*head, *vertices, *edges, "}", ""])


def _label(lines: list[str]) -> str:
    quoted = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines if line]
    return "\\n".join(quoted)


def model_graph(model: Module, input_shape: Any, dtype: Any = None) -> str:
    """What flows where when one sample of zeros goes through the model, as DOT text.

    input_shape: without the batch axis; dtype: of the input (None: the model's). A vertex is a call
    of a module without submodules (name, type, output shape without batch, parameters), or an
    operation that stands between modules, such as the sum of a residual block. Errors of `summary`.
    """
    x = one_sample("model_graph", model, input_shape, dtype)
    flow = _Flow()
    flow.made(x, flow.dot.vertex(["input", _sizes(x.shape)], PLACE, "ellipse"))
    with shadowing(model, flow.wrap), looking(model), watching(flow.operation):
        y = model(x)
    for tensor in tensors_in(y):
        end = flow.dot.vertex(["output", _sizes(tensor.shape)], PLACE, "ellipse")
        flow.arrive(tensor, end)
    return str(flow.dot)


class _Flow:
    """Follows arrays: which vertex made it, which vertex takes it."""

    def __init__(self) -> None:
        self.dot = Dot()
        self.inside: int | None = None  # the vertex of the module that is running
        self.sources: dict[int, tuple[int, Any]] = {}  # by id of the array, which is kept alive

    def made(self, tensor: Tensor, vertex: int) -> None:
        self.sources[id(tensor.data)] = (vertex, tensor.data)

    def arrive(self, tensor: Tensor, vertex: int) -> None:
        source = self.sources.get(id(tensor.data))
        if source is not None and source[0] != vertex:
            self.dot.edge(source[0], vertex)

    def operation(self, function: Function, inputs: tuple, array: Any, seconds: float) -> None:
        """After each operation: a vertex of its own, unless a module's vertex stands for it."""
        vertex = self.inside
        if vertex is None:
            if not any(id(t.data) in self.sources for t in inputs):
                return  # made of parameters and constants only
            vertex = self.dot.vertex([function.name, _sizes(array.shape)], OPERATION)
        for tensor in inputs:
            self.arrive(tensor, vertex)
        self.sources[id(array)] = (vertex, array)

    def wrap(self, name: str, module: Module, forward: Forward) -> Forward | None:
        if any(isinstance(member, Module) for _, member in module._members()):
            return None

        def followed(*inputs: Any, **options: Any) -> Any:
            vertex = self.inside = self.dot.vertex([], LAYER)
            for tensor in tensors_in([inputs, options]):
                self.arrive(tensor, vertex)
            y = forward(*inputs, **options)
            self.inside = None
            if isinstance(y, Tensor) and any(y.data is t.data for t in tensors_in(inputs)):
                y = Tensor._new(y.backend.copy(y.data), y.backend)  # Dropout: x itself in eval
            for tensor in tensors_in(y):
                self.made(tensor, vertex)
            count = module.count_parameters()
            shapes = " ".join(_sizes(tensor.shape) for tensor in tensors_in(y))
            frozen = ", frozen" if count and not module.trainable_parameters() else ""
            lines = [f"{type(module).__name__}({module.arguments()})", name, shapes]
            self.dot.relabel(vertex, [*lines, f"{count:,} parameters{frozen}" if count else ""])
            return y

        return followed


def imported_graph(net: Imported, input_shape: tuple[int, ...]) -> str:
    """The nodes of an imported net and what flows between them for one sample, as DOT text."""
    found, dot = of_zeros(net, input_shape), Dot()
    sizes = {name: str(value.shape) for name, value in found.values.items()}
    sources = {name: dot.vertex([shown(name, 60), sizes[name]], PLACE, "ellipse")
               for name in net.inputs}  # fmt: skip
    for step in found.steps:
        count = sum(w.size for w in step.weights.values())
        lines = [step.node.kind, shown(step.node.name, 60), str(step.outputs[0].shape)]
        colour = LAYER if count else OPERATION
        vertex = dot.vertex([*lines, f"{count:,} parameters" if count else ""], colour)
        for name in step.node.inputs:
            if name in sources:
                dot.edge(sources[name], vertex)
        sources.update(dict.fromkeys(step.node.outputs, vertex))
    for name in net.outputs:
        if name in sources:
            dot.edge(sources[name], dot.vertex([shown(name, 60)], PLACE, "ellipse"))
    return str(dot)


def autodiff_graph(result: Tensor, names: Mapping[str, Tensor] | Module | None = None) -> str:
    """The operations that `result.backward()` would walk over, as DOT text.

    names: of leaf tensors, {"w": w}, or a model for those of its parameters. Operations show their
    result's shape and the bytes that they keep for backward (a tensor that several keep counts at
    each); edges go as the numbers went. GraphError if the result was not recorded, or its graph is
    freed.
    """
    if result.node is None:
        raise GraphError("autodiff_graph: the tensor was not recorded, it has no graph")
    pairs = names.named_parameters() if isinstance(names, Module) else (names or {}).items()
    known = {id(tensor): name for name, tensor in pairs}
    dot, numbers = Dot(), {}
    stack = [result.node]
    while stack:  # vertices first, then edges: a node is met before its parents
        place = stack.pop()
        if place in numbers:
            continue
        if isinstance(place, Function):
            if place.freed:
                raise GraphError(f"autodiff_graph: the graph of {place.name} was freed by backward")
            kept = _kept_bytes(place)
            lines = [place.name, str(place.shape), f"keeps {kept:,} bytes" if kept else ""]
            numbers[place] = dot.vertex(lines, OPERATION)
            stack += [p for p in place.parents if p is not None]
        else:
            lines = [known.get(id(place), ""), str(place.shape)]
            numbers[place] = dot.vertex(lines, LEAF, "ellipse")
    for place, number in numbers.items():
        for parent in place.parents if isinstance(place, Function) else ():
            if parent is not None:
                dot.edge(numbers[parent], number)
    dot.edge(numbers[result.node], dot.vertex(["result", str(result.shape)], PLACE, "ellipse"))
    return str(dot)


def _kept_bytes(node: Function) -> int:
    """Bytes of the tensors and arrays that a node holds for its backward; leaves do not count."""
    tensors = [tensor for tensor, _ in node._saved if tensor.node is not None]
    arrays = [tensor.data for tensor in tensors]
    arrays += [node._output[0]] if node._output is not None else []
    arrays += [value for value in vars(node).values() if isinstance(value, np.ndarray)]
    return sum(a.size * a.dtype.itemsize for a in arrays)


def write_graph(dot: str, path: str | Path) -> None:
    """DOT text into a file: as it is for .dot, drawn by Graphviz for .svg, .png and .pdf.

    ConfigError for another ending, and without the program `dot`.
    """
    path = Path(path)
    if path.suffix == ".dot":
        write_atomically(path, dot.encode())
        return
    if path.suffix not in DRAWN:
        raise ConfigError(f"graph: {path} must end in .dot, {', '.join(DRAWN)}")
    program = shutil.which("dot")
    if program is None:
        raise ConfigError(
            f"graph: drawing {path.suffix} needs Graphviz's program dot (apt-get install "
            "graphviz, brew install graphviz); a .dot file can be written without it"
        )
    command = [program, f"-T{path.suffix[1:]}", *(["-Gdpi=120"] if path.suffix == ".png" else [])]
    done = subprocess.run(command, input=dot.encode(), capture_output=True, check=False)
    if done.returncode:
        raise ConfigError(f"graph: dot failed: {done.stderr.decode(errors='replace').strip()}")
    write_atomically(path, done.stdout)


def _sizes(shape: tuple[int, ...]) -> str:
    """Without the batch axis: (28, 28, 1)."""
    return f"({', '.join(map(str, shape[1:]))})"
