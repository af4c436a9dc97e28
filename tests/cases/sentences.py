"""Pairs of texts that are learnt in a second."""

from tinydl import Generator
from tinydl.data import KINDS, CaptionParts, PairParts, captioned_scenes, dates, held_out_targets

WORDS = {"en": "one", "två": "two", "tre": "three", "katter": "cats", "hundar": "dogs"}


def few_dates():
    """60 days, 10 of them asked for."""
    return held_out_targets(dates(60, Generator(0)), 10, Generator(0))


def few_phrases():
    """Every number and animal once, word by word; what is asked for has another order."""
    numbers, animals = list(WORDS)[:3], list(WORDS)[3:]
    sources = [f"{n} {a}" for n in numbers for a in animals]
    targets = [" ".join(WORDS[word] for word in text.split()) for text in sources]
    asked = ("hundar två", "katter tre")
    right = (("two dogs", "dogs two"), ("cats of three",))
    return PairParts("phrases", tuple(sources), tuple(targets), asked, right)


def few_scenes():
    """40 pictures with captions, and 10 others."""
    train, test = captioned_scenes(40, Generator(0)), captioned_scenes(10, Generator(1), True)
    right = tuple((caption,) for caption in test.captions)
    return CaptionParts("few", train.x, train.captions, test.x, right, test.boxes, KINDS)
