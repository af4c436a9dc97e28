"""Threshold units, perceptron, neuron and regressions against what is known of them."""

from itertools import product

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Tensor, no_grad
from tinydl.data import Batches, diabetes, xor_points
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import (
    MLP,
    FirstDense,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PolynomialRegression,
    SigmoidNeuron,
    ThresholdUnit,
)
from tinydl.models.feedforward.threshold_unit import AND, NOT, OR, xor
from tinydl.nn import bce_with_logits, cross_entropy, mse
from tinydl.optim import Adam
from tinydl.train import fit

PAIRS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
RNG = np.random.default_rng(0)


# -- threshold unit --------------------------------------------------------------------------------


def test_truth_tables():
    assert AND(PAIRS).tolist() == [0, 0, 0, 1]
    assert OR(PAIRS).tolist() == [0, 1, 1, 1]
    assert NOT(np.array([[0], [1]])).tolist() == [1, 0]
    assert xor(PAIRS).tolist() == [0, 1, 1, 0]


def test_one_unit_cannot_do_xor():
    """All 14 of the 16 functions of two bits but XOR and its opposite."""
    steps = np.arange(-2, 2.5, 0.5)
    found = {
        tuple(ThresholdUnit((a, b), c)(PAIRS).tolist()) for a, b, c in product(steps, repeat=3)
    }
    everything = set(product((0, 1), repeat=4))
    assert everything - found == {(0, 1, 1, 0), (1, 0, 0, 1)}


def test_threshold_units_take_bits_only():
    with pytest.raises(ConfigError, match="inputs are 0 or 1"):
        AND(np.array([[0.5, 1]]))
    with pytest.raises(ShapeError, match="does not fit weights"):
        AND(np.array([[0, 1, 1]]))


# -- perceptron ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_the_perceptron_converges_within_novikoffs_bound(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 3))
    normal, offset = np.array([1.0, -2, 0.5]), 0.3
    distance = (x @ normal + offset) / np.hypot(np.linalg.norm(normal), offset)
    kept = np.abs(distance) > 0.1
    x, targets = x[kept], (distance[kept] > 0).astype(int)
    model = Perceptron(3)
    mistakes = model.fit(x, targets, 1000)
    longest = np.sqrt((x**2).sum(axis=1) + 1).max()
    margin = np.abs(distance[kept]).min()
    assert mistakes[-1] == 0 and np.array_equal(model(x), targets)
    assert 0 < sum(mistakes) <= (longest / margin) ** 2


def test_the_perceptron_by_hand():
    """AND from zero weights: the first mistakes, one by one."""
    model = Perceptron(2)
    assert model.fit(PAIRS.astype(float), np.array([0, 0, 0, 1]), 1) == [1]
    assert model.weight.tolist() == [1, 1] and model.bias == 1
    assert model.fit(PAIRS.astype(float), np.array([0, 0, 0, 1]))[-1] == 0


def test_the_perceptron_never_learns_xor():
    model, seen = Perceptron(2), set()
    for _ in range(50):
        (wrong,) = model.fit(PAIRS.astype(float), np.array([0, 1, 1, 0]), 1)
        assert wrong > 0
        seen.add((*model.weight.tolist(), model.bias))
    assert len(seen) < 10  # it goes in circles


def test_bad_arguments_of_the_perceptron():
    with pytest.raises(ConfigError, match="features >= 1 and lr > 0"):
        Perceptron(2, 0.0)
    with pytest.raises(ConfigError, match="targets are 0 or 1"):
        Perceptron(2).fit(PAIRS, np.array([-1, 1, 1, -1]))
    with pytest.raises(ShapeError, match=r"x must be \(N, 2\)"):
        Perceptron(2)(np.zeros((4, 3)))
    with pytest.raises(ShapeError, match="does not fit targets"):
        Perceptron(2).fit(PAIRS, np.array([0, 1]))


