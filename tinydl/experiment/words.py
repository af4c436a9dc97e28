"""Corpora of words as recipes want them."""

from __future__ import annotations

from dataclasses import replace

from .. import data

MOST = 10_000
#: Near relatives, by meaning, gender, number, tense or kind.
RELATIVES = (
    "good great", "bad terrible", "funny hilarious", "boring dull", "scary creepy", "sad tragic",
    "beautiful gorgeous", "stupid dumb", "strange weird", "smart intelligent", "happy glad",
    "love hate", "best worst", "first second", "old young", "big small", "high low", "long short",
    "early late", "black white", "hot cold", "right wrong", "left right", "before after",
    "actor actress", "man woman", "boy girl", "king queen", "son daughter", "father mother",
    "brother sister", "husband wife", "uncle aunt", "hero heroine", "he she", "his her",
    "movie film", "movies films", "director producer", "plot story",
    "script screenplay", "music soundtrack", "dvd vhs", "comedy drama", "horror thriller",
    "french german", "america american", "england british", "paris london", "two three",
    "monday friday", "doctor nurse", "police cop", "gun knife", "car truck", "dog cat",
    "eat drink", "walk run", "says said", "goes went", "buy bought",
)  # fmt: skip


def film_words() -> data.WordCorpus:
    """The training reviews of IMDb, their 10,000 most frequent words, and pairs of relatives among
    them."""
    made = data.word_corpus(data.imdb().train.texts, 5, MOST)
    pairs = tuple(pair.split() for pair in RELATIVES)
    known = tuple((a, b) for a, b in pairs if {a, b} <= set(made.vocabulary))
    return replace(made, probes=known)
