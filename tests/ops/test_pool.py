"""Pooling: which cell wins, what padding counts for, PyTorch, errors of every argument."""

import numpy as np
import pytest
from closeness import assert_close
from hypothesis import given
from support import agree, oracle_module

from tinydl import Tensor, no_grad, ops
from tinydl.errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from tinydl.geometry import pool2d_geometry
from tinydl.ops import pool
from tinydl.testing import CASES, Draw
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
    assert_close(ops.avg_pool2d(Tensor(x), **drawn["options"]).numpy(), mean, 1e-5)


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


def test_a_dilated_window_sees_every_other_cell():
    x = np.arange(25.0).reshape(1, 5, 5, 1)
    y = ops.max_pool2d(Tensor(x), 2, 1, dilation=(2, 3))
    assert y.numpy()[0, :, :, 0].tolist() == [[13, 14], [18, 19], [23, 24]]
    z = ops.max_pool1d(Tensor(x.reshape(1, 25, 1)), 3, 1, dilation=4)
    assert z.numpy().ravel().tolist() == list(range(8, 25))
    low = Tensor(-np.ones((1, 3, 3, 1)), requires_grad=True)
    y = ops.max_pool2d(low, 2, 1, 1, dilation=2)
    y.sum().backward()
    assert (y.numpy() == -1).all() and low.grad.numpy().sum() == 9, "padding never wins"
    with pytest.raises(ConfigError, match="return_places is there without a dilation only"):
        ops.max_pool2d(low, 2, return_places=True, dilation=2)
    for wrong in (0, (1, 2, 3), None, np.zeros(0)):
        with pytest.raises(ShapeError, match="max_pool2d: dilation must be"):
            ops.max_pool2d(low, 2, dilation=wrong)
    with pytest.raises(ShapeError, match="max_pool1d: dilation must be"):
        ops.max_pool1d(low[0], 2, dilation=0)


def test_places_are_found_only_for_a_gradient_or_on_request(monkeypatch):
    asked = []

    class Watched(pool.MaxPool2d):
        def __init__(self, geometry, places):
            asked.append(places)
            super().__init__(geometry, places)

    monkeypatch.setattr(pool, "MaxPool2d", Watched)
    x = Tensor(np.ones((1, 2, 2, 1)), requires_grad=True)
    ops.max_pool2d(x, 2)
    ops.max_pool2d(x.detach(), 2)
    ops.max_pool2d(x.detach(), 2, return_places=True)
    with no_grad():
        ops.max_pool2d(x, 2)
    assert asked == [True, False, True, False]


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


def test_an_average_may_count_the_padding():
    x = Tensor(np.ones((1, 2, 3, 1)))
    y = ops.avg_pool2d(x, 2, 2, ((1, 1), (1, 0)), count_include_pad=True)
    assert y.numpy()[0, :, :, 0].tolist() == [[0.25, 0.5], [0.25, 0.5]]
    assert (ops.avg_pool2d(x, 2, 2, ((1, 1), (1, 0))).numpy() == 1).all()
    # what ceil_mode adds beyond the padding never counts
    y = ops.avg_pool2d(x, 2, 2, ceil_mode=True, count_include_pad=True)
    assert y.shape == (1, 1, 2, 1) and (y.numpy() == 1).all()


@pytest.mark.parametrize("size, kernel, stride, padding, want", [
    (5, 2, 2, 0, 3), (6, 3, 2, 0, 3), (6, 2, 2, 0, 3), (4, 1, 3, 0, 2), (3, 2, 2, 1, 2),
    (5, 2, 3, (0, 1), 2), (2, 3, 3, 0, 1),
])  # fmt: skip
def test_ceil_mode(size, kernel, stride, padding, want):
    """The last window starts inside the image or above it."""
    x = Tensor(np.ones((1, size, 1)))
    assert ops.max_pool1d(x, kernel, stride, padding, ceil_mode=True).shape == (1, want, 1)


