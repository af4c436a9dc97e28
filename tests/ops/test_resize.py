"""Resizing: where the pixel centres are, ties, sizes of one pixel, errors."""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")


def row(values, width, **options):
    x = Tensor(np.asarray(values, np.float64).reshape(1, 1, -1, 1))
    return ops.resize(x, (1, width), **options).numpy().ravel().tolist()


def test_nearest():
    assert row([0, 1, 2], 6) == [0, 0, 1, 1, 2, 2]
    assert row([0, 1, 2, 3], 2) == [1, 3]  # centres 1 and 3 are ties: the later pixel
    assert row([0, 1, 2], 1) == [1] and row([0, 1, 2, 3, 4], 3) == [0, 2, 4]


def test_bilinear_with_half_pixels():
    assert row([0, 4], 4, mode="bilinear") == [0, 1, 3, 4]
    assert row([0, 4, 8, 12], 2, mode="bilinear") == [2, 10]
    assert row([0, 4], 1, mode="bilinear") == [2]


def test_bilinear_with_aligned_corners():
    options = {"mode": "bilinear", "align_corners": True}
    assert row([0, 3], 4, **options) == pytest.approx([0, 1, 2, 3])
    assert row([0, 1, 2, 3, 4], 3, **options) == [0, 2, 4]
    assert row([5, 1], 1, **options) == [5] and row([5], 3, **options) == [5, 5, 5]


def test_a_linear_image_stays_linear():
    ramp = np.arange(12.0).reshape(1, 3, 4, 1)
    y = ops.resize(Tensor(ramp), (5, 7), mode="bilinear", align_corners=True).numpy()[0, :, :, 0]
    want = np.linspace(0, 8, 5)[:, None] + np.linspace(0, 3, 7)
    assert_close(y, want, 1e-5)


def test_a_parabola_stays_one_in_the_middle():
    """Keys' kernel with a = -0.5 has the parabola; -0.75 the straight line only at its centre."""
    x = np.arange(9.0)
    wide = np.array(row(x**2, 18, mode="bicubic", antialias=True))
    places = (np.arange(18) + 0.5) / 2 - 0.5
    assert_close(wide[4:-4], places[4:-4] ** 2, 1e-12)
    assert_close(np.sum(row([1, 1, 1, 1, 1], 3, mode="bicubic")), 3.0, 1e-12)


def test_shrinking_averages_where_it_is_asked_to():
    """A chessboard becomes grey; without it one of its colours."""
    board = np.tile([0.0, 1.0], 8)
    assert row(board, 4, mode="area") == [0.5] * 4
    for mode in ("bilinear", "bicubic"):
        assert_close(np.mean(row(board, 4, mode=mode, antialias=True)), 0.5, 1e-12)
    assert row([1, 2, 3], 2, mode="area") == [1.5, 2.5]


def test_no_number_spreads_no_further_than_its_kernel():
    values = np.arange(12.0)
    values[2] = np.nan
    for options in ({"mode": "bicubic"}, {"mode": "bicubic", "antialias": True}, {"mode": "area"}):
        found = np.isnan(row(values, 6, **options))
        assert found[1] and not found[4:].any()


def test_the_same_size_is_the_same_tensor():
    x = Tensor(np.zeros((1, 2, 3, 1)))
    assert ops.resize(x, (2, 3)) is x and ops.resize(x, (2, 3), mode="bilinear") is x


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x: ops.resize(x[0], (2, 2)), ShapeError, r"x must be \(N, H, W, C\)"),
        (lambda x: ops.resize(x, (0, 2)), ShapeError, "size must be an integer >= 1"),
        (lambda x: ops.resize(x[:, :0], (2, 2)), ShapeError, "an image without pixels"),
        (lambda x: ops.resize(x, (2, 2), "lanczos"), ConfigError, "bicubic or area, got 'lanczos'"),
        (lambda x: ops.resize(x, (2, 2), "area", True), ConfigError, "'bilinear' and 'bicubic' on"),
        (lambda x: ops.resize(x, (2, 2), antialias=True), ConfigError, "antialias is defined for"),
        (
            lambda x: ops.resize(x, (2, 2), "bicubic", True, antialias=True),
            ConfigError,
            "without antialias",
        ),
        (
            lambda x: ops.resize(x, (2, 2), "bicubic", antialias=None),
            ConfigError,
            "antialias must be True or False",
        ),
        (
            lambda x: ops.resize(x, (2, 2), align_corners=True),
            ConfigError,
            "'bilinear' and 'bicubic' only",
        ),
        (lambda x: ops.resize(x.astype("int64"), (3, 3), "bilinear"), DTypeError, "needs a float"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(Tensor(np.zeros((1, 2, 2, 1))))


@pytest.mark.oracle
@pytest.mark.parametrize("factor", [2, 0.5, 1.7, (0.6, 2.3)])
def test_a_factor_gives_sizes_and_they_the_places(factor):
    """As PyTorch with recompute_scale_factor=True."""
    torch = oracle_module("torch")
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 3))
    options = {"scale_factor": factor, "recompute_scale_factor": True, "align_corners": False}
    image = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    want = torch.nn.functional.interpolate(image, mode="bilinear", **options).numpy()
    got = ops.resize(Tensor(x), mode="bilinear", scale_factor=factor).numpy()
    assert_close(got.transpose(0, 3, 1, 2), want, 1e-9)
