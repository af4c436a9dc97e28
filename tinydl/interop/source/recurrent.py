"""RNN, LSTM and GRU nodes as layers over (N, T, D)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operators.recurrent import DEFAULTS
from ..tracing import Traced
from .builder import BATCH, PLAIN, STATES, Builder
from .calls import Code, Layer

CLASSES = {"RNN": "nn.SimpleRNN", "LSTM": "nn.LSTM", "GRU": "nn.GRU"}
FUNCTIONS = {
    "sigmoid": "ops.sigmoid", "hardsigmoid": "ops.hard_sigmoid", "tanh": "ops.tanh",
    "relu": "ops.relu",
}  # fmt: skip


def recurrent(b: Builder, step: Traced) -> bool:
    node = step.node
    weights = [b.array(step, i) for i in (1, 2)]
    bias = b.array(step, 3) if node.has(3) else None
    direction = node.get("direction", "forward")
    if any(w is None for w in weights) or direction == "reverse" or node.get("layout", 0):
        return False
    if (node.has(3) and bias is None) or not _whole(b, step):
        return False
    wx, wh = (w for w in weights if w is not None)
    states = _first_states(b, step, direction)
    if states is None:
        return False
    sides = [_side(step, d, wx[d], wh[d], None if bias is None else bias[d])
             for d in range(wx.shape[0])]  # fmt: skip
    args, defaults, arrays = sides[0]
    if len(sides) == 2:
        if sides[1][0] != args:
            return False
        inner = Layer("", CLASSES[node.kind], args, defaults, {}, "", 2).construction()
        arrays = {f"{way}.{k}": a for way, side in zip(("ahead", "back"), sides, strict=True)
                  for k, a in side[2].items()}  # fmt: skip
        args, defaults = {"ahead": Code(inner)}, {}
    cls = "nn.Bidirectional" if len(sides) == 2 else CLASSES[node.kind]
    layer = Layer(node.kind.lower(), cls, args, defaults, arrays, node.inputs[1], 2)
    _called(b, step, layer, states, len(sides))
    return True


def _whole(b: Builder, step: Traced) -> bool:
    """Whether all sequences are as long as the array."""
    if not step.node.has(4):
        return True
    lengths = b.array(step, 4)
    return lengths is not None and bool((lengths == b.shape(step.node.inputs[0])[0]).all())


def _first_states(b: Builder, step: Traced, direction: str) -> list[str] | None:
    """The names of first states that are computed; [] for zeros, None for what no layer takes."""
    names = []
    for i in (5, 6)[: 2 if step.node.kind == "LSTM" else 1]:
        if not step.node.has(i):
            continue
        array = b.array(step, i)
        if array is not None and not np.any(array):
            continue
        if array is not None or direction != "forward":
            return None
        names.append(step.node.inputs[i])
    return names if len(names) != 1 or step.node.kind != "LSTM" else None


def _side(
    step: Traced, d: int, wx: np.ndarray, wh: np.ndarray, bias: np.ndarray | None
) -> tuple[dict[str, Any], dict[str, Any], dict[str, np.ndarray]]:
    """(arguments, defaults, arrays) of the layer of one direction."""
    node, count = step.node, len(DEFAULTS[step.node.kind])
    names = (node.get("activations") or DEFAULTS[node.kind] * 2)[d * count : (d + 1) * count]
    made = [Code(FUNCTIONS[n.lower()]) for n in names]
    zeros = np.zeros(2 * wx.shape[1], wx.dtype)
    first, second = np.split(zeros if bias is None else bias, 2)
    arrays = {"weight_x": wx, "weight_h": wh, "bias": first + second}
    args: dict[str, Any] = {"input_size": wx.shape[0], "hidden_size": wh.shape[0]}
    defaults: dict[str, Any] = {"activation": Code("ops.tanh"), "gate": Code("ops.sigmoid")}
    if node.kind != "RNN":
        args["gate"] = made[0]
    args["activation"] = made[0 if node.kind == "RNN" else 1]
    if node.kind == "GRU":
        after = bool(node.get("linear_before_reset", 0))
        args["reset_after"], defaults["reset_after"] = after, True
        if after:
            arrays |= {"bias": first, "bias_h": second}
    args["return_sequences"], defaults["return_sequences"] = True, False
    return args, defaults, arrays


def _called(b: Builder, step: Traced, layer: Layer, states: list[str], directions: int) -> None:
    """All states by a call; with the last ones, or first ones that are given, by `run`."""
    node = step.node
    x = b.get(node.inputs[0], BATCH)
    first = []
    for name in states:
        first.append(b.expression("{0}[0]", [b.get(name)]))
    asked = [k for k in (1, 2) if k < len(node.outputs) and b.read(node.outputs[k])]
    if not first and not asked:
        (y,) = b.layer(layer, [x])
        b.put(node.outputs[0], STATES, y)
        return
    holes = {0: "", 1: ", {1}", 2: ", ({1}, {2})"}[len(first)]
    numbers = b.layer(layer, [x, *first], f"{{layer}}.run({{0}}{holes})", outputs=2)
    b.put(node.outputs[0], STATES, numbers[0])
    for k in asked:
        ends = []
        for d in range(directions):
            part = f"[{d}]" if directions == 2 else ""
            part += f"[{k - 1}]" if node.kind == "LSTM" else ""
            ends.append(b.expression(f"{{0}}{part}", [numbers[1]]) if part else numbers[1])
        if directions == 1:
            b.put(node.outputs[k], PLAIN, b.expression("{0}.unsqueeze(0)", ends))
        else:
            b.put(node.outputs[k], PLAIN, b.expression("ops.stack([{0}, {1}], 0)", ends))


RECURRENT = {"RNN": recurrent, "LSTM": recurrent, "GRU": recurrent}
