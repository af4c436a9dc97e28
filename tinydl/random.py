"""Random numbers for the host: one counter-based Philox stream per generator (see
backend/reference/random.py).

A generator is two integers, so its state is saved exactly and its draws are equal on every machine.
Devices draw from the same stream: `take` hands a kernel its place in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from math import prod
from typing import Any, Never

import numpy as np

from .arguments import MOST_BYTES, shape_or_numbers, sizes, whole
from .arguments import dtype as checked_dtype
from .backend.reference.random import Random, blocks_needed, philox
from .blocks import block
from .doors import checked
from .errors import ConfigError, DTypeError, ShapeError
from .habits import install

_kernels = Random()


class Generator:
    """A stream of random numbers, a pure function of `seed` (0 <= seed < 2^64) and of how much was
    drawn."""

    __slots__ = ("key", "offset")

    def __init__(self, seed: int = 0) -> None:
        self.key, self.offset = whole("Generator", "seed", seed, 0, 2**64 - 1), 0

    def __repr__(self) -> str:
        return f"Generator(seed={self.key}, drawn={self.offset} blocks)"

    def take(self, elements: int, dtype: np.dtype | type = np.float32) -> tuple[int, int]:
        """(key, offset) for a kernel that draws `elements` values; the stream moves past them."""
        if type(elements) is not int or not 0 <= elements <= MOST_BYTES:
            elements = _count("take", elements)
        blocks = blocks_needed(elements, checked_dtype("Generator.take", dtype))
        _note(self)
        offset = self.offset
        self.offset += blocks
        return self.key, offset

    @checked
    def words(self, count: int) -> np.ndarray:
        """The next uint64 values, for splitting and shuffling."""
        _note(self)
        count = _count("words", count)
        blocks = -(-count // 2)
        key, offset = self.key, self.offset
        self.offset += blocks
        return philox(key, offset, blocks).view(np.uint64).ravel()[:count]

    @checked
    def uniform(
        self, shape=(), *positional: Never, low: float = 0.0, high: float = 1.0, dtype=np.float32
    ):
        """Uniform on [low, high) as a host array."""
        if positional:
            raise shape_or_numbers("Generator.uniform", (shape, *positional), ("low", "high"))
        shape, dtype = _drawn("uniform", shape, dtype)
        _spend(prod(shape))
        key, offset = self.take(prod(shape), dtype)
        unit = _kernels.uniform(key, offset, shape, np.dtype(dtype))
        return (unit * (high - low) + low).astype(dtype)

    @checked
    def normal(
        self, shape=(), *positional: Never, mean: float = 0.0, std: float = 1.0, dtype=np.float32
    ):
        """Normal with this mean and standard deviation as a host array."""
        if positional:
            raise shape_or_numbers("Generator.normal", (shape, *positional), ("mean", "std"))
        shape, dtype = _drawn("normal", shape, dtype)
        _spend(prod(shape))
        key, offset = self.take(prod(shape), dtype)
        return (_kernels.normal(key, offset, shape, np.dtype(dtype)) * std + mean).astype(dtype)

    @checked
    def integers(self, low: int, high: int, shape=()) -> np.ndarray:
        """int64 values low <= i < high (the bias of the modulo is below (high - low) / 2^64)."""
        if high <= low:
            raise ConfigError(f"Generator.integers: needs low < high, got {low} and {high}")
        shape = sizes("Generator.integers", shape, 8)
        words = self.words(prod(shape)) % np.uint64(high - low)
        return (words.astype(np.int64) + low).reshape(shape)

    @checked
    def permutation(self, n: int) -> np.ndarray:
        """0 ... n-1 in random order: the order of n random 64-bit keys."""
        return np.argsort(self.words(n), kind="stable")

    def spawn(self) -> Generator:
        """An independent generator whose seed is drawn from this one."""
        return Generator(int(self.words(1)[0]))

    def state_dict(self) -> dict[str, int]:
        return {"key": self.key, "offset": self.offset}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.key, self.offset = int(state["key"]), int(state["offset"])


install(Generator, "rng")


class RowsOf(Generator):
    """One process's rows of what a stream draws for all: whatever is asked for `rows` of them is
    drawn for `whole` rows, of which those from `first` on are given. The stream moves as if one
    process had drawn it all. What is drawn in place (dropout) comes from a stream of this process's
    own, number `rank` of `ranks` that split off there; anything else is the same everywhere.
    """

    __slots__ = ("first", "rank", "ranks", "rows", "stream", "whole")

    def __init__(
        self, stream: Generator, first: int, rows: int, whole: int, rank: int, ranks: int
    ) -> None:
        self.stream, self.first, self.rows, self.whole = stream, first, rows, whole
        self.rank, self.ranks = rank, ranks

    def shared(self, shape: Any) -> tuple[int, ...] | None:
        """The shape of all rows together; None for what is no batch of rows."""
        found = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
        return (self.whole, *found[1:]) if found and found[0] == self.rows else None

    def own(self, drawn: Any) -> Any:
        """This process's rows of the array, or tensor."""
        return drawn[self.first : self.first + self.rows]

    def take(self, elements: int, dtype: np.dtype | type = np.float32) -> tuple[int, int]:
        return int(self.stream.words(self.ranks)[self.rank]), 0

    def words(self, count: int) -> np.ndarray:
        return self.stream.words(count)

    def uniform(self, shape: Any = (), *positional: Never, **how: Any) -> Any:
        return self._cut(shape, lambda found: self.stream.uniform(found, **how))

    def normal(self, shape: Any = (), *positional: Never, **how: Any) -> Any:
        return self._cut(shape, lambda found: self.stream.normal(found, **how))

    def integers(self, low: int, high: int, shape: Any = ()) -> np.ndarray:
        return self._cut(shape, lambda found: self.stream.integers(low, high, found))

    def _cut(self, shape: Any, draw: Callable[[Any], Any]) -> Any:
        found = self.shared(shape)
        if found is None:
            return draw(shape)
        _spend(self.rows * prod(found[1:]))
        token = _left.set(None)  # the other processes' rows are theirs to answer for
        try:
            return self.own(draw(found))
        finally:
            _left.reset(token)

    def state_dict(self) -> dict[str, int]:
        return self.stream.state_dict()


