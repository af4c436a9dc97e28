"""What is particular to the C convolutions: tile edges, copied windows, threads, the loop."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl.backend.cpu import _conv, _runtime
from tinydl.backend.cpu.conv import Conv
from tinydl.backend.reference.conv import Conv as Reference
from tinydl.geometry import conv2d_geometry


@pytest.fixture
def runtime():
    level, threads = _runtime.level(), _runtime.threads()
    yield _runtime
    _runtime.set_level(level)
    _runtime.set_threads(threads)


@pytest.fixture(params=_runtime.available_levels())
def level(request, runtime):
    runtime.set_level(request.param)
    return request.param


def results(backend, g, dtype):
    """Every kernel once, on the same random arrays."""
    rng = np.random.default_rng(0)
    x, weight, bias, grad, columns = (
        rng.standard_normal(shape).astype(dtype)
        for shape in (g.x_shape, g.weight_shape, (g.F,), g.y_shape, g.columns_shape)
    )
    return {
        "conv2d": backend.conv2d(x, weight, None, g),
        "conv2d with bias": backend.conv2d(x, weight, bias, g),
        "conv2d_input_grad": backend.conv2d_input_grad(grad, weight, g),
        "conv2d_weight_grad": backend.conv2d_weight_grad(x, grad, g),
        "im2col": backend.im2col(x, g),
        "col2im": backend.col2im(columns, g),
    }


def assert_all_close(g, dtype):
    expected = results(Reference(), g, dtype)
    rounding = np.finfo(dtype).eps * 8 * (g.N * g.OH * g.OW + g.KH * g.KW * max(g.C, g.F))
    for name, y in results(Conv(), g, dtype).items():
        assert y.shape == expected[name].shape
        assert y.dtype == dtype
        assert np.max(np.abs(y - expected[name]), initial=0) <= rounding, name


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("F", [1, 2, 3, 7, 8, 10, 12, 13, 16, 17, 24, 31, 32, 33, 65])
def test_every_edge_of_the_output_channels(level, F, dtype):
    for C, W in [(1, 15), (3, 8), (9, 31)]:
        assert_all_close(conv2d_geometry((2, 5, W, C), (3, 3, C, F), padding="same"), dtype)


@pytest.mark.parametrize("W", [1, 2, 3, 7, 8, 9, 13, 14, 15, 28, 29, 31, 33])
def test_every_edge_of_the_output_row(level, W):
    for kernel, stride, padding in [((3, 3), 1, 1), ((1, 2), 1, 1), ((2, 3), (1, 2), (0, 1))]:
        g = conv2d_geometry(
            (3, 4, W, 5),
            (*kernel, 5, 20),
            stride,
            padding=(padding if isinstance(padding, tuple) else (padding, padding)),
        )
        assert_all_close(g, "f8")


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [(3, 3), (1, 2), (2, 1)])
def test_every_border_of_a_depthwise_row(level, kernel, stride, dtype):
    for W in range(1, 16):
        for padding in ((1, 1), ((0, 1), (2, 2))):
            g = conv2d_geometry((2, 4, W, 19), (*kernel, 1, 19), stride, padding, 1, 19)
            assert_all_close(g, dtype)


GEOMETRIES = {
    "stride beyond the kernel": ((2, 11, 13, 4), (2, 2, 4, 6), (3, 4), 0, 1, 1),
    "stride and dilation": ((2, 17, 19, 3), (3, 3, 3, 18), (2, 3), 2, (2, 3), 1),
    "stride divides dilation": ((1, 16, 16, 4), (3, 3, 4, 5), 2, 2, 2, 1),
    "uneven padding": ((2, 6, 7, 3), (3, 4, 3, 8), 1, ((0, 3), (5, 1)), 1, 1),
    "padding beyond the kernel": ((2, 3, 3, 2), (2, 2, 2, 3), 2, ((4, 5), (6, 7)), 1, 1),
    "groups": ((2, 7, 9, 12), (3, 3, 4, 15), 1, 1, 1, 3),
    "groups, stride, dilation": ((2, 9, 9, 6), (3, 2, 3, 4), 2, (1, 2), (1, 2), 2),
    "channel multiplier": ((2, 6, 6, 5), (3, 3, 1, 10), 1, 1, 1, 5),
    "depthwise": ((2, 9, 11, 19), (3, 3, 1, 19), 1, 1, 1, 19),
    "depthwise, strided and dilated": ((2, 9, 11, 70), (3, 3, 1, 70), (2, 1), "same", (1, 2), 70),
    "depthwise, six and three at once": ((2, 5, 17, 32), (3, 3, 1, 32), 1, 1, 1, 32),
    "depthwise, six at once, strided": ((2, 9, 30, 24), (3, 3, 1, 24), 2, 1, 1, 24),
    "depthwise, two columns": ((2, 5, 14, 16), (3, 2, 1, 16), 1, (1, 1), 1, 16),
    "few channels": ((2, 9, 13, 3), (3, 3, 3, 24), 1, 1, 1, 1),
    "few channels, strided": ((2, 19, 23, 3), (7, 7, 3, 24), 2, 3, 1, 1),
    "one channel, dilated": ((2, 13, 15, 1), (3, 3, 1, 16), (2, 1), 2, (1, 2), 1),
    "one channel, padding beyond": ((2, 3, 3, 1), (2, 2, 1, 16), 2, ((4, 5), (6, 7)), 1, 1),
    "one filter": ((2, 9, 21, 11), (3, 3, 11, 1), 1, 1, 1, 1),
    "one filter, strided, dilated rows": ((2, 17, 40, 7), (5, 5, 7, 1), (2, 3), 2, (2, 1), 1),
    "one filter, padding beyond": ((2, 3, 3, 16), (2, 2, 16, 1), 2, ((4, 5), (6, 7)), 1, 1),
    "one filter, one output": ((1, 3, 3, 20), (3, 3, 20, 1), 1, 0, 1, 1),
    "few filters of long rows": ((2, 9, 19, 33), (3, 5, 33, 3), 1, (1, 2), 1, 1),
    "a filter of sound": ((1, 1, 1500, 1), (1, 256, 1, 1), (1, 2), 0, 1, 1),
    "1x1": ((2, 5, 6, 7), (1, 1, 7, 9), 1, 0, 1, 1),
    "1x1 strided": ((2, 5, 6, 7), (1, 1, 7, 9), 2, 0, 1, 1),
    "1x1 padded": ((2, 5, 6, 7), (1, 1, 7, 9), 1, 1, 1, 1),
    "window of the whole image": ((3, 6, 6, 8), (6, 6, 8, 40), 1, 0, 1, 1),
    "small image, many channels": ((3, 2, 2, 64), (3, 3, 64, 70), 1, 1, 1, 1),
    "pixels a power of two apart": ((1, 4, 15, 512), (3, 3, 512, 4), 1, 1, 1, 1),
}


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_geometries(level, name, dtype):
    assert_all_close(conv2d_geometry(*GEOMETRIES[name]), dtype)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3)])
@pytest.mark.parametrize(("N", "C", "F"), [(0, 3, 4), (2, 3, 0), (2, 0, 4), (0, 4, 4)])
def test_empty_sizes(level, N, C, F, kernel):
    groups = 4 if C == F else 1
    g = conv2d_geometry((N, 5, 5, C), (*kernel, C // groups, F), padding="same", groups=groups)
    x, weight, bias, grad = (np.ones(s) for s in (g.x_shape, g.weight_shape, (F,), g.y_shape))
    assert np.array_equal(Conv().conv2d(x, weight, bias, g), np.ones(g.y_shape))
    assert np.array_equal(Conv().conv2d_input_grad(grad, weight, g), np.zeros(g.x_shape))
    assert np.array_equal(Conv().conv2d_weight_grad(x, grad, g), np.zeros(g.weight_shape))


@pytest.mark.parametrize("name", ["groups", "depthwise", "small image, many channels"])
def test_strided_inputs(level, name):
    g = conv2d_geometry(*GEOMETRIES[name])
    rng = np.random.default_rng(0)
    x = rng.standard_normal(g.x_shape[::-1]).T
    weight = np.broadcast_to(rng.standard_normal(g.F), g.weight_shape)
    assert_close(Conv().conv2d(x, weight, None, g), Reference().conv2d(x, weight, None, g), 1e-5)


@pytest.mark.parametrize(
    "case",
    [
        ((9, 20, 30, 16), (3, 3, 16, 40), 1, 1, 1, 1),
        ((9, 5, 5, 32), (3, 3, 32, 64), 1, 1, 1, 1),
        ((4, 21, 23, 8), (3, 3, 4, 12), 2, 1, 1, 2),
        ((11, 14, 14, 40), (3, 3, 1, 40), 1, 1, 1, 40),
        ((11, 29, 29, 32), (3, 3, 1, 32), 2, 1, 1, 32),
        ((5, 40, 50, 3), (5, 5, 3, 32), 2, 2, 1, 1),
        ((1, 7, 301, 24), (3, 3, 24, 1), 1, 1, 1, 1),
        ((2, 40, 31, 32), (3, 3, 32, 2), 1, 1, 1, 1),
    ],
)
def test_the_number_of_threads_changes_no_bit(level, runtime, case):
    g = conv2d_geometry(*case)
    runtime.set_threads(1)
    expected = results(Conv(), g, "f4")
    for threads in (2, 3, 5):
        runtime.set_threads(threads)
        for name, y in results(Conv(), g, "f4").items():
            assert np.array_equal(y, expected[name]), name


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_loops_equal_the_kernel(level, dtype):
    g = conv2d_geometry((2, 7, 9, 3), (3, 2, 3, 4), (2, 1), ((1, 0), (2, 1)), (1, 2))
    x = np.random.default_rng(0).standard_normal(g.x_shape).astype(dtype)
    columns = np.empty((g.N, g.OH, g.OW, g.KH, g.KW, g.C), dtype)
    loops = _conv.im2col_loops_f32 if dtype == "f4" else _conv.im2col_loops_f64
    loops(x, columns, g)
    assert np.array_equal(columns.reshape(g.columns_shape), Conv().im2col(x, g))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_windows(level, bad):
    """Vectors of few filters overlap: no lane that has been counted may count again as 0 * inf."""
    g = conv2d_geometry((1, 6, 30, 11), (3, 3, 11, 1), padding="same")
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal(g.x_shape), rng.standard_normal(g.weight_shape)
    x[0, 2, 13, 5] = bad
    y, expected = (backend.conv2d(x, weight, None, g) for backend in (Conv(), Reference()))
    assert np.array_equal(np.isnan(y), np.isnan(expected))
    assert np.array_equal(np.isinf(y), np.isinf(expected))
    assert np.isfinite(y).sum() == y.size - 9


def test_buffers_are_checked():
    g = conv2d_geometry((1, 4, 4, 2), (3, 3, 2, 5))
    x, weight = np.ones(g.x_shape, "f4"), np.ones(g.weight_shape, "f4")
    with pytest.raises(ValueError, match="y must be contiguous"):
        _conv.conv2d_f32(x, weight, None, np.empty((1, 2, 2, 4), "f4"), g, False)
    with pytest.raises(ValueError, match="x must be contiguous"):
        _conv.conv2d_f32(x[:, ::-1], weight, None, np.empty(g.y_shape, "f4"), g, False)
    with pytest.raises(TypeError, match="expected elements"):
        _conv.conv2d_f32(x, weight.astype("f8"), None, np.empty(g.y_shape, "f4"), g, False)
