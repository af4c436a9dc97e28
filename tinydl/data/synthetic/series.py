"""Made-up series and texts: a noisy sine, copying, counting, random words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...doors import checked
from ...errors import ShapeError
from ...random import by_shares
from ..sequences import Pair

if TYPE_CHECKING:
    from ...random import Generator


@checked
def noisy_sine(
    n: int, length: int, rng: Generator, noise: float = 0.1, period: float = 20.0
) -> Pair:
    """x (n, length, 1), y (n, 1) float32: the next value of a noisy sine with random phase.

    x_t = sin(2 pi t / period + phase) + noise * normal for t = 0 ... length - 1; y is the value at
    t = length without noise.
    """
    _check_sizes("noisy_sine", n=n, length=length)
    phase = rng.uniform(n, low=0.0, high=2 * np.pi, dtype=np.float64)
    clean = np.sin(2 * np.pi * np.arange(length + 1) / period + phase[:, None])
    x = clean[:, :length] + noise * rng.normal((n, length), dtype=np.float64)
    return x[:, :, None].astype(np.float32), clean[:, length:].astype(np.float32)


@checked
def uneven_waves(n: int, rng: Generator, given: int = 40, told: int = 20) -> Pair:
    """x (n, given, 1), y (n, told, 1) float32: a wave so far, and how it goes on.

    sin(2 pi t / period + phase) * (1 + slope t / given), the period of each wave drawn from 8 to
    24, its phase at random, its slope from -1/2 to 1/2; x has normal noise of deviation 0.05, y
    none. No fixed sum of past values tells waves of all periods.
    """
    _check_sizes("uneven_waves", n=n, given=given, told=told)
    period, phase, slope = (
        rng.uniform((n, 1), low=low, high=high, dtype=np.float64)
        for low, high in ((8.0, 24.0), (0.0, 2 * np.pi), (-0.5, 0.5))
    )
    t = np.arange(given + told)
    clean = np.sin(2 * np.pi * t / period + phase) * (1 + slope * t / given)
    x = clean[:, :given] + 0.05 * rng.normal((n, given), dtype=np.float64)
    return x[:, :, None].astype(np.float32), clean[:, given:, None].astype(np.float32)


@checked
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


@checked
def counting_ones(n: int, length: int, rng: Generator) -> Pair:
    """x (n, length, 1) float32 of zeros and ones, y (n,) int64: how many ones there are.

    The number of ones is uniform on 0 ... length, their places are random.
    """
    _check_sizes("counting_ones", n=n, length=length)
    y = rng.integers(0, length + 1, n)
    rank = rng.uniform((n, length), dtype=np.float64).argsort(axis=1).argsort(axis=1)
    return (rank < y[:, None]).astype(np.float32)[:, :, None], y


@checked
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
    picks = by_shares(share, rng.uniform(length, dtype=np.float64))
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
