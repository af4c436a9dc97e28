"""LSTM and GRU layers and a wrapper for both directions; see tinydl/ops/gated.py."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import ops
from ..errors import ConfigError, ShapeError
from ..random import Generator, default_generator
from ..tensor import Tensor
from .init import Initializer, draw
from .linear import check_size
from .module import Module, Parameter

Function = Callable[[Tensor], Tensor]


class Gated(Module):
    """What LSTM and GRU share: weight_x (D, gates*H), weight_h (H, gates*H), bias (gates*H,)."""

    gates: int

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        return_sequences: bool,
        gate: Function,
        activation: Function,
        weight_init: str | Initializer,
        recurrent_init: str | Initializer,
        rng: Generator | None,
    ) -> None:
        check_size(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.return_sequences, self.gate, self.activation = return_sequences, gate, activation
        rng = default_generator() if rng is None else rng
        width = self.gates * hidden_size
        self.weight_x = Parameter(draw(weight_init, (input_size, width), rng))
        self.weight_h = Parameter(draw(recurrent_init, (hidden_size, width), rng))
        self.bias = Parameter(np.zeros(width, np.float32))

    def _first(self, x: Tensor, state: Tensor | None) -> Tensor:
        """The given state, or zeros (N, H)."""
        if x.ndim != 3 or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__}: x must be (N, T, {self.input_size}), got {x.shape}"
            )
        if state is not None:
            return state
        zeros = x.backend.zeros((x.shape[0], self.hidden_size), x.dtype)
        return Tensor._new(zeros, x.backend)

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        return x_shape[0] * x_shape[1] * (self.weight_x.size + self.weight_h.size)

    def arguments(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        return text + (", return_sequences=True" if self.return_sequences else "")


class LSTM(Gated):
    """Long short-term memory over a sequence, see `tinydl.lstm_sequence`.

    x (N, T, input_size), first states h, c (N, hidden_size) or None (zeros), mask (N, T) bool or
    None -> last state (N, hidden_size), or all (N, T, hidden_size) with return_sequences. The
    forget gate's bias starts at 1 (Jozefowicz et al. 2015; Keras) unless unit_forget_bias is False.
    gate=ops.hard_sigmoid gives old Keras. Raises ConfigError; the call ShapeError and DTypeError.
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        return_sequences: bool = False,
        gate: Function = ops.sigmoid,
        activation: Function = ops.tanh,
        unit_forget_bias: bool = True,
        weight_init: str | Initializer = "glorot_uniform",
        recurrent_init: str | Initializer = "orthogonal",
        rng: Generator | None = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, return_sequences, gate, activation, weight_init,
            recurrent_init, rng,
        )  # fmt: skip
        if unit_forget_bias:
            first = np.zeros(4 * hidden_size, np.float32)
            first[hidden_size : 2 * hidden_size] = 1
            self.bias.assign(first)

    def forward(
        self,
        x: Tensor,
        h: Tensor | None = None,
        c: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        states, _ = ops.lstm_sequence(
            x, self._first(x, h), self._first(x, c), self.weight_x, self.weight_h, self.bias, mask,
            gate=self.gate, activation=self.activation,
        )  # fmt: skip
        return states if self.return_sequences else states[:, -1]


class GRU(Gated):
    """Gated recurrent unit over a sequence, see `tinydl.gru_sequence`.

    x (N, T, input_size), h (N, hidden_size) or None (zeros), mask (N, T) bool or None -> last state
    (N, hidden_size), or all (N, T, hidden_size) with return_sequences. reset_after=True has a
    second bias, bias_h. Raises ConfigError; the call ShapeError and DTypeError.
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        return_sequences: bool = False,
        reset_after: bool = True,
        gate: Function = ops.sigmoid,
        activation: Function = ops.tanh,
        weight_init: str | Initializer = "glorot_uniform",
        recurrent_init: str | Initializer = "orthogonal",
        rng: Generator | None = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, return_sequences, gate, activation, weight_init,
            recurrent_init, rng,
        )  # fmt: skip
        self.reset_after = reset_after
        zeros = np.zeros(3 * hidden_size, np.float32)
        self.bias_h = Parameter(zeros) if reset_after else None

    def forward(self, x: Tensor, h: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        states = ops.gru_sequence(
            x, self._first(x, h), self.weight_x, self.weight_h, self.bias, self.bias_h, mask,
            reset_after=self.reset_after, gate=self.gate, activation=self.activation,
        )  # fmt: skip
        return states if self.return_sequences else states[:, -1]


class Bidirectional(Module):
    """One layer forwards and one backwards in time, outputs joined by "concat" or "sum".

    With return_sequences, step t of the backward layer stands at time t. A mask may pad the end:
    padded steps leave the state alone in both directions. Schuster and Paliwal 1997. Raises
    ConfigError.
    """

    def __init__(self, ahead: Gated, back: Gated, merge: str = "concat") -> None:
        if merge not in ("concat", "sum"):
            raise ConfigError(f"Bidirectional: merge must be 'concat' or 'sum', got {merge!r}")
        if ahead.return_sequences != back.return_sequences:
            raise ConfigError("Bidirectional: both layers must have the same return_sequences")
        self.ahead, self.back, self.merge = ahead, back, merge

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        first = self.ahead(x, mask=mask)
        turned = None if mask is None else ops.flip(mask, 1)
        second = self.back(ops.flip(x, 1), mask=turned)
        if self.back.return_sequences:
            second = ops.flip(second, 1)
        return first + second if self.merge == "sum" else ops.concat([first, second], -1)
