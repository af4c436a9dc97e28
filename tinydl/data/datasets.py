"""The loaders: `digits`, `mnist`, `fashion_mnist`. Pixels as stored: recipes scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError
from .batches import take
from .catalog import CATALOG
from .download import locate
from .idx import read_idx
from .record import DataSet
from .split import stratified_split

if TYPE_CHECKING:
    from ..random import Generator


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Training and test samples: x (N, ...), y (N,) int64 class indices into `classes`."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.x_train.shape[1:]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Labelled samples without a split of their own: x (N, ...), y (N,) int64 class indices."""

    name: str
    x: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.x.shape[1:]

    def split(self, test_fraction: float, rng: Generator) -> Dataset:
        """A stratified cut (`stratified_split`) into training and test samples, in file order."""
        train, test = stratified_split(self.y, test_fraction, rng)
        x, y = self.x, self.y
        return Dataset(self.name, take(x, train), y[train], take(x, test), y[test], self.classes)


def digits() -> Samples:
    """scikit-learn's 1797 real handwritten digits: x (1797, 8, 8) float32, 0 ... 16, ink high.

    Needs the extra `data`, no network. They are the test part of the UCI "Optical Recognition of
    Handwritten Digits" (Alpaydin and Kaynak 1998); split them with `.split(fraction, rng)`.
    DataError without scikit-learn.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise DataError('data: digits needs scikit-learn: pip install "tinydl[data]"') from None
    bunch = load_digits()
    x, y = bunch.images.astype(np.float32), bunch.target.astype(np.int64)
    return Samples("digits", x, y, CATALOG["digits"].classes)


def mnist() -> Dataset:
    """MNIST (LeCun, Bottou, Bengio, Haffner 1998): x uint8 (60000 and 10000, 28, 28), ink high.

    Found in TINYDL_DATA/mnist, else in the user cache, else downloaded there (12 MB). Raises
    DataError when it cannot be had, FormatError for a damaged file.
    """
    return _load_idx(CATALOG["mnist"])


def fashion_mnist() -> Dataset:
    """Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747): shapes and errors of `mnist`.

    Found in TINYDL_DATA/fashion-mnist, else in the user cache, else downloaded there (31 MB).
    """
    return _load_idx(CATALOG["fashion_mnist"])


def _load_idx(dataset: DataSet) -> Dataset:
    # The catalogue lists train images, train labels, test images, test labels.
    x_train, y_train, x_test, y_test = (
        read_idx(locate(dataset, file), shape=file.shape) for file in dataset.files
    )
    return Dataset(
        dataset.name,
        x_train,
        y_train.astype(np.int64),
        x_test,
        y_test.astype(np.int64),
        dataset.classes,
    )
