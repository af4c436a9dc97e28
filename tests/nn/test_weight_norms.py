"""Spectral and weight norm against PyTorch's parametrisations in float64; state; errors."""

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Generator, Tensor, grad
from tinydl.errors import ConfigError
from tinydl.nn import (
    Conv2d,
    EqualizedRate,
    Linear,
    ReLU,
    Sequential,
    SpectralNorm,
    WeightNorm,
)

rng = np.random.default_rng(3)


def pairs(torch):
    """(our layer, PyTorch's with the same weights, our x, theirs, our weight -> theirs)."""
    mine, theirs = Linear(5, 4).astype(np.float64), torch.nn.Linear(5, 4).double()
    x = rng.normal(size=(3, 5))
    yield mine, theirs, x, torch.tensor(x), lambda w: w.T
    mine = Conv2d(2, 3, (2, 3)).astype(np.float64)
    theirs = torch.nn.Conv2d(2, 3, (2, 3)).double()
    x = rng.normal(size=(2, 4, 5, 2))
    yield mine, theirs, x, torch.tensor(x).movedim(-1, 1), lambda w: w.transpose(3, 2, 0, 1)


def close(a, b):
    b = b.detach().numpy()
    assert_close(a, b, 1e-9)


def same(mine, theirs, x, their_x, turned, raw):
    """Results, and gradients of what is trained."""
    y, z = mine(Tensor(x)), theirs(their_x)
    close(y.numpy(), z.movedim(1, -1) if z.dim() == 4 else z)
    mine.layer.weight.grad = raw.grad = None
    (y * y).sum().backward()
    (z * z).sum().backward()
    close(turned(mine.layer.weight.grad.numpy()), raw.grad)


@pytest.mark.oracle
@pytest.mark.parametrize("which", [0, 1])
def test_spectral_norm_follows_pytorch(which):
    torch = oracle_module("torch")
    layer, theirs, x, their_x, turned = list(pairs(torch))[which]
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(turned(layer.weight.numpy()).copy()))
        theirs.bias.copy_(torch.tensor(layer.bias.numpy().copy()))
    mine = SpectralNorm(layer)
    theirs = torch.nn.utils.parametrizations.spectral_norm(theirs)
    norm = theirs.parametrizations.weight[0]
    v = mine.v.numpy().reshape(layer.weight.shape[:-1])
    norm._u.copy_(torch.tensor(mine.u.numpy().copy()))
    norm._v.copy_(torch.tensor((v if which == 0 else v.transpose(2, 0, 1)).reshape(-1).copy()))
    for training in (True, True, False, True, False):
        mine.train(training)
        theirs.train(training)
        before = mine.u.numpy().copy()
        same(mine, theirs, x, their_x, turned, theirs.parametrizations.weight.original)
        close(mine.u.numpy(), norm._u)
        assert np.array_equal(before, mine.u.numpy()) != training


@pytest.mark.oracle
@pytest.mark.parametrize("which", [0, 1])
def test_weight_norm_follows_pytorch(which):
    torch = oracle_module("torch")
    layer, theirs, x, their_x, turned = list(pairs(torch))[which]
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(turned(layer.weight.numpy()).copy()))
        theirs.bias.copy_(torch.tensor(layer.bias.numpy().copy()))
    before = layer(Tensor(x)).numpy()
    mine = WeightNorm(layer)
    assert_close(mine(Tensor(x)).numpy(), before, 1e-12)
    theirs = torch.nn.utils.parametrizations.weight_norm(theirs)
    gain = rng.normal(size=mine.gain.shape)
    mine.gain.replace(gain)
    length, direction = (
        theirs.parametrizations.weight.original0,
        theirs.parametrizations.weight.original1,
    )
    with torch.no_grad():
        length.copy_(torch.tensor(gain).reshape(length.shape))
    same(mine, theirs, x, their_x, turned, direction)
    close(mine.gain.grad.numpy(), length.grad.reshape(-1))


def test_the_spectral_norm_becomes_one():
    layer = SpectralNorm(Linear(20, 30, rng=Generator(1)), first_iterations=200, rng=Generator(2))
    weight = layer.eval().normalized().numpy()
    assert abs(np.linalg.svd(weight, compute_uv=False)[0] - 1) < 1e-5


def test_two_calls_then_one_backward():
    """As a GAN's discriminator: real, generated, backward; and second derivatives."""
    model = Sequential(SpectralNorm(Linear(3, 4)), ReLU(), WeightNorm(Linear(4, 1)))
    x = Tensor(rng.normal(size=(5, 3)).astype(np.float32), requires_grad=True)
    loss = model(x).sum() - model(x * 2.0).sum()
    (slope,) = grad(loss, [x], create_graph=True)
    (slope * slope).sum().backward()
    assert all(np.isfinite(p.grad.numpy()).all() for p in model.parameters() if p.ndim == 2)


def test_state_and_moves():
    model = Sequential(SpectralNorm(Conv2d(2, 3, 3)), WeightNorm(Conv2d(3, 2, 1)))
    trained = ["0.layer.weight", "0.layer.bias", "1.gain", "1.layer.weight", "1.layer.bias"]
    names = [f"layers.{name}" for name in (*trained, "0.u", "0.v")]
    state = model.state_dict()
    assert list(state) == names and model.count_parameters() == 57 + 8 + 2
    fresh = Sequential(SpectralNorm(Conv2d(2, 3, 3)), WeightNorm(Conv2d(3, 2, 1)))
    fresh.load_state_dict(state)
    x = Tensor(rng.normal(size=(1, 4, 4, 2)).astype(np.float32))
    np.testing.assert_array_equal(fresh.eval()(x).numpy(), model.eval()(x).numpy())
    wide = fresh.astype(np.float64).train()
    assert wide(x.astype("float64")).dtype == np.float64


def test_an_equalised_layer_is_he_s_with_numbers_of_one_size():
    """What is trained has the variance 1 in a wide and in a narrow layer, what comes out too."""
    layers = [EqualizedRate(Conv2d(c, 64, 3), rng=Generator(1)) for c in (4, 64)]
    for layer, K in zip(layers, (36, 576), strict=True):
        raw = layer.layer.weight.numpy()
        assert abs(raw.std() - 1) < 0.03
        assert_close(layer.normalized().numpy(), raw * np.float32(np.sqrt(2 / K)), 1e-6)
    layer = EqualizedRate(Linear(400, 300), gain=1, rng=Generator(2))
    x = Tensor(rng.normal(size=(50, 400)).astype(np.float32))
    assert abs(layer(x).numpy().std() - 1) < 0.05
    wanted = x.numpy() @ layer.layer.weight.numpy() / 20 + layer.layer.bias.numpy()
    assert_close(layer(x).numpy(), wanted, 1e-5)


def test_errors():
    for gain in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="EqualizedRate: gain must be > 0"):
            EqualizedRate(Linear(2, 2), gain)
    with pytest.raises(ConfigError, match=r"SpectralNorm: the layer needs a weight .* got ReLU"):
        SpectralNorm(ReLU())
    with pytest.raises(ConfigError, match=r"must be an integer in 1 \.\.\. 10000, got 0"):
        SpectralNorm(Linear(2, 2), iterations=0)
    with pytest.raises(ConfigError, match="eps must be > 0"):
        SpectralNorm(Linear(2, 2), eps=0)
    with pytest.raises(ConfigError, match="WeightNorm: the layer needs a weight"):
        WeightNorm(Sequential(Linear(2, 2)))
