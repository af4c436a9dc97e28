"""Strings of labels, joined of recorded pieces of which each has one label: a number written or
spoken digit by digit. Nobody says where a piece ends: that is what CTC is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..arguments import array
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..quoting import quoted

if TYPE_CHECKING:
    from ..random import Generator

LIFT = 30.0  # the widest gap between two digits of pendigits, whose frame is 100 wide
PAUSE, STACKED = 12, 3  # hundredths of a second between two words; spectra in one step


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """K recordings, each (T_k, D), with its label (K,) int64 and its author (K,) int64: strings are
    of one author. fixed (K, F): the same in a form of one length, for those who need one."""

    recordings: tuple[np.ndarray, ...]
    labels: np.ndarray
    authors: np.ndarray
    fixed: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class PieceSets:
    """Pieces to learn from and pieces to be tested on, and what joins some: (pieces (T_k, D), rng)
    -> one sequence (T, E)."""

    name: str
    train: Pieces
    test: Pieces
    join: Callable[[list[np.ndarray], Generator], np.ndarray]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Strings:
    """N sequences x (N, T, E) float32 of which the first `steps` (N,) count, 0 behind; labels
    (N, L) int64 of which the first `counts` (N,) count, 0 behind; pieces (N, L): what it was made
    of, -1 behind."""

    x: np.ndarray
    steps: np.ndarray
    labels: np.ndarray
    counts: np.ndarray
    pieces: np.ndarray


@checked
def joined_strings(
    sets: PieceSets, part: str, count: int, rng: Generator, shortest: int = 3, longest: int = 6
) -> Strings:
    """`count` strings of `shortest` ... `longest` pieces of "train" or "test", drawn with
    replacement from the pieces of one author each. ConfigError for impossible numbers."""
    if part not in ("train", "test") or count < 1 or not 1 <= shortest <= longest:
        raise ConfigError(
            f"joined_strings: needs part 'train' or 'test', count >= 1 and 1 <= shortest <= "
            f"longest, got {part!r}, {count}, {shortest}, {longest}"
        )
    own: Pieces = getattr(sets, part)
    counts = rng.integers(shortest, longest + 1, count)
    first, pieces = rng.integers(0, len(own.labels), count), np.full((count, longest), -1)
    sequences = []
    for row, k, n in zip(pieces, first, counts, strict=True):
        mates = np.flatnonzero(own.authors == own.authors[k])
        row[:n] = mates[rng.integers(0, len(mates), int(n))]
        sequences.append(sets.join([own.recordings[p] for p in row[:n]], rng))
    steps = np.array([len(s) for s in sequences])
    x = np.zeros((count, steps.max(), sequences[0].shape[1]), np.float32)
    for row, s in zip(x, sequences, strict=True):
        row[: len(s)] = s
    labels = np.where(pieces >= 0, own.labels[pieces], 0)
    return Strings(x, steps, labels, counts, pieces)


def _rows_of(op: str, name: str, values: list[np.ndarray]) -> list[np.ndarray]:
    """At least one array, each of rows; ShapeError, ConfigError."""
    if not isinstance(values, tuple | list) or not values:
        raise ConfigError(f"{op}: {name} must be a list of arrays, got {quoted(values)}")
    arrays = [array(op, f"{name}[{k}]", v) for k, v in enumerate(values)]
    if any(a.ndim != 2 or not a.size for a in arrays):
        raise ShapeError(f"{op}: {name} must be (T, M), got {[a.shape for a in arrays]}")
    return arrays


@checked
def joined_tracks(tracks: list[np.ndarray], rng: Generator) -> np.ndarray:
    """Pen tracks (T_k, 2), side by side with a gap of 0 ... 30 between: (T, 3), for each point how
    far it lies to the right of the one before it, how far above it, and its height, in fiftieths of
    the frame. The first has no point before it: 0."""
    edge, placed = 0.0, []
    for track in _rows_of("joined_tracks", "tracks", tracks):
        if track.shape[1] != 2:
            raise ShapeError(f"joined_tracks: a track must be (T, 2), got {track.shape}")
        left = edge + float(rng.uniform(())) * LIFT - track[:, 0].min()
        placed.append(track + np.array([left, 0.0]))
        edge = float(placed[-1][:, 0].max())
    points = np.concatenate(placed)
    moves = np.diff(points, axis=0, prepend=points[:1])
    return np.concatenate([moves, points[:, 1:] - 50], axis=1) / 50


@checked
def joined_spectra(words: list[np.ndarray], rng: Generator) -> np.ndarray:
    """Spectra (T_k, M) one after the other with a pause of 0 ... 12 steps between, whose level is
    the least of the string; three spectra become one step: (T, 3 M)."""
    words = _rows_of("joined_spectra", "words", words)
    if len({word.shape[1] for word in words}) > 1:
        raise ShapeError("joined_spectra: all spectra must have as many bands")
    quiet = np.min([word.min() for word in words])
    M, cut = words[0].shape[1], []
    for word in words:
        cut += [np.full((int(rng.integers(0, PAUSE + 1)), M), quiet), word]
    whole = np.concatenate(cut)
    whole = np.pad(whole, ((0, -len(whole) % STACKED), (0, 0)), constant_values=quiet)
    return whole.reshape(-1, STACKED * M)
