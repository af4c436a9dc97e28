"""Small tables that ship inside scikit-learn, and the four points of XOR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from .datasets import Dataset, Samples


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """Rows of named numbers with a number each: x (N, D) and y (N,) float32, as stored."""

    name: str
    columns: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray


def xor_points() -> Dataset:
    """(0,0), (0,1), (1,0), (1,1) -> 0, 1, 1, 0: four samples, which are the test part as well."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    y = np.array([0, 1, 1, 0], np.int64)
    return Dataset("xor_points", x, y, x.copy(), y.copy(), ("equal", "different"))


def iris() -> Samples:
    """Three species of iris: x (150, 4) float32, sepal and petal lengths and widths in cm.

    Fisher 1936. Needs the extra `data`, no network; DataError without scikit-learn.
    """
    bunch = _bundled("load_iris")
    classes = tuple(str(name) for name in bunch.target_names)
    return Samples("iris", bunch.data.astype(np.float32), bunch.target.astype(np.int64), classes)


def diabetes() -> Regression:
    """442 patients: x (442, 10) float32 in their own units, y the disease's progress in a year.

    The stand-in for the book's house prices, whose classical table (Boston) has a column that
    counts people by skin colour and is no longer given out. Efron et al. 2004. Needs the extra
    `data`, no network; DataError without scikit-learn.
    """
    bunch = _bundled("load_diabetes", scaled=False)
    columns = tuple(str(name) for name in bunch.feature_names)
    x, y = bunch.data.astype(np.float32), bunch.target.astype(np.float32)
    return Regression("diabetes", columns, x, y)


def _bundled(loader: str, **options: bool):
    try:
        from sklearn import datasets
    except ImportError:
        raise DataError('data: this table needs scikit-learn: pip install "tinydl[data]"') from None
    return getattr(datasets, loader)(**options)
