"""Connectionist temporal classification: a loss on label sequences without an alignment in time,
and how its outputs are read.

An alignment gives every time step one class or the blank; without its repetitions and then without
its blanks it spells the labels: "-aa-ab-" spells "aab". Composed of operations in log space, a few
per time step, so that all backends have it and derivatives of any order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import ops
from ..errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from ..tensor import Tensor
from .losses import _check_float, _check_reduction, _check_tensors, _reduce

Beams = dict[tuple[int, ...], tuple[float, float]]
Lengths = Tensor | Sequence[int] | np.ndarray
#: Stands for log 0: sums of it stay finite in float32, and e^NEVER is 0.
NEVER = -1e30


def ctc(
    logits: Tensor,
    labels: Tensor,
    input_lengths: Lengths | None = None,
    label_lengths: Lengths | None = None,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log sum over all alignments that spell the labels of prod_t softmax(logits[t])[class_t].

    logits (N, T, C) float, before any softmax (log-probabilities give the same); labels (N, L) int,
    rows padded at will; input_lengths (N,) from 1 to T, label_lengths (N,) from 0 to L, None: all T
    and L. -> one number, or (N,). "mean" is that of PyTorch: each loss divided by its number of
    labels (at least 1), then the mean over the batch. Labels and lengths are read on the host.

    Labels that do not fit into the steps (repeated labels need a blank between them) have the loss
    infinity, or 0 with zero_infinity, and in both cases a gradient of 0 (PyTorch without
    zero_infinity: NaN). Raises ShapeError, DTypeError, ConfigError, IndexRangeError. Graves et al.
    2006, doi:10.1145/1143844.1143891, equations 6 to 8.
    """
    _check_reduction("ctc", reduction)
    _check_float("ctc", "logits", logits)
    _check_tensors("ctc", labels=labels)
    if logits.ndim != 3 or logits.shape[1] < 1 or labels.ndim != 2:
        raise ShapeError(
            f"ctc: logits must be (N, T, C) with T >= 1 and labels (N, L), got {logits.shape} and "
            f"{labels.shape}"
        )
    N, T, C = logits.shape
    if labels.shape[0] != N:
        raise ShapeError(f"ctc: {N} rows of logits but {labels.shape[0]} of labels")
    if not 0 <= blank < C:
        raise ConfigError(f"ctc: blank must be a class in 0..{C - 1}, got {blank!r}")
    steps = _lengths("input_lengths", input_lengths, N, 1, T)
    counts = _lengths("label_lengths", label_lengths, N, 0, labels.shape[1])
    classes, skips = _states(labels, counts, blank, C)
    total = _forward(logits, classes, skips, steps, counts)
    # NEVER + log p is still about NEVER, and no real total comes near half of it
    impossible = total < NEVER / 2
    losses = ops.masked_fill(-total, impossible, 0.0 if zero_infinity else float("inf"))
    if reduction == "mean":
        losses = losses / _like(logits, np.maximum(counts, 1).astype(logits.dtype))
    return _reduce(losses, reduction)


def _like(x: Tensor, array: np.ndarray) -> Tensor:
    return Tensor._new(x.backend.asarray(array), x.backend)


def _lengths(name: str, given: Lengths | None, N: int, least: int, most: int) -> np.ndarray:
    if given is None:
        return np.full(N, most, np.int64)
    lengths = given.numpy() if isinstance(given, Tensor) else np.asarray(given)
    if lengths.shape != (N,):
        raise ShapeError(f"ctc: {name} must be ({N},), got {lengths.shape}")
    if lengths.dtype.kind not in "iu":
        raise DTypeError(f"ctc: {name} must be integers, got {lengths.dtype}")
    if N and not (least <= lengths.min() and lengths.max() <= most):
        raise ShapeError(f"ctc: {name} must lie in {least}..{most}, got {lengths.tolist()}")
    return lengths.astype(np.int64)


def _states(
    labels: Tensor, counts: np.ndarray, blank: int, C: int
) -> tuple[np.ndarray, np.ndarray]:
    """Classes (N, 2L + 1), a blank around every label, and where a blank may be left out."""
    if labels.dtype.kind != "i":
        raise DTypeError(f"ctc: labels must be int32 or int64, got {labels.dtype}")
    rows = labels.numpy()
    inside = np.arange(rows.shape[1]) < counts[:, None]
    wrong = rows[inside & ((rows < 0) | (rows >= C) | (rows == blank))]
    if wrong.size:
        raise IndexRangeError(
            f"ctc: labels must lie in 0..{C - 1} and not be the blank {blank}, got {wrong[0]}"
        )
    classes = np.full((rows.shape[0], 2 * rows.shape[1] + 1), blank, np.int64)
    classes[:, 1::2] = np.where(inside, rows, blank)
    skips = np.zeros(classes.shape, np.bool_)
    skips[:, 2:] = (classes[:, 2:] != blank) & (classes[:, 2:] != classes[:, :-2])
    return classes, skips


