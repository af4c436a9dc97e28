"""Tables that ship inside scikit-learn, and the points of XOR."""

import sys

import numpy as np
import pytest

from tinydl.data import diabetes, iris, xor_points
from tinydl.errors import DataError


def test_xor_points():
    points = xor_points()
    assert points.x_train.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert points.y_train.tolist() == [0, 1, 1, 0]
    assert len(points.x_train) == 4 and np.array_equal(points.x_train, points.x_test)


def test_iris_and_diabetes():
    pytest.importorskip("sklearn")
    flowers, patients = iris(), diabetes()
    assert flowers.x.shape == (150, 4) and flowers.x.dtype == np.float32
    assert np.bincount(flowers.y).tolist() == [50, 50, 50]
    assert flowers.classes == ("setosa", "versicolor", "virginica")
    assert patients.x.shape == (442, 10) and patients.y.dtype == np.float32
    assert patients.columns[:3] == ("age", "sex", "bmi")
    assert patients.x[:, 0].max() == 79 and patients.y.min() == 25  # in years; not scaled


def test_a_missing_library_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(DataError, match=r'pip install "\.\[data\]"'):
        iris()
