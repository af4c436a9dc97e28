"""What ships inside scikit-learn: the digits, the irises, the diabetes patients."""

from __future__ import annotations

import numpy as np

from ...doors import checked
from ...errors import DataError, how_to_install
from ..record import DataSet
from ..types import Regression, Samples

DIGITS = DataSet(
    name="digits",
    folder="",
    files=(),  # inside the scikit-learn package: nothing to download, no network
    classes=tuple("0123456789"),
    records="1797, no split of its own",
    description="handwritten digits, 8x8, values 0..16, shipped inside scikit-learn",
    source="https://archive.ics.uci.edu/dataset/80 (its test part, as scikit-learn's load_digits)",
    licence="CC BY 4.0 (UCI); scikit-learn itself BSD-3-Clause",
    citation=(
        "E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
        "Repository (1998), doi:10.24432/C50P49"
    ),
)


@checked
def digits() -> Samples:
    """scikit-learn's 1797 real handwritten digits: x (1797, 8, 8) float32, 0 ... 16, ink high.

    Needs the extra `data`, no network. They are the test part of the UCI "Optical Recognition of
    Handwritten Digits" (Alpaydin and Kaynak 1998); split them with `.split(fraction, rng)`.
    DataError without scikit-learn.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise DataError(f"data: digits needs scikit-learn: {how_to_install('data')}") from None
    bunch = load_digits()
    x, y = bunch.images.astype(np.float32), bunch.target.astype(np.int64)
    return Samples("digits", x, y, DIGITS.classes)


@checked
def iris() -> Samples:
    """Three species of iris: x (150, 4) float32, sepal and petal lengths and widths in cm.

    Fisher 1936. Needs the extra `data`, no network; DataError without scikit-learn.
    """
    bunch = _bundled("load_iris")
    classes = tuple(str(name) for name in bunch.target_names)
    return Samples("iris", bunch.data.astype(np.float32), bunch.target.astype(np.int64), classes)


@checked
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
        raise DataError(f"data: this table needs scikit-learn: {how_to_install('data')}") from None
    return getattr(datasets, loader)(**options)
