"""Volumes: from the definition, kinds of arguments, ties, errors.

Against PyTorch with mixed arguments: tests/oracle/test_torch.py.
"""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor, nn, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")
rng = np.random.default_rng(8)


def test_a_convolution_is_the_sum_over_its_windows():
    x, w = rng.normal(size=(2, 4, 5, 4, 3)), rng.normal(size=(2, 3, 2, 3, 4))
    y = ops.conv3d(Tensor(x), Tensor(w), stride=(2, 1, 1), dilation=(1, 1, 2)).numpy()
    assert y.shape == (2, 2, 3, 2, 4)
    for n, d, i, j in np.ndindex(*y.shape[:4]):
        window = x[n, 2 * d : 2 * d + 2, i : i + 3, j : j + 3 : 2]
        assert_close(y[n, d, i, j], np.einsum("dhwc,dhwcf->f", window, w), 1e-12)


def test_of_depth_one_it_is_a_convolution_of_images():
    x, w = rng.normal(size=(2, 1, 5, 4, 2)), rng.normal(size=(1, 3, 3, 2, 3))
    flat = ops.conv2d(Tensor(x[:, 0]), Tensor(w[0]), padding=1)
    assert_close(ops.conv3d(Tensor(x), Tensor(w), padding=(0, 1, 1))[:, 0].numpy(), flat.numpy(), 0)


def test_same_padding_keeps_the_size():
    x, w = Tensor(np.ones((1, 3, 4, 5, 1))), Tensor(np.ones((3, 2, 3, 1, 1)))
    assert ops.conv3d(x, w, padding="same").shape == (1, 3, 4, 5, 1)
    assert ops.conv3d(x, w, stride=2, padding="same").shape == (1, 2, 2, 3, 1)
    assert ops.max_pool3d(x, 2, padding="same").shape == (1, 2, 2, 3, 1)


def test_pools_of_the_definition():
    x = rng.normal(size=(2, 4, 4, 6, 3))
    windows = x.reshape(2, 2, 2, 2, 2, 3, 2, 3)
    assert_close(ops.max_pool3d(Tensor(x), 2).numpy(), windows.max((2, 4, 6)), 0)
    assert_close(ops.avg_pool3d(Tensor(x), 2).numpy(), windows.mean((2, 4, 6)), 1e-12)
    ones = Tensor(np.ones((1, 2, 2, 2, 1)))
    assert (ops.avg_pool3d(ones, 2, 1, 1).numpy() == 1).all()
    corner = ops.avg_pool3d(ones, 2, 1, 1, count_include_pad=True).numpy()[0, 0, 0, 0, 0]
    assert corner == 1 / 8
    assert ops.max_pool3d(-1 * ones, 2, 1, 1).numpy().max() == -1, "padding never wins"


def test_the_first_of_equal_cells_wins():
    x = Tensor(np.ones((1, 2, 2, 2, 1)), requires_grad=True)
    ops.max_pool3d(x, 2).sum().backward()
    assert x.grad.numpy().ravel().tolist() == [1] + [0] * 7


def test_layers_count_their_products():
    layer = nn.Conv3d(2, 3, (1, 2, 3), stride=2, padding=1)
    x = Tensor(np.ones((2, 3, 4, 5, 2), np.float32))
    y = layer(x)
    assert layer.multiply_adds(x.shape) == y.size * 1 * 2 * 3 * 2
    transposed = nn.ConvTranspose1d(2, 3, 4, stride=2)
    assert transposed.multiply_adds((5, 7, 2)) == 5 * 7 * 2 * 4 * 3


def volume(*shape):
    return Tensor(np.ones(shape or (1, 3, 3, 3, 2)))


W = np.ones((2, 2, 2, 2, 4))


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: ops.conv3d(volume(3, 3, 3, 2), Tensor(W)), ShapeError, r"\(N, D, H, W, C\), got"),
        (lambda: ops.conv3d(volume(), Tensor(W[0])), ShapeError, r"conv3d: weight must be \(KD"),
        (lambda: ops.conv3d(volume(), Tensor(W[:, :, :, :1])), ShapeError, "do not go together"),
        (lambda: ops.conv3d(volume(), Tensor(W), groups=3), ShapeError, "in 3 groups"),
        (
            lambda: ops.conv3d(volume(), Tensor(W), stride=0),
            ShapeError,
            "stride must be an integer",
        ),
        (lambda: ops.conv3d(volume(), Tensor(W), stride=(1, 2)), ShapeError, "or three of them"),
        (lambda: ops.conv3d(volume(), Tensor(W), padding=(1, 2)), ShapeError, "padding must be"),
        (lambda: ops.conv3d(volume(), Tensor(W), padding="full"), ShapeError, "padding must be"),
        (lambda: ops.conv3d(volume(), Tensor(W), dilation=(3, 1, 1)), ShapeError, "does not fit"),
        (lambda: ops.conv3d(volume(), Tensor(W), dilation=(1, 3, 1)), ShapeError, "does not fit"),
        (
            lambda: ops.conv3d(volume(), Tensor(W), Tensor(np.ones(3))),
            ShapeError,
            r"conv3d: bias must be \(4,\)",
        ),
        (
            lambda: ops.conv3d(volume(), Tensor(W.astype(np.float32))),
            DTypeError,
            "conv3d: needs tensors of one float type",
        ),
        (lambda: ops.max_pool3d(volume(3, 3, 2), 2), ShapeError, "max_pool3d: x must be"),
        (lambda: ops.max_pool3d(volume(), 2, padding=2), ShapeError, "smaller than the window"),
        (lambda: ops.avg_pool3d(Tensor([1]), 2), DTypeError, "avg_pool3d: needs a float tensor"),
        (lambda: nn.Conv3d(3, 4, 2, groups=2), ConfigError, "Conv3d: groups 2 must divide"),
        (lambda: nn.Conv3d(3, 4, 2, padding="full"), ShapeError, "Conv3d: padding must be"),
        (lambda: nn.Conv3d(3, 4, 2)(volume()), ShapeError, r"must be \(N, D, H, W, C\) with 3"),
        (lambda: nn.MaxPool3d((2, 2)), ShapeError, "MaxPool3d: kernel_size must be"),
        (
            lambda: nn.ConvTranspose1d(2, 3, 2, output_padding=1),
            ShapeError,
            "must be at least 0 and smaller than the stride 1",
        ),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
