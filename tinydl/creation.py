"""Tensors from a shape: constants, ranges and random draws.

A shape is an integer or a tuple of integers; where nothing else is given by place, its sizes may be
separate: zeros(2, 3). Everything but shape and value is given by keyword. With `requires_grad` the
new tensor is a leaf that takes a gradient (float types only). Raises ShapeError, DTypeError,
ConfigError, DeviceError.
"""

from __future__ import annotations

from math import prod
from typing import Any, Never

import numpy as np

from .arguments import (
    MOST_BYTES,
    by_keyword,
    finite,
    is_number,
    is_whole,
    number,
    out_of_memory,
    shape_or_numbers,
    sizes,
)
from .arguments import dtype as checked_dtype
from .arguments import probability as _probability
from .arguments import tensor as _tensor
from .backend import Backend, get
from .doors import checked, fitting
from .errors import ConfigError, DTypeError, ShapeError
from .quoting import quoted
from .random import Generator, RowsOf, by_shares, default_generator
from .tensor import FLOAT, INT, Tensor

Shape = int | tuple[int, ...]
Sizes = int | tuple[int, ...]  # one of several, or the whole shape


def _shape(op: str, given: tuple[Any, ...]) -> Any:
    """The shape of f(2, 3) and of f((2, 3))."""
    if len(given) == 1:
        return given[0]
    if not given:
        raise ShapeError(f"{op}: needs sizes: {op}(2, 3); a single number is {op}(())")
    if all(map(is_whole, given)):
        return given
    places = [i for i, value in enumerate(given) if not is_whole(value)]
    first = places[0] or 1  # where what is no size begins
    shape = given[0] if first == 1 else given[:first]
    raise by_keyword(op, given[first:], quoted(shape))


def _leaf(array: Any, home: Backend, requires_grad: bool) -> Tensor:
    made = Tensor._new(array, home)
    if requires_grad is not False:
        made.requires_grad = requires_grad
    return made


