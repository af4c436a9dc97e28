"""Pairs of texts: made-up dates read back by a parser, and what is held out of what."""

from datetime import date, datetime

import numpy as np
import pytest

from tinydl import Generator
from tinydl.data import PairParts, Pairs, dates, held_out_targets
from tinydl.errors import ConfigError, ShapeError


def parsed(text):
    """A date as Python's own parser reads it, the endings of ordinals taken off."""
    words = text.lower().replace(",", " ").replace(" of ", " ").removeprefix("the ")
    for ending in ("st", "nd", "rd", "th"):
        for digit in "0123456789":
            words = words.replace(f"{digit}{ending}", digit)
    words = words.replace("-", " ").replace(".", " ").split()
    weekday = words.pop(0) if words[0][0].isalpha() and words[0][:3] in DAYS else None
    for form in ("%d %B %Y", "%d %b %Y", "%B %d %Y", "%b %d %Y", "%Y %B %d", "%Y %b %d",
                 "%d %m %Y"):  # fmt: skip
        try:
            day = datetime.strptime(" ".join(words), form).date()
        except ValueError:
            continue
        return day, weekday
    raise AssertionError(text)


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def test_dates_are_days_in_every_form():
    made = dates(2_000, Generator(1))
    assert len(set(made.targets)) == 2_000 and len({len(s) for s in made.sources}) > 15
    for source, target in zip(made.sources, made.targets, strict=True):
        day, weekday = parsed(source)
        assert day == date.fromisoformat(target), source
        assert weekday is None or DAYS.index(weekday[:3]) == day.weekday()
    again = dates(2_000, Generator(1))
    assert again.sources == made.sources and again.targets == made.targets
    assert min(made.targets) < "1951" and max(made.targets) > "2049"
    with pytest.raises(ConfigError, match="n must be an integer in 1"):
        dates(36_526, Generator(0))


def test_what_is_held_out_was_seen_on_neither_side():
    rng = np.random.default_rng(0)
    pairs = Pairs(
        "p", tuple(f"s{k}" for k in rng.integers(0, 30, 90)),
        tuple(f"t{k}" for k in rng.integers(0, 30, 90)),
    )  # fmt: skip
    parts = held_out_targets(pairs, 5, Generator(0))
    both = set(zip(pairs.sources, pairs.targets, strict=True))
    held = {t for s, t in both if s in parts.test_sources}
    assert not set(parts.train_sources) & set(parts.test_sources)
    learnt = set(parts.train_targets)
    never = [t for t in held if t not in learnt]
    assert len(never) >= 5
    for source, right in zip(parts.test_sources, parts.references, strict=True):
        assert set(right) == {t for s, t in both if s == source} and set(right) & set(never)
    kept = list(zip(parts.train_sources, parts.train_targets, strict=True))
    assert set(kept) == {(s, t) for s, t in both if s not in parts.test_sources}
    for wrong in (0, 31):
        with pytest.raises(ConfigError, match="cannot hold out"):
            held_out_targets(pairs, wrong, Generator(0))


def test_pairs_are_taken_and_turned():
    pairs = Pairs("p", ("a", "b", "c"), ("A", "B", "C"), ("x", "y", "z"))
    some = pairs.take([2, 0])
    assert (some.sources, some.targets, some.credits) == (("c", "a"), ("C", "A"), ("z", "x"))
    turned = pairs.take([1]).turned()
    assert (turned.sources, turned.targets) == (("B",), ("b",)) and len(turned) == 1
    assert Pairs("p", ("a",), ("b",)).take([0]).credits == ()
    with pytest.raises(ShapeError, match="has 1 sources, 2 targets"):
        Pairs("p", ("a",), ("b", "c"))
    assert PairParts("p", (), (), (), ()).name == "p"
