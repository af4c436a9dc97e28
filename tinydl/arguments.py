"""What a function may be given: one helper per question, asked at every door of the library.

"Is it a whole number, a size, a number, a flag, an array of numbers, a tensor?" NumPy's numbers
count as Python's, a bool is neither a size nor an axis, a float is no integer, text is no array.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, prod
from numbers import Integral, Real
from operator import index
from typing import Any, ParamSpec, TypeVar

import numpy as np

from .errors import ConfigError, DTypeError, OutOfMemoryError, ShapeError, TinydlError
from .quoting import quoted

P = ParamSpec("P")
R = TypeVar("R")
Rule = Callable[[str, str, Any], Any]

#: What one array may hold: the bytes that a processor can address, and the axes of the kernels.
MOST_BYTES = 1 << 47
MOST_AXES = 16
#: Whole numbers beyond this reach neither NumPy nor C.
MOST = (1 << 63) - 1
DTYPES = tuple(np.dtype(t) for t in ("float32", "float64", "int32", "int64", "bool", "uint8"))


# -- numbers ---------------------------------------------------------------------------------------


def is_whole(value: Any) -> bool:
    """Whether value is an integer, Python's or NumPy's, and no bool."""
    if type(value) is int:
        return True
    if isinstance(value, bool | np.bool_):
        return False
    array = isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iu"
    return array or isinstance(value, Integral)


def whole(
    op: str,
    name: str,
    value: Any,
    least: int = -MOST - 1,
    most: int = MOST,
    error: type[TinydlError] = ConfigError,
) -> int:
    """value as a Python int with least <= value <= most; `error` for anything else."""
    if is_whole(value) and least <= (number := index(value)) <= most:
        return number
    bounds = "" if least < -MOST else f" >= {least}"
    if most != MOST:
        bounds = f" <= {most}" if least < -MOST else f" in {least} ... {most}"
    raise error(f"{op}: {name} must be an integer{bounds}, got {quoted(value)}")


def is_number(value: Any) -> bool:
    """Whether value is a number, Python's or NumPy's, and no bool; NaN and infinities are."""
    try:
        number("", "", value)
    except ConfigError:
        return False
    return True


def number(op: str, name: str, value: Any) -> float:
    """value as a Python number; ConfigError for what is none, for a bool and for 10**400."""
    if type(value) is float:
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf":
        value = value[()]
    if isinstance(value, Real) and not isinstance(value, bool | np.bool_):
        try:
            as_float = float(value)
        except (OverflowError, ValueError):
            as_float = None
        if as_float is not None:
            return index(value) if is_whole(value) else as_float  # type: ignore[arg-type]
    raise ConfigError(f"{op}: {name} must be a number, got {quoted(value)}")


def between(
    op: str, name: str, value: Any, low: float, high: float, *, open_end: bool = False
) -> float:
    """A number low <= value <= high, with `open_end` below high; ConfigError else, NaN included."""
    found = number(op, name, value)
    if low <= found < high or (found == high and not open_end):
        return found
    end = ")" if open_end else "]"
    raise ConfigError(f"{op}: {name} must be in [{low:g}, {high:g}{end}, got {quoted(value)}")


def finite(op: str, name: str, value: Any) -> float:
    """A number that is neither infinite nor NaN; ConfigError else."""
    found = number(op, name, value)
    if isfinite(found):
        return found
    raise ConfigError(f"{op}: {name} must be a finite number, got {quoted(value)}")


def probability(op: str, name: str, value: Any) -> float:
    """A number in [0, 1]; ConfigError else."""
    return between(op, name, value, 0, 1)


def flag(op: str, name: str, value: Any) -> bool:
    """True or False, also as 0, 1 or NumPy's; ConfigError else."""
    if value is True or value is False:
        return value
    if isinstance(value, np.bool_) or (is_whole(value) and index(value) in (0, 1)):
        return bool(value)
    raise ConfigError(f"{op}: {name} must be True or False, got {quoted(value)}")


