"""Images read at places of a grid: by hand, the paddings, what is not finite, errors."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")

ROW = np.array([10.0, 20.0, 40.0, 80.0]).reshape(1, 1, 4, 1)


def read(pixels, align=False, **options):
    """ROW at places counted in its pixels, in the middle of its height."""
    u = np.asarray(pixels, np.float64)
    u = u * 2 / 3 - 1 if align else (2 * u + 1) / 4 - 1
    grid = np.stack([u, np.zeros_like(u)], axis=-1).reshape(1, 1, -1, 2)
    return (
        ops.grid_sample(Tensor(ROW), Tensor(grid), align_corners=align, **options).numpy().ravel()
    )


def test_between_pixels_is_the_straight_line():
    for align in (False, True):
        assert_close(read([0, 0.25, 2, 2.5], align), [10, 12.5, 40, 60], 1e-12)
        assert_close(read([0.4, 0.6, 2.4], align, mode="nearest"), [10, 20, 40], 1e-12)
    assert_close(read([0.5, 1.5, 2.5], mode="nearest"), [10, 40, 40], 1e-12)  # to the even pixel


def test_what_is_outside():
    outside = [-0.25, -1, -7, 3.5, 4.5]
    assert_close(read(outside), [7.5, 0, 0, 40, 0], 1e-12)
    assert_close(read(outside, padding_mode="border"), [10, 10, 10, 80, 80], 1e-12)
    # mirrored at -1/2 and 3 1/2, where 0 | 0 1 2 3 | 3 2 1 0 repeats
    mirrored = read([-1, -2, -3.5, -7, 4, 5, 9], padding_mode="reflection")
    assert_close(mirrored, [10, 20, 60, 20, 80, 40, 20], 1e-12)
    # mirrored at 0 and 3
    mirrored = read([-1, -2.5, 4, 5, 7], True, padding_mode="reflection")
    assert_close(mirrored, [20, 60, 40, 20, 20], 1e-12)


def test_the_identity_grid_gives_the_image():
    """And a grid with its axes exchanged the transposed one: u goes along the width."""
    x = np.arange(12.0).reshape(1, 3, 4, 1)
    v, u = np.meshgrid(np.linspace(-1, 1, 3), np.linspace(-1, 1, 4), indexing="ij")
    grid = np.stack([u, v], axis=-1)
    y = ops.grid_sample(Tensor(x), Tensor(grid[None]), align_corners=True).numpy()
    assert_close(y, x, 1e-12)
    turned = grid.swapaxes(0, 1)[None].copy()
    y = ops.grid_sample(Tensor(x), Tensor(turned), align_corners=True).numpy()
    assert_close(y, x.swapaxes(1, 2), 1e-12)


def test_the_gradient_of_a_place_is_the_slope():
    grid = Tensor(np.array([[[[-0.5, 0.0], [9.0, 0.0]]]]), requires_grad=True)
    ops.grid_sample(Tensor(ROW), grid, padding_mode="border").sum().backward()
    # s = 2 u + 3/2 = 1/2: 10 a pixel, two pixels of four a unit of u; at the border 0
    assert_close(grid.grad.numpy()[0, 0, :, 0], [20.0, 0.0], 1e-12)


def test_what_is_not_finite():
    far, pixel = [np.inf, -np.inf], [80, 10]
    assert (read(far) == 0).all() and (read(far, mode="nearest") == 0).all()
    for mode in ("bilinear", "nearest"):
        assert_close(read(far, padding_mode="border", mode=mode), pixel, 1e-12)
    for padding in ("zeros", "border", "reflection"):
        assert np.isnan(read([np.nan], padding_mode=padding)).all()
        assert read([np.nan], padding_mode=padding, mode="nearest") == 10
    image = Tensor(np.array([np.nan, 1.0, 2.0]).reshape(1, 1, 3, 1))
    y = ops.grid_sample(image, Tensor(np.array([[[[0.4, 0.0], [5.0, 0.0]]]])))
    assert_close(y.numpy().ravel(), [1.6, 0.0], 1e-12)  # the pixel that is NaN is not looked at


X, GRID = np.ones((2, 3, 4, 1)), np.zeros((2, 5, 6, 2))


@pytest.mark.parametrize(
    ("x", "grid", "options", "error", "words"),
    [
        (X[0], GRID, {}, ShapeError, r"x must be \(N, H, W, C\) with pixels"),
        (X[:, :0], GRID, {}, ShapeError, "with pixels"),
        (X, GRID[:1], {}, ShapeError, r"grid must be \(2, OH, OW, 2\), got shape \(1, 5, 6, 2\)"),
        (X, GRID[..., :1], {}, ShapeError, r"got shape \(2, 5, 6, 1\)"),
        (X, GRID.astype("float32"), {}, DTypeError, "grid must be float64 as x is, got float32"),
        (X.astype(int), GRID, {}, DTypeError, "grid_sample"),
        (X, GRID, {"mode": "bicubic"}, ConfigError, "mode must be bilinear or nearest"),
        (X, GRID, {"padding_mode": "wrap"}, ConfigError, "zeros, border or reflection"),
        (X, GRID, {"align_corners": 2}, ConfigError, "align_corners"),
    ],
)
def test_errors(x, grid, options, error, words):
    with pytest.raises(error, match=words):
        ops.grid_sample(Tensor(x), Tensor(grid), **options)
