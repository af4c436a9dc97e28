"""What an observation and an action may be: a number of n, or an array between bounds."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..arguments import array, is_whole, sizes, whole
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..quoting import quoted
from ..random import Generator


@dataclass(frozen=True, slots=True)
class Discrete:
    """The integers 0 ... n - 1, n >= 1; ConfigError otherwise."""

    n: int

    def __post_init__(self) -> None:
        whole("Discrete", "n", self.n, 1)

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    def contains(self, value: Any) -> bool:
        """Whether it is one of them: an integer, of Python or NumPy."""
        return is_whole(value) and 0 <= int(value) < self.n


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """Arrays of a shape whose entries lie in low ... high, numbers or arrays of that shape.

    ShapeError for bounds of another shape, DTypeError for what is no number.
    """

    low: Any
    high: Any
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        shape = sizes("Box", self.shape)
        object.__setattr__(self, "shape", shape)
        for name in ("low", "high"):
            bound = array("Box", name, getattr(self, name))
            if bound.shape not in ((), shape):
                raise ShapeError(f"Box: {name} must be a number or of shape {shape}, "
                                 f"got {bound.shape}")  # fmt: skip

    def contains(self, value: Any) -> bool:
        """Whether it has the shape, and every entry is between the bounds; NaN is not."""
        try:
            found = array("Box.contains", "value", value)
        except TypeError:
            return False
        if found.shape != self.shape or found.dtype.kind not in "biuf":
            return False
        return bool(np.all((found >= self.low) & (found <= self.high)))


def _kind(space: Any) -> int | tuple[int, ...]:
    """n of a space of numbers, else the shape of one of arrays, gymnasium's too; ConfigError for
    others."""
    if is_whole(getattr(space, "n", None)) and space.n >= 1:
        return int(space.n)
    shape = getattr(space, "shape", None)
    if isinstance(shape, tuple) and shape and hasattr(space, "low"):
        return shape
    raise ConfigError(
        f"environments: a space is Discrete(n) or a Box of at least one axis, got "
        f"{type(space).__name__}"
    )


def width(space: Any) -> int:
    """How many numbers a network gets of an observation: n of `Discrete`, the size of a `Box`.

    Spaces of gymnasium with `n`, or with `shape` and `low`, are taken too; ConfigError for others.
    """
    kind = _kind(space)
    return kind if isinstance(kind, int) else prod(kind)


def features(space: Any, observation: Any) -> np.ndarray:
    """An observation as (width,) float64: an integer as its row of the identity, an array flat.

    ConfigError for an integer that is none of the space's, ShapeError for another size.
    """
    kind = _kind(space)
    if isinstance(kind, int):
        if not is_whole(observation) or not 0 <= int(observation) < kind:
            raise ConfigError(f"features: an observation is one of {kind} numbers, got "
                              f"{quoted(observation)}")  # fmt: skip
        row = sizes("features", (kind,), 8)
        found = np.zeros(row)
        found[int(observation)] = 1.0
        return found
    found = array("features", "observation", observation)
    if found.size != prod(kind):
        raise ShapeError(f"features: an observation has shape {kind}, got {found.shape}")
    return found.astype(np.float64).reshape(-1)


@checked
def drawn(space: Any, rng: Generator) -> Any:
    """An action by even chance: of n, or between the bounds of a `Box`; ConfigError where these are
    infinite."""
    kind = _kind(space)
    if isinstance(kind, int):
        return int(rng.integers(0, kind))
    low, high = (np.asarray(bound, np.float64) for bound in (space.low, space.high))
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ConfigError("drawn: the space has no bounds to draw between")
    return low + rng.uniform(kind, dtype=np.float64) * (high - low)
