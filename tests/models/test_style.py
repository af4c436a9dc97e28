"""Style transfer: Gram matrices by hand, the slope of the loss, a picture that changes style."""

import numpy as np
import pytest

import tinydl
from tinydl import Tensor
from tinydl.errors import ConfigError, ShapeError
from tinydl.models.style.transfer import StyleFeatures, gram, style_loss, transfer
from tinydl.testing import check_grads


def test_gram_matrices_by_hand():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    expected = np.zeros((2, 5, 5))
    for n in range(2):
        for i in range(5):
            for j in range(5):
                expected[n, i, j] = (x[n, :, :, i] * x[n, :, :, j]).mean()
    np.testing.assert_allclose(gram(Tensor(x)).numpy(), expected, rtol=1e-12)
    moved = x[:, ::-1, ::-1].copy()  # style does not know where things are
    np.testing.assert_allclose(gram(Tensor(moved)).numpy(), expected, rtol=1e-12)


def test_the_loss_has_the_right_slope_and_three_parts():
    tinydl.seed(1)
    features = StyleFeatures((3, 4)).astype("float64")
    rng = np.random.default_rng(2)
    x, other = (Tensor(rng.uniform(size=(1, 8, 8, 3))) for _ in range(2))
    target, grams = features(other)[-1].detach(), [gram(m).detach() for m in features(other)]
    check_grads(lambda p: style_loss(features(p), target, grams, p), x, order=1)
    same = style_loss(features(other), target, grams, other, (1.0, 1.0, 0.0)).item()
    rough = style_loss(features(other), target, grams, other, (0.0, 0.0, 1.0)).item()
    assert same == 0 and rough > 0
    parts = [style_loss(features(x), target, grams, x, tuple(w)).item() for w in np.eye(3)]
    whole = style_loss(features(x), target, grams, x, (2.0, 3.0, 5.0)).item()
    assert min(parts) > 0 and whole == pytest.approx(np.dot(parts, (2, 3, 5)), rel=1e-12)
    with pytest.raises(ShapeError, match="2 maps and 1 Gram"):
        style_loss(features(x), target, grams[:1], x)


def test_a_picture_takes_on_a_style():
    tinydl.seed(3)
    features = StyleFeatures((4, 6))
    rng = np.random.default_rng(4)
    content = Tensor(rng.uniform(size=(1, 12, 16, 3)).astype(np.float32))
    stripes = np.zeros((1, 8, 8, 3), np.float32)
    stripes[:, ::2, :, 0] = 1
    before = features.state_dict()
    picture, losses = transfer(features, content, Tensor(stripes), steps=40)
    assert picture.shape == content.shape and losses[-1] < 0.5 * losses[0]
    assert picture.numpy().min() >= 0 and picture.numpy().max() <= 1
    assert all(np.array_equal(v, before[k]) for k, v in features.state_dict().items())
    with pytest.raises(ShapeError, match="style must be"):
        transfer(features, content, Tensor(stripes[0]))
    with pytest.raises(ConfigError, match="steps must be"):
        transfer(features, content, Tensor(stripes), steps=0)
