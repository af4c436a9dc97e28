"""Texts in class folders: a network judges them word by word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..data import Reviews, WordTokenizer
from ..data.folders.texts import text_folder
from ..experiment.card import Recipe
from ..experiment.program import Settings
from ..programs.reading import Reading, Texts, fitted_words
from .gathered import VALIDATION, Gathered, Places, digest, in_folders
from .kept import Own
from .options import Options

WORDS = 5_000  # of the vocabulary at most


def gather(path: str, options: Options) -> Gathered:
    """The texts of class folders; the errors of `text_folder`."""
    options.only_for("texts", target=options.target, group=options.group)
    found = text_folder(path, options.follow_links)
    content = [(file, text.encode()) for file, text in zip(found.files, found.texts, strict=True)]
    return in_folders(found, found.texts, digest(content))


def learn(
    gathered: Gathered, train: np.ndarray, options: Options, recipe: Recipe
) -> dict[str, Any]:
    """How many words are read of a text, and how many there are: the vocabulary itself is kept by
    the program."""
    length = options.size[0] if options.size else recipe.program.input_shape[0]
    tokenizer = fitted_words((gathered.x[k] for k in train), _most(recipe))
    return {"length": int(length), "words": len(tokenizer)}


def _most(recipe: Recipe) -> int:
    return recipe.program.words if isinstance(recipe.program, Reading) else WORDS


def remarks(gathered: Gathered, preparation: Mapping[str, Any]) -> list[str]:
    """What is read of the texts."""
    told = [f"the last {preparation['length']:,} words of a text are read"]
    if VALIDATION in gathered.parts:
        told.append("what lies in val/ is left out: texts are not validated while training")
    return told


def elsewhere(own: Own, path: str, options: Options) -> Gathered:
    """The texts of another folder, whose classes the run knows."""
    return gather(path, options)


def data_of(bound: Any, gathered: Gathered, places: Places, settings: Settings) -> Texts:
    """Words by their numbers: by the run's vocabulary, if it has one."""
    program: Reading = bound.program
    known = WordTokenizer(program.vocabulary) if program.vocabulary else None
    parts = [_reviews(gathered, part) for part in (places.train, places.test)]
    return Texts(parts, program.words, program.input_shape[0], bound.samples, known)


def _reviews(gathered: Gathered, part: Sequence[int] | np.ndarray) -> Reviews:
    texts = tuple(gathered.x[k] for k in part)
    return Reviews(texts, gathered.y[part], np.zeros(len(texts), np.int64), gathered.classes)
