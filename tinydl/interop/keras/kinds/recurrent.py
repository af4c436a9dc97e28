"""SimpleRNN, LSTM and GRU, Bidirectional and TimeDistributed.

Keras and tinydl have the same layouts but for the order of GRU's gates (z, r, h; here r, z, n).
Masked steps keep the state; with zero_output_for_mask their output is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from .... import nn, ops
from ....errors import ShapeError
from ....quoting import quoted
from ....tensor import Tensor
from ..description import Layer
from . import activations
from .table import Given, Kind, Slot, Unit, fitting, numbered, put, real, whole

GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
MERGES = ("concat", "sum", "ave", "mul", None)


def in_order(kind, array, axis=-1):
    """The gates in tinydl's order."""
    if kind != "GRU":
        return array
    z, r, h = np.split(array, 3, axis)
    return np.concatenate([r, z, h], axis)


def module_of(layer: Layer, arrays, version: int) -> nn.SimpleRNN | nn.LSTM | nn.GRU:
    """tinydl's layer with the file's weights."""
    kind, H = layer.kind, whole(layer, "units")
    width = GATES[kind] * H
    kernel = fitting(layer, arrays, "kernel", None, width)
    recurrent = fitting(layer, arrays, "recurrent_kernel", H, width)
    options = {"activation": activations.function(layer.config.get("activation", "tanh"), version)}
    if kind != "SimpleRNN":
        gate = layer.config.get("recurrent_activation", "hard_sigmoid")
        options["gate"] = activations.function(gate, version)
    if kind == "LSTM":
        options["unit_forget_bias"] = False
    after = kind == "GRU" and bool(layer.get("reset_after", False))
    if kind == "GRU":
        options["reset_after"] = after
    make = {"SimpleRNN": nn.SimpleRNN, "LSTM": nn.LSTM, "GRU": nn.GRU}[kind]
    module = make(
        kernel.shape[0], H, weight_init="zeros", recurrent_init="zeros",
        return_sequences=bool(layer.get("return_sequences", False)),
        stateful=bool(layer.get("stateful", False)),
        input_dropout=real(layer, "dropout", 0.0),
        recurrent_dropout=real(layer, "recurrent_dropout", 0.0), **options,
    )  # fmt: skip
    put(module.weight_x, in_order(kind, kernel))
    put(module.weight_h, in_order(kind, recurrent))
    if "bias" in arrays:
        bias = fitting(layer, arrays, "bias", *((2, width) if after else (width,)))
        put(module.bias, in_order(kind, bias[0] if after else bias))
        if after:
            put(module.bias_h, in_order(kind, bias[1]))
    return module


@dataclass(frozen=True)
class Ways:
    """What of Keras's options the caller sees to."""

    backwards: bool
    sequences: bool
    state: bool
    zeros: bool


def ways(layer: Layer) -> Ways:
    keys = ("go_backwards", "return_sequences", "return_state", "zero_output_for_mask")
    return Ways(*(bool(layer.get(key, False)) for key in keys))


def _recurrent(layer, arrays, maker):
    module = module_of(layer, arrays, maker.version)
    return Unit([("", module)], partial(over_time, how=ways(layer)))


def over_time(modules, given: Given, how: Ways):
    """One direction: the output, and with return_state the last state behind it."""
    states = [*given.tensors[1:], *_states(given)]
    mask = given.mask
    module, x = modules[0], given.x
    if not (how.backwards or how.state or states):
        y = module(x, mask=mask) if mask is not None else module(x)
        outputs = [y]
    else:
        outputs = directed(module, x, states, mask, how)
    if how.sequences:
        outputs[0] = _zeroed(outputs[0], mask, how)
    kept = mask if how.sequences else None
    return outputs, [kept, *[None] * (len(outputs) - 1)]


def directed(module, x: Tensor, states: list[Tensor], mask, how: Ways) -> list[Tensor]:
    """[the output, the tensors of the last state if how.state] of one direction by `run`."""
    if how.backwards:
        x = ops.flip(x, 1)
        mask = None if mask is None else ops.flip(mask, 1)
    first = None if not states else states[0] if module.state_size == 1 else tuple(states)
    every, last = module.run(x, first, mask)
    outputs = [module.select(every)]
    if how.state:
        outputs += list(last) if isinstance(last, tuple) else [last]
    return outputs


def _states(given: Given) -> list[Tensor]:
    found = given.kwargs.get("initial_state")
    found = found if isinstance(found, list | tuple) else [found]
    return [t for t in found if isinstance(t, Tensor)]


def _zeroed(y: Tensor, mask, how: Ways) -> Tensor:
    if mask is None or not how.zeros:
        return y
    return y * ops.astype(ops.expand_dims(mask, 2), y.dtype)


