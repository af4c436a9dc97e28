"""Connectionist temporal classification: a loss on label sequences without an alignment in time,
and how its outputs are read.

An alignment gives every time step one class or the blank; without its repetitions and then without
its blanks it spells the labels: "-aa-ab-" spells "aab". The sum over the alignments is one
operation, `ops.ctc_log_likelihood`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import ops
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..ops.ctc import checked_lengths
from ..tensor import Tensor
from .losses import Values, _check_reduction, _float, _reduce, lifted

Beams = dict[tuple[int, ...], tuple[float, float]]
Lengths = Tensor | Sequence[int] | np.ndarray


@checked
def ctc(
    logits: Values,
    labels: Values,
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
    x, classes = lifted("ctc", logits=logits, labels=labels)
    x = _float("ctc", "logits", x)
    log_p = ops.log_softmax(_present_steps(x, input_lengths))
    total = ops.ctc_log_likelihood(log_p, classes, input_lengths, label_lengths, blank)
    losses = ops.masked_fill(-total, total == -np.inf, 0.0) if zero_infinity else -total
    if reduction == "mean":
        N, L = classes.shape
        counts = checked_lengths("label_lengths", label_lengths, N, 0, L)
        losses = losses / _like(x, np.maximum(counts, 1).astype(x.dtype))
    return _reduce(losses, reduction)


def _present_steps(logits: Tensor, lengths: Lengths | None) -> Tensor:
    """0 at the steps behind the end, which may hold anything, also NaN."""
    if lengths is None or logits.ndim != 3 or logits.shape[1] == 0:
        return logits  # a wrong shape is the operation's to name
    N, T, _ = logits.shape
    behind = np.arange(T) >= checked_lengths("input_lengths", lengths, N, 1, T)[:, None]
    if not behind.any():
        return logits
    return ops.masked_fill(logits, _like(logits, behind[:, :, None]), 0.0)


def _like(x: Tensor, array: np.ndarray) -> Tensor:
    return Tensor._new(x.backend.asarray(array), x.backend)


@checked
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
    return rows, checked_lengths("input_lengths", lengths, N, 1, T)


@checked
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
