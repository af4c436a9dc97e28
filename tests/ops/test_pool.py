"""Pooling: which cell wins, what padding counts for, errors of every argument."""

import numpy as np
import pytest
from hypothesis import given

from tinydl import Tensor, ops
from tinydl.errors import DTypeError, ShapeError
from tinydl.geometry import pool2d_geometry
from tinydl.testing.strategies import pool2d_geometries, seeds

pytestmark = pytest.mark.usefixtures("on_numpy")


@given(drawn=pool2d_geometries(), seed=seeds())
def test_against_the_definition(drawn, seed):
    x = np.random.default_rng(seed).integers(-3, 4, drawn["x_shape"]).astype(np.float64)
    g = pool2d_geometry(x.shape, **drawn["options"])
    largest, mean = np.empty(g.y_shape), np.empty(g.y_shape)
    for n, oh, ow, c in np.ndindex(*g.y_shape):
        top, left = oh * g.stride[0] - g.padding[0], ow * g.stride[1] - g.padding[2]
        window = x[n, max(top, 0) : top + g.KH, max(left, 0) : left + g.KW, c]
        largest[n, oh, ow, c], mean[n, oh, ow, c] = window.max(), window.mean()
    assert np.array_equal(ops.max_pool2d(Tensor(x), **drawn["options"]).numpy(), largest)
    assert np.allclose(ops.avg_pool2d(Tensor(x), **drawn["options"]).numpy(), mean)


def test_the_first_of_equal_cells_wins():
    x = Tensor(np.ones((1, 4, 4, 1)), requires_grad=True)
    ops.max_pool2d(x, 2).sum().backward()
    assert x.grad.numpy()[0, :, :, 0].tolist() == [[1, 0, 1, 0], [0] * 4, [1, 0, 1, 0], [0] * 4]


def test_a_cell_that_wins_in_several_windows():
    x = np.zeros((1, 3, 3, 1))
    x[0, 1, 1, 0] = 5
    t = Tensor(x, requires_grad=True)
    ops.max_pool2d(t, 2, stride=1).sum().backward()
    assert t.grad.numpy()[0, :, :, 0].tolist() == [[0, 0, 0], [0, 4, 0], [0, 0, 0]]


def test_padding_never_wins_and_never_counts():
    x = Tensor(-np.ones((1, 2, 2, 1)))
    assert ops.max_pool2d(x, 3, 1, 1).numpy().max() == -1
    assert ops.avg_pool2d(x, 3, 1, 1).numpy().tolist() == (-np.ones((1, 2, 2, 1))).tolist()


def test_windows_that_do_not_divide_drop_the_tail():
    x = Tensor(np.arange(25.0).reshape(1, 5, 5, 1), requires_grad=True)
    y = ops.max_pool2d(x, 2)
    y.sum().backward()
    assert y.shape == (1, 2, 2, 1) and not x.grad.numpy()[0, 4].any()


def test_an_infinite_image_has_a_place():
    x = Tensor(np.full((1, 2, 2, 1), -np.inf), requires_grad=True)
    y = ops.max_pool2d(x, 2)
    y.backward(np.ones((1, 1, 1, 1)))
    assert y.item() == -np.inf and x.grad.numpy().ravel().tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("pool", [ops.max_pool2d, ops.avg_pool2d])
def test_an_empty_batch(pool):
    x = Tensor(np.ones((0, 4, 4, 2)), requires_grad=True)
    y = pool(x, 2)
    y.sum().backward()
    assert y.shape == (0, 2, 2, 2) and x.grad.shape == x.shape


@pytest.mark.parametrize(
    "options, words",
    [
        ({"kernel_size": 0}, "kernel_size must be an integer >= 1"),
        ({"kernel_size": 2, "stride": 0}, "stride must be"),
        ({"kernel_size": 2, "padding": 2}, "must be smaller than the 2x2 window"),
        ({"kernel_size": 2, "padding": -1}, "padding must be"),
        ({"kernel_size": 6}, "a 6x6 window does not fit into 5x5"),
    ],
)
@pytest.mark.parametrize("pool", [ops.max_pool2d, ops.avg_pool2d], ids=lambda f: f.__name__)
def test_every_argument_is_checked(pool, options, words):
    with pytest.raises(ShapeError, match=f"{pool.__name__}: .*{words}"):
        pool(Tensor(np.ones((1, 5, 5, 1))), **options)


def test_integers_are_refused():
    with pytest.raises(DTypeError, match="max_pool2d: needs a float tensor"):
        ops.max_pool2d(Tensor(np.ones((1, 2, 2, 1), np.int64)), 2)
