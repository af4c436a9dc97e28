"""Connectionist temporal classification in plain NumPy: one row after the other, in log space.

The labels of a row stand between blanks: states 0 ... 2 count are blank, label, blank, ..., blank.
From one step to the next an alignment stays in its state, goes to the next one, or leaves out a
blank between two different labels. Graves et al. 2006, section 4.1.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array


class Ctc:
    def ctc(
        self, log_p: Array, labels: Array, steps: Array, counts: Array, blank: int
    ) -> tuple[Array, Array]:
        """log p (N,) of the labels, over all alignments that spell them, and occupied (N, T, C):
        the probability that such an alignment is in class c at step t.

        log_p (N, T, C); int64: labels (N, L), steps (N,) from 1 to T, counts (N,) from 0 to L. The
        first `count` labels lie in 0..C-1 and are no blank (the caller has looked). Labels that
        fit into no alignment have log p = -inf and occupy nothing.
        """
        total = np.empty(len(log_p), log_p.dtype)
        occupied = np.zeros(log_p.shape, log_p.dtype)
        with np.errstate(all="ignore"):
            for n, (T, L) in enumerate(zip(steps, counts, strict=True)):
                total[n] = _row(log_p[n, :T], labels[n, :L], blank, occupied[n, :T])
        return total, occupied


def _row(log_p: Array, labels: Array, blank: int, occupied: Array) -> Array:
    """log p of the labels; adds to occupied (T, C)."""
    classes = np.full(2 * len(labels) + 1, blank)
    classes[1::2] = labels
    S = len(classes)
    emitted = log_p[:, classes]
    # Added to the way over two states: 0, or log 0. Behind S: there is no such state.
    skip = np.full(S + 2, -np.inf, log_p.dtype)
    skip[2:S][(classes[2:] != blank) & (classes[2:] != classes[:-2])] = 0

    # alpha[t, 2 + s] = log p of all ways through steps 0..t that end in s (equations 5 to 7),
    # counted from the likeliest state of the step: float32 has 7 digits. `total` has the rest.
    alpha = np.full((len(log_p), S + 2), -np.inf, log_p.dtype)
    alpha[0, 2:4] = emitted[0, :2]
    total = _from_largest(alpha[0])
    for t in range(1, len(log_p)):
        before = alpha[t - 1]
        alpha[t, 2:] = emitted[t] + _log_sum(before[2:], before[1:-1], before[:-2] + skip[:S])
        total += _from_largest(alpha[t])
    total += _log_sum(alpha[-1, -1], alpha[-1, -2], -np.inf)
    if total == -np.inf:
        return total

    # rest[s] = log p of all ways from s at step t through the steps behind it, likewise
    rest = np.full(S + 2, -np.inf, log_p.dtype)
    rest[max(S - 2, 0) : S] = 0
    for t in reversed(range(len(log_p))):
        share = alpha[t, 2:] + rest[:S]
        _from_largest(share)
        np.exp(share, out=share)
        np.add.at(occupied[t], classes, share / share.sum())
        rest[:S] += emitted[t]
        rest[:S] = _log_sum(rest[:S], rest[1:-1], rest[2:] + skip[2:])
        _from_largest(rest)
    return total


def _log_sum(a: Array, b: Array, c: Array | float) -> Array:
    """log(e^a + e^b + e^c), also where all are log 0."""
    largest = np.maximum(np.maximum(a, b), c)
    largest = np.where(largest == -np.inf, 0, largest)
    return largest + np.log(np.exp(a - largest) + np.exp(b - largest) + np.exp(c - largest))


def _from_largest(x: Array) -> Array:
    """Subtracts the largest number of x, which is returned, unless all are log 0."""
    largest = np.fmax.reduce(x)
    if largest > -np.inf:
        x -= largest
    return largest