@pytest.mark.parametrize("size, bins", [(7, 3), (6, 3), (5, 5), (2, 5), (1, 4), (9, 1)])
def test_adaptive_bins(size, bins):
    """No cell is left out, and no bin is empty."""
    x = np.random.default_rng(size).normal(size=(2, size, 3, 2))
    mean = ops.adaptive_avg_pool2d(Tensor(x), (bins, 1)).numpy()
    largest = ops.adaptive_max_pool2d(Tensor(x), (bins, 1)).numpy()
    seen = np.zeros(size, int)
    for o in range(bins):
        rows = slice(int(np.floor(o * size / bins)), int(np.ceil((o + 1) * size / bins)))
        seen[rows] += 1
        assert_close(mean[:, o, 0], x[:, rows].mean((1, 2)), 1e-5)
        assert np.array_equal(largest[:, o, 0], x[:, rows].max((1, 2)))
    assert (seen >= 1).all()


def test_one_bin_is_global_pooling():
    x = Tensor(np.random.default_rng(0).normal(size=(2, 5, 4, 3)))
    one = ops.adaptive_avg_pool2d(x, 1).numpy()
    assert_close(one, ops.global_avg_pool(x, keepdims=True).numpy(), 1e-14)
    one = ops.adaptive_max_pool2d(x, 1).numpy()
    assert np.array_equal(one, ops.global_max_pool(x, keepdims=True).numpy())


# -- places and the way back -----------------------------------------------------------------------


def test_unpooling_puts_maxima_back():
    x = np.random.default_rng(3).normal(size=(2, 5, 6, 3))
    y, places = ops.max_pool2d(Tensor(x), 2, return_places=True)
    assert places.dtype == np.int32 and places.shape == y.shape and not places.requires_grad
    back = ops.max_unpool2d(y, places, (5, 6)).numpy()
    assert np.array_equal(back[back != 0], x[back != 0]) and (back != 0).sum() == y.size
    again = ops.max_pool2d(ops.relu(Tensor(back)), 2).numpy()
    assert np.array_equal(again, np.maximum(y.numpy(), 0))


def test_unpooling_is_the_adjoint_of_reading_at_the_places():
    """<read(x), y> = <x, unpool(y)>, also where windows overlap; places of bins work as well."""
    rng = np.random.default_rng(4)
    x = Tensor(rng.normal(size=(2, 5, 4, 2)), requires_grad=True)
    for maxima, places in (
        ops.max_pool2d(x, 3, 1, 1, return_places=True),
        ops.adaptive_max_pool2d(x, (3, 6), return_places=True),
    ):
        y = rng.normal(size=maxima.shape)
        back = ops.max_unpool2d(Tensor(y), places, (5, 4)).numpy()
        assert_close((maxima.numpy() * y).sum(), (x.numpy() * back).sum(), 1e-12)
        x.grad = None
        maxima.backward(y)
        assert_close(x.grad.numpy(), back, 1e-14)


def test_unpooling_checks_its_places():
    x = Tensor(np.ones((1, 1, 1, 1)))
    for wrong in (-1, 6):
        with pytest.raises(IndexRangeError, match=f"index {wrong} is out of range"):
            ops.max_unpool2d(x, Tensor(np.full((1, 1, 1, 1), wrong, np.int32)), (2, 3))
    with pytest.raises(ShapeError, match=r"max_unpool2d: x and places must be"):
        ops.max_unpool2d(x, Tensor(np.zeros((1, 2, 1, 1), np.int32)), 2)
    with pytest.raises(ShapeError, match="max_unpool2d: size must be an integer >= 1"):
        ops.max_unpool2d(x, Tensor(np.zeros((1, 1, 1, 1), np.int32)), 0)
    with pytest.raises(DTypeError, match="max_unpool2d: indices must be int32 or int64"):
        ops.max_unpool2d(x, x, 2)


# -- PyTorch ---------------------------------------------------------------------------------------


