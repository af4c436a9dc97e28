"""Convolution: geometry that does not divide, errors of every argument, im2col as a matmul."""

import numpy as np
import pytest
from closeness import assert_close
from hypothesis import given

from tinydl import Tensor, ops
from tinydl.errors import DTypeError, ShapeError
from tinydl.geometry import conv2d_geometry
from tinydl.testing.strategies import conv2d_geometries, seeds

pytestmark = pytest.mark.usefixtures("on_numpy")


@given(drawn=conv2d_geometries(), seed=seeds())
def test_against_the_definition(drawn, seed):
    """Seven loops, written from the formula in the docstring."""
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=drawn["x_shape"]), rng.normal(size=drawn["weight_shape"])
    b = rng.normal(size=w.shape[3])
    g = conv2d_geometry(x.shape, w.shape, **drawn["options"])
    (sh, sw), (dh, dw), (top, _, left, _) = g.stride, g.dilation, g.padding
    want = np.tile(b, (g.N, g.OH, g.OW, 1))
    for n, oh, ow, f, kh, kw in np.ndindex(g.N, g.OH, g.OW, g.F, g.KH, g.KW):
        h, v = oh * sh + kh * dh - top, ow * sw + kw * dw - left
        if 0 <= h < g.H and 0 <= v < g.W:
            first = f // (g.F // g.groups) * (g.C // g.groups)
            for c in range(g.C // g.groups):
                want[n, oh, ow, f] += x[n, h, v, first + c] * w[kh, kw, c, f]
    got = ops.conv2d(Tensor(x), Tensor(w), Tensor(b), **drawn["options"])
    assert_close(got.numpy(), want, 1e-12)


def test_dropped_tail_rows_get_no_gradient():
    """H = 6, k = 3, s = 2: the last row is never read."""
    x = Tensor(np.ones((1, 6, 6, 1)), requires_grad=True)
    ops.conv2d(x, Tensor(np.ones((3, 3, 1, 1))), stride=2).sum().backward()
    g = x.grad.numpy()[0, :, :, 0]
    assert not g[5].any() and not g[:, 5].any()
    assert g[:5, :5].sum() == 4 * 9 and g[2, 2] == 4


@pytest.mark.parametrize(
    "size, kernel, stride", [(5, 3, 1), (5, 2, 1), (6, 3, 2), (7, 4, 3), (2, 3, 2)]
)
def test_same_padding(size, kernel, stride):
    """OH = ceil(H / stride); the odd zero goes below and to the right."""
    x = Tensor(np.ones((1, size, size, 1)))
    y = ops.conv2d(x, Tensor(np.ones((kernel, kernel, 1, 1))), stride=stride, padding="same")
    assert y.shape == (1, -(-size // stride), -(-size // stride), 1)
    top, bottom, left, right = conv2d_geometry(
        (1, size, size, 1), (kernel, kernel, 1, 1), stride, "same"
    ).padding
    assert 0 <= bottom - top <= 1 and (top, bottom) == (left, right)


def test_a_convolution_is_a_matmul_of_patches():
    rng = np.random.default_rng(0)
    x, w = Tensor(rng.normal(size=(2, 5, 6, 3))), Tensor(rng.normal(size=(3, 2, 3, 4)))
    options = {"stride": (2, 1), "padding": ((1, 0), (0, 1)), "dilation": (1, 2)}
    columns = ops.im2col(x, (3, 2), **options)
    product = columns @ w.reshape(-1, 4)
    assert_close(ops.conv2d(x, w, **options).numpy().reshape(-1, 4), product.numpy(), 1e-5)


def test_an_empty_batch():
    x = Tensor(np.ones((0, 4, 4, 2)), requires_grad=True)
    w, b = Tensor(np.ones((3, 3, 2, 5)), requires_grad=True), Tensor(np.ones(5), requires_grad=True)
    y = ops.conv2d(x, w, b, padding=1)
    assert y.shape == (0, 4, 4, 5)
    y.sum().backward()
    assert x.grad.shape == x.shape and not w.grad.numpy().any() and not b.grad.numpy().any()


def convolve(x=(1, 5, 5, 4), w=(3, 3, 4, 6), bias=None, **options):
    b = None if bias is None else Tensor(np.ones(bias))
    return ops.conv2d(Tensor(np.ones(x)), Tensor(np.ones(w)), b, **options)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"w": (3, 3, 3, 6)}, r"x has 4 channels but weight expects 3 \(x \(1, 5, 5, 4\), weight"),
        ({"x": (5, 5, 4)}, r"x must be \(N, H, W, C\)"),
        ({"w": (3, 4, 6)}, r"weight must be \(KH, KW, C/groups, F\)"),
        ({"bias": (5,)}, r"bias must be \(6,\)"),
        ({"bias": (1, 6)}, r"bias must be \(6,\)"),
        ({"stride": 0}, "stride must be an integer >= 1"),
        ({"stride": (1, 2, 3)}, "stride must be"),
        ({"stride": 1.5}, "stride must be"),
        ({"stride": True}, "stride must be"),
        ({"padding": 1.0}, "padding must be"),
        ({"padding": "causal"}, "padding must be"),
        ({"groups": True}, "groups must be"),
        ({"dilation": 0}, "dilation must be an integer >= 1"),
        ({"dilation": -1}, "dilation must be"),
        ({"padding": -1}, "padding must be"),
        ({"padding": "full"}, "padding must be 'valid', 'same'"),
        ({"padding": (1, 2, 3)}, "padding must be"),
        ({"padding": ((1, 2), (3, -1))}, "padding must be"),
        ({"groups": 0}, "groups must be an integer >= 1"),
        ({"groups": 3}, "groups 3 must divide both"),
        ({"groups": 2}, "weight expects 4 x 2 groups = 8"),
        ({"w": (3, 3, 2, 5), "groups": 2}, "groups 2 must divide both"),
        ({"w": (7, 3, 4, 6)}, "does not fit into 5x5"),
        ({"dilation": 3}, "does not fit"),
        ({"w": (0, 3, 4, 6)}, "kernel size must be >= 1"),
    ],
)
def test_every_argument_is_checked(arguments, words):
    with pytest.raises(ShapeError, match=f"conv2d: .*{words}"):
        convolve(**arguments)


