"""MaxPool2d, AvgPool2d, Flatten."""

import numpy as np
import pytest

from tinydl import Tensor
from tinydl.errors import DTypeError, ShapeError
from tinydl.nn import AvgPool2d, Flatten, MaxPool2d

X = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)


def test_pooling_values():
    np.testing.assert_array_equal(MaxPool2d(2)(Tensor(X)).numpy().ravel(), [5, 7, 13, 15])
    np.testing.assert_array_equal(AvgPool2d(2)(Tensor(X)).numpy().ravel(), [2.5, 4.5, 10.5, 12.5])
    assert MaxPool2d((2, 4), stride=1)(Tensor(X)).shape == (1, 3, 1, 1)
    assert AvgPool2d(3, stride=2, padding="same")(Tensor(X)).shape == (1, 2, 2, 1)
    assert repr(MaxPool2d(3, stride=2, padding=1)) == "MaxPool2d((3, 3), stride=(2, 2), padding=1)"


@pytest.mark.parametrize("layer", [MaxPool2d, AvgPool2d])
def test_pooling_errors(layer):
    with pytest.raises(ShapeError, match=f"{layer.__name__}: kernel_size must be"):
        layer(0)
    with pytest.raises(ShapeError, match=f"{layer.__name__}: stride must be"):
        layer(2, stride=0)
    with pytest.raises(ShapeError, match=f"{layer.__name__}: padding must be"):
        layer(2, padding=-1)
    with pytest.raises(ShapeError, match=r"x must be \(N, H, W, C\)"):
        layer(2)(Tensor(X[0]))
    with pytest.raises(ShapeError, match="does not fit"):
        layer(5)(Tensor(X))
    with pytest.raises(DTypeError):
        layer(2)(Tensor(X.astype(np.int64)))


def test_flatten():
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
    np.testing.assert_array_equal(Flatten()(Tensor(x)).numpy(), x.reshape(2, 12))
    assert Flatten()(Tensor(x[:0])).shape == (0, 12)
    assert Flatten()(Tensor([1.0, 2.0])).shape == (2, 1)
    with pytest.raises(ShapeError, match="needs a batch axis"):
        Flatten()(Tensor(1.0))
