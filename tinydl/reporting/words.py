"""Texts: the passages that a language model expects least, the answers that are farthest off."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np

from ..experiment.program import Training
from ..metrics import edit_distance
from ..nn import looking
from ..programs.language import LanguageTraining
from ..programs.writing import WritingTraining
from .html import Html, element, paragraph, section, table

PASSAGES, LENGTH = 8, 120  # how many, and of how many characters
READ = 1_000_000  # characters; of all of them the bits are those that `measure` means
ASKED = 200  # test sources that are answered


def passages(training: Training | None) -> Html | None:
    """The worst-predicted passages of a text; None for what is no model of one."""
    if not isinstance(training, LanguageTraining):
        return None
    text, model = training.text, training.model
    ids = text.test[:READ]
    with looking(model):
        bits = training.losses(ids) / log(2)
    starts = worst_windows(bits, LENGTH, PASSAGES)
    inside = []
    for start in starts:
        end = start + LENGTH
        mean = float(bits[start:end].mean())
        marks = [
            element("span", text.tokenizer.decode(ids[i : i + 1]), style=_shade(float(bits[i])))
            for i in range(start, min(end, len(ids)))
        ]
        told = f"characters {start:,} to {end:,}: {mean:.2f} bits per character"
        inside.append(Html(element("h3", told) + element("div", *marks, **{"class": "passage"})))
    told = (
        f"Of the first {len(ids):,} characters of the test part ({bits.mean():.3f} bits each), the "
        f"{len(starts)} stretches of {LENGTH} that cost most. The shade is the bits of a character."
    )
    return section("The worst-predicted passages", paragraph(told), *inside)


def worst_windows(values: np.ndarray, length: int, count: int) -> list[int]:
    """Where the stretches of `length` with the largest sums begin that do not overlap."""
    length = min(length, len(values))
    ends = np.concatenate([[0.0], np.cumsum(values)])
    sums = ends[length:] - ends[:-length]
    free, found = np.ones(len(sums), bool), list[int]()
    while len(found) < count and free.any():
        best = int(np.where(free, sums, -np.inf).argmax())
        found.append(best)
        free[max(0, best - length + 1) : best + length] = False
    return found


def _shade(bits: float) -> str:
    return f"background:rgba(178,24,43,{min(bits / 12, 0.8):.2f})"


def answers(training: Training | None) -> Html | None:
    """The answers that are farthest from every right one; None for what writes none."""
    if not isinstance(training, WritingTraining):
        return None
    texts: Any = training.texts
    right, sources = texts.references()[:ASKED], texts.parts.test_sources[:ASKED]
    made, _ = training.program.sentences(training.model, texts, texts.x_test[:ASKED], sources)
    far = [
        min(edit_distance(list(one), list(each)) / max(len(each), 1) for each in several)
        for one, several in zip(made, right, strict=True)
    ]
    order = [i for i in np.argsort(-np.array(far), kind="stable").tolist() if far[i] > 0][:12]
    wrong = sum(value > 0 for value in far)
    told = f"{wrong:,} of the first {len(far):,} answers of the test part are not a right one."
    title = "The answers that are farthest off"
    if not order:
        return section(title, paragraph(told))
    rows = [
        (_asked(sources[i]), " ".join(made[i]), " ".join(right[i][0]), f"{far[i]:.2f}")
        for i in order
    ]
    heads = ("asked", "written", "right", "edits per token")
    return section(title, paragraph(told), table(heads, rows, text=(0, 1, 2)))


def _asked(source: Any) -> str:
    if isinstance(source, str):
        return source
    return "a picture" if getattr(source, "ndim", 0) > 1 else " ".join(map(str, source))
