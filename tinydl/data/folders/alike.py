"""Pictures that are nearly the same: 64 bits of each, compared by bands.

The difference hash (N. Krawetz, "Kind of Like That", 2013) is what stays when a picture is resized,
brightened or packed anew: which of two neighbours is brighter, in 8 rows of 9.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import numpy as np

ROWS, COLUMNS = 8, 9
BITS, NEAR = 64, 4
ALIKE = 0.98  # least correlation of the two small pictures
BANDS = 6  # NEAR bits lie in at most four of them: two others agree
MOST_COMPARED = 40_000_000  # for one choice of bands
_CUTS = tuple(round(BITS * k / BANDS) for k in range(BANDS + 1))


def small_grey(image: Any) -> np.ndarray:
    """uint8 (8, 9): the grey picture that the hash is made of, of a Pillow image."""
    from PIL import Image

    grey = image if image.mode == "L" else image.convert("L")
    return np.asarray(grey.resize((COLUMNS, ROWS), Image.Resampling.BILINEAR))


def difference_hashes(greys: np.ndarray) -> np.ndarray:
    """uint64 (N,) of small pictures (N, 8, 9): row by row, the first bit the highest, whether the
    right neighbour is brighter."""
    bits = greys[:, :, 1:] > greys[:, :, :-1]
    packed = np.packbits(bits.reshape(len(greys), BITS), axis=1)
    return packed.view(">u8").ravel().astype(np.uint64)


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many bits differ, of uint64 arrays of one shape: sums of neighbouring bits, then of
    pairs, of fours, and of bytes by one multiplication."""
    x = a ^ b
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)


def near_pairs(greys: np.ndarray) -> tuple[np.ndarray, bool]:
    """(pairs (K, 2) int64 of places i < j in `greys` (N, 8, 9) uint8, ascending; whether all were
    compared): hashes that differ in at most 4 bits, small pictures that correlate by at least 0.98.

    The 64 bits are cut into six bands. Two hashes that differ in four bits agree in two bands, so
    for each of the 15 choices of two bands only those are compared that agree there. Where too many
    do, which only pictures that are hardly different bring about, each is compared with its next
    ones alone. A picture of one grey is near to none.
    """
    hashes = difference_hashes(greys)
    bands = [
        (hashes >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        for low, high in pairwise(_CUTS)
    ]
    found, complete = np.empty((0, 2), np.int64), True
    for first, second in combinations(bands, 2):
        pairs, whole = _within_runs(greys, hashes, (first << np.uint64(16)) | second)
        found = np.unique(np.concatenate([found, pairs]), axis=0)
        complete &= whole
    return found, complete


def _within_runs(greys: np.ndarray, hashes: np.ndarray, key: np.ndarray) -> tuple[np.ndarray, bool]:
    """Near pairs among those of one key, and whether all were compared."""
    order = np.argsort(key, kind="stable")
    ordered, values = key[order], hashes[order]
    found, compared = [np.empty((0, 2), np.int64)], 0
    starts = np.arange(len(order))
    for step in range(1, len(order)):
        starts = starts[starts + step < len(order)]
        starts = starts[ordered[starts] == ordered[starts + step]]  # of runs that are long enough
        compared += len(starts)
        if not len(starts) or compared > MOST_COMPARED:
            break
        near = starts[distance(values[starts], values[starts + step]) <= NEAR]
        pairs = np.sort(np.stack([order[near], order[near + step]], axis=1), axis=1)
        found.append(pairs[_correlation(greys[pairs[:, 0]], greys[pairs[:, 1]]) >= ALIKE])
    return np.concatenate(found), compared <= MOST_COMPARED


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each two of the pictures (K, 8, 9); 0 where one is of one grey."""
    a, b = (x.reshape(len(x), ROWS * COLUMNS).astype(np.float32) for x in (a, b))
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (a, b))
    scale = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return (a * b).sum(axis=1) / np.maximum(scale, np.float32(1e-6))
