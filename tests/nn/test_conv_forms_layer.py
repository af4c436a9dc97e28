"""Conv1d, ConvTranspose2d, DepthwiseConv2d, SeparableConv2d and global pooling as layers."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator, Tensor, ops
from tinydl.errors import ConfigError, ShapeError
from tinydl.nn import (
    L2,
    Conv1d,
    ConvTranspose2d,
    DepthwiseConv2d,
    GlobalAvgPool,
    GlobalMaxPool,
    SeparableConv2d,
    Sequential,
    summary,
)


def image(*shape):
    return Tensor(np.random.default_rng(0).normal(size=shape).astype(np.float32))


def test_shapes_parameters_and_costs():
    rows = [
        (Conv1d(3, 4, 3, padding="causal", dilation=2), (2, 7, 3), (2, 7, 4), 40, 2 * 7 * 36),
        (ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2), (2, 5, 5, 4), (2, 10, 10, 6), 114, 50 * 108),
        (DepthwiseConv2d(3, 3, multiplier=2), (2, 5, 5, 3), (2, 3, 3, 6), 60, 18 * 54),
        (SeparableConv2d(3, 5, 3, multiplier=2), (2, 5, 5, 3), (2, 3, 3, 5), 89, 18 * (54 + 30)),
    ]
    for layer, x_shape, y_shape, count, cost in rows:
        y = layer(image(*x_shape))
        assert y.shape == y_shape and layer.count_parameters() == count, layer
        assert layer.multiply_adds(x_shape) == cost, layer
        y.sum().backward()
        assert all(p.grad is not None for p in layer.parameters())


def test_in_a_model_with_penalties():
    model = Sequential(
        SeparableConv2d(1, 4, 3, padding="same", weight_penalty=L2(0.1), rng=Generator(1)),
        ConvTranspose2d(4, 2, 2, stride=2, rng=Generator(2)),
        GlobalAvgPool(),
    )
    assert model(image(3, 4, 4, 1)).shape == (3, 2)
    weight = model[0].weight.numpy()
    assert_close(model.penalty().item(), 0.1 * (weight**2).sum(), 1e-5)
    assert "SeparableConv2d" in str(summary(model, (4, 4, 1)))
    x = image(2, 3, 4)
    assert np.array_equal(GlobalMaxPool()(x).numpy(), ops.max(x, 1).numpy())


def test_errors():
    with pytest.raises(ConfigError, match="groups 2 must divide both in_channels 3"):
        Conv1d(3, 4, 3, groups=2)
    with pytest.raises(ConfigError, match="multiplier must be an integer >= 1"):
        DepthwiseConv2d(3, 3, multiplier=0)
    with pytest.raises(ShapeError, match=r"Conv1d: x must be \(N, T, C\) with 3 channels"):
        Conv1d(3, 4, 3)(image(2, 5, 2))
    with pytest.raises(ShapeError, match="Conv1d: padding must be"):
        Conv1d(3, 4, 3, padding="full")
    with pytest.raises(ShapeError, match="DepthwiseConv2d: padding must be"):
        DepthwiseConv2d(3, 3, padding=-1)
    with pytest.raises(
        ShapeError, match=r"output_padding \(2, 2\) must be smaller than the stride"
    ):
        ConvTranspose2d(3, 4, 3, 2, output_padding=2)
    with pytest.raises(TypeError, match="weigth_penalty"):
        ConvTranspose2d(3, 4, 3, weigth_penalty=None)
