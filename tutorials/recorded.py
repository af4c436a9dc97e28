"""Figures of full-length runs: noted by a page, kept by record.py, quoted by pages.

A page notes what it measures, `note("error of the LSTM", 0.0004)`. `python tutorials/record.py`
runs pages at full length and keeps the notes in recorded/NN.json, with machine and date. A page
quotes them in its code, `quote("09", "error of the LSTM")`, so that its fast form can say what the
full one found; and in its text, as a number with the name behind it in brackets:

    0.0004 (recorded: error of the LSTM)

A test looks every quoted number up; `mistakes` is how.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "recorded"
NOTED: dict[str, float] = {}  # what the running page has noted so far
QUOTED = re.compile(r"(-?\d[\d,]*(?:\.\d+)?)( %)? \(recorded: ([^)]+)\)")


def note(name: str, value: float) -> None:
    """Keep a figure of the running page under a name; ValueError for a name that it has already."""
    if name in NOTED:
        raise ValueError(f"note: this page has noted {name!r} already")
    NOTED[name] = float(value)


def figures(number: str, folder: Path = FOLDER) -> dict[str, float]:
    """{name: figure} of the recorded run of a page ("09"); empty if there is none."""
    path = folder / f"{number}.json"
    return json.loads(path.read_text())["figures"] if path.exists() else {}


def quote(number: str, name: str) -> float:
    """A figure of the recorded run; KeyError, with the names that there are, for another one."""
    found = figures(number)
    if name not in found:
        raise KeyError(f"quote: recorded/{number}.json has no {name!r}, it has {sorted(found)}")
    return found[name]


def mistakes(text: str, found: dict[str, float]) -> list[str]:
    """What is wrong with the quotations in a text: unknown names, and numbers that differ.

    A number agrees if the figure, rounded to as many places, is written so; with " %" behind it,
    the figure is a hundredth of it.
    """
    wrong = []
    for written, percent, name in QUOTED.findall(" ".join(text.split())):
        if name not in found:
            wrong.append(f"{written}: nothing is recorded as {name!r}")
            continue
        value = Decimal(repr(found[name])) * (100 if percent else 1)
        places = Decimal(1).scaleb(-len(written.partition(".")[2]))
        if value.quantize(places) != Decimal(written.replace(",", "")):
            wrong.append(f"{written}: {name!r} is recorded as {value:f}")
    return wrong
