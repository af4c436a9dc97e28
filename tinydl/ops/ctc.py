"""Connectionist temporal classification: the probability of labels over all their alignments with
the steps, fused in one operation, and the composition that it replaces."""

from __future__ import annotations

import numpy as np

from ..arguments import array, whole
from ..doors import door
from ..errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from ..function import Function, composed_gradients, is_recording
from .arrange import pad, stack
from .elementwise import where
from .index import take_along_axis
from .operands import _require_float
from .reduce import logsumexp
from .shape import expand_dims
from .special import clip, masked_fill

#: Stands for log 0 in the composition: sums of it stay finite in float32, and e^NEVER is 0.
NEVER = -1e30


class CtcLogLikelihood(Function):
    """log p of labels given the log-probabilities of the classes; its derivative is how likely each
    step is in each class, given the labels, which the kernel finds on its way back."""

    name = "ctc_log_likelihood"
    saves = (0,)

    def __init__(self, labels, steps, counts, blank):
        self.labels, self.steps, self.counts, self.blank = labels, steps, counts, blank

    def forward(self, log_p):
        places = [self.backend.asarray(a) for a in (self.labels, self.steps, self.counts)]
        total, self.occupied = self.backend.ctc(log_p, *places, self.blank)
        return total

    def flops(self, arrays, y):
        states = 2 * self.counts + 1  # 3 exponentials, a logarithm and 8 sums, both ways; a product
        return int(26 * (states * self.steps).sum())

    def traffic(self, arrays, y):
        return super().traffic((*arrays, self.occupied), y)

    def backward(self, grad):
        if is_recording():
            return composed_gradients(self.composition, self.saved, grad)
        occupied = grad._new(self.occupied, self.backend)
        return (expand_dims(expand_dims(grad, 1), 2) * occupied,)

    def composition(self, log_p):
        return ctc_by_steps(log_p, self.labels, self.steps, self.counts, self.blank)

    def release(self):
        super().release()
        self.occupied = None


@door
def ctc_log_likelihood(log_p, labels, input_lengths=None, label_lengths=None, blank=0):
    """log of the sum over all alignments that spell the labels of prod_t p_t(class_t) -> (N,).

    log_p (N, T, C) float, the logarithms of the classes' probabilities at each step; labels (N, L)
    int, rows padded at will; input_lengths (N,) from 1 to T, label_lengths (N,) from 0 to L, None:
    all T and L. Labels and lengths are read on the host. Labels that do not fit into the steps
    (repeated labels need a blank between them) have the result -inf and a gradient of 0.

    Its derivative by log_p[n, t, c] is the probability that an alignment is in class c at step t,
    given the labels. Raises ShapeError, DTypeError, ConfigError, IndexRangeError. Graves et al.
    2006, doi:10.1145/1143844.1143891, equations 6 to 8 and 14.
    """
    _require_float("ctc", log_p)
    if log_p.ndim != 3 or log_p.shape[1] < 1 or labels.ndim != 2:
        raise ShapeError(
            f"ctc: logits must be (N, T, C) with T >= 1 and labels (N, L), got {log_p.shape} and "
            f"{labels.shape}"
        )
    N, T, C = log_p.shape
    if labels.shape[0] != N:
        raise ShapeError(f"ctc: {N} rows of logits but {labels.shape[0]} of labels")
    blank = whole("ctc", "blank", blank)
    if not 0 <= blank < C:
        raise ConfigError(f"ctc: blank must be a class in 0..{C - 1}, got {blank!r}")
    steps = checked_lengths("input_lengths", input_lengths, N, 1, T)
    counts = checked_lengths("label_lengths", label_lengths, N, 0, labels.shape[1])
    own = _own_labels(labels, counts, blank, C)
    return CtcLogLikelihood(own, steps, counts, blank).apply(log_p)


def checked_lengths(name, given, N, least, most):
    """(N,) int64 within least..most, all `most` where none are given."""
    if given is None:
        return np.full(N, most, np.int64)
    lengths = array("ctc", name, given)
    if lengths.shape != (N,):
        raise ShapeError(f"ctc: {name} must be ({N},), got {lengths.shape}")
    if lengths.dtype.kind not in "iu":
        raise DTypeError(f"ctc: {name} must be integers, got {lengths.dtype}")
    if N and not (least <= lengths.min() and lengths.max() <= most):
        raise ShapeError(f"ctc: {name} must lie in {least}..{most}, got {lengths.tolist()}")
    return lengths.astype(np.int64)


def _own_labels(labels, counts, blank, C):
    """A copy of the labels (N, L) int64, the blank behind each row's count."""
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"ctc: labels must be integers, got {labels.dtype}; use .astype")
    rows = labels.numpy()
    inside = np.arange(rows.shape[1]) < counts[:, None]
    wrong = rows[inside & ((rows < 0) | (rows >= C) | (rows == blank))]
    if wrong.size:
        raise IndexRangeError(
            f"ctc: labels must lie in 0..{C - 1} and not be the blank {blank}, got {wrong[0]}"
        )
    return np.where(inside, rows, blank).astype(np.int64)


def ctc_by_steps(log_p, labels, steps, counts, blank):
    """The same in operations, a few per step, by alpha[t, s] = log p of all beginnings that end in
    state s at step t (a blank around every label):

    alpha[t, s] = log p_t(class s) + log(e^alpha[t-1, s] + e^alpha[t-1, s-1] + e^alpha[t-1, s-2]),
    the last only where the state between is a blank that may be left out.
    """
    N, T, _ = log_p.shape
    classes = np.full((N, 2 * labels.shape[1] + 1), blank, np.int64)
    classes[:, 1::2] = labels
    S = classes.shape[1]
    skips = np.zeros(classes.shape, np.bool_)
    skips[:, 2:] = (classes[:, 2:] != blank) & (classes[:, 2:] != classes[:, :-2])
    places = np.ascontiguousarray(np.broadcast_to(classes[:, None], (N, T, S)))
    emitted = take_along_axis(log_p, _like(log_p, places), axis=2)
    emitted = clip(emitted, low=NEVER)  # a class may have the probability 0
    first = np.broadcast_to(np.arange(S) < 2, (N, S))
    alpha = masked_fill(emitted[:, 0], _like(log_p, ~first), NEVER)
    for t in range(1, T):
        ways = [alpha, pad(alpha[:, :-1], ((0, 0), (1, 0)), value=NEVER)]
        if S > 2:
            two = pad(alpha[:, :-2], ((0, 0), (2, 0)), value=NEVER)
            ways.append(masked_fill(two, _like(log_p, ~skips), NEVER))
        moved = emitted[:, t] + logsumexp(stack(ways, 0), axis=0)
        alpha = where(_like(log_p, (t < steps)[:, None]), moved, alpha)
    # the end is the last label or the blank behind it
    ends = (np.arange(S) - 2 * counts[:, None] + 1) // 2 == 0
    total = logsumexp(masked_fill(alpha, _like(log_p, ~ends), NEVER), axis=1)
    # NEVER + log p is still about NEVER, and no real total comes near half of it
    return masked_fill(total, total < NEVER / 2, float("-inf"))


def _like(x, values):
    return x._new(x.backend.asarray(values), x.backend)
