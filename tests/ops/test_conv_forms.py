"""conv1d, conv_transpose2d, depthwise and separable convolution: definitions, errors.

Against PyTorch with mixed arguments: tests/oracle/test_torch.py.
"""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Tensor, ops
from tinydl.errors import ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")
rng = np.random.default_rng(5)


def test_conv_transpose2d_is_the_adjoint():
    """<conv2d(x), g> = <x, conv_transpose2d(g)>, 'same' and a size that does not divide."""
    w = rng.normal(size=(3, 3, 2, 4))
    for size, padding, extra in ((6, "same", 0), (6, 0, 1), (7, 0, 0)):
        x = rng.normal(size=(1, size, size, 2))
        y = ops.conv2d(Tensor(x), Tensor(w), stride=2, padding=padding)
        g = rng.normal(size=y.shape)
        back = ops.conv_transpose2d(Tensor(g), Tensor(w), None, 2, padding, extra)
        assert back.shape == x.shape
        assert_close((y.numpy() * g).sum(), (back.numpy() * x).sum(), 1e-12)


def test_depthwise_and_separable_from_single_channels():
    x, w = rng.normal(size=(2, 5, 6, 3)), rng.normal(size=(3, 2, 3, 2))
    b, p = rng.normal(size=6), rng.normal(size=(1, 1, 6, 4))
    options = {"stride": (2, 1), "padding": 1, "dilation": (1, 2)}
    parts = [
        ops.conv2d(Tensor(x[..., c : c + 1]), Tensor(w[:, :, c : c + 1]), **options).numpy()
        for c in range(3)
    ]
    want = np.concatenate(parts, axis=-1)
    got = ops.depthwise_conv2d(Tensor(x), Tensor(w), Tensor(b), **options)
    assert_close(got.numpy(), want + b, 1e-12)
    both = ops.separable_conv2d(Tensor(x), Tensor(w), Tensor(p), Tensor(b[:4]), **options)
    assert_close(both.numpy(), want @ p[0, 0] + b[:4], 1e-12)


def test_causal_sees_no_future():
    x = Tensor(rng.normal(size=(1, 6, 2)), requires_grad=True)
    y = ops.conv1d(x, Tensor(rng.normal(size=(3, 2, 1))), padding="causal", dilation=2)
    assert y.shape == (1, 6, 1)
    y[0, 2].sum().backward()
    assert not x.grad.numpy()[0, 3:].any() and x.grad.numpy()[0, 2].all()


def ones(*shape):
    return Tensor(np.ones(shape))