def _count(method: str, value: int) -> int:
    """How many numbers are to be drawn."""
    return whole(f"Generator.{method}", "the number of draws", value, 0, MOST_BYTES, ShapeError)


def _drawn(method: str, shape: Any, dtype: Any) -> tuple[tuple[int, ...], np.dtype]:
    kind = checked_dtype(f"Generator.{method}", dtype)
    if kind.kind != "f":
        raise DTypeError(f"Generator.{method}: draws floats, not {kind}")
    return sizes(f"Generator.{method}", shape, kind.itemsize), kind


def by_shares(sums: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """The classes that chances (..., n), uniform on [0, 1), fall on: int64 (..., n); of one row
    of shares chances of any shape.

    sums (..., C): the running sums of what counts for each class, `np.cumsum(weights, axis=-1)`,
    the last one above 0. Class k is found with probability weight_k / sum, never one of weight 0.
    In float64, in which a chance below 1 times the sum stays below it.
    """
    sums, chances = np.asarray(sums, np.float64), np.asarray(chances, np.float64)
    if sums.ndim == 1:
        return np.searchsorted(sums, chances * sums[-1], side="right")
    marks = chances * sums[..., -1:]
    return (sums[..., None, :] <= marks[..., None]).sum(axis=-1)


_current: ContextVar[Generator | None] = ContextVar("tinydl_generator", default=None)


def seed(value: int) -> Generator:
    """Start the default generator of this thread or context anew and return it."""
    generator = Generator(value)
    _current.set(generator)
    return generator


def default_generator() -> Generator:
    """The generator used where no `rng=` is given; a new thread starts with its own, seeded 0."""
    generator = _current.get()
    return seed(0) if generator is None else generator


# -- drawing the same again ------------------------------------------------------------------------

_noting: ContextVar[dict[Generator, int] | None] = ContextVar("tinydl_noting", default=None)


def _note(generator: Generator) -> None:
    places = _noting.get()
    if places is not None:
        places.setdefault(generator, generator.offset)


@block
def noting_draws() -> Iterator[dict[Generator, int]]:
    """`with noting_draws() as places:` where each generator stood that draws inside."""
    places: dict[Generator, int] = {}
    token = _noting.set(places)
    try:
        yield places
    finally:
        _noting.reset(token)
        outer = _noting.get()
        for generator, offset in places.items() if outer is not None else ():
            outer.setdefault(generator, offset)  # type: ignore[union-attr]


@block
def drawing_again(places: Mapping[Generator, int]) -> Iterator[None]:
    """The same generators draw the same numbers inside; afterwards they stand where they stood."""
    stood = {generator: generator.offset for generator in places}
    try:
        for generator, offset in places.items():
            generator.offset = offset
        yield
    finally:
        for generator, offset in stood.items():
            generator.offset = offset


# -- a bound on what is drawn ----------------------------------------------------------------------

_left: ContextVar[int | None] = ContextVar("tinydl_left", default=None)


def _spend(count: int) -> None:
    left = _left.get()
    if left is not None:
        if count > left:
            raise ConfigError(f"Generator: {count:,} numbers are wanted, {left:,} may be drawn")
        _left.set(left - count)


@block
def drawing_at_most(count: int) -> Iterator[None]:
    """`with drawing_at_most(n):` what draws more numbers for the host inside gets a ConfigError,
    before the memory is taken: a network whose sizes come from a file is built within its size."""
    token = _left.set(count)
    try:
        yield
    finally:
        _left.reset(token)


@block
def drawing_nothing() -> Iterator[None]:
    """Afterwards every generator that drew inside stands where it stood, and `seed` inside has not
    happened."""
    token = _current.set(default_generator())
    try:
        with noting_draws() as places:
            yield
    finally:
        _current.reset(token)
        for generator, offset in places.items():
            generator.offset = offset
