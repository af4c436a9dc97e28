"""Sequences cut into training examples, and made-up sequences to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConfigError, IndexRangeError, ShapeError

if TYPE_CHECKING:
    from ..random import Generator

Pair = tuple[np.ndarray, np.ndarray]


def windows(series: np.ndarray, length: int, step: int = 1, target: str = "next") -> Pair:
    """Every `step`-th stretch of `length` values and what follows it: x (M, length, ...), y.

    series (N, ...). target "next": y (M, ...), the value after the window (many-to-one); "shifted":
    y (M, length, ...), the window moved by one (many-to-many). M = 1 + floor((N - length - 1) /
    step). Both are fresh arrays. ConfigError if there is no window.

    >>> x, y = windows(np.arange(5), 3)
    >>> x.tolist(), y.tolist()
    ([[0, 1, 2], [1, 2, 3]], [3, 4])
    """
    whole = isinstance(length, int) and isinstance(step, int)
    if not whole or length < 1 or step < 1 or len(series) < length + 1:
        raise ConfigError(
            f"windows: needs length >= 1, step >= 1 and more than length values, got length "
            f"{length}, step {step} and {len(series)} values"
        )
    if target not in ("next", "shifted"):
        raise ConfigError(f"windows: target must be 'next' or 'shifted', got {target!r}")
    starts = np.arange(0, len(series) - length, step)
    places = starts[:, None] + np.arange(length)
    return series[places], series[starts + length if target == "next" else places + 1]


def stateful_batches(series: np.ndarray, batch_size: int, length: int) -> Iterator[Pair]:
    """(x, y) of shape (batch_size, length, ...), y moved by one, for truncated back-propagation.

    series (N, ...) is cut into `batch_size` equal stretches which are read side by side: row b of
    one batch goes on in row b of the next, so a state can be carried over. What does not fill a
    whole batch at the end of each stretch is left out.
    """
    per_row = (len(series) - 1) // batch_size if batch_size >= 1 else 0
    if length < 1 or per_row < length:
        raise ConfigError(
            f"stateful_batches: {len(series)} values are too few for {batch_size} rows of {length}"
        )
    starts = np.arange(batch_size)[:, None] * per_row
    for first in range(0, per_row - length + 1, length):
        places = starts + np.arange(first, first + length)
        yield series[places], series[places + 1]


def one_hot(indices: np.ndarray, classes: int, dtype: type = np.float32) -> np.ndarray:
    """(..., classes) with a 1 at each index, else 0; IndexRangeError outside 0 ... classes - 1."""
    indices = np.asarray(indices)
    if indices.size and not 0 <= indices.min() <= indices.max() < classes:
        raise IndexRangeError(
            f"one_hot: indices {indices.min()} ... {indices.max()} do not fit {classes} classes"
        )
    return (indices[..., None] == np.arange(classes)).astype(dtype)


def to_bits(values: np.ndarray, width: int) -> np.ndarray:
    """(..., width) uint8, the binary digits of non-negative integers, the highest first.

    >>> to_bits(np.array([5]), 4).tolist()
    [[0, 1, 0, 1]]
    """
    values = np.asarray(values)
    if not 1 <= width <= 62 or (values.size and not 0 <= values.min() <= values.max() < 2**width):
        raise ConfigError(
            f"to_bits: needs values in 0 ... 2^width - 1, width 1 ... 62, not {width}"
        )
    return (values[..., None] >> np.arange(width - 1, -1, -1) & 1).astype(np.uint8)


def from_bits(bits: np.ndarray) -> np.ndarray:
    """The int64 values whose binary digits (..., width) are `bits`: the inverse of `to_bits`."""
    return np.asarray(bits, np.int64) @ (1 << np.arange(bits.shape[-1] - 1, -1, -1))


def noisy_sine(
    n: int, length: int, rng: Generator, noise: float = 0.1, period: float = 20.0
) -> Pair:
    """x (n, length, 1), y (n, 1) float32: the next value of a noisy sine with random phase.

    x_t = sin(2 pi t / period + phase) + noise * normal for t = 0 ... length - 1; y is the value at
    t = length without noise.
    """
    _check_sizes("noisy_sine", n=n, length=length)
    phase = rng.uniform(n, 0.0, 2 * np.pi, dtype=np.float64)
    clean = np.sin(2 * np.pi * np.arange(length + 1) / period + phase[:, None])
    x = clean[:, :length] + noise * rng.normal((n, length), dtype=np.float64)
    return x[:, :, None].astype(np.float32), clean[:, length:].astype(np.float32)


def copy_task(n: int, rng: Generator, symbols: int = 8, length: int = 10, delay: int = 20) -> Pair:
    """x, y (n, 2 length + delay) int64: repeat the first `length` symbols after a delay.

    Symbols are 1 ... symbols, 0 is blank and symbols + 1 says "now". x is the symbols, delay - 1
    blanks, "now" and `length` blanks; y is blank until the last `length` places, which are the
    symbols (Hochreiter and Schmidhuber 1997; in this form Arjovsky et al. 2016, arXiv:1511.06464).
    """
    _check_sizes("copy_task", n=n, symbols=symbols, length=length, delay=delay)
    message = rng.integers(1, symbols + 1, (n, length))
    x = np.zeros((n, 2 * length + delay), dtype=np.int64)
    y = np.zeros_like(x)
    x[:, :length] = y[:, -length:] = message
    x[:, length + delay - 1] = symbols + 1
    return x, y


def counting_ones(n: int, length: int, rng: Generator) -> Pair:
    """x (n, length, 1) float32 of zeros and ones, y (n,) int64: how many ones there are.

    The number of ones is uniform on 0 ... length, their places are random.
    """
    _check_sizes("counting_ones", n=n, length=length)
    y = rng.integers(0, length + 1, n)
    rank = rng.uniform((n, length), dtype=np.float64).argsort(axis=1).argsort(axis=1)
    return (rank < y[:, None]).astype(np.float32)[:, :, None], y


def random_text(length: int, rng: Generator, words: int = 200) -> str:
    """`length` characters of made-up words, sentences and lines, for models without a corpus.

    `words` distinct words of one to four syllables come with frequencies proportional to 1 / rank
    (Zipf's law), so both characters and words have something to be learnt.
    """
    _check_sizes("random_text", length=length, words=words)
    consonants, vowels = np.array(list("bdfgklmnprstv")), np.array(list("aeiou"))
    syllables = rng.integers(1, 5, words)
    starts = consonants[rng.integers(0, len(consonants), (words, 4))]
    sounds = vowels[rng.integers(0, len(vowels), (words, 4))]
    lexicon = [
        "".join(a + b for a, b in zip(starts[k][:s], sounds[k][:s], strict=True))
        for k, s in enumerate(syllables)
    ]
    share = np.cumsum(1 / np.arange(1, words + 1))
    picks = np.searchsorted(share, rng.uniform(length, 0, share[-1], dtype=np.float64))
    stops = rng.integers(3, 12, length)
    text: list[str] = []
    size, pick = 0, 0
    for stop in stops:  # one sentence of `stop` words after the other
        sentence = " ".join(lexicon[k % words] for k in picks[pick : pick + stop])
        text.append(sentence.capitalize() + (".\n" if stop % 3 == 0 else ". "))
        size, pick = size + len(text[-1]), (pick + stop) % length
        if size >= length:
            break
    return "".join(text)[:length]


def _check_sizes(op: str, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ShapeError(f"{op}: {name} must be >= 1, got {size}")