def nchw(function, **options):
    return lambda x: function(x.permute(0, 3, 1, 2), **options).permute(0, 2, 3, 1)


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(12))
def test_padding_that_pytorch_has(seed):
    """Its own ceil_mode and count_include_pad; 'same', four sides: tests/oracle/test_torch.py."""
    F = oracle_module("torch").nn.functional
    d = Draw(seed)
    K, s = (d.integer(1, 4), d.integer(1, 4)), (d.integer(1, 4), d.integer(1, 4))
    padding = (d.integer(0, K[0] // 2), d.integer(0, K[1] // 2))
    x = d.distinct((2, d.integer(4, 9), d.integer(4, 9), 2))
    counted, both = d.flag(), {"stride": s, "padding": padding, "ceil_mode": d.flag()}
    options = {"kernel_size": K, **both}
    agree(lambda t: ops.max_pool2d(t, **options), nchw(F.max_pool2d, **options), [x])
    options["count_include_pad"] = counted
    agree(lambda t: ops.avg_pool2d(t, **options), nchw(F.avg_pool2d, **options), [x])


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(6))
def test_pool1d_as_pytorch(seed):
    F = oracle_module("torch").nn.functional
    d = Draw(seed)
    K = d.integer(1, 4)
    options = {"kernel_size": K, "stride": d.integer(1, 4), "padding": d.integer(0, K // 2)}
    options["ceil_mode"] = d.flag()
    x = d.distinct((2, d.integer(4, 9), 3))

    def ntc(function, **more):
        return lambda t: function(t.permute(0, 2, 1), **options, **more).permute(0, 2, 1)

    agree(lambda t: ops.max_pool1d(t, **options), ntc(F.max_pool1d), [x])
    for flag in (True, False):
        counts = {"count_include_pad": flag}
        agree(
            lambda t, c=counts: ops.avg_pool1d(t, **options, **c), ntc(F.avg_pool1d, **counts), [x]
        )


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(8))
def test_adaptive_and_unpool_as_pytorch(seed):
    torch = oracle_module("torch")
    F = torch.nn.functional
    (x,), options = (
        CASES["adaptive_avg_pool2d"].draw(Draw(seed)).inputs,
        Draw(seed).shape(2, 2, 1, 7),
    )
    mean, largest = (
        nchw(F.adaptive_avg_pool2d, output_size=options),
        nchw(F.adaptive_max_pool2d, output_size=options),
    )
    agree(lambda t: ops.adaptive_avg_pool2d(t, options), mean, [x])
    agree(lambda t: ops.adaptive_max_pool2d(t, options), largest, [x])
    x = Draw(seed).distinct((2, 7, 3))
    for mine, theirs in (
        (ops.adaptive_avg_pool1d, F.adaptive_avg_pool1d),
        (ops.adaptive_max_pool1d, F.adaptive_max_pool1d),
    ):
        bins = seed % 8 + 2

        def swapped(t, f=theirs, n=bins):
            return f(t.transpose(1, 2), n).transpose(1, 2)

        agree(lambda t, f=mine, n=bins: f(t, n), swapped, [x])
    x = Draw(seed).distinct((2, 5 + seed % 2, 6, 3))
    _, places = ops.max_pool2d(Tensor(x), 2, return_places=True)
    theirs = torch.from_numpy(places.numpy().transpose(0, 3, 1, 2).astype(np.int64))
    agree(
        lambda t: ops.max_unpool2d(t, places, x.shape[1:3]),
        nchw(lambda t: F.max_unpool2d(t, theirs, 2, output_size=x.shape[1:3])),
        [np.random.default_rng(seed).normal(size=places.shape)],
    )


# -- errors ----------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("call, words", [
    (lambda x: ops.max_pool1d(x, 2), r"max_pool1d: x must be \(N, T, C\), got shape"),
    (lambda x: ops.max_pool1d(x[0], 0), "max_pool1d: kernel_size must be"),
    (lambda x: ops.avg_pool1d(x[0], 6), "avg_pool1d: a 1x6 window does not fit into 1x5"),
    (lambda x: ops.avg_pool1d(x[0], 2, stride=0), "avg_pool1d: stride must be"),
    (lambda x: ops.avg_pool1d(x[0], 2, padding=2), "avg_pool1d: .* must be smaller than the"),
    (lambda x: ops.avg_pool1d(x[0], 2, padding=((0, 0), (1, 1))), r"or \(before, after\), got"),
    (lambda x: ops.avg_pool1d(x[0], 2, padding="causal"), "avg_pool1d: padding must be"),
    (lambda x: ops.adaptive_avg_pool2d(x, 0), "adaptive_avg_pool2d: size must be an integer >= 1"),
    (lambda x: ops.adaptive_max_pool2d(x[0], 1), r"adaptive_max_pool2d: x must be \(N, H, W, C\)"),
    (lambda x: ops.adaptive_max_pool2d(x[:, :0], 1), "an image without pixels"),
])  # fmt: skip
def test_errors_of_the_other_forms(call, words):
    with pytest.raises(ShapeError, match=words):
        call(Tensor(np.ones((1, 5, 5, 1))))
