"""`save_onnx`: a module as an ONNX file, by writing down what one forward pass does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..arguments import array, whole
from ..errors import ConfigError
from ..files import write_atomically
from ..nn.module import Module
from ..quoting import quoted
from .graph import onnx_package
from .recording import OP, Recording, Value
from .writer import Writer
from .writing import ROWS

#: The versions of the operators that are written; onnxruntime has read 17 since 2022.
LEAST_OPSET, OPSET, MOST_OPSET = 17, 17, 21
IR_VERSION = 8


def save_onnx(model: Module, path: str | Path, example: Any, opset: int = OPSET) -> None:
    """Write the model's forward pass in evaluation mode (see `tinydl.save_onnx`)."""
    if not isinstance(model, Module):
        raise ConfigError(f"{OP}: model must be a Module, got {quoted(model)}")
    if not isinstance(path, str | Path):
        raise ConfigError(f"{OP}: path must be a path, got {quoted(path)}")
    onnx = onnx_package()
    opset = whole(OP, "opset", opset, LEAST_OPSET, MOST_OPSET)
    made = model_proto(onnx, model, example, opset)
    onnx.checker.check_model(made, full_check=True)
    write_atomically(path, made.SerializeToString())


def model_proto(onnx: Any, model: Module, example: Any, opset: int) -> Any:
    """The ModelProto of a forward pass in evaluation mode."""
    given = example if isinstance(example, tuple | list) else (example,)
    inputs = [x.numpy() if hasattr(x, "_version") else array(OP, "example", x) for x in given]
    if not inputs or any(x.ndim < 1 for x in inputs):
        raise ConfigError(f"{OP}: example is one batch, or a tuple of batches")
    fixed = _one_length(model) or len({x.shape[0] for x in inputs}) > 1
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        recording = Recording(model, [_fitting(model, x) for x in inputs], fixed)
    finally:
        for module, mode in modes:
            module.training = mode
    return written(onnx, recording, type(model).__name__, opset)


def _one_length(model: Module) -> bool:
    """Whether a net from a file says how many samples it takes."""
    shapes = [getattr(wire, "shape", None) for wire in getattr(model, "inputs", {}).values()]
    return any(shape and isinstance(shape[0], int) for shape in shapes)


def _fitting(model: Module, x: np.ndarray) -> np.ndarray:
    """Floats in the model's type, as a call takes them; at least one sample."""
    if x.shape[0] < 1:
        raise ConfigError(f"{OP}: the example has no sample")
    return x.astype(model.dtype) if x.dtype.kind == "f" else x


def written(onnx: Any, recording: Recording, name: str, opset: int) -> Any:
    """The ModelProto of a recording."""
    helper = onnx.helper
    w = Writer(helper, recording, opset)
    wanted = _wanted(recording)
    unknown = Counter(s.functions[0].name for s in wanted if s.functions[0].name not in ROWS)
    if unknown:
        what = "; ".join(f"{kind} x {n}" for kind, n in unknown.items())
        raise ConfigError(f"{OP}: the model uses what is not exported: {what}")
    names = _named("input", recording.inputs)
    for value, given in zip(recording.inputs, names, strict=True):
        value.written["last"] = given
    for step in wanted:
        found = ROWS[step.functions[0].name](w, step)
        result, layout = found if isinstance(found, tuple) else (found, "last")
        step.output.written.setdefault(layout, result)
    results = _named("output", recording.outputs)
    for value, result in zip(recording.outputs, results, strict=True):
        w.nodes.append(helper.make_node("Identity", [w.of(value)], [result], name=result))
    wires = [
        [_wire(helper, n, v) for n, v in zip(group, values, strict=True)]
        for group, values in ((names, recording.inputs), (results, recording.outputs))
    ]
    _drop_unread(w, results)
    stored = [onnx.numpy_helper.from_array(a, n) for n, a in _read(w).items()]
    graph = helper.make_graph(w.nodes, name, *wires, stored)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_VERSION,
        producer_name="tinydl", producer_version=__version__,
    )  # fmt: skip


def _wanted(recording: Recording) -> list[Any]:
    """The steps that the outputs wait for and that an input takes part in."""
    waiting, kept = {id(v) for v in recording.outputs}, []
    for step in reversed(recording.steps):
        if id(step.output) in waiting and step.output.array is None:
            kept.append(step)
            waiting |= {id(v) for v in (*step.inputs, step.mask)}
    return kept[::-1]


def _drop_unread(w: Writer, results: list[str]) -> None:
    """Without the nodes whose result nobody reads, as an Expand before what broadcasts itself."""
    read, kept = set(results), []
    for node in reversed(w.nodes):
        if read & set(node.output):
            read |= set(node.input)
            kept.append(node)
    w.nodes = kept[::-1]


def _read(w: Writer) -> dict[str, np.ndarray]:
    read = {name for node in w.nodes for name in node.input}
    return {name: a for name, a in w.stored.items() if name in read}


def _named(name: str, values: list[Value]) -> list[str]:
    return [name] if len(values) == 1 else [f"{name}{i}" for i in range(len(values))]


def _wire(helper: Any, name: str, value: Value) -> Any:
    pairs = zip(*value.shapes, strict=True)
    shape = ["batch" if i == 0 and a != b else a if a == b else None
             for i, (a, b) in enumerate(pairs)]  # fmt: skip
    kind = helper.np_dtype_to_tensor_dtype(value.dtype)
    return helper.make_tensor_value_info(name, kind, shape)
