"""What a decoder writes: the most probable word each time, or the best of several beginnings."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...arguments import whole
from ...nn import looking
from ...tensor import Tensor
from .attention_decoder import END, PAD, START, Seen, Writer

ALPHA = 0.6  # Wu et al. 2016, section 7: between 0.6 and 0.7


class Written(NamedTuple):
    """words (N, T) int64, PAD after END; weights (N, T, S), where each word looked; scores (N,),
    log p of the words."""

    words: np.ndarray
    weights: np.ndarray
    scores: np.ndarray


def greedy(model: Writer, x: Tensor, steps: int) -> Written:
    """Each time the most probable word, until every sentence has its END or `steps` words."""
    whole("greedy", "steps", steps, 1)
    with looking(model):
        seen = model.read(x)
        N = len(x)
        words, weights = np.full((N, steps), PAD), []
        last, scores = np.full(N, START), np.zeros(N)
        for t in range(steps):
            logs, looked, state = _step(model, last, seen)
            last = np.where((last == END) | (last == PAD), PAD, logs.argmax(axis=1))
            scores += np.where(last == PAD, 0, logs[np.arange(N), last])
            words[:, t] = last
            weights.append(looked)
            seen = seen._replace(state=state)
            if not (words[:, t] > END).any():
                break
    return _cut(words, np.stack(weights, axis=1), scores)


def beam(model: Writer, x: Tensor, steps: int, width: int, alpha: float = ALPHA) -> Written:
    """Of the `width` most probable beginnings of every length, those that came to their END, the
    one with the largest log p(words) / ((5 + T) / 6)^alpha, T its number of words with END.

    alpha = 0 takes the most probable one, which is often short. Where none has ended after `steps`
    words, those that have not count. Wu et al. 2016 (arXiv:1609.08144), equation 14, without its
    coverage.
    """
    whole("beam", "steps", steps, 1)
    whole("beam", "width", width, 1)
    with looking(model):
        seen, N = model.read(x), len(x)
        rows = np.repeat(np.arange(N), width)  # row n * width + k: beginning k of sentence n
        seen = _rows(seen, rows)
        words = np.full((N, width, 0), PAD)
        weights = np.zeros((N, width, 0, seen.memory.shape[1]))
        scores = np.full((N, width), -np.inf)
        scores[:, 0] = 0  # all beginnings are the same one: only the first may go on
        last = np.full((N, width), START)
        for _ in range(steps):
            logs, looked, state = _step(model, last.reshape(-1), seen)
            logs = logs.reshape(N, width, -1)
            over = (last == END) | (last == PAD)
            logs[over] = -np.inf
            logs[over, PAD] = 0  # what has ended waits
            sums = (scores[..., None] + logs).reshape(N, -1)
            best = _largest(sums, width)
            parent, last = best // logs.shape[2], best % logs.shape[2]
            scores = np.take_along_axis(sums, best, axis=1)
            n = np.arange(N)[:, None]
            words = np.concatenate([words[n, parent], last[..., None]], axis=2)
            looked = looked.reshape(N, width, 1, -1)[n, parent]
            weights = np.concatenate([weights[n, parent], looked], axis=2)
            seen = seen._replace(state=_taken(state, (n * width + parent).reshape(-1)))
            if not (last > END).any():
                break
    chosen = np.argmax(_judged(words, scores, alpha), axis=1)
    n = np.arange(N)
    return _cut(words[n, chosen], weights[n, chosen], scores[n, chosen])


def _largest(sums: np.ndarray, count: int) -> np.ndarray:
    """The places of the `count` largest of each row, the largest first."""
    some = np.argpartition(-sums, min(count, sums.shape[1] - 1), axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(sums, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def _judged(words: np.ndarray, scores: np.ndarray, alpha: float) -> np.ndarray:
    """(N, width): what the beginnings are chosen by; an ended one before any that is not."""
    lengths = (words != PAD).sum(axis=2)
    found = scores / ((5 + lengths) / 6) ** alpha
    ended = (words == END).any(axis=2)
    return np.where(ended | ~ended.any(axis=1, keepdims=True), found, -np.inf)


def _step(model: Writer, last: np.ndarray, seen: Seen) -> tuple[np.ndarray, np.ndarray, Any]:
    """log p of the next word (N, V), float64, never PAD or START; where it looked; the state."""
    logits, weights, state = model.decoder(Tensor(last[:, None], backend=model.backend), seen)
    rows = logits.numpy()[:, 0].astype(np.float64)
    rows[:, [PAD, START]] = -np.inf
    rows -= rows.max(axis=1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(axis=1, keepdims=True)), weights.numpy()[:, 0], state


def _rows(seen: Seen, rows: np.ndarray) -> Seen:
    mask = None if seen.mask is None else _taken(seen.mask, rows)
    return Seen(_taken(seen.memory, rows), mask, _taken(seen.state, rows))


def _taken(state: Any, rows: np.ndarray) -> Any:
    """The rows of a tensor, or of each of a state's."""
    if isinstance(state, Tensor):
        return Tensor(state.numpy()[rows], backend=state.backend)
    return tuple([_taken(s, rows) for s in state])


def _cut(words: np.ndarray, weights: np.ndarray, scores: np.ndarray) -> Written:
    """As long as the longest of them."""
    most = max(int((words != PAD).sum(axis=1).max(initial=0)), 1)
    return Written(words[:, :most], weights[:, :most], scores)
