"""Nodes of ONNX for recurrent layers: RNN, LSTM and GRU, with the gates in its order."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops import hard_sigmoid, relu
from .operators.recurrent import GATES
from .recording import Step, Value
from .writer import Row, Writer, refuse


def recurrent(kind: str) -> Row:
    """Every state (N, T, H); of an LSTM all rows of them, then the last cells, as tinydl has it."""

    def written(w: Writer, step: Step) -> Any:
        f = step.functions[0]
        if f.drop is not None:
            raise refuse(step, "with dropout of the state is for training")
        rest = step.inputs[1:]
        cells = kind == "LSTM"
        states, weights = rest[: 1 + cells], rest[1 + cells :]
        names = _weights(w, step, kind, weights)
        H = states[0].shapes[0][1]
        attributes = {"hidden_size": H, **_functions(kind, f, len(weights) == 4)}
        run = _whole if step.mask is None else _step_by_step
        y, cell = run(w, step, kind, names, states, attributes)
        if not cells:
            return y
        return w.node("Concat", [w.node("Reshape", [y, w.store([-1, H])]), cell], axis=0)

    return written


def _whole(
    w: Writer, step: Step, kind: str, names: list[str], states: list[Value],
    attributes: dict[str, Any],
) -> tuple[str, str]:  # fmt: skip
    """(all states (N, T, H), the last cells of an LSTM) by one node."""
    starts = [w.node("Unsqueeze", [w.of(s), w.store([0])]) for s in states]
    turned = w.node("Transpose", [w.of(step.inputs[0])], perm=[1, 0, 2])
    ends = w.node(kind, [turned, *names, "", *starts], 1 + len(starts), **attributes)
    y = w.node("Transpose", [w.node("Squeeze", [ends[0], w.store([1])])], perm=[1, 0, 2])
    return y, w.node("Squeeze", [ends[-1], w.store([0])]) if kind == "LSTM" else ""


def _step_by_step(
    w: Writer, step: Step, kind: str, names: list[str], states: list[Value],
    attributes: dict[str, Any],
) -> tuple[str, str]:  # fmt: skip
    """The same under a mask, a node for each step: where a step is absent the state stays. ONNX's
    own lengths cut at the end only."""
    x, mask, T = step.inputs[0], step.mask, step.inputs[0].shapes[0][1]
    if mask is None or x.shapes[1][1] != T:
        raise refuse(step, "with a mask and steps that follow the number of samples")
    zero, one = w.store([0]), w.store([1])
    kept = [w.node("Unsqueeze", [w.of(s), zero]) for s in states]
    turned, found = w.node("Transpose", [w.of(x)], perm=[1, 0, 2]), []
    for t in range(T):
        cut = [w.store([t]), w.store([t + 1])]
        now = w.node("Slice", [turned, *cut, zero])
        there = w.node("Slice", [w.of(mask), *cut, one])
        ends = w.node(kind, [now, *names, "", *kept], 1 + len(kept), **attributes)[1:]
        kept = [w.node("Where", [there, new, old]) for new, old in zip(ends, kept, strict=True)]
        found.append(w.node("Transpose", [kept[0]], perm=[1, 0, 2]))
    y = w.node("Concat", found, axis=1)
    return y, w.node("Squeeze", [kept[-1], zero]) if kind == "LSTM" else ""


def _functions(kind: str, f: Any, reset_after: bool) -> dict[str, Any]:
    if kind == "RNN":
        return {"activations": ["Relu" if f.kind is relu else "Tanh"]}
    gate = "HardSigmoid" if f.kind is hard_sigmoid else "Sigmoid"
    if kind == "LSTM":
        return {"activations": [gate, "Tanh", "Tanh"]}
    return {"activations": [gate, "Tanh"], "linear_before_reset": int(reset_after)}


def _weights(w: Writer, step: Step, kind: str, weights: list[Value]) -> list[str]:
    """The gates in ONNX's order, above each other; both biases in one row."""
    if any(v.array is None for v in weights):
        raise refuse(step, "with computed weights is not exported")
    order = np.argsort(GATES[kind])
    arrays = []
    for v in weights:
        parts = np.split(np.asarray(v.array), len(order), axis=-1)
        arrays.append(np.concatenate([parts[i] for i in order], -1))
    bias = arrays[2]
    second = arrays[3] if len(arrays) == 4 else np.zeros_like(bias)
    return [
        w.store(np.ascontiguousarray(arrays[0].T)[None], weights[0].name),
        w.store(np.ascontiguousarray(arrays[1].T)[None], weights[1].name),
        w.store(np.concatenate([bias, second])[None], weights[2].name),
    ]


RECURRENT: dict[str, Row] = {
    "rnn_sequence": recurrent("RNN"),
    "lstm_sequence": recurrent("LSTM"),
    "gru_sequence": recurrent("GRU"),
}
