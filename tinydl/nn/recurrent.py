"""Recurrent layers: SimpleRNN, LSTM, GRU; see tinydl/ops/recurrent.py. What is built of several
of them stands in recurrent_stacks.py.

Sequences in, sequences out:

    many to one    LSTM(D, H): the last state (N, H)
    many to many   LSTM(D, H, return_sequences=True): all states (N, T, H)
    one to many    RepeatVector(T) before a layer shows it the same vector T times; or feed back:
                   states, state = layer.run(x, state) with T = 1, x made of the last output

`layer.run(x, state, mask)` gives all states and the last one, from which the next call goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..doors import checked, parameters_of
from ..errors import DTypeError, ShapeError
from ..geometry import recurrent_multiply_adds
from ..habits import unexpected
from ..quoting import quoted
from ..random import Generator, default_generator
from ..tensor import Tensor
from .dropout import check_rate
from .init import Initializer, draw
from .linear import check_size
from .module import Module, Parameter
from .penalties import Penalty, activity, penalized

Activation = Callable[[Tensor], Tensor]


def detached(state: Any) -> Any:
    """A state (a tensor, or a tuple of states) without its history: what truncated
    back-propagation through time (Williams and Peng 1990) hands from one window to the next."""
    if isinstance(state, Tensor):
        return state.detach()
    if state is None:
        return None
    if not isinstance(state, tuple | list) or any(s is state for s in state):
        raise DTypeError(f"detached: a state is a tensor or a tuple of them, got {quoted(state)}")
    return tuple([detached(s) for s in state])


class Recurrent(Module):
    """What SimpleRNN, LSTM and GRU share: the keyword arguments below, weight_x
    (input_size, gates*H), weight_h (H, gates*H), bias (gates*H,).

    return_sequences: all states instead of the last one. stateful: a call goes on from the last
    state of the call before, without its history, until reset_state() (batches of one size).
    input_dropout, recurrent_dropout: in training, dropout of x and of h_{t-1} in its product, with
    one mask per sequence for all steps (Gal and Ghahramani 2016, arXiv 1512.05287; Keras). LSTM and
    GRU share a mask between gates. activity_penalty sees the output, divided by the batch size.
    """

    gates = 1
    state_size = 1  # tensors of a state
    last_activity: Tensor | None = None  # the activity penalty of the most recent call
    state: Any = None  # of the most recent call, if stateful

    @checked
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        return_sequences: bool = False,
        stateful: bool = False,
        input_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        weight_init: str | Initializer = "glorot_uniform",
        recurrent_init: str | Initializer = "orthogonal",
        bias_init: str | Initializer = "zeros",
        weight_penalty: Penalty | None = None,
        recurrent_penalty: Penalty | None = None,
        bias_penalty: Penalty | None = None,
        activity_penalty: Penalty | None = None,
        rng: Generator | None = None,
        **unknown: Any,
    ) -> None:
        name = type(self).__name__
        if unknown:
            raise unexpected(name, unknown, parameters_of(type(self).__init__, (self,)))
        check_size(name, input_size=input_size, hidden_size=hidden_size)
        check_rate(name, "input_dropout", input_dropout)
        check_rate(name, "recurrent_dropout", recurrent_dropout)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.return_sequences, self.stateful, self.rng = return_sequences, stateful, rng
        self.weight_init, self.recurrent_init = weight_init, recurrent_init
        self.bias_init = bias_init
        self.input_dropout, self.recurrent_dropout = input_dropout, recurrent_dropout
        self.weight_penalty, self.recurrent_penalty = weight_penalty, recurrent_penalty
        self.bias_penalty, self.activity_penalty = bias_penalty, activity_penalty
        rng = default_generator() if rng is None else rng
        width = self.gates * hidden_size
        self.weight_x = Parameter(draw(weight_init, (input_size, width), rng))
        self.weight_h = Parameter(draw(recurrent_init, (hidden_size, width), rng))
        self.bias = Parameter(draw(bias_init, (width,), rng))

    def run(self, x: Tensor, state: Any = None, mask: Tensor | None = None) -> tuple[Tensor, Any]:
        """All states (N, T, H), and the last one: h, of an LSTM (h, c). state: the first one, None
        for zeros (stateful: for the last one of the call before). mask (N, T) bool or None."""
        self._check(x)
        first = self._first(x, state)
        x = x * factors if (factors := self._factors(x, 1, x.shape[2])) is not None else x
        drop = self._factors(x, self.hidden_size, rate=self.recurrent_dropout)
        states, last = self._sequence(x, first, mask, drop)
        if self.stateful:
            self.state = detached(last)
        return states, last

    def _sequence(
        self, x: Tensor, first: tuple[Tensor, ...], mask: Tensor | None, drop: Tensor | None
    ) -> tuple[Tensor, Any]:
        raise NotImplementedError

    def reset_state(self) -> None:
        """Forget the state that a stateful layer keeps."""
        self.state = None

    def kept_state(self) -> list[Tensor]:
        """The tensors of a stateful layer's state, none before the first call: what a checkpoint
        holds beside the weights."""
        if self.state is None:
            return []
        return [self.state] if isinstance(self.state, Tensor) else list(self.state)

    def keep_state(self, tensors: list[Tensor]) -> None:
        """Go on from `kept_state()`."""
        self.state = tuple(tensors) if len(tensors) > 1 else tensors[0] if tensors else None

    def _call(self, x: Tensor, state: Any, mask: Tensor | None) -> Tensor:
        return self.select(self.run(x, state, mask)[0])

    def select(self, states: Tensor) -> Tensor:
        """The output: all states or the last one, which the activity penalty sees."""
        y = states if self.return_sequences else states[:, -1]
        if self.activity_penalty is not None:
            self.last_activity = activity(self.activity_penalty, y)
        return y

    def _check(self, x: Tensor) -> None:
        name = type(self).__name__
        if x.ndim != 3 or x.shape[-1] != self.input_size:
            found = f"{x.shape[-1]} features" if x.ndim == 3 else f"{x.ndim} axes, not (N, T, D)"
            raise ShapeError(
                f"{name}: x has {found} but input_size is {self.input_size} (x {x.shape})"
            )
        if x.dtype != self.weight_x.dtype:
            raise DTypeError(f"{name}: x is {x.dtype} but the weights are {self.weight_x.dtype}")

    def _first(self, x: Tensor, state: Any) -> tuple[Tensor, ...]:
        """The tensors of the first state; missing ones are zeros."""
        if state is None and self.stateful and self.state is not None:
            state = self.state
            kept = state if isinstance(state, Tensor) else state[0]
            if kept.shape[0] != x.shape[0]:
                raise ShapeError(
                    f"{type(self).__name__}: the state kept is of {kept.shape[0]} sequences but x "
                    f"has {x.shape[0]}; call reset_state() first"
                )
        given = (state,) * self.state_size if state is None else state
        given = (given,) if isinstance(given, Tensor) else given
        if (
            not isinstance(given, tuple | list)
            or len(given) != self.state_size
            or not all(s is None or isinstance(s, Tensor) for s in given)
        ):
            wanted = "a tensor" if self.state_size == 1 else f"{self.state_size} tensors"
            raise DTypeError(f"{type(self).__name__}: a state is {wanted}, got {quoted(state)}")
        return tuple([self._zeros(x) if s is None else s for s in given])

    def _zeros(self, x: Tensor) -> Tensor:
        zeros = x.backend.zeros((x.shape[0], self.hidden_size), x.dtype)
        return Tensor._new(zeros, x.backend)

    def _factors(self, x: Tensor, *sizes: int, rate: float | None = None) -> Tensor | None:
        """Zeros and 1 / (1 - rate) of shape (N, *sizes), or None for no dropout."""
        rate = self.input_dropout if rate is None else rate
        if not self.training or rate == 0:
            return None
        ones = Tensor._new(x.backend.full((x.shape[0], *sizes), 1, x.dtype), x.backend)
        return ops.dropout(ones, rate, True, self.rng)

    def own_penalties(self) -> list[Tensor]:
        pairs = [
            (self.weight_penalty, self.weight_x),
            (self.recurrent_penalty, self.weight_h),
            (self.bias_penalty, self.bias),
            (self.bias_penalty, getattr(self, "bias_h", None)),
        ]
        values = [
            penalized(penalty, w) for penalty, w in pairs if penalty is not None and w is not None
        ]
        return values if self.last_activity is None else [*values, self.last_activity]

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        return recurrent_multiply_adds(x_shape, self.hidden_size, self.gates)

    def arguments(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name in ("input_dropout", "recurrent_dropout"):
            text += f", {name}={getattr(self, name):g}" if getattr(self, name) else ""
        text += ", stateful=True" if self.stateful else ""
        return text + (", return_sequences=True" if self.return_sequences else "")


class SimpleRNN(Recurrent):
    """h_t = tanh(x_t @ weight_x + h_{t-1} @ weight_h + bias) over a whole sequence. Elman 1990.

    x (N, T, input_size), T >= 1, h0 (N, hidden_size) or None (zeros), mask (N, T) bool or None ->
    the last state (N, hidden_size), or all of them with return_sequences. activation: tanh or
    another, relu being fused too. Other arguments: see Recurrent. Raises ConfigError for sizes and
    rates outside their range; the call ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        activation: Activation = ops.tanh,
        **shared: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, **shared)
        self.activation = activation

    def forward(self, x: Tensor, h0: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        return self._call(x, h0, mask)

    def _sequence(
        self, x: Tensor, first: tuple[Tensor, ...], mask: Tensor | None, drop: Tensor | None
    ) -> tuple[Tensor, Any]:
        weights = (self.weight_x, self.weight_h, self.bias)
        states = ops.rnn_sequence(x, first[0], *weights, mask, drop, self.activation)
        return states, states[:, -1]


class LSTM(Recurrent):
    """Long short-term memory over a sequence, see `tinydl.lstm_sequence`.

    x (N, T, input_size), first states h, c (N, hidden_size) or None (zeros), mask (N, T) bool or
    None -> last state (N, hidden_size), or all (N, T, hidden_size) with return_sequences. The
    forget gate's bias starts at 1 (Jozefowicz et al. 2015; Keras) unless unit_forget_bias is False.
    gate=ops.hard_sigmoid gives old Keras. Other arguments: see Recurrent. Raises ConfigError; the
    call ShapeError and DTypeError.
    """

    gates = 4
    state_size = 2

    @checked
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        gate: Activation = ops.sigmoid,
        activation: Activation = ops.tanh,
        unit_forget_bias: bool = True,
        **shared: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, **shared)
        self.gate, self.activation = gate, activation
        self.unit_forget_bias = unit_forget_bias
        if unit_forget_bias:
            first = self.bias.numpy().copy()
            first[hidden_size : 2 * hidden_size] = 1
            self.bias.assign(first)

    def forward(
        self,
        x: Tensor,
        h: Tensor | None = None,
        c: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        if isinstance(h, tuple | list):
            raise DTypeError(
                "LSTM: h and c are two arguments, layer(x, h, c); with the states of all steps and "
                "the last ones it is states, (h, c) = layer.run(x, (h, c))"
            )
        return self._call(x, None if h is None and c is None else (h, c), mask)

    def _sequence(
        self, x: Tensor, first: tuple[Tensor, ...], mask: Tensor | None, drop: Tensor | None
    ) -> tuple[Tensor, Any]:
        weights = (self.weight_x, self.weight_h, self.bias)
        options = {"gate": self.gate, "activation": self.activation, "drop": drop}
        h, c = first
        states, c = ops.lstm_sequence(x, h, c, *weights, mask=mask, **options)
        return states, (states[:, -1], c)


class GRU(Recurrent):
    """Gated recurrent unit over a sequence, see `tinydl.gru_sequence`.

    x (N, T, input_size), h (N, hidden_size) or None (zeros), mask (N, T) bool or None -> last state
    (N, hidden_size), or all (N, T, hidden_size) with return_sequences. reset_after=True (PyTorch,
    Keras 2) has a second bias, bias_h, from zero on; False is Cho et al. 2014 and old Keras. Other
    arguments: see Recurrent. Raises ConfigError; the call ShapeError and DTypeError.
    """

    gates = 3

    @checked
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        reset_after: bool = True,
        gate: Activation = ops.sigmoid,
        activation: Activation = ops.tanh,
        **shared: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, **shared)
        self.reset_after, self.gate, self.activation = reset_after, gate, activation
        zeros = np.zeros(3 * hidden_size, np.float32)
        self.bias_h = Parameter(zeros) if reset_after else None

    def forward(self, x: Tensor, h: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        return self._call(x, h, mask)

    def _sequence(
        self, x: Tensor, first: tuple[Tensor, ...], mask: Tensor | None, drop: Tensor | None
    ) -> tuple[Tensor, Any]:
        weights = (self.weight_x, self.weight_h, self.bias, self.bias_h)
        options = {"gate": self.gate, "activation": self.activation, "drop": drop}
        after = self.reset_after
        states = ops.gru_sequence(x, first[0], *weights, mask=mask, reset_after=after, **options)
        return states, states[:, -1]
