"""Information and clusters without a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..metrics import clustering_accuracy
from ..models.information.k_means import k_means, nearest
from ..random import Generator

PAIRS, STEPS = 100_000, 30


def nothing_shared(training: Any, part: str) -> dict[str, float]:
    """0 nats, whatever is drawn."""
    return {"error": training.data.information, "information": 0.0}


def gaussian_formula(training: Any, part: str) -> dict[str, float]:
    """-1/2 log of det C / (det C_x det C_y) of the covariance C of 100,000 pairs: right because the
    pairs are Gaussian, which the network is not told."""
    x, y = training.data.draw(PAIRS, Generator(0))
    parts = [np.linalg.slogdet(np.atleast_2d(np.cov(rows.T)))[1] for rows in (x, y)]
    both = np.linalg.slogdet(np.cov(np.concatenate([x, y], axis=1).T))[1]
    found = float(0.5 * (sum(parts) - both))
    return {"error": abs(found - training.data.information), "information": found}


def clusters_of_pixels(training: Any, part: str) -> dict[str, float]:
    """k-means of the training pictures' pixels, 30 steps from ten of them (five beginnings; the one
    with the least sum of squares is chosen), as many centres as classes."""
    train, (x, y) = training.parts.train[0], getattr(training.parts, part)
    rows, rng = train.reshape(len(train), -1).astype(np.float64), Generator(0)
    classes, tried = int(y.max()) + 1, []
    for _ in range(5):
        start = rows[rng.permutation(len(rows))[:classes]]
        centres, near = k_means(rows, start, STEPS)
        tried.append((float(((rows - centres[near]) ** 2).sum()), centres))
    centres = min(tried, key=lambda pair: pair[0])[1]
    share = clustering_accuracy(y, nearest(x.reshape(len(x), -1), centres), classes)
    return {"mean_head": share, "best_head": share, "chosen_head": share}


def one_cluster(training: Any, part: str) -> dict[str, float]:
    """Everything in one cluster: the share of the most frequent class."""
    _, y = getattr(training.parts, part)
    share = float(np.bincount(y).max() / len(y))
    return {"mean_head": share, "best_head": share, "chosen_head": share}
