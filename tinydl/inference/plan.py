"""Places in one block of memory for buffers that do not all live at the same time.

A buffer is written by one step and read by later ones; from `first` to `last` its bytes must stay.
Two buffers whose lives do not meet may lie in the same place. Which arrangement is smallest is an
NP-hard question (dynamic storage allocation); the rule used here, the largest buffer first, each at
the lowest place where it meets nobody, is what TensorFlow Lite does (Pisarchyk and Lee 2020, arXiv
2001.03288, "greedy by size"), and mostly finds the least there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LINE = 64  # bytes: buffers begin on cache lines


@dataclass
class Buffer:
    """`nbytes` bytes that live from step `first` to step `last`, both counted; `offset` is found
    by `plan`."""

    nbytes: int
    first: int
    last: int
    offset: int = 0

    @property
    def end(self) -> int:
        return self.offset + -(-self.nbytes // LINE) * LINE

    def meets(self, other: Buffer) -> bool:
        """Whether both live at the same time."""
        return self.first <= other.last and other.first <= self.last


def plan(buffers: Sequence[Buffer]) -> int:
    """Give every buffer its offset; returns the bytes of the block that holds them all."""
    placed: list[Buffer] = []
    for buffer in sorted(buffers, key=lambda b: (-b.nbytes, b.first)):
        buffer.offset = 0
        for other in sorted((p for p in placed if p.meets(buffer)), key=lambda p: p.offset):
            if buffer.end <= other.offset:
                break  # it fits below
            buffer.offset = max(buffer.offset, other.end)
        placed.append(buffer)
    return max((b.end for b in buffers), default=0)


def least(buffers: Sequence[Buffer]) -> int:
    """Bytes that live at the busiest step: no plan needs fewer."""
    steps = {step for b in buffers for step in (b.first, b.last)}
    alive = (sum(b.end - b.offset for b in buffers if b.first <= s <= b.last) for s in steps)
    return max(alive, default=0)
