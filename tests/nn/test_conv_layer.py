"""Conv2d: shapes, errors, and its weights in PyTorch."""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Generator, Tensor
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.nn import Conv2d

rng = np.random.default_rng(1)

CASES = [
    {"kernel_size": 3},
    {"kernel_size": (1, 3), "stride": (2, 1), "padding": (0, 2)},
    {"kernel_size": 3, "dilation": 2, "padding": 2},
    {"kernel_size": 2, "groups": 2, "stride": 2},
    {"kernel_size": 3, "bias": False, "padding": 1},
]


@pytest.mark.parametrize("options", CASES)
def test_shape_and_parameters(options):
    layer = Conv2d(4, 6, rng=Generator(0), **options)
    x = Tensor(np.zeros((2, 9, 8, 4), np.float32))
    KH, KW = layer.kernel_size
    assert layer.weight.shape == (KH, KW, 4 // layer.groups, 6)
    y = layer(x)
    assert y.shape[0] == 2 and y.shape[3] == 6
    per_output = KH * KW * 4 // layer.groups
    assert layer.multiply_adds(x.shape) == y.size * per_output


def test_same_padding_and_lists():
    layer = Conv2d(1, 1, 3, stride=2, padding="same")
    assert layer(Tensor(np.zeros((1, 7, 8, 1), np.float32))).shape == (1, 4, 4, 1)
    layer = Conv2d(1, 1, [3, 3], padding=[[0, 1], [1, 1]])
    x = Tensor(np.zeros((1, 7, 8, 1), np.float32))
    assert layer(x).shape == (1, 6, 8, 1) and layer.multiply_adds(x.shape) == 6 * 8 * 9


def test_glorot_bound_of_the_weight():
    layer = Conv2d(8, 16, 3, rng=Generator(5))
    limit = np.sqrt(6 / (9 * 8 + 9 * 16))
    assert 0.95 * limit < np.abs(layer.weight.numpy()).max() <= limit


def test_errors_name_rule_and_values():
    layer = Conv2d(3, 8, 3)
    with pytest.raises(ShapeError, match="Conv2d: x has 4 channels but in_channels is 3"):
        layer(Tensor(np.zeros((1, 5, 5, 4), np.float32)))
    with pytest.raises(ShapeError, match=r"x has 3 axes, not \(N, H, W, C\)"):
        layer(Tensor(np.zeros((5, 5, 3), np.float32)))
    with pytest.raises(ShapeError, match="does not fit"):
        layer(Tensor(np.zeros((1, 2, 2, 3), np.float32)))
    with pytest.raises(DTypeError):
        layer(Tensor(np.zeros((1, 5, 5, 3))))
    with pytest.raises(ConfigError, match="groups 2 must divide both in_channels 3"):
        Conv2d(3, 8, 3, groups=2)
    with pytest.raises(ShapeError, match="Conv2d: kernel_size must be an integer >= 1"):
        Conv2d(3, 8, 0)
    with pytest.raises(ShapeError, match="Conv2d: padding must be"):
        Conv2d(3, 8, 3, padding="full")
    with pytest.raises(ConfigError, match="out_channels must be an integer >= 1, got -1"):
        Conv2d(3, -1, 3)


@pytest.mark.oracle
@pytest.mark.parametrize("options", CASES)
def test_weights_interchange_with_pytorch(options):
    torch = oracle_module("torch")
    x = rng.standard_normal((2, 9, 8, 4))
    theirs = torch.nn.Conv2d(4, 6, **options).double()
    images = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())

    def compare(mine):
        expected = theirs(images).detach().numpy().transpose(0, 2, 3, 1)
        atol = 1e-9 * abs(expected).max()
        assert_close(mine(Tensor(x)).numpy(), expected, 0, atol=atol)

    # (F, C/groups, KH, KW) there, (KH, KW, C/groups, F) here
    mine = Conv2d(4, 6, **options).astype(np.float64)
    state = {"weight": theirs.weight.detach().numpy().transpose(2, 3, 1, 0)}
    if theirs.bias is not None:
        state["bias"] = theirs.bias.detach().numpy()
    mine.load_state_dict(state)
    compare(mine)

    mine = Conv2d(4, 6, rng=Generator(4), bias_init="normal", **options).astype(np.float64)
    with torch.no_grad():
        theirs.weight.copy_(torch.from_numpy(mine.weight.numpy().transpose(3, 2, 0, 1).copy()))
        if theirs.bias is not None:
            theirs.bias.copy_(torch.from_numpy(mine.bias.numpy().copy()))
    compare(mine)
