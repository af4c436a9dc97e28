"""Pooling layers."""

import numpy as np
import pytest

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.nn import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    MaxPool1d,
    MaxPool2d,
)

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


def test_every_argument_reaches_the_operation():
    rng = np.random.default_rng(0)
    image, time = Tensor(rng.normal(size=(2, 5, 7, 3))), Tensor(rng.normal(size=(2, 7, 3)))
    ceil = {"stride": 3, "padding": 1, "ceil_mode": True}
    counted = {**ceil, "count_include_pad": True}
    for layer, x, want in (
        (MaxPool2d(3, **ceil), image, ops.max_pool2d(image, 3, **ceil)),
        (AvgPool2d(3, **counted), image, ops.avg_pool2d(image, 3, **counted)),
        (MaxPool1d(2, **ceil), time, ops.max_pool1d(time, 2, **ceil)),
        (AvgPool1d(2, **counted), time, ops.avg_pool1d(time, 2, **counted)),
        (AvgPool1d(2, **ceil), time, ops.avg_pool1d(time, 2, **ceil)),
        (AdaptiveAvgPool1d(3), time, ops.adaptive_avg_pool1d(time, 3)),
        (AdaptiveMaxPool1d(3), time, ops.adaptive_max_pool1d(time, 3)),
        (MaxPool1d(2), time, ops.max_pool1d(time, 2)),
        (AdaptiveAvgPool2d((2, 3)), image, ops.adaptive_avg_pool2d(image, (2, 3))),
        (AdaptiveMaxPool2d(4), image, ops.adaptive_max_pool2d(image, 4)),
    ):
        assert np.array_equal(layer(x).numpy(), want.numpy()), layer
    assert repr(MaxPool2d(3, **ceil)) == "MaxPool2d((3, 3), padding=1, ceil_mode=True)"
    assert repr(AvgPool1d(2, stride=1)) == "AvgPool1d(2, stride=1)"
    assert repr(AdaptiveMaxPool2d(2)) == "AdaptiveMaxPool2d((2, 2))"
    with pytest.raises(ShapeError, match="AdaptiveAvgPool2d: size must be"):
        AdaptiveAvgPool2d(0)
    with pytest.raises(ConfigError, match="AdaptiveMaxPool1d: size must be an integer >= 1"):
        AdaptiveMaxPool1d(0)
    for size, shape in ((0, (2, 3, 4)), (2.0, (2, 3, 4)), (2, (2, 3)), (2, (2, 0, 4))):
        with pytest.raises(ShapeError, match="adaptive_avg_pool1d: "):
            ops.adaptive_avg_pool1d(Tensor(np.zeros(shape, np.float32)), size)
    with pytest.raises(ConfigError, match="MaxPool1d: kernel_size must be"):
        MaxPool1d(0)
