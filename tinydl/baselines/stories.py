"""Stories and clips without a memory: the place named last, one frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.synthetic.stories import PLACES, WORDS
from .labels import judged, logistic


def last_place(training: Any, part: str) -> dict[str, float]:
    """The place that the story names last, whatever is asked; of a story without one the first."""
    x, _ = getattr(training.parts, part)
    story = x[:, :-1].reshape(len(x), -1)
    classes = np.array([PLACES.index(w) if w in PLACES else -1 for w in WORDS])[story]
    named = classes >= 0
    last = named.shape[1] - 1 - named[:, ::-1].argmax(axis=1)
    found = np.maximum(classes[np.arange(len(x)), last], 0)
    return judged(training, part, np.eye(len(PLACES))[found])


def one_frame(training: Any, part: str) -> dict[str, float]:
    """A logistic regression of the pixels of the frame in the middle."""
    (x, y), (other, _) = training.parts.train, getattr(training.parts, part)
    frames = [clips[:, clips.shape[1] // 2].reshape(len(clips), -1) for clips in (x, other)]
    return judged(training, part, logistic(frames[0], y)(frames[1]))
