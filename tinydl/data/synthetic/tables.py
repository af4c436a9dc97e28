"""Made-up ratings, payments and reviews: the shapes of MovieLens, the fraud set and IMDb, no
files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...doors import checked
from ...errors import ConfigError
from ..sets.creditcard import CREDITCARD, PAYMENT_COLUMNS
from ..types import Ratings, Reviews, Table

if TYPE_CHECKING:
    from ...random import Generator

_GOOD = ("superb", "moving", "funny", "brilliant", "charming", "gripping", "tender", "wonderful")
_BAD = ("dull", "awful", "clumsy", "boring", "predictable", "lifeless", "shallow", "terrible")
_NEUTRAL = (
    *("the", "a", "film", "plot", "scene", "actor", "and", "was", "of", "with", "director"),
    *("story", "ending", "music", "this", "that", "it", "two", "hours", "camera"),
)


@checked
def random_ratings(
    users: int, items: int, rng: Generator, density: float = 0.1, factors: int = 3
) -> Ratings:
    """Ratings of 1 to 5 stars with hidden taste: stars = round(3 + <taste_u, trait_i> + noise).

    taste and trait are normal with `factors` dimensions, scaled so that their product has standard
    deviation 1; the noise has 0.3. About density * users * items pairs are rated, each user and
    each item at least once.
    """
    if users < 1 or items < 1 or not 0 < density <= 1 or factors < 1:
        raise ConfigError(
            f"random_ratings: needs users, items, factors >= 1 and density in (0, 1], got "
            f"{users}, {items}, {factors}, {density}"
        )
    taste = rng.normal((users, factors), dtype=np.float64) / factors**0.25
    trait = rng.normal((items, factors), dtype=np.float64) / factors**0.25
    rated = rng.uniform((users, items), dtype=np.float64) < density
    larger = np.arange(max(users, items))
    rated[larger % users, larger % items] = True
    who, what = np.nonzero(rated)
    order = rng.permutation(len(who))
    who, what = who[order], what[order]
    score = 3 + (taste[who] * trait[what]).sum(axis=1) + 0.3 * rng.normal(len(who))
    stars = np.clip(np.rint(score), 1, 5).astype(np.int64)
    titles = tuple(f"Film {k}" for k in range(items))
    times = np.arange(len(who), dtype=np.int64)
    return Ratings(
        *("random_ratings", who, what, stars, times, np.arange(users), np.arange(items), titles)
    )


@checked
def random_payments(n: int, rng: Generator, fraud: float = 0.01) -> Table:
    """A table with the columns of `creditcard`: floor(fraud * n + 1/2), at least one, are frauds.

    V1 ... V28 are normal with standard deviations falling from 2 to 0.3; those of a fraud are moved
    by 3 of their standard deviations in seven of the columns. Time ascends, Amount is log-normal.
    Easier than the real set.
    """
    if n < 2 or not 0 < fraud < 1:
        raise ConfigError(f"random_payments: needs n >= 2 and fraud in (0, 1), got {n}, {fraud}")
    count = min(max(1, int(np.floor(fraud * n + 0.5))), n - 1)
    y = np.zeros(n, np.int64)
    y[rng.permutation(n)[:count]] = 1
    std = np.linspace(2.0, 0.3, 28)
    shift = np.where(np.arange(28) % 4 == 0, -3.0, 0.0)
    components = std * (rng.normal((n, 28), dtype=np.float64) + y[:, None] * shift)
    time = np.sort(rng.uniform(n, low=0, high=172_800, dtype=np.float64)).round()
    amount = np.exp(3 + 1.5 * rng.normal(n, dtype=np.float64)).round(2)
    x = np.column_stack([time, components, amount])
    return Table("random_payments", PAYMENT_COLUMNS, x, y, CREDITCARD.classes)


@checked
def random_reviews(n: int, rng: Generator, length: int = 30) -> Reviews:
    """n reviews of about `length` words, positive and negative in turn, in random order.

    One word in five praises or blames, of those nine in ten according to the label; the others are
    neutral.
    """
    if n < 1 or length < 2:
        raise ConfigError(f"random_reviews: needs n >= 1 and length >= 2, got {n} and {length}")
    y = (np.arange(n) % 2)[rng.permutation(n)]
    texts = []
    for label in y:
        size = int(rng.integers(length // 2, length + length // 2 + 1, 1)[0])
        kind, place = rng.uniform(size), rng.uniform(size, dtype=np.float64)
        own, other = (_GOOD, _BAD) if label else (_BAD, _GOOD)
        lists = [own if k < 0.18 else other if k < 0.2 else _NEUTRAL for k in kind]
        words = [part[int(p * len(part))] for part, p in zip(lists, place, strict=True)]
        texts.append(" ".join(words).capitalize() + ".")
    stars = np.where(y == 1, 9, 2).astype(np.int64)
    return Reviews(tuple(texts), y.astype(np.int64), stars)
