"""Classifiers: scores by class, what is taken for what, whether shares are right, mistakes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..metrics import (
    calibration_error,
    confusion_matrix,
    precision_recall_f1,
    wilson_interval,
)
from .colours import shown_picture
from .html import Html, element, figure, image, paragraph, png, row, section, table
from .subject import Classified
from .told import fitted

TABLED = 30  # classes of which a whole matrix is readable
MISTAKES = 12
WORDS = 600  # characters of a text that was judged wrongly


def scores(found: Classified) -> Html:
    """Accuracy, and precision, recall and F1 of each class, with Wilson's intervals."""
    y, guess, names = found.y, found.guess, found.classes
    matrix = confusion_matrix(y, guess, len(names))
    hits, said, there = matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)
    each = precision_recall_f1(y, guess, len(names))
    low, high = wilson_interval(np.array(hits.sum()), np.array(len(y)))
    told = (
        f"Right: {hits.sum():,} of {len(y):,} samples of the test part, "
        f"{100 * hits.sum() / len(y):.2f} % ({100 * low:.2f} to {100 * high:.2f})."
    )
    rows = [
        (name, f"{there[k]:,}", _interval(hits[k], said[k]), _interval(hits[k], there[k]),
         f"{100 * np.asarray(each.f1)[k]:.1f}") for k, name in enumerate(names)
    ]  # fmt: skip
    heads = ("class", "samples", "precision, %", "recall, %", "F1, %")
    small = "In brackets the 95 % interval of Wilson (1927): from a few samples little is known."
    return section(
        "Scores by class",
        paragraph(told),
        table(heads, rows),
        element("p", small, style="font-size:.85rem"),
    )


def _interval(hits: int, count: int) -> str:
    if not count:
        return "-"
    low, high = wilson_interval(np.array(hits), np.array(count))
    return f"{100 * hits / count:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def confusions(found: Classified) -> Html:
    """The confusion matrix, or of many classes the pairs that are most often confused."""
    names = found.classes
    matrix = confusion_matrix(found.y, found.guess, len(names))
    wrong = matrix - np.diag(matrix.diagonal())
    told = "Rows are the true classes, columns what was said; the shade is the share of the row."
    inside: list[Html] = []
    if len(names) <= TABLED:
        rows = [
            [name, *(_cell(matrix, i, j) for j in range(len(names)))]
            for i, name in enumerate(names)
        ]
        inside = [paragraph(told), table(["", *names], rows)]
    order = np.argsort(-wrong.reshape(-1), kind="stable")[:10]
    pairs = [(int(k) // len(names), int(k) % len(names)) for k in order]
    rows = [[names[i], names[j], f"{wrong[i, j]:,}"] for i, j in pairs if wrong[i, j]]
    if rows:
        inside.append(table(("true", "taken for", "how often"), rows, text=(0, 1)))
    return section("What is taken for what", *inside)


def _cell(matrix: np.ndarray, i: int, j: int) -> Html:
    share = matrix[i, j] / max(int(matrix[i].sum()), 1)
    colour = "0,114,178" if i == j else "178,24,43"
    ink = ";color:#fff" if share > 0.6 else ""
    style = f"background:rgba({colour},{share:.3f}){ink}"
    return element("td", f"{matrix[i, j]:,}" if matrix[i, j] else "", style=style)


def reliability(found: Classified) -> Html:
    """The reliability diagram of the largest share."""
    from ..viz import plot_calibration

    picture = plot_calibration(found.y, {"this model": found.p})
    error = calibration_error(found.y, found.p)
    told = (
        f"Is what is said with 80 % right in 80 %? Below the diagonal too much is promised. The "
        f"expected calibration error is {error:.4f}."
    )
    return section(
        "Reliability", paragraph(told), image(fitted(picture), "reliability diagram", 420)
    )


def worst(found: Classified) -> np.ndarray:
    """The mistakes, the most confident first."""
    wrong = np.flatnonzero(found.guess != found.y)
    sure = found.p[wrong, found.guess[wrong]]
    return wrong[np.argsort(-sure, kind="stable")]


def mistakes(found: Classified) -> Html | None:
    """The mistakes that the model is surest of."""
    order = worst(found)[:MISTAKES]
    title = "The most confident mistakes"
    if not len(order):
        return section(title, paragraph("There is none on these samples."))
    if found.texts:
        return section(title, *(_text(found, int(k)) for k in order))
    if found.pictures is None:
        rows = [(f"{k}", *_said(found, int(k))) for k in order]
        heads = ("sample", "true", "said", "share, %")
        return section(title, table(heads, rows, text=(0, 1, 2)))
    tiles = [
        figure(
            image(png(shown_picture(found.pictures[k])), f"test sample {k}", 112, True),
            caption(found, int(k)),
        )
        for k in order
    ]
    return section(title, row(*tiles))


def _said(found: Classified, k: int) -> tuple[str, str, str]:
    guess = int(found.guess[k])
    return (
        found.classes[int(found.y[k])],
        found.classes[guess],
        f"{100 * found.p[k, guess]:.1f}",
    )


def caption(found: Classified, k: int) -> str:
    true, said, share = _said(found, k)
    return f"{true}, said {said} ({share} %)"


def _text(found: Classified, k: int) -> Html:
    text = found.texts[k]
    shown = text if len(text) <= WORDS else f"{text[:WORDS]} ..."
    return Html(element("h3", caption(found, k)) + element("div", shown, **{"class": "passage"}))


def looked(found: Classified, most: int) -> Sequence[int]:
    """Which samples' attribution is shown: half of them the worst mistakes, then right ones of as
    many classes as there are."""
    wrong = worst(found)[: most // 2].tolist()
    right = np.flatnonzero(found.guess == found.y)
    first = {int(c): int(k) for k, c in reversed(list(zip(right, found.y[right], strict=True)))}
    by_class = [first[c] for c in sorted(first)]
    rest = [int(k) for k in right if int(k) not in set(by_class)]
    return [*wrong, *by_class, *rest][:most]