def test_a_hidden_layer_learns_xor():
    tinydl.seed(0)
    points, model = xor_points(), MLP((2, 4, 2), "tanh")
    data = Batches((points.x_train, points.y_train), 4, shuffle=False)
    fit(model, data, cross_entropy, Adam(model.parameters(), lr=0.1), 100, progress=False)
    with no_grad():
        assert model(Tensor(points.x_test)).numpy().argmax(axis=1).tolist() == [0, 1, 1, 0]


# -- neuron and regressions ------------------------------------------------------------------------


def test_the_books_neuron():
    y = SigmoidNeuron()(Tensor(np.ones((1, 2), np.float32)))
    assert y.numpy() == pytest.approx([0.9525741268], rel=1e-6)
    with pytest.raises(ConfigError, match="at least one weight"):
        SigmoidNeuron(())


def test_the_first_layer_starts_small():
    tinydl.seed(0)
    weight = FirstDense().linear.weight.numpy()
    assert weight.shape == (8, 12) and 0.04 < np.abs(weight).max() <= 0.05


def gradient_at(model, weight, bias, loss):
    model.linear.weight.assign(weight)
    model.linear.bias.assign(bias)
    loss().backward()
    return np.abs(model.linear.weight.grad.numpy()).max(), np.abs(
        model.linear.bias.grad.numpy()
    ).max()


def test_least_squares_is_where_the_gradient_ends():
    x, y = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 2))
    solution = np.linalg.lstsq(np.column_stack([x, np.ones(40)]), y, rcond=None)[0]
    model = LinearRegression(3, 2).astype("float64")
    found = gradient_at(model, solution[:3], solution[3], lambda: mse(model(Tensor(x)), Tensor(y)))
    assert max(found) < 1e-14


def test_a_cubic_has_the_powers_of_x():
    x = RNG.uniform(-1, 1, (30, 1))
    y = 2 * x**3 - x**2 + 0.5 * x - 3
    model = PolynomialRegression(3).astype("float64")
    model.linear.weight.assign(np.array([[0.5], [-1.0], [2.0]]))
    model.linear.bias.assign(np.array([-3.0]))
    assert_close(model(Tensor(x)).numpy(), y, 0, atol=1e-14)
    with pytest.raises(ConfigError, match="degree must be >= 1"):
        PolynomialRegression(0)
    with pytest.raises(ShapeError, match=r"x must be \(N, 1\)"):
        model(Tensor(np.zeros((3, 2))))


def test_the_gradient_of_logistic_regression_is_the_textbooks():
    x, t = RNG.normal(size=(20, 4)), RNG.integers(0, 2, 20).astype(np.float64)
    model = LogisticRegression(4, "normal").astype("float64")
    bce_with_logits(model(Tensor(x)), Tensor(t)).backward()
    p = 1 / (1 + np.exp(-(x @ model.linear.weight.numpy()[:, 0] + model.linear.bias.numpy())))
    assert_close(model.linear.weight.grad.numpy()[:, 0], x.T @ (p - t) / 20, 1e-9)
    assert_close(model.linear.bias.grad.numpy(), [(p - t).mean()], 1e-9)


def test_diabetes_by_linear_regression_reaches_least_squares():
    pytest.importorskip("sklearn")
    table = diabetes()
    assert table.x.shape == (442, 10) and table.columns[2] == "bmi"
    x = ((table.x - table.x.mean(axis=0)) / table.x.std(axis=0)).astype(np.float64)
    y = ((table.y - table.y.mean()) / table.y.std()).astype(np.float64)[:, None]
    best = np.linalg.lstsq(x, y, rcond=None)
    tinydl.seed(0)
    model = LinearRegression(10).astype("float64")
    data = Batches((x, y), 442, shuffle=False)
    history = fit(model, data, mse, Adam(model.parameters(), lr=0.05), 400, progress=False)
    least = float(best[1][0]) / 442
    assert least == pytest.approx(1 - 0.5177, abs=1e-3)  # R^2 of the table's least squares
    # Four of the columns nearly repeat each other, so the last thousandths come slowly.
    assert least <= history.last["loss"] < 1.005 * least