@fitting
def tensor(
    data: Any,
    *positional: Never,
    backend: str | Backend | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`Tensor(...)`, in the spelling of everyday use."""
    if positional:
        raise by_keyword("tensor", positional, "data")
    return Tensor(data, backend=backend, dtype=dtype, requires_grad=requires_grad)


def _whole_shape(op: str, given: tuple[Any, ...]) -> ConfigError:
    """What to say to full(2, 3, 1.0) and to full((2, 3), 1.0, "float64")."""
    numbers = next((i for i, v in enumerate(given) if not is_number(v)), len(given))
    if numbers > 2:
        shape, value = quoted(given[: numbers - 1]), quoted(given[numbers - 1])
        return ConfigError(f"{op}: the sizes are one tuple here: {op}({shape}, {value})")
    return by_keyword(op, given[2:], *map(quoted, given[:2]))


def _filled(
    op: str, shape: Shape, value: Any, dtype: Any, backend: Any, requires_grad: bool
) -> Tensor:
    home, kind = get(backend), checked_dtype(op, dtype)
    whole_shape = sizes(op, shape, kind.itemsize)
    filler = number(op, "value", int(value) if value is True or value is False else value)
    if kind.kind in "iu" and not (
        isinstance(filler, int) and np.iinfo(kind).min <= filler <= np.iinfo(kind).max
    ):
        raise DTypeError(f"{op}: {kind} does not hold {quoted(value)}")
    try:
        return _leaf(home.full(whole_shape, filler, kind), home, requires_grad)
    except MemoryError as error:
        raise out_of_memory(op, error) from None


@fitting
def full(
    shape: Shape,
    value: float,
    *positional: Never,
    dtype: Any = FLOAT,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Every element `value`."""
    if positional:
        raise _whole_shape("full", (shape, value, *positional))
    return _filled("full", shape, value, dtype, backend, requires_grad)


@fitting
def zeros(
    *shape: Sizes,
    dtype: Any = FLOAT,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros of the sizes, separate or as one tuple."""
    return _filled("zeros", _shape("zeros", shape), 0, dtype, backend, requires_grad)


@fitting
def ones(
    *shape: Sizes,
    dtype: Any = FLOAT,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones of the sizes, separate or as one tuple."""
    return _filled("ones", _shape("ones", shape), 1, dtype, backend, requires_grad)


@checked
def arange(
    start: float,
    stop: float | None = None,
    step: float = 1,
    *positional: Never,
    dtype: Any = None,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... below stop; with one argument 0 ... start - 1. Integers give
    int64."""
    if positional:
        raise by_keyword("arange", positional, *map(quoted, (start, stop, step)))
    first, end = (0, start) if stop is None else (start, stop)
    for name, value in (("start", first), ("stop", end), ("step", step)):
        finite("arange", name, value)
    if not step:
        raise ConfigError("arange: step must not be 0")
    length = (float(end) - float(first)) / float(step)
    if not length * 8 <= MOST_BYTES:
        raise ShapeError(f"arange: {length:g} elements are larger than any memory")
    kind = None if dtype is None else checked_dtype("arange", dtype)
    if kind is None:
        kind = INT if all(isinstance(v, int) for v in (first, end, step)) else FLOAT
    values = np.arange(first, end, step)
    return Tensor(values, backend=backend, dtype=kind, requires_grad=requires_grad)


def _drawn(
    op: str, kernel: str, shape: Shape, dtype: Any, rng: Any, backend: Any, *rest: Any
) -> tuple[Any, Backend]:
    """(array that the backend's kernel draws, backend)."""
    home, kind = get(backend), checked_dtype(op, dtype)
    if kind.kind != "f" and kernel != "bernoulli":
        raise DTypeError(f"{op}: draws float tensors, not {kind}")
    whole_shape = sizes(op, shape, kind.itemsize)
    if isinstance(rng, RowsOf):
        all_of_them = rng.shared(whole_shape)
        drawn, _ = _drawn(op, kernel, all_of_them or shape, dtype, rng.stream, backend, *rest)
        return drawn if all_of_them is None else rng.own(Tensor._new(drawn, home)).data, home
    key, offset = (default_generator() if rng is None else rng).take(prod(whole_shape), kind)
    arguments = rest + (whole_shape,) if kernel == "bernoulli" else (whole_shape, kind)
    return getattr(home, kernel)(key, offset, *arguments), home


@checked
def uniform(
    shape: Sizes,
    *positional: Never,
    low: float = 0.0,
    high: float = 1.0,
    dtype: Any = FLOAT,
    rng: Generator | None = None,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform on [low, high), drawn on the backend; bitwise equal on all of them."""
    if positional:
        raise shape_or_numbers("uniform", (shape, *positional), ("low", "high"))
    array, home = _drawn("uniform", "uniform", shape, dtype, rng, backend)
    if (low, high) != (0.0, 1.0):
        array = (Tensor._new(array, home) * float(high - low) + float(low)).data
    return _leaf(array, home, requires_grad)


@checked
def normal(
    shape: Sizes,
    *positional: Never,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: Any = FLOAT,
    rng: Generator | None = None,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal with this mean and standard deviation; backends agree to 1e-6 (float32)."""
    if positional:
        raise shape_or_numbers("normal", (shape, *positional), ("mean", "std"))
    array, home = _drawn("normal", "normal", shape, dtype, rng, backend)
    if (mean, std) != (0.0, 1.0):
        array = (Tensor._new(array, home) * float(std) + float(mean)).data
    return _leaf(array, home, requires_grad)


@checked
def bernoulli(
    shape: Sizes,
    probability: float,
    *positional: Never,
    rng: Generator | None = None,
    backend: str | Backend | None = None,
) -> Tensor:
    """bool, True with `probability`; bitwise equal on all backends. ConfigError unless 0 <=
    probability <= 1."""
    if positional:
        raise _whole_shape("bernoulli", (shape, probability, *positional))
    chance = _probability("bernoulli", "probability", probability)
    array, home = _drawn("bernoulli", "bernoulli", shape, FLOAT, rng, backend, chance)
    return Tensor._new(array, home)


@checked
def multinomial(
    probabilities: Tensor,
    num_samples: int = 1,
    *,
    replacement: bool = False,
    rng: Generator | None = None,
) -> Tensor:
    """Classes drawn by their probabilities: (N, C) or (C,) -> int64 (N, num_samples) or
    (num_samples,), on the host.

    Each row counts by its sum, so weights will do; a class of probability 0 is never drawn. Several
    samples are independent draws, which `replacement=True` says. Raises ShapeError for another
    rank, DTypeError for anything but a tensor, ConfigError unless 0 <= p and 0 < sum < inf.
    """
    p = np.asarray(_tensor("multinomial", "probabilities", probabilities).numpy(), np.float64)
    if p.ndim not in (1, 2) or not p.shape[-1]:
        raise ShapeError(f"multinomial: probabilities must be (C,) or (N, C), got {p.shape}")
    if num_samples < 1 or (num_samples > 1 and not replacement):
        raise ConfigError(
            f"multinomial: num_samples must be 1, or more with replacement=True, got {num_samples}"
        )
    edges = np.cumsum(p, axis=-1)
    if not (p >= 0).all() or not ((edges[..., -1] > 0) & (edges[..., -1] < np.inf)).all():
        raise ConfigError("multinomial: probabilities must be >= 0 with a finite sum above 0")
    chances = (default_generator() if rng is None else rng).uniform(
        (*p.shape[:-1], num_samples), dtype=np.float64
    )
    return Tensor(by_shares(edges, chances), dtype=INT, backend=probabilities.backend)


def zeros_like(
    x: Tensor,
    *,
    dtype: Any = None,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros of x's shape, of its dtype and on its backend unless others are given."""
    return _like("zeros_like", x, 0, dtype, backend, requires_grad)


def ones_like(
    x: Tensor,
    *,
    dtype: Any = None,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones of x's shape, of its dtype and on its backend unless others are given."""
    return _like("ones_like", x, 1, dtype, backend, requires_grad)


def _like(op: str, x: Tensor, value: int, dtype: Any, backend: Any, requires_grad: bool) -> Tensor:
    _tensor(op, "x", x)
    kind, home = x.dtype if dtype is None else dtype, x.backend if backend is None else backend
    return _filled(op, x.shape, value, kind, home, requires_grad)


@checked
def eye(
    rows: int,
    columns: int | None = None,
    *,
    dtype: Any = FLOAT,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the main diagonal of rows x columns zeros (None: a square)."""
    kind = checked_dtype("eye", dtype)
    shape = sizes("eye", (rows, rows if columns is None else columns), kind.itemsize)
    return Tensor(np.eye(*shape, dtype=kind), backend=backend, requires_grad=requires_grad)


@checked
def linspace(
    start: float,
    stop: float,
    num: int,
    *,
    dtype: Any = FLOAT,
    backend: str | Backend | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`num` numbers at equal distances from start to stop, both included: start + i (stop - start)
    / (num - 1), computed in float64."""
    kind = checked_dtype("linspace", dtype)
    if kind.kind != "f":
        raise DTypeError(f"linspace: makes float tensors, not {kind}")
    for name, value in (("start", start), ("stop", stop)):
        finite("linspace", name, value)
    (count,) = sizes("linspace", (num,), 8)
    values = np.linspace(start, stop, count).astype(kind)
    return Tensor(values, backend=backend, requires_grad=requires_grad)