@pytest.mark.parametrize("call, words", [
    (lambda: ops.conv_transpose1d(ones(1, 5), ones(3, 1, 1)), r"1d: x must be \(N, T, C\)"),
    (lambda: ops.conv_transpose1d(ones(1, 5, 2), ones(3, 1, 1)), "1d: x has 2 channels"),
    (lambda: ops.conv_transpose1d(ones(1, 5, 1), ones(3, 1, 1), stride=0), "1d: stride must be"),
    (
        lambda: ops.conv_transpose1d(ones(1, 5, 1), ones(3, 1, 1), padding="causal"),
        "is conv1d's alone",
    ),
    (
        lambda: ops.conv_transpose1d(ones(1, 5, 1), ones(3, 1, 1), output_padding=1),
        "conv_transpose1d: output_padding",
    ),
    (lambda: ops.conv1d(ones(1, 5), ones(3, 1, 1)), r"conv1d: x must be \(N, T, C\)"),
    (lambda: ops.conv1d(ones(1, 5, 2), ones(3, 1, 1)), "conv1d: x has 2 channels"),
    (lambda: ops.conv1d(ones(1, 2, 1), ones(3, 1, 1)), "conv1d: .* does not fit"),
    (lambda: ops.conv1d(ones(1, 5, 1), ones(3, 1, 1), stride=0), "stride must be"),
    (lambda: ops.conv1d(ones(1, 5, 1), ones(3, 1, 1), padding=-1), "'causal', an integer >= 0"),
    (lambda: ops.conv1d(ones(1, 5, 1), ones(3, 1, 1), padding="full"), "padding must be"),
    (lambda: ops.conv_transpose2d(ones(1, 2, 2, 3), ones(3, 3, 1, 2)), "x has 3 channels but"),
    (lambda: ops.conv_transpose2d(ones(1, 2, 2, 2), ones(3, 3, 1, 2), None, 2, 0, 2),
     "output_padding .* smaller than the stride"),
    (lambda: ops.conv_transpose2d(ones(1, 2, 2, 2), ones(3, 3, 1, 2), ones(3)), "bias must be"),
    (lambda: ops.conv_transpose2d(ones(1, 1, 1, 2), ones(1, 1, 1, 2), padding=1),
     "output would be"),
    (lambda: ops.conv1d(ones(1, 5, 2), ones(3, 2, 2), ones(3)), r"conv1d: bias must be \(2,\)"),
    (lambda: ops.conv1d(ones(1, 5, 2), ones(3, 2, 2), groups=3), "conv1d: groups 3 must divide"),
    (lambda: ops.conv1d(ones(1, 5, 2), ones(3, 2, 2), dilation=0), "conv1d: dilation must be"),
    (lambda: ops.conv_transpose2d(ones(1, 2, 2, 2), ones(3, 3, 1, 2), groups=3),
     "conv_transpose2d: groups 3 must divide the 2 channels of x"),
    (lambda: ops.conv_transpose2d(ones(1, 2, 2, 2), ones(3, 3, 1, 2), dilation=0), "dilation must"),
    (lambda: ops.conv_transpose2d(ones(1, 2, 2, 2), ones(3, 3, 1, 2), padding=-1), "padding must"),
    (lambda: ops.conv_transpose2d(ones(1, 2, 2, 2), ones(3, 3, 1, 2), None, 2, "same", 1),
     "output_padding .* has no meaning with padding 'same'"),
    (lambda: ops.depthwise_conv2d(ones(1, 3, 3, 2), ones(2, 2, 2, 1), stride=0),
     "depthwise_conv2d: stride must be"),
    (lambda: ops.separable_conv2d(ones(1, 3, 3, 2), ones(4, 4, 2, 1), ones(1, 1, 2, 1)),
     "separable_conv2d: a 4x4 kernel .* does not fit"),
    (lambda: ops.depthwise_conv2d(ones(1, 3, 3, 2), ones(2, 2, 3, 1)), "depthwise_conv2d: x must"),
    (lambda: ops.separable_conv2d(ones(1, 3, 3, 2), ones(2, 2, 2, 1), ones(1, 1, 3, 1)),
     r"pointwise must be \(1, 1, 2, F\)"),
    (lambda: ops.global_avg_pool(ones(2, 3)), "global_avg_pool: x must be"),
    (lambda: ops.global_max_pool(ones(2, 0, 3, 1)), "not empty"),
])  # fmt: skip
def test_errors(call, words):
    with pytest.raises(ShapeError, match=words):
        call()


def test_global_pooling():
    x = rng.normal(size=(2, 3, 4, 5))
    assert_close(ops.global_avg_pool(Tensor(x)).numpy(), x.mean((1, 2)), 1e-5)
    assert ops.global_max_pool(Tensor(x), keepdims=True).shape == (2, 1, 1, 5)
    assert np.array_equal(ops.global_max_pool(Tensor(x[0])).numpy(), x[0].max(1))


@pytest.mark.oracle
@pytest.mark.parametrize("stride, dilation, padding", [(1, 2, 0), (1, 3, 1), (2, 5, (1, 2))])
def test_output_padding_up_to_the_dilation(stride, dilation, padding):
    """PyTorch's rule: below the stride or below the dilation; values, not only sizes."""
    torch = oracle_module("torch")
    x, w = (
        np.random.default_rng(0).normal(size=(2, 3, 4, 2)),
        np.random.default_rng(1).normal(size=(2, 3, 3, 2)),
    )
    for extra in range(max(stride, dilation)):
        y = ops.conv_transpose2d(
            Tensor(x), Tensor(w), None, stride, padding, extra, dilation
        ).numpy()
        z = torch.nn.functional.conv_transpose2d(
            torch.tensor(x).permute(0, 3, 1, 2), torch.tensor(w).permute(3, 2, 0, 1), None,
            stride, padding, extra, 1, dilation,
        ).permute(0, 2, 3, 1)  # fmt: skip
        assert_close(y, z.numpy(), 0.0, 1e-12 * abs(y).max())