# -- wrappers --------------------------------------------------------------------------------------


def _bidirectional(layer, arrays, maker):
    (_, first), (_, second) = layer.children
    ahead = module_of(first, maker.arrays(first), maker.version)
    back = module_of(second, maker.arrays(second), maker.version)
    merge = layer.config.get("merge_mode", "concat")
    module = nn.Bidirectional(ahead, back, "sum" if merge == "sum" else "concat")
    return Unit([("", module)], partial(both_ways, how=ways(first), merge=merge))


def both_ways(modules, given: Given, how: Ways, merge: str | None):
    """Both directions, joined; the backward one in the order of time."""
    module, x, mask = modules[0], given.x, given.mask
    states = [*given.tensors[1:], *_states(given)]
    plain = merge in ("concat", "sum") and not states and not how.state
    if plain:
        y = module(x, mask)
        return [_both_zeroed(y, mask, how)], [mask if how.sequences else None]
    half = len(states) // 2
    straight = Ways(False, how.sequences, how.state, how.zeros)
    first = directed(module.ahead, x, states[:half], mask, straight)
    second = directed(module.back, x, states[half:], mask, Ways(True, *_rest(straight)))
    y, z = first[0], second[0]
    z = ops.flip(z, 1) if how.sequences else z
    y, z = (_both_zeroed(part, mask, how) for part in (y, z))
    outputs = [*joined(y, z, merge), *first[1:], *second[1:]]
    return outputs, [mask if how.sequences else None, *[None] * (len(outputs) - 1)]


def _rest(how: Ways):
    return how.sequences, how.state, how.zeros


def _both_zeroed(y: Tensor, mask, how: Ways) -> Tensor:
    """Bidirectional makes zeros of masked steps by itself, in every version."""
    return _zeroed(y, mask, Ways(False, True, False, True)) if how.sequences else y


def joined(y: Tensor, z: Tensor, merge: str | None) -> list[Tensor]:
    if merge is None:
        return [y, z]
    found = {
        "concat": lambda: ops.concat([y, z], -1),
        "sum": lambda: y + z,
        "ave": lambda: (y + z) / 2.0,
        "mul": lambda: y * z,
    }
    return [found[merge]()]


def _distributed(layer, arrays, maker):
    inner = maker.unit(layer.children[0][1])
    return Unit(inner.modules, partial(every_step, inner=inner.call), inner.makes_mask)


def every_step(modules, given: Given, inner):
    """The layer on (N * T, ...), every step of every sequence a sample."""
    x = given.x
    if x.ndim < 3:
        raise ShapeError(f"TimeDistributed: x must be (N, T, ...), got {x.shape}")
    N, T = x.shape[:2]
    outputs, _ = inner(modules, Given([ops.reshape(x, (N * T, *x.shape[2:]))], {}, [None]))
    apart = [ops.reshape(y, (N, T, *y.shape[1:])) for y in outputs]
    return apart, [given.mask, *[None] * (len(apart) - 1)]


# -- rows ------------------------------------------------------------------------------------------


def _slots(layer) -> list[Slot]:
    bias = "bias" if layer.get("use_bias", True) else ""
    return numbered("kernel", "recurrent_kernel", bias, group="cell")


def _refuses(layer):
    keys = ("activation",) if layer.kind == "SimpleRNN" else ("activation", "recurrent_activation")
    if reason := activations.refused(layer, *keys):
        return reason
    with_settings = [k for k in keys if activations.as_layer(layer.config.get(k)) is not None]
    if with_settings:
        return f"a layer as {with_settings[0]}"
    return "time_major=True" if layer.get("time_major", False) else None


def _no_bidirectional(layer):
    for _, inner in layer.children:
        if inner.kind not in GATES or inner.registered:
            return f"of {quoted(inner.registered or inner.kind, 40)}"
        if reason := _refuses(inner):
            return reason
    if layer.config.get("merge_mode", "concat") not in MERGES:
        return f"merge_mode={quoted(layer.config['merge_mode'], 40)}"
    (_, first), (_, second) = layer.children
    if first.kind != second.kind or ways(first).sequences != ways(second).sequences:
        return "directions of different kinds"
    if layer.config.get("layer", {}).get("config", {}).get("go_backwards", False):
        return "a forward layer with go_backwards=True"
    return None


KINDS = {kind: Kind(_recurrent, _slots, _refuses) for kind in GATES}
KINDS |= {
    "Bidirectional": Kind(_bidirectional, refuses=_no_bidirectional),
    "TimeDistributed": Kind(_distributed),
}
