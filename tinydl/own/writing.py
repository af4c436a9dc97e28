"""One text, which a language model learns to go on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..data import CharacterTokenizer, read_text
from ..data.folders.recognise import recognise
from ..errors import ConfigError
from ..experiment.card import Recipe
from ..experiment.program import Settings
from ..programs.language import HELD, Text
from ..quoting import shown
from .gathered import Gathered, Places, digest
from .kept import END, Division, Own
from .options import Options


def gather(path: str, options: Options) -> Gathered:
    """The text of one file; ConfigError for several, or too short a text."""
    options.only_for(
        "one text", target=options.target, group=options.group, size=options.size,
        group_by_prefix=options.by_prefix, class_weights=options.class_weights,
    )  # fmt: skip
    found = recognise(path, options.follow_links)
    if len(found.files) != 1:
        raise ConfigError(
            f"train: {shown(path)} holds {len(found.files)} texts in no class folders; name one"
        )
    text = read_text(Path(found.root, found.files[0].path))
    if len(text) < 2:
        raise ConfigError(f"train: {shown(path)} is too short a text")
    return Gathered(text, np.zeros(0), (), (found.files[0].path,), digest([("", text.encode())]))


def planned() -> Division:
    """A text is divided by its program."""
    return Division(END, 1 / HELD)


def learn(
    gathered: Gathered, train: np.ndarray, options: Options, recipe: Recipe
) -> dict[str, Any]:
    """How many characters there are, with a sign for others."""
    program: Any = recipe.program
    least = program.batch_size * (program.length + 1) * HELD // (HELD - 1) + HELD
    if len(gathered.x) < least:
        raise ConfigError(
            f"train: a text of {len(gathered.x):,} characters is too short for {recipe.name}, "
            f"whose first batch needs {least:,}; a smaller --batch-size needs less"
        )
    return {"tokens": Text(gathered.x).tokens}


def elsewhere(own: Own, path: str, options: Options) -> Gathered:
    """Another text, all of which is foretold."""
    found = gather(path, options)
    found.extra["whole"] = True
    return found


def data_of(bound: Any, gathered: Gathered, places: Places, settings: Settings) -> Text:
    """The text in two parts; all of another one."""
    if "whole" in gathered.extra:
        return Text.foreign(gathered.x, CharacterTokenizer(bound.program.vocabulary))
    return Text(gathered.x, bound.samples)
