"""Samples that are there twice, told as pairs of a file and an earlier one; training goes first."""

from __future__ import annotations

import numpy as np

from ...quoting import quoted
from .alike import NEAR, difference_hashes, distance, near_pairs
from .problems import Problem
from .recognise import Found

MOST_PAIRS = 10_000


class Copies:
    """Of the files of a folder: what was told of copies so far, in `problems`."""

    def __init__(self, found: Found) -> None:
        self.files, self.parts = found.files, found.parts
        self.part, self.label = found.part, found.label
        self.problems: list[Problem] = []

    def same(self, those: np.ndarray, digests: np.ndarray, text: str) -> np.ndarray:
        """Tell which of `those` (places of files) have equal digests, of all files (N, 2) uint64;
        return the first of each, in the order of parts and names. text: as "has the same pixels
        as"."""
        order = those[np.argsort(self.part[those], kind="stable")]
        keys = np.ascontiguousarray(digests[order]).view([("a", "u8"), ("b", "u8")]).ravel()
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        original = order[first[inverse]]
        for file, other in zip(order, original, strict=True):
            if file != other:
                self._tell(int(file), int(other), "leak", "duplicate", text)
        return order[np.sort(first)]

    def near(self, those: np.ndarray, greys: np.ndarray) -> None:
        """Tell which of `those`, none of which is another, are nearly the same; greys (N, 8, 9)."""
        pairs, complete = near_pairs(greys[those])
        hashes = difference_hashes(greys[those])
        bits = distance(hashes[pairs[:, 0]], hashes[pairs[:, 1]])
        across = self.part[those[pairs[:, 0]]] != self.part[those[pairs[:, 1]]]
        for k in np.argsort(~across, kind="stable")[:MOST_PAIRS]:  # leaks first
            other, file = (int(n) for n in those[pairs[k]])
            differing = f" ({int(bits[k])} of 64 bits differ from it)"
            self._tell(file, other, "near leak", "near", "is nearly the same as", differing)
        if len(pairs) > MOST_PAIRS or not complete:
            further = f"{len(pairs) - MOST_PAIRS:,} pairs" if complete else "pairs"
            text = f"further {further} of pictures are nearly the same (within {NEAR} bits)"
            self.problems.append(Problem("near", "", text))

    def _tell(
        self, file: int, other: int, across: str, within: str, text: str, tail: str = ""
    ) -> None:
        leak = self.part[file] != self.part[other]
        contrary = ", of another class" if self.label[file] != self.label[other] else ""
        first = self.files[other].path
        self.problems.append(
            Problem(
                across if leak else within,
                self.files[file].path,
                f"{text} {quoted(first, 200)}{contrary}{tail}",
                first,
            )
        )


def as_numbers(digest: bytes) -> np.ndarray:
    """The 16 bytes of a digest as two uint64."""
    return np.frombuffer(digest, np.uint64)
