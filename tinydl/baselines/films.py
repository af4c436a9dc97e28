"""Stars without a machine: what no taste goes into."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data import Ratings
from ..programs.recommending import errors_of

ROUNDS, DAMPING = 30, 5.0  # of the bias model


def mean_stars(training: Any, part: str) -> dict[str, float]:
    """The mean of all ratings, for every film and user."""
    train = training.halves.train
    shape = len(train.user_ids), len(train.item_ids)
    return errors_of(np.full(shape, train.stars.mean()), training.half(part))


def mean_of_the_film(training: Any, part: str) -> dict[str, float]:
    """The mean of the film's ratings; of all, where it has none."""
    train = training.halves.train
    counts = np.bincount(train.items, minlength=len(train.item_ids))
    sums = np.bincount(train.items, train.stars, minlength=len(train.item_ids))
    film = np.where(counts > 0, sums / np.maximum(counts, 1), train.stars.mean())
    table = np.broadcast_to(film, (len(train.user_ids), len(film)))
    return errors_of(table, training.half(part))


def biases(training: Any, part: str) -> dict[str, float]:
    """mean + the user's bias + the film's bias, within 1 ... 5: `bias_model`."""
    train = training.halves.train
    users, films = bias_model(train)
    table = np.clip(train.stars.mean() + users[:, None] + films, 1, 5)
    return errors_of(table, training.half(part))


def bias_model(train: Ratings) -> tuple[np.ndarray, np.ndarray]:
    """b (U,), c (I,) of stars = mean + b_u + c_i, by least squares with DAMPING (|b|^2 + |c|^2):
    each in turn is solved for with the other held, ROUNDS times. Koren, Bell and Volinsky 2009."""
    users, films = np.zeros(len(train.user_ids)), np.zeros(len(train.item_ids))
    left = train.stars - train.stars.mean()

    def solved(places: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
        seen = np.bincount(places, minlength=count)
        return np.bincount(places, values, minlength=count) / (seen + DAMPING)

    for _ in range(ROUNDS):
        films = solved(train.items, left - users[train.users], len(films))
        users = solved(train.users, left - films[train.items], len(users))
    return users, films