def text(op: str, name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ConfigError(f"{op}: {name} must be a string, got {quoted(value)}")


# -- shapes and types ------------------------------------------------------------------------------


def texts(op: str, name: str, value: Any) -> tuple[str, ...]:
    """A tuple or list of strings, as a tuple. ConfigError for anything else."""
    if not isinstance(value, tuple | list):
        raise ConfigError(f"{op}: {name} must be texts, got {quoted(value)}")
    return tuple([text(op, f"{name}[{k}]", v) for k, v in enumerate(value)])


def sizes(op: str, shape: Any, itemsize: int = 1) -> tuple[int, ...]:
    """A shape, an integer or a sequence of integers >= 0, of an array that can be addressed."""
    if type(shape) is tuple and len(shape) <= MOST_AXES:
        total = itemsize
        for n in shape:
            if type(n) is not int or n < 0:
                break
            total *= n or 1
        else:
            if total <= MOST_BYTES:
                return shape
    given = (shape,) if is_whole(shape) else shape
    if (
        hasattr(type(given), "__len__")
        and getattr(given, "ndim", 1) != 0
        and len(given) > MOST_AXES
    ):
        raise ShapeError(f"{op}: an array has at most {MOST_AXES} axes, not {len(given)}")
    try:
        found = tuple([index(n) for n in given if is_whole(n) or _no_size(n)])
    except TypeError:
        raise ShapeError(
            f"{op}: a shape is an integer or a tuple of integers, got {quoted(shape)}"
        ) from None
    if min(found, default=0) < 0:
        raise ShapeError(f"{op}: sizes must be >= 0, got {found}")
    return addressable(op, found, itemsize)


def _no_size(value: Any) -> bool:
    raise TypeError(f"{value!r} is no size")


def addressable(op: str, shape: tuple[int, ...], itemsize: int = 1) -> tuple[int, ...]:
    """The shape itself; ShapeError beyond MOST_AXES axes or MOST_BYTES bytes."""
    if len(shape) > MOST_AXES:
        raise ShapeError(f"{op}: an array has at most {MOST_AXES} axes, not {len(shape)}")
    if prod([n for n in shape if n]) * itemsize > MOST_BYTES:
        raise ShapeError(f"{op}: an array of shape {quoted(shape)} is larger than any memory")
    return shape


def dtype(op: str, value: Any) -> np.dtype:
    """One of tinydl's element types; DTypeError else."""
    try:
        found = np.dtype(value)
    except Exception:  # np.dtype evaluates strings and asks foreign objects
        found = None
    if found is not None and found in DTYPES and value is not None:
        return found
    names = ", ".join(str(t) for t in DTYPES)
    raise DTypeError(
        f"{op}: no dtype {quoted(value)} (there are {names}; float16 and bfloat16 not yet)"
    )


# -- arrays and tensors ----------------------------------------------------------------------------


def is_tensor(value: Any) -> bool:
    return hasattr(type(value), "_new")


def rank(op: str, x: Any) -> int:
    """The number of axes of a tensor; DTypeError for what is none."""
    if hasattr(type(x), "_new"):  # is_tensor
        return len(x.data.shape)
    raise DTypeError(f"{op}: x must be a tensor, got {quoted(x)}{made_of(x)}")


def tensor(op: str, name: str, value: Any) -> Any:
    """value itself if it is a tensor; DTypeError else."""
    if is_tensor(value):
        return value
    hint = made_of(value)
    if name == "parameter" and isinstance(value, np.ndarray):
        hint = "; give the weight itself, not its .data"
    raise DTypeError(f"{op}: {name} must be a tensor, got {quoted(value)}{hint}")


def made_of(*values: Any) -> str:
    """How a tensor is made of the first array or list among the values, or ""."""
    for value in values:
        if isinstance(value, np.ndarray | list):
            floats = not isinstance(value, np.ndarray) or value.dtype.kind == "f"
            return "; td.tensor(x" + ", dtype='float32'" * floats + ") makes one of it"
    return ""


def array(op: str, name: str, value: Any, kinds: str = "biuf") -> np.ndarray:
    """value as an ndarray of numbers (a list, a tensor, anything NumPy reads); DTypeError else."""
    try:
        found = np.asarray(value)
    except TinydlError:
        raise
    except Exception:  # rows of different length, foreign objects that answer NumPy with anything
        raise DTypeError(f"{op}: {name} must be an array, got {quoted(value)}") from None
    if found.dtype.kind not in kinds and found.size:
        raise DTypeError(f"{op}: {name} must be an array of numbers, got {quoted(value)}")
    return found.astype(np.float64) if found.dtype.kind not in kinds else found


def axes(op: str, name: str, value: np.ndarray, least: int = 1) -> np.ndarray:
    """The array itself; ShapeError below `least` axes."""
    if value.ndim >= least:
        return value
    raise ShapeError(f"{op}: {name} must have {least} axes or more, got shape {value.shape}")


def integers(op: str, name: str, value: Any) -> np.ndarray:
    """An array of integers, int64 where it was bool, uint64 or empty; DTypeError for others."""
    found = array(op, name, value)
    if found.dtype.kind == "f" and found.size:
        raise DTypeError(f"{op}: {name} must be integers, got {found.dtype} {found.shape}")
    return found if found.dtype.kind == "i" else labels(op, name, found)


def labels(op: str, name: str, value: Any) -> np.ndarray:
    """Classes as an int64 array: every integer type, bool and uint64 too. DTypeError for others,
    ShapeError for what int64 does not hold."""
    found = array(op, name, value)
    if found.dtype.kind == "f" and found.size:
        raise DTypeError(f"{op}: {name} must be integers, got {found.dtype} {found.shape}")
    if found.dtype.kind == "u" and found.size and found.max() > MOST:
        raise ShapeError(f"{op}: {name} reach {found.max()}, beyond int64")
    return found.astype(np.int64)


# -- by keyword ------------------------------------------------------------------------------------


def by_keyword(
    op: str, given: tuple[Any, ...], *kept: str, numbers: tuple[str, ...] = ()
) -> ConfigError:
    """The error for arguments given by place that are given by keyword: which keyword each is, as
    its kind says. `kept`: what stays in its place; `numbers`: the keywords of numbers, in order."""
    said, names = [], list(numbers)
    for value in given:
        if isinstance(value, bool):
            said.append(f"requires_grad={value}")
        elif is_number(value) and names:
            said.append(f"{names.pop(0)}={quoted(value)}")
        elif is_number(value):
            kept = (*kept, quoted(value))
        elif value is not None:
            said.append(_type_or_backend(value))
    return ConfigError(
        f"{op}: takes {', '.join(s.partition('=')[0] for s in said) or 'what follows'} by keyword: "
        f"{op}({', '.join([*kept, *said])})"
    )


def shape_or_numbers(op: str, given: tuple[Any, ...], names: tuple[str, str]) -> ConfigError:
    """The error for normal(0, 1), which NumPy reads as numbers and PyTorch as sizes, and for
    normal((2, 3), 0, 1)."""
    shapes = [v for v in given if isinstance(v, tuple | list)]
    all_whole = all(map(is_whole, given))
    if shapes or (len(given) > len(names) and not all_whole):
        shape = shapes[0] if shapes else given[0]
        return by_keyword(
            op, tuple([v for v in given if v is not shape]), quoted(shape), numbers=names
        )
    typed = ", ".join(map(quoted, given))
    numbers = ", ".join(f"{name}={quoted(v)}" for name, v in zip(names, given, strict=False))
    size = quoted(given[2]) if len(given) > len(names) else "()"
    sizes = f"; an array of these sizes is {op}(({typed}))" if all_whole else ""
    return ConfigError(
        f"{op}: {' and '.join(names)} or sizes? NumPy's {op}({typed}) is "
        f"{op}({size}, {numbers}){sizes}"
    )


def _type_or_backend(value: Any) -> str:
    if hasattr(type(value), "spawn"):
        return "rng=rng"
    try:
        return f"dtype={str(dtype('', value))!r}"
    except DTypeError:
        return f"backend={quoted(value)}"


# -- errors ----------------------------------------------------------------------------------------


def named(op: str, error: TinydlError) -> TinydlError:
    """The error, its message beginning with the function that was called."""
    message = str(error)
    if error.args and not message.startswith(op):
        error.args = (f"{op}: {message}", *error.args[1:])
    return error


def too_large(error: BaseException) -> bool:
    """Whether the error says that there is no room: memory's own, or NumPy's about a size that
    cannot be addressed, which is a ValueError of these words."""
    words = ("array is too big", "Maximum allowed", "array is too large")
    return isinstance(error, MemoryError) or str(error).startswith(words)


def out_of_memory(op: str, error: BaseException) -> OutOfMemoryError:
    """The sentence for a MemoryError, NumPy's own words where there are some."""
    what = str(error)
    return OutOfMemoryError(f"{op}: not enough memory{f' ({what})' if what else ''}")
