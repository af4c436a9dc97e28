"""How a text is continued: temperature, the k likeliest, the nucleus, the likeliest alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arguments import integers, whole
from ...errors import ConfigError, ShapeError
from ...function import no_grad
from ...random import Generator, by_shares
from ...tensor import Tensor
from .text import LanguageModel


def next_probabilities(
    logits: np.ndarray,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> np.ndarray:
    """What is drawn from, (V,) float64, of the logits (V,) of the next character.

    p ~ exp(logits / temperature): below 1 the likely ones gain, and at 0 only the largest is left
    (greedy; ties to the smaller index). Then top_k keeps the k largest (ties with the k-th too),
    and top_p the fewest whose sum reaches top_p, from the largest down (the nucleus: Holtzman et
    al. 2020, arXiv 1904.09751); what is kept is scaled to the sum 1. Raises ConfigError.
    """
    check_drawing(temperature, top_k, top_p)
    scores = np.asarray(logits, np.float64)
    if temperature == 0:
        return (np.arange(len(scores)) == scores.argmax()).astype(np.float64)
    p = np.exp((scores - scores.max()) / temperature)
    if top_k is not None and top_k < len(p):
        p[p < np.sort(p)[-top_k]] = 0
    p /= p.sum()
    if top_p is not None:
        order = np.argsort(-p, kind="stable")
        before = np.cumsum(p[order]) - p[order]  # of all that are likelier
        p[order[before >= top_p]] = 0
        p /= p.sum()
    return p


def check_drawing(temperature: float, top_k: int | None, top_p: float | None) -> None:
    """ConfigError for what cannot be drawn by."""
    if not 0 <= temperature < np.inf:
        raise ConfigError(f"text: temperature must be >= 0, got {temperature!r}")
    if top_k is not None:
        whole("text", "top_k", top_k, 1)
    if top_p is not None and not 0 < top_p <= 1:
        raise ConfigError(f"text: top_p must be in (0, 1], got {top_p!r}")


class Reader:
    """A text that is read piece by piece: the state behind one is where the next begins."""

    def __init__(self, model: Any) -> None:
        """model: has `backend`, and `run(ids (1, T), state)` as a LanguageModel has."""
        self.model = model
        self.state: Any = None

    def read(self, ids: np.ndarray) -> np.ndarray:
        """Logits (tokens,) of what follows ids (T,), behind those read before."""
        given = Tensor(ids[None], backend=self.model.backend)
        logits, self.state = self.model.run(given, self.state)
        found: np.ndarray = logits[0, -1].numpy()
        return found


def write(
    model: LanguageModel,
    ids: np.ndarray,
    count: int,
    rng: Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> np.ndarray:
    """`count` characters (count,) int64 after the text ids (T,), T >= 1.

    The text is read once; then each character is drawn by `next_probabilities` and only it is read,
    from the state before it: the whole past counts, and a step costs the same however long the text
    has become. The model should be in eval mode.
    """
    check_drawing(temperature, top_k, top_p)
    written = np.empty(whole("text", "count", count, 0), np.int64)
    chances = rng.uniform(count, dtype=np.float64) if count else ()
    seen = _text(ids)
    reader: Any = model.reader() if hasattr(model, "reader") else Reader(model)
    with no_grad():
        for place, chance in enumerate(chances):
            p = next_probabilities(reader.read(seen), temperature, top_k, top_p)
            written[place] = by_shares(np.cumsum(p), chance)
            seen = written[place : place + 1]
    return written


def write_by_window(model: LanguageModel, ids: np.ndarray, count: int, window: int) -> np.ndarray:
    """The book's sampler: the last `window` characters are read anew for every character, from no
    state, and the likeliest one is taken. It soon goes round in circles, and costs `window` times
    as much."""
    text = list(_text(ids))
    with no_grad():
        for _ in range(count):
            seen = np.array(text[-window:])[None]
            logits = model.run(Tensor(seen, backend=model.backend))[0]
            text.append(int(logits[0, -1].numpy().argmax()))
    return np.array(text[len(ids) :], np.int64)


def _text(ids: np.ndarray) -> np.ndarray:
    found = integers("text", "ids", ids)
    if found.ndim != 1 or not len(found):
        raise ShapeError(f"text: ids must be (T,) with T >= 1, got {found.shape}")
    return found
