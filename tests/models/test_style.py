"""Style transfer: Gram matrices by hand, the slope of the loss, a picture that changes style."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Tensor
from tinydl.errors import ConfigError, ShapeError
from tinydl.models.style.small_vgg import balance
from tinydl.models.style.transfer import StyleFeatures, gram, style_loss, transfer
from tinydl.testing import check_grads


def test_gram_matrices_by_hand():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    expected = np.zeros((2, 5, 5))
    for n in range(2):
        for i in range(5):
            for j in range(5):
                expected[n, i, j] = (x[n, :, :, i] * x[n, :, :, j]).mean()
    assert_close(gram(Tensor(x)).numpy(), expected, 1e-12)
    moved = x[:, ::-1, ::-1].copy()  # style does not know where things are
    assert_close(gram(Tensor(moved)).numpy(), expected, 1e-12)


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


def test_balanced_channels_answer_one_and_are_otherwise_as_they_were():
    tinydl.seed(5)
    features = StyleFeatures((5, 6)).astype("float64")
    weight = features.stages[1][2].weight  # of the last convolution; its channel 2 shall be mute
    values = weight.numpy().copy()
    values[..., 2] = 0
    weight.assign(values)
    bias = features.stages[1][2].bias
    bias.assign(np.where(np.arange(6) == 2, -1.0, 0.0))
    x, other = (np.random.default_rng(k).uniform(size=(3, 8, 10, 3)) for k in (0, 1))
    loud = [np.sqrt((m.numpy() ** 2).mean((0, 1, 2))) for m in features(Tensor(x))]
    before = [m.numpy() for m in features(Tensor(other))]
    balance(features, x)
    assert loud[1][2] == 0 and min(np.delete(loud[1], 2).min(), loud[0].min()) > 0
    assert bias.numpy()[2] == -1
    after = features(Tensor(x)), features(Tensor(other))
    for k in (0, 1):
        wanted = np.where(loud[k] > 0, 1.0, 0.0)
        own = (after[0][k].numpy() ** 2).mean((0, 1, 2))
        assert_close(own, wanted, 1e-12)
        scaled = before[k] / np.where(loud[k] > 0, loud[k], 1)
        assert_close(after[1][k].numpy(), scaled, 1e-9)


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
    assert abs(losses[-1] - losses[-2]) < 1e-3 * losses[-1]  # the last steps are small
    assert picture.numpy().min() >= 0 and picture.numpy().max() <= 1
    assert all(np.array_equal(v, before[k]) for k, v in features.state_dict().items())
    with pytest.raises(ShapeError, match="style must be"):
        transfer(features, content, Tensor(stripes[0]))
    with pytest.raises(ConfigError, match="steps must be"):
        transfer(features, content, Tensor(stripes), steps=0)
