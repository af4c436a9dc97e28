"""The page of a run, put together and written."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from ..errors import ConfigError, TinydlError
from ..files import write_atomically
from ..quoting import shown
from ..zoo.shelf import SHELF
from . import boxes, classes, maps, told, words
from .html import Html, element, page, paragraph, section
from .subject import Classified, Subject, classified, private, subject_of

NAME = "report.html"
Part = Callable[[], Html | Sequence[Html] | None]


def target_of(named: str, out: str | None, force: bool) -> Path:
    """Where the page goes: `out`, or report.html in the run folder, of an entry of the shelf
    NAME-report.html here. ConfigError where something is there already, unless `force`."""
    if out is not None:
        path = Path(out)
    elif Path(named).is_dir():
        path = Path(named) / NAME
    else:
        path = Path(f"{Path(named).name}-{NAME}")
    if path.is_dir() or (os.path.lexists(path) and not force):
        raise ConfigError(f"report: {shown(path)} is there already; --force writes it anew")
    if SHELF in path.resolve().parents:
        raise ConfigError("report: nothing is written into the shelf; name another file with --out")
    if not path.parent.is_dir():
        raise ConfigError(f"report: there is no folder {shown(path.parent)}")
    return path


def write_report(
    named: str,
    out: str | None = None,
    force: bool = False,
    recipe_file: str | None = None,
    backend: str | None = None,
    dataset: str = "",
) -> Path:
    """Write the page of a run folder, a name of the shelf or an imported run; returns its path.

    Atomically, and only when it is whole. ConfigError for a file that is there, unless `force`.
    """
    path = target_of(named, out, force)
    text = report(subject_of(named, recipe_file, backend, dataset))
    write_atomically(path, text.encode())
    return path


def report(subject: Subject) -> str:
    """The document. What cannot be shown is a sentence in its place that says why."""
    title = Path(subject.named).name or str(subject.named)
    head = [element("h1", title), paragraph(f"A report of tinydl, {date.today().isoformat()}.")]
    if subject.missing:
        head.append(paragraph(f"The data are not here: {subject.missing}"))
    found = _attempt("Predictions", lambda: classified(subject))
    known = found if isinstance(found, Classified) else None
    parts: dict[str, Part] = {
        "What was trained": lambda: told.origin(subject),
        "Figures": lambda: told.figures(subject),
        "Curves": lambda: told.curves(subject),
    }
    parts |= {} if known is None else _of_classes(known)
    training = subject.training
    if training is not None:
        parts |= {
            "Boxes": lambda: boxes.detection(training),
            "What the detector looks at": lambda: boxes.looked_at(training),
            "Regions": lambda: boxes.regions(training),
            "Passages": lambda: words.passages(training),
            "Answers": lambda: words.answers(training),
        }
    parts |= {
        "Layers": lambda: told.layers(subject),
        "Roofline": lambda: told.roofline(subject),
    }
    made: list[Html] = [found] if isinstance(found, Html) else []
    for name, part in parts.items():
        one = _attempt(name, part)
        made += [one] if isinstance(one, Html) else list(one or ())
    return page(f"{title}: report", *head, *made)


def _of_classes(found: Classified) -> dict[str, Part]:
    parts: dict[str, Part] = {
        "Scores by class": lambda: classes.scores(found),
        "What is taken for what": lambda: classes.confusions(found),
    }
    if found.shares:
        parts["Reliability"] = lambda: classes.reliability(found)
    parts["The most confident mistakes"] = lambda: classes.mistakes(found)
    parts["What the model looks at"] = lambda: maps.attributions(found)
    return parts


def _attempt(name: str, part: Callable[[], Any]) -> Any:
    try:
        return part()
    except TinydlError as error:
        return section(name, paragraph(f"Not shown: {private(str(error))}"))
