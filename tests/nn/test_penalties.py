"""Penalties: values, gradients, and where layers put them."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator, Tensor, no_grad
from tinydl.errors import ConfigError
from tinydl.nn import L1, L1L2, L2, Conv2d, Linear, Sequential, SimpleRNN

W = np.array([[-2.0, 0.0], [0.5, 3.0]])


@pytest.mark.parametrize(
    ("penalty", "value", "gradient"),
    [
        (L1(0.1), 0.55, 0.1 * np.sign(W)),
        (L2(0.1), 1.325, 0.2 * W),
        (L1L2(0.1, 0.2), 0.55 + 2.65, 0.1 * np.sign(W) + 0.4 * W),
    ],
    ids=["L1", "L2", "L1L2"],
)
def test_values_and_gradients(penalty, value, gradient):
    w = Tensor(W, requires_grad=True)
    result = penalty(w)
    assert result.shape == () and abs(result.item() - value) < 1e-12
    result.backward()
    assert_close(w.grad.numpy(), gradient, 1e-12)


@pytest.mark.parametrize("make", [L1, L2, lambda s: L1L2(0.0, s)])
@pytest.mark.parametrize("strength", [-0.1, float("nan"), float("inf")])
def test_strength_is_checked(make, strength):
    with pytest.raises(ConfigError, match="strength must be finite and >= 0"):
        make(strength)


def test_a_model_sums_its_layers():
    model = Sequential(
        Linear(
            3, 4, weight_penalty=L2(0.1), bias_penalty=L1(0.3), bias_init="ones", rng=Generator(1)
        ),
        Sequential(Linear(4, 2, weight_penalty=L1(0.2), rng=Generator(2))),
        Linear(2, 2),
    )
    a, b = model[0].weight.numpy(), model[1][0].weight.numpy()
    expected = 0.1 * (a**2).sum() + 0.3 * 4 + 0.2 * np.abs(b).sum()
    assert abs(model.penalty().item() - expected) < 1e-5
    model.penalty().backward()
    assert_close(model[0].weight.grad.numpy(), 0.2 * a, 1e-6)
    assert model[2].weight.grad is None


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda p: Linear(3, 4, activity_penalty=p), (5, 3)),
        (lambda p: Conv2d(3, 4, 2, activity_penalty=p), (5, 3, 3, 3)),
        (lambda p: SimpleRNN(3, 4, activity_penalty=p), (5, 2, 3)),
    ],
    ids=["Linear", "Conv2d", "SimpleRNN"],
)
def test_activity_penalties_are_per_sample_and_of_the_last_call(layer, shape):
    model = layer(L2(0.5)).astype(np.float64)
    assert model.penalty() is None
    x = np.random.default_rng(0).standard_normal(shape)
    model(Tensor(x * 2))
    y = model(Tensor(x))
    assert abs(model.penalty().item() - 0.5 * (y.numpy() ** 2).sum() / 5) < 1e-12
    model.penalty().backward()
    assert all(np.abs(p.grad.numpy()).max() > 0 for p in model.parameters())
    with no_grad():
        model(Tensor(x))
    assert not model.penalty().requires_grad


def test_all_penalties_of_a_recurrent_layer():
    layer = SimpleRNN(
        2, 3, weight_penalty=L2(1.0), recurrent_penalty=L2(2.0), bias_penalty=L2(3.0),
        bias_init="ones", rng=Generator(1),
    )  # fmt: skip
    expected = (layer.weight_x.numpy() ** 2).sum() + 2 * 3 + 3 * 3  # an orthogonal 3x3 has norm^2 3
    assert abs(layer.penalty().item() - expected) < 1e-5