def _forward(
    logits: Tensor, classes: np.ndarray, skips: np.ndarray, steps: np.ndarray, counts: np.ndarray
) -> Tensor:
    """log p(labels) (N,), by alpha[t, s] = log p of all beginnings that end in state s at step t:

    alpha[t, s] = log p_t(class s) + log(e^alpha[t-1, s] + e^alpha[t-1, s-1] + e^alpha[t-1, s-2]),
    the last only where the state between is a blank that may be left out.
    """
    N, S = classes.shape
    T = logits.shape[1]
    places = np.ascontiguousarray(np.broadcast_to(classes[:, None], (N, T, S)))
    emitted = ops.take_along_axis(ops.log_softmax(logits), _like(logits, places), axis=2)
    emitted = ops.clip(emitted, low=NEVER)  # a class may have the probability 0
    may_skip = _like(logits, skips)
    first = _like(logits, np.broadcast_to(np.arange(S) < 2, (N, S)).copy())
    alpha = ops.masked_fill(emitted[:, 0], ~first, NEVER)
    for t in range(1, T):
        one = ops.pad(alpha[:, :-1], ((0, 0), (1, 0)), value=NEVER)
        ways = [alpha, one]
        if S > 2:
            two = ops.pad(alpha[:, :-2], ((0, 0), (2, 0)), value=NEVER)
            ways.append(ops.masked_fill(two, ~may_skip, NEVER))
        moved = emitted[:, t] + ops.logsumexp(ops.stack(ways, 0), axis=0)
        if (steps <= t).any():
            moved = ops.where(_like(logits, (t < steps)[:, None]), moved, alpha)
        alpha = moved
    # the end is the last label or the blank behind it
    ends = (np.arange(S) - 2 * counts[:, None] + 1) // 2 == 0
    return ops.logsumexp(ops.masked_fill(alpha, ~_like(logits, ends), NEVER), axis=1)


def ctc_greedy(
    logits: Tensor, input_lengths: Lengths | None = None, blank: int = 0
) -> list[list[int]]:
    """The labels that the most likely alignment spells, one list per row of logits (N, T, C).

    Not always the most likely labels: those gather many alignments; see `ctc_beam`. Ties go to the
    smaller class. Raises ShapeError. Graves et al. 2006, section 3.2, "best path decoding".
    """
    rows, steps = _host_rows("ctc_greedy", logits, input_lengths, blank)
    spelled = []
    for row, n in zip(rows, steps, strict=True):
        path = row[:n].argmax(-1)
        kept = np.append(True, path[1:] != path[:-1]) & (path != blank)
        spelled.append([int(c) for c in path[kept]])
    return spelled


def _host_rows(
    op: str, logits: Tensor, lengths: Lengths | None, blank: int
) -> tuple[np.ndarray, np.ndarray]:
    if logits.ndim != 3 or logits.shape[1] < 1:
        raise ShapeError(f"{op}: logits must be (N, T, C) with T >= 1, got {logits.shape}")
    N, T, C = logits.shape
    if not 0 <= blank < C:
        raise ConfigError(f"{op}: blank must be a class in 0..{C - 1}, got {blank!r}")
    rows = ops.log_softmax(logits.detach()).numpy().astype(np.float64)
    return rows, _lengths("input_lengths", lengths, N, 1, T)


def ctc_beam(
    logits: Tensor, input_lengths: Lengths | None = None, blank: int = 0, width: int = 8
) -> list[tuple[list[int], float]]:
    """(labels, log probability) of the best beginning found, by keeping the `width` best per step.

    The probability gathers the alignments that were kept: a lower bound, exact if nothing was cut
    off. logits (N, T, C); no language model. Raises ShapeError and ConfigError. Graves and Jaitly
    2014 (ICML), algorithm 1.
    """
    if width < 1:
        raise ConfigError(f"ctc_beam: width must be at least 1, got {width!r}")
    rows, steps = _host_rows("ctc_beam", logits, input_lengths, blank)
    return [_search(row[:n], blank, width) for row, n in zip(rows, steps, strict=True)]


def _search(row: np.ndarray, blank: int, width: int) -> tuple[list[int], float]:
    """Each beginning has two logarithms: of alignments ending in a blank, and in its last label."""
    beams: Beams = {(): (0.0, -np.inf)}
    for step in row.tolist():
        longer: Beams = {}
        for labels, (in_blank, in_label) in beams.items():
            both = _either(in_blank, in_label)
            _add(longer, labels, both + step[blank], -np.inf)
            for c in range(len(step)):
                if c == blank:
                    continue
                if labels and c == labels[-1]:  # a new label only behind a blank
                    _add(longer, labels, -np.inf, in_label + step[c])
                    _add(longer, (*labels, c), -np.inf, in_blank + step[c])
                else:
                    _add(longer, (*labels, c), -np.inf, both + step[c])
        best = sorted(longer.items(), key=lambda item: _either(*item[1]), reverse=True)
        beams = dict(best[:width])
    best_labels, ends = next(iter(beams.items()))
    return list(best_labels), _either(*ends)


def _either(a: float, b: float) -> float:
    return float(np.logaddexp(a, b))


def _add(beams: Beams, labels: tuple[int, ...], in_blank: float, in_label: float) -> None:
    first, second = beams.get(labels, (-np.inf, -np.inf))
    beams[labels] = _either(first, in_blank), _either(second, in_label)
