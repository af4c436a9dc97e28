"""What is built of recurrent layers: both directions, stacks, windows of truncated
back-propagation; and the repeated vector that one to many begins with."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Parameter, signature
from typing import Any

from .. import ops
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..random import Generator
from ..tensor import Tensor
from .dropout import check_rate
from .linear import check_size
from .module import Module
from .recurrent import Recurrent, detached


class Bidirectional(Module):
    """One layer forwards and one backwards in time, outputs joined by "concat" or "sum".

    back: None makes a second layer of the same arguments, with first weights of its own. With
    return_sequences, step t of the backward layer stands at time t. A mask may pad the end: padded
    steps leave the state alone in both directions. A state is the pair of theirs. Schuster and
    Paliwal 1997. Raises ConfigError.
    """

    one_row = True

    @checked
    def __init__(
        self, ahead: Recurrent, back: Recurrent | None = None, merge: str = "concat"
    ) -> None:
        back = _second(ahead) if back is None else back
        if merge not in ("concat", "sum"):
            raise ConfigError(f"Bidirectional: merge must be 'concat' or 'sum', got {merge!r}")
        if ahead.return_sequences != back.return_sequences:
            raise ConfigError("Bidirectional: both layers must have the same return_sequences")
        self.ahead, self.back, self.merge = ahead, back, merge

    def run(self, x: Tensor, state: Any = None, mask: Tensor | None = None) -> tuple[Tensor, Any]:
        """All states, joined, and the pair of last states (the backward one stands at time 0)."""
        first, second, last = self._both(x, state, mask)
        return self._join(first, ops.flip(second, 1)), last

    def forward(self, x: Tensor, mask: Tensor | None = None, state: Any = None) -> Tensor:
        first, second, _ = self._both(x, state, mask)
        y, z = self.ahead.select(first), self.back.select(second)
        return self._join(y, ops.flip(z, 1) if self.back.return_sequences else z)

    @property
    def hidden_size(self) -> int:
        """How many numbers a step of the result has."""
        sizes = self.ahead.hidden_size, self.back.hidden_size
        return sum(sizes) if self.merge == "concat" else sizes[0]

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        return self.ahead.multiply_adds(x_shape) + self.back.multiply_adds(x_shape)

    def _both(self, x: Tensor, state: Any, mask: Tensor | None) -> tuple[Tensor, Tensor, Any]:
        state = (None, None) if state is None else state
        first, last = self.ahead.run(x, state[0], mask)
        turned = None if mask is None else ops.flip(mask, 1)
        second, end = self.back.run(ops.flip(x, 1), state[1], turned)
        return first, second, (last, end)

    def _join(self, first: Tensor, second: Tensor) -> Tensor:
        return first + second if self.merge == "sum" else ops.concat([first, second], -1)


def _second(layer: Recurrent) -> Recurrent:
    """A layer of the same arguments, drawn anew, where the first one lives."""
    kind, names = type(layer), dict[str, Parameter]()
    for made in (kind.__init__, Recurrent.__init__):
        names |= {n: p for n, p in signature(made).parameters.items() if n != "self"}
    keywords = [n for n, p in names.items() if p.kind is p.KEYWORD_ONLY]
    sizes = [n for n, p in names.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    if sizes != ["input_size", "hidden_size"] or not all(hasattr(layer, n) for n in keywords):
        raise ConfigError(
            f"Bidirectional: {kind.__name__} has arguments of its own; give both layers: "
            f"Bidirectional(ahead, back)"
        )
    options = {n: getattr(layer, n) for n in keywords}
    second = kind(layer.input_size, layer.hidden_size, **options)
    return second.astype(layer.dtype).to(layer.backend)


class StackedRNN(Module):
    """Recurrent layers one upon the other: each but the last hands on all its states.

    layers: Recurrent or Bidirectional; only the last one's return_sequences counts. dropout:
    between layers, in training, of every element (Zaremba et al. 2014, arXiv 1409.2329). A state is
    the tuple of theirs. Built layer by layer, or by `StackedRNN.of`. Raises ConfigError.
    """

    one_row = True

    @checked
    def __init__(
        self,
        *layers: Recurrent | Bidirectional,
        dropout: float = 0.0,
        rng: Generator | None = None,
    ) -> None:
        if not layers:
            raise ConfigError("StackedRNN: needs at least one layer")
        check_rate("StackedRNN", "dropout", dropout)
        self.layers, self.dropout, self.rng = list(layers), dropout, rng

    @classmethod
    def of(
        cls,
        layer: type[Recurrent],
        input_size: int,
        hidden_size: int,
        num_layers: int,
        *,
        bidirectional: str | None = None,
        dropout: float = 0.0,
        **options: Any,
    ) -> StackedRNN:
        """num_layers of one kind and size; bidirectional: None, "concat" or "sum"."""
        check_size("StackedRNN", num_layers=num_layers)
        layers: list[Recurrent | Bidirectional] = []
        for _ in range(num_layers):
            size = input_size if not layers else hidden_size
            size *= 2 if layers and bidirectional == "concat" else 1
            ahead = layer(size, hidden_size, **options)
            if bidirectional is None:
                layers.append(ahead)
            else:
                back = layer(size, hidden_size, **options)
                layers.append(Bidirectional(ahead, back, bidirectional))
        return cls(*layers, dropout=dropout, rng=options.get("rng"))

    def run(self, x: Tensor, state: Any = None, mask: Tensor | None = None) -> tuple[Tensor, Any]:
        """All states of the last layer, and the tuple of last states."""
        x, first, last = self._below(x, state, mask)
        states, end = self.layers[-1].run(x, first, mask)
        return states, (*last, end)

    def forward(self, x: Tensor, mask: Tensor | None = None, state: Any = None) -> Tensor:
        x, first, _ = self._below(x, state, mask)
        top = self.layers[-1]
        if isinstance(top, Bidirectional):
            return top(x, mask, first)
        return top.select(top.run(x, first, mask)[0])

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        sizes = (x_shape[-1], *(layer.hidden_size for layer in self.layers))
        shapes = [(*x_shape[:-1], size) for size in sizes]
        found = [a.multiply_adds(s) for a, s in zip(self.layers, shapes, strict=False)]
        return sum(found)

    def _below(self, x: Tensor, state: Any, mask: Tensor | None) -> tuple[Tensor, Any, list[Any]]:
        """What the last layer gets: its input and first state; and the last states below it."""
        given, last = (None,) * len(self.layers) if state is None else state, []
        for layer, first in zip(self.layers[:-1], given[:-1], strict=True):
            x, end = layer.run(x, first, mask)
            x = ops.dropout(x, self.dropout, self.training, self.rng)
            last.append(end)
        return x, given[-1], last


class RepeatVector(Module):
    """x (N, D) -> (N, T, D), the same vector at each of T steps: one to many. T >= 1."""

    @checked
    def __init__(self, T: int) -> None:
        check_size("RepeatVector", T=T)
        self.T = T

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 2:
            raise ShapeError(f"RepeatVector: x must be (N, D), got {x.shape}")
        return ops.broadcast_to(ops.expand_dims(x, 1), (x.shape[0], self.T, x.shape[1]))

    def arguments(self) -> str:
        return f"{self.T}"


@checked
def truncated_bptt(
    layer: Recurrent | Bidirectional | StackedRNN, x: Tensor, size: int, state: Any = None
) -> Iterator[tuple[Tensor, Any]]:
    """Truncated back-propagation through time: `layer.run` on windows of `size` steps, each from
    the detached last state before it. Yields (states, state); backward needs one window only."""
    check_size("truncated_bptt", size=size)
    if x.ndim != 3:
        raise ShapeError(f"truncated_bptt: x must be (N, T, D), got {x.shape}")
    for start in range(0, x.shape[1], size):
        states, state = layer.run(x[:, start : start + size], detached(state))
        yield states, state
