"""Segmentation networks: bilinear first values interpolate; sizes; what is refused."""

import numpy as np
import pytest
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st

import tinydl
from tinydl import Tensor, nn, no_grad, ops
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import FCN8s, FCN16s, FCN32s, PSPNet, UNet
from tinydl.models.segmentation.pixels import bilinear, upsampling
from tinydl.models.segmentation.pspnet import Bottleneck, PyramidPooling


@given(st.integers(1, 3), st.integers(2, 5), st.integers(3, 5), st.sampled_from([2, 4, 8]))
def test_bilinear_first_values_reproduce_interpolation(channels, height, width, factor):
    """But for the outer half pixel of the input, where zeros take part."""
    x = Tensor(np.random.default_rng(height).normal(size=(2, height, width, channels)))
    layer = upsampling(channels, factor).astype("float64")
    size = (height * factor, width * factor)
    inner = (slice(None), *[slice(factor // 2, n - factor // 2) for n in size])
    expected = ops.resize(x, size, "bilinear").numpy()
    assert layer(x).shape == expected.shape
    assert_close(layer(x).numpy()[inner], expected[inner], 0, atol=1e-12)


def test_bilinear_needs_a_square_even_kernel():
    for shape in ((4, 6, 2, 2), (3, 3, 2, 2), (4, 4, 2, 3)):
        with pytest.raises(ShapeError, match=r"must be \(2s, 2s, C, C\)"):
            bilinear(shape, None, np.float32)


def test_the_loss_is_the_mean_over_pixels():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(2, 3, 4, 5)), rng.integers(0, 5, (2, 3, 4))
    shares = np.exp(logits) / np.exp(logits).sum(axis=3, keepdims=True)
    expected = -np.log(np.take_along_axis(shares, labels[..., None], axis=3)).mean()
    assert nn.cross_entropy(Tensor(logits), Tensor(labels)).item() == pytest.approx(expected)
    with pytest.raises(ShapeError, match=r"logits must be \(N, ..., C\)"):
        nn.cross_entropy(Tensor(logits), Tensor(labels[:, :2]))


def test_an_untrained_fcn_has_no_opinion():
    """Its scores start at 0, so every class has the same probability."""
    model = FCN8s(3, widths=(2, 2, 2, 2, 2), counts=(1,) * 5, hidden=4)
    x = tinydl.uniform((1, 64, 32, 3))
    assert model(x).shape == (1, 64, 32, 3) and not model(x).numpy().any()


@pytest.mark.parametrize(("kind", "names"), [(FCN16s, ["score4"]), (FCN8s, ["score3", "score4"])])
def test_the_finer_maps_take_part(kind, names):
    """A change of the score of pool3 or pool4 comes through the upsamplings undiminished."""
    model = kind(2, widths=(2, 2, 2, 2, 2), counts=(1,) * 5, hidden=4)
    x = tinydl.uniform((1, 32, 32, 3))
    for name in names:
        before = model(x).numpy()
        getattr(model, name).bias.replace(np.array([1, 0], np.float32))
        rise = (model(x).numpy() - before)[0, 14:18, 14:18]
        assert_close(rise[..., 0], 1, 1e-5)
        assert_close(rise[..., 1], 0, 1e-7, atol=1e-6)


def test_sizes_that_do_not_fit_are_refused():
    small = {"widths": (2, 2, 2, 2, 2), "counts": (1,) * 5, "hidden": 4}
    with pytest.raises(ShapeError, match=r"FCN32s: x must be .* multiples of 32"):
        FCN32s(2, **small)(tinydl.zeros((1, 48, 32, 3)))
    with pytest.raises(ShapeError, match=r"UNet: x must be .* multiples of 4"):
        UNet(3, 2, (2, 3, 4))(tinydl.zeros((1, 10, 8, 3)))
    with pytest.raises(ConfigError, match="five widths and counts"):
        FCN32s(2, widths=(2, 2))
    with pytest.raises(ConfigError, match="at least two widths"):
        UNet(3, 2, (2,))


def test_unet_joins_level_with_level():
    """With the way down below cut, the top level still sees its own map."""
    model = UNet(1, 2, (3, 4))
    for parameter in (model.grow[0].weight, model.grow[0].bias):
        parameter.replace(np.zeros(parameter.shape, np.float32))
    x = tinydl.uniform((1, 4, 4, 1))
    top = model.down[0](x)
    alone = model.up[0](ops.concat([top, top * 0.0], axis=3))
    assert np.array_equal(model(x).numpy(), model.score(alone).numpy())


def test_pyramid_pooling_knows_the_whole_picture():
    """One changed place changes all others through the means; x itself passes unchanged."""
    tinydl.seed(0)  # with other weights the 1x1 bin's two numbers may both be below 0
    pyramid = PyramidPooling(8).eval()
    x = np.random.default_rng(0).normal(size=(1, 6, 6, 8)).astype(np.float32)
    other = x.copy()
    other[0, 0, 0] += 5
    a, b = pyramid(Tensor(x)).numpy(), pyramid(Tensor(other)).numpy()
    assert a.shape == (1, 6, 6, 16) and np.array_equal(a[..., :8], x)
    changed = (a != b)[0, 5, 5]
    assert changed[8:10].any() and not changed[10:].any()  # of the far corner only by the 1x1 bin
    finest = pyramid.reduce[3](Tensor(x)).numpy()  # 6 x 6 bins of a 6 x 6 map are its places
    assert_close(a[..., 14:], finest, 1e-7, atol=1e-6)


def test_a_bottleneck_adds_what_it_took():
    block = Bottleneck(8, 2, 1, 1).eval()  # four times the width: its shortcut is the input
    other = Bottleneck(6, 2, 2, 1).eval()
    x = Tensor(np.random.default_rng(0).normal(size=(1, 4, 4, 8)).astype(np.float32))
    with no_grad():
        inner, whole = block.residual(x).numpy(), block(x).numpy()
        y = x[..., :6]
        inner2, beside, whole2 = (f(y).numpy() for f in (other.residual, other.shortcut, other))
    assert block.shortcut is None and np.abs(inner).max() > 0.1
    assert_close(whole, np.maximum(inner + x.numpy(), 0), 1e-7, atol=1e-6)
    assert_close(whole2, np.maximum(inner2 + beside, 0), 1e-7, atol=1e-6)


def test_pspnet_keeps_an_eighth_of_the_sides():
    model = PSPNet(4, counts=(1, 1, 1, 1), widths=(2, 2, 2, 2))
    x = tinydl.uniform((2, 32, 48, 3))
    assert model.stages(model.stem(x)).shape == (2, 4, 6, 8) and model(x).shape == (2, 32, 48, 4)
    assert [block.residual[3].dilation for block in model.stages] == [
        (1, 1),
        (1, 1),
        (2, 2),
        (4, 4),
    ]
    with pytest.raises(ShapeError, match=r"PSPNet: x must be .* multiples of 8"):
        model(tinydl.zeros((1, 12, 16, 3)))
    with pytest.raises(ConfigError, match="four counts and widths"):
        PSPNet(widths=(2, 2))
