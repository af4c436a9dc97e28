"""What is told of things without looking at them one by one: generated samples, codes, clusters."""

from __future__ import annotations

import numpy as np

from ..arguments import labels as class_numbers
from ..doors import checked
from ..errors import ShapeError
from .assignment import assignment
from .classification import confusion_matrix


@checked
def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^1/2) of the rows of a (N, D) and b (M, D): the
    squared distance of two Gaussians with their means m and covariances C.

    It sees no more than those moments, and is above 0 for two draws of one distribution, the more
    the fewer rows: put a floor beside it. Dowson and Landau 1982; of a classifier's features,
    Heusel et al. 2017 (arXiv:1706.08500). ShapeError for less than two rows.
    """
    first, second = _rows("frechet_distance", a, 2), _rows("frechet_distance", b, 2)
    if first.shape[1] != second.shape[1]:
        raise ShapeError(f"frechet_distance: rows of {first.shape[1]} and {second.shape[1]}")
    apart = first.mean(axis=0) - second.mean(axis=0)
    one, two = (np.atleast_2d(np.cov(rows.T)) for rows in (first, second))
    # C_a C_b has the eigenvalues of the symmetric C_a^1/2 C_b C_a^1/2: real, and not below 0
    common = np.sqrt(np.maximum(np.linalg.eigvals(one @ two).real, 0)).sum()
    return float(apart @ apart + np.trace(one) + np.trace(two) - 2 * common)


@checked
def pair_distance(rows: np.ndarray, labels: np.ndarray) -> float:
    """The mean distance |x - x'| of two rows (N, D) of one class, the mean over the classes of
    which there are two; 0 where there is none.

    Samples that all look like their class's mean have nearly none: agreement with the class is one
    half of what a generator owes, this is the other.
    """
    x = _rows("pair_distance", rows, 1)
    labels = class_numbers("pair_distance", "labels", labels)
    if labels.shape != x.shape[:1]:
        raise ShapeError(f"pair_distance: {labels.shape} labels for {len(x)} rows")
    means = []
    for label in np.unique(labels):
        of_class = x[labels == label]
        of_class = of_class - of_class.mean(axis=0)  # the distances stay, their squares are smaller
        n, squares = len(of_class), (of_class**2).sum(axis=1)
        if n > 1:
            apart = squares[:, None] + squares - 2 * of_class @ of_class.T
            np.fill_diagonal(apart, 0)
            means.append(np.sqrt(np.maximum(apart, 0)).sum() / (n * (n - 1)))
    return float(np.mean(means)) if means else 0.0


@checked
def clustering_accuracy(labels: np.ndarray, clusters: np.ndarray, classes: int) -> float:
    """The share of samples whose cluster is their class, for the best way of giving every cluster a
    class of its own.

    labels, clusters: ints (N,) of 0 ... classes - 1. "Unsupervised accuracy": `assignment` of the
    counts, the largest sum in place of the least. ShapeError for more than 256 classes; errors of
    `confusion_matrix`.
    """
    if classes > 256:
        raise ShapeError(f"clustering_accuracy: at most 256 classes, got {classes}")
    table = confusion_matrix(labels, clusters, classes)
    return float(table[np.arange(classes), assignment(-table)].sum() / table.sum())


@checked
def mutual_information_gap(codes: np.ndarray, factors: np.ndarray, bins: int = 20) -> float:
    """How much more the best number of a code tells of a factor than the second best, as a share of
    the factor's entropy: the mean over the factors; 1 if every factor has a number of its own.

    codes (N, D >= 2), factors (N, K) ints; a number of a code is counted in `bins` equal intervals
    from its least to its largest value. Chen et al. 2018 (arXiv:1802.04942), equation 6, with
    counts in place of the density. ShapeError.
    """
    x = _rows("mutual_information_gap", codes, 1)
    if factors.ndim != 2 or len(factors) != len(x) or x.shape[1] < 2 or bins < 2:
        raise ShapeError(
            f"mutual_information_gap: needs codes (N, D >= 2), factors (N, K) and bins >= 2, got "
            f"{x.shape}, {factors.shape} and {bins}"
        )
    low, high = x.min(axis=0), x.max(axis=0)
    width = np.where(high > low, high - low, 1)
    columns = np.minimum(((x - low) / width * bins).astype(int), bins - 1).T
    gaps = []
    for factor in factors.T:
        values = np.unique(factor, return_inverse=True)[1].reshape(-1)
        if (entropy := _entropy(values)) > 0:
            told = sorted(
                entropy + _entropy(column) - _entropy(column * (values.max() + 1) + values)
                for column in columns
            )
            gaps.append((told[-1] - told[-2]) / entropy)
    return float(np.mean(gaps)) if gaps else 0.0


def _entropy(values: np.ndarray) -> float:
    """In nats, of how often each value occurs."""
    shares = np.unique(values, return_counts=True)[1] / len(values)
    return float(-(shares * np.log(shares)).sum())


def _rows(op: str, array: np.ndarray, least: int) -> np.ndarray:
    if array.ndim != 2 or len(array) < least or array.dtype.kind not in "fiub":
        raise ShapeError(
            f"{op}: needs numbers (N, D) with N >= {least}, got {array.dtype} {array.shape}"
        )
    return array.astype(np.float64)
