"""Made-up stories of people, places and things, with a question about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...arguments import integers, texts, whole
from ...doors import checked
from ...errors import IndexRangeError, ShapeError

if TYPE_CHECKING:
    from ...random import Generator

PEOPLE = ("mary", "john", "sandra", "daniel")
PLACES = ("kitchen", "garden", "office", "bathroom", "hallway", "bedroom")
THINGS = ("milk", "football", "apple")
WORDS = ("<pad>", *PEOPLE, *PLACES, *THINGS, "went", "to", "the", "took", "dropped", "where", "is")
LONGEST = 5  # words of a sentence


@dataclass(frozen=True, slots=True, eq=False)
class Stories:
    """x (N, S + 1, 5) int64: S sentences, of earlier ones that there are not only zeros, and the
    question; y (N,) int64: the place that is asked for, of `classes`; words: what numbers mean."""

    x: np.ndarray
    y: np.ndarray
    words: tuple[str, ...] = WORDS
    classes: tuple[str, ...] = PLACES

    def __post_init__(self) -> None:
        x, y = integers("Stories", "x", self.x), integers("Stories", "y", self.y)
        words = texts("Stories", "words", self.words)
        texts("Stories", "classes", self.classes)
        if x.ndim != 3 or y.shape != x.shape[:1]:
            raise ShapeError(f"Stories: x must be (N, S, 5) and y (N,), got {x.shape}, {y.shape}")
        if x.size and not 0 <= x.min() <= x.max() < len(words):
            raise IndexRangeError(f"Stories: x must be in 0 ... {len(words) - 1}, the words")

    def __len__(self) -> int:
        return len(self.y)

    def told(self, index: int) -> list[str]:
        """The sentences of a story and its question, as texts."""
        index = whole("Stories.told", "index", index, 0, len(self) - 1)
        rows = [[self.words[w] for w in row if w] for row in self.x[index].tolist()]
        return [" ".join(row) for row in rows if row]


@checked
def stories(n: int, rng: Generator, sentences: int = 10) -> Stories:
    """n stories of 4 to `sentences` sentences: people go somewhere, take a thing where they are,
    drop what they have; things go where their holder goes. Asked is where a thing is: that takes
    two facts, who has it, or where it was dropped, and where they were then.

    After the second task of bAbI (Weston et al. 2015, arXiv:1502.05698).
    """
    whole("stories", "n", n, 1)
    whole("stories", "sentences", sentences, 4)
    number = {word: k for k, word in enumerate(WORDS)}
    x, y = np.zeros((n, sentences + 1, LONGEST), np.int64), np.zeros(n, np.int64)
    for k in range(n):
        while True:
            length = int(rng.integers(4, sentences + 1))
            told, places = _story(length, rng.integers(0, 1 << 20, (length, 3)).tolist())
            if places:
                break
        thing = sorted(places)[int(rng.integers(0, len(places)))]
        rows = [*told, f"where is the {thing}"]
        for row, text in zip(x[k, sentences - length :], rows, strict=True):
            codes = [number[word] for word in text.split()]
            row[: len(codes)] = codes
        y[k] = PLACES.index(places[thing])
    return Stories(x, y)


def _story(length: int, draws: list[list[int]]) -> tuple[list[str], dict[str, str]]:
    """The sentences, and where each thing is of which one can tell."""
    at: dict[str, str] = {}  # of people
    has: dict[str, str] = {}  # things by their holder
    lies: dict[str, str] = {}  # things that were dropped, and where
    told = []
    for who, what, which in draws:
        person = PEOPLE[who % len(PEOPLE)]
        held = [thing for thing, holder in has.items() if holder == person]
        near = [t for t in THINGS if t not in has and lies.get(t, at.get(person)) == at.get(person)]
        if person in at and held and what % 4 == 0:
            thing = held[which % len(held)]
            lies[thing] = at[person]
            del has[thing]
            told.append(f"{person} dropped the {thing}")
        elif person in at and near and what % 4 < 3:
            thing = near[which % len(near)]
            has[thing] = person
            lies.pop(thing, None)
            told.append(f"{person} took the {thing}")
        else:
            at[person] = PLACES[which % len(PLACES)]
            told.append(f"{person} went to the {at[person]}")
    return told, {**lies, **{thing: at[holder] for thing, holder in has.items()}}
