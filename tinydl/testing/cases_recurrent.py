"""Rows of recurrent networks: cells and sequences, composed and fused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import ops
from .case import Example, OpCase
from .draws import Draw


def _vanilla(sequence: bool) -> Callable[[Draw], Example]:
    def draw(d: Draw) -> Example:
        N, T, D, H = d.integer(1, 3), d.integer(1, 4), d.integer(1, 3), d.integer(1, 3)
        x = (N, T, D) if sequence else (N, D)
        return Example(tuple([d.normal(s) for s in (x, (N, H), (D, H), (H, H), (H,))]))

    return draw


def _gated(gates: int, sequence: bool) -> Callable[[Draw], Example]:
    """Tensors of an LSTM (4 gates) or GRU (3); for a sequence also a mask and factors of h."""

    def draw(d: Draw) -> Example:
        N, T, D, H = d.integer(1, 2), d.integer(1, 3), d.integer(1, 2), d.integer(1, 2)
        shapes: list[tuple[int, ...]] = [(N, T, D) if sequence else (N, D)]
        shapes += [(N, H)] * (2 if gates == 4 else 1)
        shapes += [(D, gates * H), (H, gates * H), (gates * H,)]
        options: dict[str, Any] = {"reset_after": d.flag()} if gates == 3 else {}
        if options.get("reset_after"):
            shapes.append((gates * H,))
        inputs = tuple([d.normal(s) for s in shapes])
        if not sequence:
            return Example(inputs, options)
        factors = d.uniform((N, H), 0.5, 1.5) if d.flag() else None
        return Example((*inputs, d.bools((N, T))), {**options, "factors": factors})

    return draw


def _joined(pair: Any) -> Any:
    """(states, c) or (h, c) as one tensor."""
    first, c = pair
    return ops.concat([ops.reshape(first, (c.shape[0], -1)), c], 1)


def _drop(like: Any, factors: Any) -> Any:
    """A constant: no derivative with respect to it."""
    return None if factors is None else like._lift(factors.astype(like.dtype))


def _lstm(run: Any) -> Callable[..., Any]:
    def call(*tensors: Any, factors: Any) -> Any:
        *inputs, mask = tensors
        return _joined(run(*inputs, mask, _drop(inputs[0], factors)))

    return call


def _gru(run: Any) -> Callable[..., Any]:
    def call(*tensors: Any, reset_after: bool, factors: Any) -> Any:
        *inputs, mask = tensors
        drop = _drop(inputs[0], factors)
        return run(*inputs, mask=mask, drop=drop, reset_after=reset_after)

    return call


ROWS = (
    OpCase("rnn_cell", ops.rnn_cell, _vanilla(False)),
    OpCase("rnn_sequence", ops.rnn_sequence, _vanilla(True)),
    OpCase("rnn_sequence_by_cells", ops.rnn_sequence_by_cells, _vanilla(True)),
    OpCase("lstm_cell", lambda *t: _joined(ops.lstm_cell(*t)), _gated(4, False)),
    OpCase("lstm_sequence", _lstm(ops.lstm_sequence), _gated(4, True)),
    OpCase("lstm_sequence_by_cells", _lstm(ops.lstm_sequence_by_cells), _gated(4, True)),
    OpCase("gru_cell", ops.gru_cell, _gated(3, False)),
    OpCase("gru_sequence", _gru(ops.gru_sequence), _gated(3, True)),
    OpCase("gru_sequence_by_cells", _gru(ops.gru_sequence_by_cells), _gated(3, True)),
)
