"""Made-up sentences: words with their tags, opinions with negations, numbers and their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...arguments import whole
from ...doors import checked
from ..sequences import one_hot

if TYPE_CHECKING:
    from ...random import Generator

PAD = "<pad>"  # word 0 of each vocabulary
ABSENT = -1  # the tag of a place behind the sentence's end

# One spelling, several tags: only what stands around it tells.
_NAMES = [
    "anna",
    "peter",
    "clara",
    "oscar",
    "mark",
    "rose",
    "bill",
    "grace",
    "will",
    "may",
    "frank",
    "hope",
]
_SURNAMES = ["berg", "lind", "wood", "stone", "brook", "field", "young", "long"]
_NOUNS = [
    "dog",
    "garden",
    "letter",
    "river",
    "house",
    "song",
    "wood",
    "stone",
    "brook",
    "field",
    "mark",
    "rose",
    "bill",
    "grace",
    "will",
    "hope",
    "walk",
    "play",
    "visit",
    "watch",
]
_VERBS = [
    "walk",
    "play",
    "visit",
    "watch",
    "mark",
    "bill",
    "grace",
    "field",
    "sees",
    "paints",
    "follows",
    "sells",
    "hears",
]
_SHARED = ["dog", "garden", "letter", "river", "house", "song"]
_AUXILIARIES = ["will", "may", "can", "must"]
_ADJECTIVES = ["old", "green", "quiet", "young", "long", "frank", "light", "little"]
_ADVERBS = ["soon", "often", "never", "long", "still"]
_PREPOSITIONS = ["near", "behind", "with", "for"]
_DETERMINERS = ["the", "a", "this", "every"]

LONGEST_SENTENCE, DRAWS = 15, 32  # words, and chances that make one

TAGS = ("name", "noun", "verb", "aux", "adj", "adv", "prep", "det", "stop")


class Sentences(NamedTuple):
    """x (N, T) int64 of words, 0 behind the end; y: tags (N, T) int64, -1 behind the end, or one
    class per sentence (N,) int64; the words and classes that they count in."""

    x: np.ndarray
    y: np.ndarray
    vocabulary: tuple[str, ...]
    classes: tuple[str, ...]


@checked
def tagged_sentences(n: int, rng: Generator, length: int = LONGEST_SENTENCE) -> Sentences:
    """n sentences of a small grammar, every word with its part of speech; names are tagged "name".

    Fifteen words are spelt alike in several roles ("will", "may", "mark", "rose", "long" ...), as
    in "will may watch the watch near rose wood .", so a word alone does not tell its tag. Raises
    ConfigError; a sentence has at most 15 words.
    """
    whole("tagged_sentences", "n", n, 1)
    whole("tagged_sentences", "length", length, LONGEST_SENTENCE)
    words = _vocabulary(
        _NAMES, _SURNAMES, _NOUNS, _VERBS, _AUXILIARIES, _ADJECTIVES, _ADVERBS, _PREPOSITIONS,
        _DETERMINERS, ["."],
    )  # fmt: skip
    place = {word: k for k, word in enumerate(words)}
    x = np.zeros((n, length), np.int64)
    y = np.full((n, length), ABSENT, np.int64)
    for row, draws in enumerate(rng.uniform((n, DRAWS), dtype=np.float64)):
        sentence = _sentence(Chances(draws))
        x[row, : len(sentence)] = [place[word] for word, _ in sentence]
        y[row, : len(sentence)] = [TAGS.index(tag) for _, tag in sentence]
    return Sentences(x, y, words, TAGS)


class Chances:
    """Uniform numbers, taken one after the other."""

    def __init__(self, draws: np.ndarray) -> None:
        self.draws = iter(draws.tolist())

    def below(self, share: float) -> bool:
        return next(self.draws) < share

    def pick(self, words: list[str]) -> str:
        return words[int(next(self.draws) * len(words))]


def _vocabulary(*lists: list[str]) -> tuple[str, ...]:
    return (PAD, *sorted({word for words in lists for word in words}))


def _sentence(chance: Chances) -> list[tuple[str, str]]:
    """subject [auxiliary] [adverb] verb object [preposition + phrase] [adverb] . as (word, tag)."""
    found = _phrase(chance)
    if chance.below(0.6):
        found.append((chance.pick(_AUXILIARIES), "aux"))
    if chance.below(0.3):
        found.append((chance.pick(_ADVERBS), "adv"))
    found.append((chance.pick(_VERBS), "verb"))
    found += _phrase(chance)
    if chance.below(0.5):
        found += [(chance.pick(_PREPOSITIONS), "prep"), *_phrase(chance)]
    if chance.below(0.2):
        found.append((chance.pick(_ADVERBS), "adv"))
    return [*found, (".", "stop")]


def _phrase(chance: Chances) -> list[tuple[str, str]]:
    """A name, with or without a surname, or a determiner, perhaps an adjective, and a noun."""
    if chance.below(0.45):
        name = [(chance.pick(_NAMES), "name")]
        return name + ([(chance.pick(_SURNAMES), "name")] if chance.below(0.4) else [])
    adjective = [(chance.pick(_ADJECTIVES), "adj")] if chance.below(0.5) else []
    nouns = _NOUNS if chance.below(0.7) else _SHARED
    return [(chance.pick(_DETERMINERS), "det"), *adjective, (chance.pick(nouns), "noun")]


_THINGS = ["plot", "music", "cast", "ending", "camera", "script", "pace", "story"]
_GOOD = ["good", "lovely", "clever", "funny", "moving", "fresh"]
_BAD = ["dull", "poor", "silly", "weak", "noisy", "stale"]
_FILLERS = ["long", "short", "new", "french", "early", "quiet"]
OPINIONS = ("negative", "positive")


@checked
def opinions(n: int, rng: Generator, length: int = 14) -> Sentences:
    """n sentences about films: class 1 where the opinion in it is good.

    "the plot is not long but it is good .": one word of opinion, one of none, in either order, each
    with a "not" before it in three cases of ten. A "not" turns only its own word, so the words
    without their order are right in eight cases of ten at most. Raises ConfigError.
    """
    whole("opinions", "n", n, 1)
    whole("opinions", "length", length, 14)
    grammar = ["the", "is", "not", "but", "and", "it", "very", "."]
    words = _vocabulary(_THINGS, _GOOD, _BAD, _FILLERS, grammar)
    place = {word: k for k, word in enumerate(words)}
    x, y = np.zeros((n, length), np.int64), np.zeros(n, np.int64)
    for row, draws in enumerate(rng.uniform((n, 9), dtype=np.float64)):
        chance = Chances(draws)
        good, first, also, very = (chance.below(0.5) for _ in range(4))
        turned, decoy = chance.below(0.3), chance.below(0.3)
        opinion = ["not"] * turned + ["very"] * very + [chance.pick(_GOOD if good else _BAD)]
        other = ["not"] * decoy + [chance.pick(_FILLERS)]
        halves = [opinion, other] if first else [other, opinion]
        joint = ["and" if also else "but", "it", "is"]
        sentence = ["the", chance.pick(_THINGS), "is", *halves[0], *joint, *halves[1], "."]
        x[row, : len(sentence)] = [place[word] for word in sentence]
        y[row] = good != turned
    return Sentences(x, y, words, OPINIONS)


_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
LETTERS = "_ -" + "".join(sorted(set("".join([*_ONES, *_TENS, "hundred", "and"]))))
LONGEST = len("three hundred and seventy-three")


@checked
def number_name(number: int) -> str:
    """ "three hundred and forty-two" of 342; 0 to 999. ConfigError outside."""
    whole("number_name", "number", number, 0, 999)
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")
    hundreds, rest = divmod(number, 100)
    return f"{_ONES[hundreds]} hundred" + (f" and {number_name(rest)}" if rest else "")


@checked
def spelled_numbers() -> Sentences:
    """The numbers 0 to 999 and their names: x (1000, 30) float32, the three digits one-hot side by
    side; y (1000, 31) int64, letters of `vocabulary`, filled up with letter 0, "_"."""
    digits = np.stack([np.arange(1000) // k % 10 for k in (100, 10, 1)], axis=1)
    x = one_hot(digits, 10).reshape(1000, 30)
    names = [number_name(k).ljust(LONGEST, LETTERS[0]) for k in range(1000)]
    y = np.array([[LETTERS.index(letter) for letter in name] for name in names], np.int64)
    return Sentences(x, y, tuple(LETTERS), tuple(LETTERS))
