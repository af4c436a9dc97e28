"""The vanilla recurrent layer."""

from __future__ import annotations

from .. import ops
from ..errors import DTypeError, ShapeError
from ..random import Generator, default_generator
from ..tensor import Tensor
from .dropout import check_rate
from .init import Initializer, draw
from .linear import check_size
from .module import Module, Parameter
from .penalties import Penalty, activity


class SimpleRNN(Module):
    """h_t = tanh(x_t @ weight_x + h_{t-1} @ weight_h + bias) over a whole sequence. Elman 1990.

    x (N, T, input_size), T >= 1, and h0 (N, hidden_size) or None (zeros) -> the last state
    (N, hidden_size), or all of them (N, T, hidden_size) with return_sequences. Parameters weight_x
    (input_size, hidden_size), weight_h (hidden_size, hidden_size), bias (hidden_size,).
    input_dropout: in training, dropout of x with one mask (N, 1, input_size) per sequence, the same
    at all its time steps (Gal and Ghahramani 2016, arXiv 1512.05287; Keras' `dropout=`).
    activity_penalty sees the output and is divided by the batch size, as in Keras.
    Raises ConfigError for sizes and rates outside their range; the call ShapeError and DTypeError.
    """

    last_activity: Tensor | None = None  # the activity penalty of the most recent call

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        input_dropout: float = 0.0,
        return_sequences: bool = False,
        weight_init: str | Initializer = "glorot_uniform",
        recurrent_init: str | Initializer = "orthogonal",
        bias_init: str | Initializer = "zeros",
        weight_penalty: Penalty | None = None,
        recurrent_penalty: Penalty | None = None,
        bias_penalty: Penalty | None = None,
        activity_penalty: Penalty | None = None,
        rng: Generator | None = None,
    ) -> None:
        check_size("SimpleRNN", input_size=input_size, hidden_size=hidden_size)
        check_rate("SimpleRNN", "input_dropout", input_dropout)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.input_dropout, self.return_sequences = input_dropout, return_sequences
        self.rng = rng
        rng = default_generator() if rng is None else rng
        self.weight_x = Parameter(draw(weight_init, (input_size, hidden_size), rng))
        self.weight_h = Parameter(draw(recurrent_init, (hidden_size, hidden_size), rng))
        self.bias = Parameter(draw(bias_init, (hidden_size,), rng))
        self.weight_penalty, self.recurrent_penalty = weight_penalty, recurrent_penalty
        self.bias_penalty, self.activity_penalty = bias_penalty, activity_penalty

    def forward(self, x: Tensor, h0: Tensor | None = None) -> Tensor:
        if x.ndim != 3 or x.shape[-1] != self.input_size:
            found = f"{x.shape[-1]} features" if x.ndim == 3 else f"{x.ndim} axes, not (N, T, D)"
            raise ShapeError(
                f"SimpleRNN: x has {found} but input_size is {self.input_size} (x {x.shape})"
            )
        if x.dtype != self.weight_x.dtype:
            raise DTypeError(f"SimpleRNN: x is {x.dtype} but the weights are {self.weight_x.dtype}")
        if h0 is None:
            zeros = x.backend.zeros((x.shape[0], self.hidden_size), x.dtype)
            h0 = Tensor._new(zeros, x.backend)
        x = self._drop_inputs(x)
        states = ops.rnn_sequence(x, h0, self.weight_x, self.weight_h, self.bias)
        y = states if self.return_sequences else states[:, -1]
        if self.activity_penalty is not None:
            self.last_activity = activity(self.activity_penalty, y)
        return y

    def _drop_inputs(self, x: Tensor) -> Tensor:
        """x times a mask (N, 1, D) of zeros and 1 / (1 - rate), broadcast along the time steps."""
        if not self.training or self.input_dropout == 0:
            return x
        ones = Tensor._new(x.backend.full((x.shape[0], 1, x.shape[2]), 1, x.dtype), x.backend)
        return x * ops.dropout(ones, self.input_dropout, True, self.rng)

    def own_penalties(self) -> list[Tensor]:
        pairs = (
            (self.weight_penalty, self.weight_x),
            (self.recurrent_penalty, self.weight_h),
            (self.bias_penalty, self.bias),
        )
        values = [penalty(weight) for penalty, weight in pairs if penalty is not None]
        return values if self.last_activity is None else [*values, self.last_activity]

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        # per sample and time step: [1 x D] @ [D x H] and [1 x H] @ [H x H]
        N, T, D = x_shape
        return N * T * (D * self.hidden_size + self.hidden_size * self.hidden_size)

    def arguments(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        text += f", input_dropout={self.input_dropout:g}" if self.input_dropout else ""
        return text + (", return_sequences=True" if self.return_sequences else "")