def test_lists_are_accepted_where_tuples_are():
    a = convolve(stride=[2, 1], padding=[[1, 0], [0, 1]])
    b = convolve(stride=(2, 1), padding=((1, 0), (0, 1)))
    assert np.array_equal(a.numpy(), b.numpy())


def test_numbers_of_numpy_are_accepted_and_floats_never():
    two, ones = np.int64(2), np.array([1, 1])
    a = convolve(stride=two, padding=(two, np.int32(1)), dilation=ones, groups=np.int64(1))
    assert np.array_equal(a.numpy(), convolve(stride=2, padding=(2, 1)).numpy())
    convolve(padding=1)  # sizes are cached: 1.0 must not find what 1 left there
    with pytest.raises(ShapeError, match="padding must be"):
        convolve(padding=1.0)


@pytest.mark.parametrize("kernel_size", [0, "a", (1, 2, 3), 1.5])
def test_im2col_checks_its_window(kernel_size):
    with pytest.raises(ShapeError, match="im2col: kernel_size must be an integer >= 1"):
        ops.im2col(Tensor(np.ones((1, 3, 3, 2))), kernel_size)


def test_dtypes_must_agree():
    with pytest.raises(DTypeError, match="conv2d: needs tensors of one float type"):
        ops.conv2d(Tensor(np.ones((1, 3, 3, 1))), Tensor(np.ones((3, 3, 1, 1), np.float32)))


def test_col2im_checks_its_columns():
    with pytest.raises(ShapeError, match=r"col2im: columns must be \(4, 8\)"):
        ops.col2im(Tensor(np.ones((4, 9))), (1, 3, 3, 2), 2)
