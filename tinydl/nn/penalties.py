"""Penalties on weights, biases and activities: callables, tensor -> number added to the loss.

As in Keras and in the books, L2 has no factor 1/2: L2(s) acts like an optimiser's weight_decay = 2
s under SGD.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .. import ops
from ..doors import checked, checked_fields
from ..errors import ConfigError
from ..quoting import quoted
from ..recompute import in_segment
from ..tensor import Tensor

Penalty = Callable[[Tensor], Tensor]


def _check(name: str, *strengths: float) -> None:
    for strength in strengths:
        if not 0 <= strength < float("inf"):
            raise ConfigError(f"{name}: strength must be finite and >= 0, got {strength!r}")


@checked_fields
@dataclass(frozen=True, slots=True)
class L1:
    """strength * sum |w| (lasso); the gradient at 0 is 0. ConfigError for a negative strength."""

    strength: float

    def __post_init__(self) -> None:
        _check("L1", self.strength)

    @checked
    def __call__(self, w: Tensor) -> Tensor:
        return ops.sum(ops.abs(w)) * float(self.strength)


@checked_fields
@dataclass(frozen=True, slots=True)
class L2:
    """strength * sum w^2 (ridge); the gradient is 2 strength w. ConfigError if it is negative."""

    strength: float

    def __post_init__(self) -> None:
        _check("L2", self.strength)

    @checked
    def __call__(self, w: Tensor) -> Tensor:
        return ops.sum(w * w) * float(self.strength)


@checked_fields
@dataclass(frozen=True, slots=True)
class L1L2:
    """l1 * sum |w| + l2 * sum w^2 (elastic net). ConfigError for a negative strength."""

    l1: float
    l2: float

    def __post_init__(self) -> None:
        _check("L1L2", self.l1, self.l2)

    @checked
    def __call__(self, w: Tensor) -> Tensor:
        return ops.sum(ops.abs(w)) * float(self.l1) + ops.sum(w * w) * float(self.l2)


def penalized(penalty: Penalty, w: Tensor) -> Tensor:
    """penalty(w); ConfigError where that is not one number in a tensor."""
    value = penalty(w)
    if isinstance(value, Tensor) and value.size == 1:
        return value
    raise ConfigError(
        f"penalty: a penalty gives one number as a tensor, {quoted(penalty)} gave {quoted(value)}"
    )


def activity(penalty: Penalty, y: Tensor) -> Tensor:
    """penalty(y) / N for a layer's output y (N, ...), like Keras: the batch size drops out.

    ConfigError inside `tinydl.recompute`: the number would keep the segment's graph alive.
    """
    if in_segment():
        raise ConfigError(
            "activity_penalty: a layer with one cannot be inside recompute; add the penalty of the "
            "segment's output to the loss instead"
        )
    return penalized(penalty, y) / float(max(y.shape[0], 1))
