"""Flatten, Reshape, ZeroPad2d, Upsample: values, odd shapes, errors."""

import numpy as np
import pytest
from support import oracle_module

import tinydl as td
from tinydl import Tensor
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.nn import Flatten, Reshape, Upsample, ZeroPad2d

X = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)


def test_flatten():
    np.testing.assert_array_equal(Flatten()(Tensor(X)).numpy(), X.reshape(2, 12))
    assert Flatten()(Tensor(X[:0])).shape == (0, 12)
    assert Flatten()(Tensor([1.0, 2.0])).shape == (2, 1)
    with pytest.raises(ShapeError, match="needs a batch axis"):
        Flatten()(Tensor(1.0))


def test_reshape_keeps_the_batch():
    for given in ((4, 3), ((4, 3),), ([4, -1],), (-1, 3)):
        np.testing.assert_array_equal(Reshape(*given)(Tensor(X)).numpy(), X.reshape(2, 4, 3))
        assert Reshape(*given)(Tensor(X[:0])).shape == (0, 4, 3)
    assert Reshape()(Tensor(X[:, 0, 0, 0])).shape == (2,)
    assert repr(Reshape(4, -1)) == "Reshape(4, -1)"
    with pytest.raises(ShapeError, match="has 24 elements"):
        Reshape(5)(Tensor(X))
    with pytest.raises(ShapeError, match="batch axis"):
        Reshape(1)(Tensor(1.0))
    for wrong in ((-1, -1), (-2,), (2.0,), ("a",), (None,)):
        with pytest.raises(ShapeError, match="Reshape"):
            Reshape(*wrong)


@pytest.mark.parametrize(
    "padding, widths",
    [(1, ((1, 1), (1, 1))), ((1, 2), ((1, 1), (2, 2))), (((1, 0), (2, 3)), ((1, 0), (2, 3)))],
)
def test_zeros_around_images(padding, widths):
    want = np.pad(X, ((0, 0), *widths, (0, 0)))
    np.testing.assert_array_equal(ZeroPad2d(padding)(Tensor(X)).numpy(), want)


@pytest.mark.oracle
def test_four_numbers_are_in_another_order_elsewhere():
    torch = oracle_module("torch")
    with pytest.raises(ConfigError, match=r"\(1, 2, 3, 4\), left.* is \(\(3, 4\), \(1, 2\)\)"):
        ZeroPad2d((1, 2, 3, 4))
    theirs = torch.nn.ZeroPad2d((1, 2, 3, 4))(torch.from_numpy(X.transpose(0, 3, 1, 2).copy()))
    ours = ZeroPad2d(((3, 4), (1, 2)))(Tensor(X)).numpy()
    np.testing.assert_array_equal(ours.transpose(0, 3, 1, 2), theirs.numpy())


def test_padding_that_is_none():
    for wrong in (-1, 1.5, "same", (1,), ((1, 2), (3, 4, 5)), ((1, 2), (-1, 0)), True):
        with pytest.raises(ShapeError, match="ZeroPad2d"):
            ZeroPad2d(wrong)
    with pytest.raises(ShapeError, match="ZeroPad2d: x must be"):
        ZeroPad2d(1)(Tensor(X[0]))


def test_upsample_is_resize():
    x = Tensor(X)
    doubled = Upsample(scale_factor=2)(x).numpy()
    np.testing.assert_array_equal(doubled, X.repeat(2, 1).repeat(2, 2))
    for options in ({"mode": "bilinear"}, {"mode": "bilinear", "align_corners": True}):
        got = Upsample((5, 3), **options)(x).numpy()
        np.testing.assert_array_equal(got, td.resize(x, (5, 3), **options).numpy())
    assert Upsample(scale_factor=(2, 0.5))(x).shape == (2, 6, 1, 2)
    assert repr(Upsample((5, 3), mode="bilinear")) == "Upsample((5, 3), mode='bilinear')"


def test_upsample_by_an_integer_may_mean_two_things():
    with pytest.raises(ConfigError, match=r"Upsample: .*size=\(2, 2\), or scale_factor=2"):
        Upsample(2)
    for wrong in ({}, {"size": (2, 2), "scale_factor": 2}):
        with pytest.raises(ConfigError, match="Upsample: takes size="):
            Upsample(**wrong)
    with pytest.raises(ConfigError, match="Upsample: mode must be nearest, bilinear, bicu"):
        Upsample(scale_factor=2, mode="lanczos")
    with pytest.raises(ConfigError, match="'bilinear' and 'bicubic' only"):
        Upsample(scale_factor=2, align_corners=True)
    with pytest.raises(DTypeError, match="needs a float"):
        Upsample(scale_factor=2, mode="bilinear")(Tensor(X).astype("int64"))
