"""Sequences cut into training examples, and numbers as one-hot rows or bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..arguments import axes, integers, is_whole, whole
from ..arguments import dtype as checked_dtype
from ..doors import checked, sequence
from ..errors import ConfigError, IndexRangeError, ShapeError
from ..quoting import quoted

Pair = tuple[np.ndarray, np.ndarray]


@checked
def windows(
    series: np.ndarray,
    length: int,
    *,
    step: int = 1,
    sampling_rate: int = 1,
    offset: int = 1,
    target_columns: int | Sequence[int] | None = None,
    target: str = "next",
) -> Pair:
    """Every `step`-th stretch of `length` values and what follows it: x (M, length, ...), y.

    series (N, ...); the values of a window are `sampling_rate` apart. target "next": y (M, ...),
    the value `offset` after the window's last (many-to-one); "shifted": y (M, length, ...), the
    window moved by `offset` (many-to-many). target_columns: only these columns of series (N, D) are
    to be told: a list of them, y (..., K), or one, y without that axis. M = 1 + floor((N - 1 -
    (length - 1) sampling_rate - offset) / step). Both are fresh arrays. ConfigError if there is no
    window or no such column.

    >>> x, y = windows(np.arange(5), 3)
    >>> x.tolist(), y.tolist()
    ([[0, 1, 2], [1, 2, 3]], [3, 4])
    >>> x, y = windows(np.arange(20).reshape(10, 2), 2, sampling_rate=3, offset=4, target_columns=1)
    >>> x.tolist(), y.tolist()
    ([[[0, 1], [6, 7]], [[2, 3], [8, 9]], [[4, 5], [10, 11]]], [15, 17, 19])
    """
    axes("windows", "series", series)
    reach = (length - 1) * sampling_rate + offset  # from a window's first value to its target
    if min(length, step, sampling_rate, offset) < 1 or len(series) <= reach:
        raise ConfigError(
            "windows: needs length, step, sampling_rate and offset >= 1 and more than (length - 1) "
            f"sampling_rate + offset values, got {length}, {step}, {sampling_rate}, {offset} and "
            f"{len(series)} values"
        )
    if target not in ("next", "shifted"):
        raise ConfigError(f"windows: target must be 'next' or 'shifted', got {quoted(target)}")
    told = series if target_columns is None else _columns(series, target_columns)
    starts = np.arange(0, len(series) - reach, step)
    places = starts[:, None] + np.arange(length) * sampling_rate
    return series[places], told[starts + reach if target == "next" else places + offset]


def _columns(series: np.ndarray, chosen: int | Sequence[int]) -> np.ndarray:
    """These columns of series (N, D, ...), or one of them without its axis."""
    if series.ndim < 2:
        raise ConfigError(
            f"windows: target_columns are of a series (N, D) with columns, got shape {series.shape}"
        )
    D = series.shape[1]
    if is_whole(chosen):
        return series[:, whole("windows", "target_columns", chosen, -D, D - 1)]
    columns = [
        whole("windows", "target_columns", column, -D, D - 1)
        for column in sequence("windows", "target_columns", chosen)
    ]
    return series[:, columns]


@checked
def stateful_batches(series: np.ndarray, batch_size: int, length: int) -> Iterator[Pair]:
    """(x, y) of shape (batch_size, length, ...), y moved by one, for truncated back-propagation.

    series (N, ...) is cut into `batch_size` equal stretches which are read side by side: row b of
    one batch goes on in row b of the next, so a state can be carried over. What does not fill a
    whole batch at the end of each stretch is left out.
    """
    axes("stateful_batches", "series", series)
    per_row = (len(series) - 1) // batch_size if batch_size >= 1 else 0
    if length < 1 or per_row < length:
        raise ConfigError(
            f"stateful_batches: {len(series)} values are too few for {batch_size} rows of {length}"
        )
    starts = np.arange(batch_size)[:, None] * per_row
    for first in range(0, per_row - length + 1, length):
        places = starts + np.arange(first, first + length)
        yield series[places], series[places + 1]


@checked
def one_hot(indices: np.ndarray, classes: int, dtype: Any = np.float32) -> np.ndarray:
    """(..., classes) with a 1 at each index, else 0; IndexRangeError outside 0 ... classes - 1."""
    indices = integers("one_hot", "indices", indices)
    dtype = checked_dtype("one_hot", dtype)
    if classes < 0:
        raise ConfigError(f"one_hot: classes must be >= 0, got {classes}")
    if indices.size and not 0 <= indices.min() <= indices.max() < classes:
        raise IndexRangeError(
            f"one_hot: indices {indices.min()} ... {indices.max()} do not fit {classes} classes"
        )
    return (indices[..., None] == np.arange(classes)).astype(dtype)


@checked
def to_bits(values: np.ndarray, width: int) -> np.ndarray:
    """(..., width) uint8, the binary digits of non-negative integers, the highest first.

    >>> to_bits(np.array([5]), 4).tolist()
    [[0, 1, 0, 1]]
    """
    values = integers("to_bits", "values", values)
    if not 1 <= width <= 62 or (values.size and not 0 <= values.min() <= values.max() < 2**width):
        raise ConfigError(
            f"to_bits: needs values in 0 ... 2^width - 1, width 1 ... 62, not {width}"
        )
    return (values[..., None] >> np.arange(width - 1, -1, -1) & 1).astype(np.uint8)


@checked
def from_bits(bits: np.ndarray) -> np.ndarray:
    """The int64 values whose binary digits (..., width) are `bits`: the inverse of `to_bits`."""
    axes("from_bits", "bits", bits)
    if bits.shape[-1] > 62:
        raise ShapeError(f"from_bits: at most 62 digits, got {bits.shape}")
    return bits.astype(np.int64) @ (1 << np.arange(bits.shape[-1] - 1, -1, -1))


@checked
def scaled_windows(prices: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Windows of `length` prices and the next price, each divided by the last price of its window.

    prices (N,); returns x (M, length, 1) float32 whose last value is 1, y (M, 1) float32 = 1 + the
    next day's return, last (M,) float64 to multiply with, M = N - length. Unlike a minimum and
    maximum over all days, this needs nothing of the future.
    """
    x, y = windows(np.asarray(prices, np.float64), length)
    last = x[:, -1].copy()
    return (
        (x / last[:, None]).astype(np.float32)[:, :, None],
        (y / last).astype(np.float32)[:, None],
        last,
    )
