"""Where the entries of the shelf lie, and what their cards say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..quoting import quoted

SHELF = Path(__file__).parent / "shelf"
CARD = "card.json"


@dataclass(frozen=True, slots=True)
class Card:
    """Where an entry comes from, and what was measured with the weights as they are stored.

    score: which of `test` counts; test: every measure on the test part; baselines: what stands
    beside it there. stored: "float16" or "float32"; bytes, sha256: of model.safetensors. outputs:
    the first numbers that the model gives for `probe` (adding.py), (): its inputs are no pictures
    or rows. seconds: what measuring took.
    """

    name: str
    title: str
    command: str
    date: str
    commit: str
    data: str
    licence: str
    source: str
    score: str
    test: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    parameters: int
    stored: str
    bytes: int
    sha256: str
    outputs: tuple[float, ...]
    seconds: float


def names() -> list[str]:
    """The names of the trained models on the shelf."""
    return sorted(path.parent.name for path in SHELF.glob(f"*/{CARD}"))


def folder(name: str) -> Path:
    """The run folder of an entry; ConfigError where there is none of this name."""
    known = names()
    if name not in known:
        close = get_close_matches(name, known, n=3) or known
        raise ConfigError(
            f"zoo: there is no trained model {quoted(name, 60)} on the shelf; `tinydl zoo` lists "
            f"{', '.join(close[:6])}"
        )
    return SHELF / name


def card(name: str) -> Card:
    """What is known of an entry. Raises ConfigError for a name that is not among `names()`."""
    told: dict[str, Any] = json.loads((folder(name) / CARD).read_text())
    return Card(**{**told, "outputs": tuple(told["outputs"])})


def found(name: str | Path) -> Path:
    """The folder of this path, or where nothing is there, the entry of the shelf of this name."""
    path = Path(name)
    on_shelf = len(path.parts) == 1 and not path.exists() and (SHELF / path / CARD).is_file()
    return SHELF / path if on_shelf else path
