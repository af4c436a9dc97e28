"""RNN, LSTM and GRU, in either direction or both.

ONNX has x as (T, N, D), one weight for each direction with the gates above each other, and both
biases in one row; tinydl has (N, T, D), weights (D, gates * H) and its own order of gates.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...errors import ConfigError, ShapeError
from .arrange import reverse_sequence
from .table import beside, integers, row, swapped

#: Where tinydl's gates stand in ONNX's order: (i, f, g, o) of (i, o, f, c); (r, z, n) of (z, r, h).
GATES = {"RNN": (0,), "LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}
DEFAULTS = {"RNN": ["Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}
FUNCTIONS: dict[str, Any] = {
    "sigmoid": ops.sigmoid,
    "hardsigmoid": ops.hard_sigmoid,
    "tanh": ops.tanh,
    "relu": ops.relu,
}


def in_order(kind):
    """(directions, gates * H, D) -> (directions, D, gates * H), the gates in tinydl's order."""

    def turned(weight):
        return swapped(_joined([_part(weight, g, len(GATES[kind])) for g in GATES[kind]]))

    return turned


def bias_in_order(kind):
    """(directions, 2 * gates * H): those of x, then those of h, each in tinydl's order."""

    def turned(bias):
        n = len(GATES[kind])
        return _joined([_part(bias, half * n + g, 2 * n) for half in (0, 1) for g in GATES[kind]])

    return turned


def _joined(parts):
    """Along axis 1, of arrays at import and of tensors at a call."""
    return np.concatenate(parts, 1) if isinstance(parts[0], np.ndarray) else ops.concat(parts, 1)


def _part(weight, place, parts):
    size = weight.shape[1] // parts
    return weight[:, place * size : (place + 1) * size]


def activations_of(node, direction):
    """The functions of one direction, by tinydl's operations."""
    count = len(DEFAULTS[node.kind])
    names = node.get("activations") or DEFAULTS[node.kind] * 2
    return [FUNCTIONS[n.lower()] for n in names[direction * count : (direction + 1) * count]]


def refuses(node):
    names = node.get("activations") or DEFAULTS[node.kind]
    count = len(DEFAULTS[node.kind])
    directions = 2 if node.get("direction", "forward") == "bidirectional" else 1
    if node.get("clip") is not None:
        return "clip"
    if node.get("input_forget", 0):
        return "input_forget"
    if node.has(7):
        return "peepholes"
    if "activation_alpha" in node.attributes or "activation_beta" in node.attributes:
        return "parameters of activations"
    if unknown := [n for n in names if n.lower() not in FUNCTIONS]:
        return f"the activation {unknown[0]}"
    if node.get("activations") and len(names) != count * directions:
        return f"{len(names)} activations"
    if node.kind == "LSTM" and any(
        names[i + 1].lower() != names[i + 2].lower() for i in range(0, len(names), 3)
    ):
        return "two different activations of the cell"
    return None


def recurrent(node, x, weight_x, weight_h, bias=None, lengths=None, h=None, c=None, p=None):
    """All states (T, directions, N, H), the last ones (directions, N, H), for an LSTM the cells."""
    batch_first = bool(node.get("layout", 0))
    x = x if batch_first else ops.swapaxes(x, 0, 1)
    if batch_first:
        h, c = (None if s is None else ops.swapaxes(s, 0, 1) for s in (h, c))
    T = x.shape[1]
    lengths = None if lengths is None or all(n == T for n in lengths) else integers(lengths)
    direction = node.get("direction", "forward")
    if weight_x.shape[0] != (2 if direction == "bidirectional" else 1):
        raise ShapeError(f"{node.kind}: {direction} with weights for {weight_x.shape[0]}")
    found = []
    for d in range(weight_x.shape[0]):
        backward = direction == "reverse" or d == 1
        start = [None if s is None else s[d] for s in (h, c)]
        given = (weight_x[d], weight_h[d], None if bias is None else bias[d])
        found.append(_one_direction(node, x, *given, lengths, start, backward, d))
    states, last, *cells = (list(part) for part in zip(*found, strict=True))
    y = ops.stack(states, 2)  # (N, T, directions, H)
    axis = 1 if batch_first else 0
    ends = [ops.stack(part, axis) for part in (last, *cells)]
    return (y if batch_first else ops.transpose(y, (1, 2, 0, 3)), *ends)


def _one_direction(node, x, weight_x, weight_h, bias, lengths, start, backward, d):
    (N, T, _), H = x.shape, weight_h.shape[0]
    x = _reversed(x, lengths) if backward else x
    mask = None
    if lengths is not None:
        kept = np.arange(T) < np.array(lengths)[:, None]
        mask = beside(ops.equal(x[:, :, 0], x[:, :, 0]), kept)
    zeros = beside(x, np.zeros((N, H)))
    h, c = (zeros if s is None else s for s in start)
    states, cell = _run(node, d, x, weight_x, weight_h, bias, h, c, mask)
    last = states[:, T - 1]
    if mask is not None:  # beyond the end ONNX has zeros
        states = ops.where(ops.expand_dims(mask, 2), states, beside(states, 0))
    states = _reversed(states, lengths) if backward else states
    return (states, last) if cell is None else (states, last, cell)


def _reversed(x, lengths):
    if lengths is None:
        return ops.flip(x, 1)

    class Axes:
        @staticmethod
        def get(name, default):
            return {"batch_axis": 0, "time_axis": 1}[name]

    return reverse_sequence(Axes, x, lengths)


def _run(node, d, x, weight_x, weight_h, bias, h, c, mask):
    """(states (N, T, H), the last cells of an LSTM)."""
    functions = activations_of(node, d)
    first = second = None
    if bias is not None:
        half = bias.shape[0] // 2
        first, second = bias[:half], bias[half:]
    if node.kind == "GRU":
        after = bool(node.get("linear_before_reset", 0))
        if not after and first is not None:
            first, second = first + second, None
        gate, activation = functions
        return ops.gru_sequence(
            x, h, weight_x, weight_h, first, second, mask, reset_after=after, gate=gate,
            activation=activation,
        ), None  # fmt: skip
    total = None if first is None else first + second
    if node.kind == "RNN":
        given = (weight_x, weight_h, total, mask)
        return ops.rnn_sequence(x, h, *given, activation=functions[0]), None
    if node.kind != "LSTM":
        raise ConfigError(f"{node.kind} is no recurrent operator")
    gate, activation, _ = functions
    return ops.lstm_sequence(
        x, h, c, weight_x, weight_h, total, mask, gate=gate, activation=activation
    )


OPERATORS = {
    kind: row(
        recurrent,
        host=(4,),
        weights={1: in_order(kind), 2: in_order(kind), 3: bias_in_order(kind)},
        refuses=refuses,
    )
    for kind in GATES
}
