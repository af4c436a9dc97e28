"""Made-up dates as people write them, and as ISO 8601 does."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from ...arguments import whole
from ...doors import checked
from ..pairs import Pairs

if TYPE_CHECKING:
    from ...random import Generator

FIRST, DAYS = date(1950, 1, 1), 36_525  # to 2049-12-31
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: d: the day, m: the month's name, n: its number, y: the year, w: the weekday.
FORMS = (
    "{d} {m} {y}", "{m} {d}, {y}", "{w}, {d} {m} {y}", "{w}, {m} {d}, {y}", "the {d} of {m}, {y}",
    "{y} {m} {d}", "{d}.{n}.{y}", "{d}-{m}-{y}", "{w} {d} {m} {y}",
)  # fmt: skip


@checked
def dates(n: int, rng: Generator) -> Pairs:
    """n distinct days from 1950 to 2049 in one of nine forms, such as "the 3rd of May, 1979" or
    "Sunday, Aug 9, 2009", and the same as "1979-05-03": n pairs, days in random order.

    Names of months and weekdays are whole or three letters; days have their endings (1st, 2nd) in
    one of two; a quarter of the texts is in small letters. Weekdays are right.
    """
    whole("dates", "n", n, 1, DAYS)
    days = rng.permutation(DAYS)[:n].tolist()
    draws = rng.integers(0, 1 << 20, (n, 4)).tolist()
    made = [(FIRST + timedelta(days=k), draw) for k, draw in zip(days, draws, strict=True)]
    sources = tuple(_written(day, *draw) for day, draw in made)
    return Pairs("dates", sources, tuple(day.isoformat() for day, _ in made))


def _written(day: date, form: int, short: int, ending: int, small: int) -> str:
    month, weekday = MONTHS[day.month - 1], WEEKDAYS[day.weekday()]
    if short % 2:
        month, weekday = month[:3], weekday[:3]
    number = f"{day.day}{_ending(day.day)}" if ending % 2 else str(day.day)
    pattern = FORMS[form % len(FORMS)]
    plain = str(day.day) if "{n}" in pattern else number
    text = pattern.format(d=plain, m=month, n=day.month, y=day.year, w=weekday)
    return text.lower() if small % 4 == 0 else text


def _ending(day: int) -> str:
    """The ordinal's: 1st, 2nd, 3rd, 4th ... 11th, 12th, 13th ... 21st."""
    if 10 < day % 100 < 14:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
