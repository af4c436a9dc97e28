"""Networks that doubt against integrals over their weights, done on a grid or by many draws."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.errors import ConfigError
from tinydl.models import BayesianMLP, BayesianSoftmax, DropoutMLP
from tinydl.models.bayesian.bayes_by_backprop import MeanField
from tinydl.models.bayesian.layer import BayesianLinear, Drawn, Normal, ScaleMixture
from tinydl.models.bayesian.predictive import Doubting, entropy, uncertainty
from tinydl.optim import Adam

X = np.array([[-1.5], [-0.5], [0.2], [1.0], [2.0]])
Y = np.array([0, 1, 0, 1, 1])


def normal_density(x, mean, std):
    return np.exp(-0.5 * ((x - mean) / std) ** 2) / (std * np.sqrt(2 * np.pi))


@pytest.mark.parametrize("prior", [Normal(0.7), ScaleMixture(0.3, 1.5, 0.2)])
def test_a_divergence_is_the_integral(prior, on_numpy):
    """Of two weights, q = N(m, s^2); the mixture's is drawn and right in the mean."""
    mean, std = np.array([0.4, -1.0]), np.array([0.3, 0.8])
    grid = np.linspace(-9, 9, 40_001)
    exact = 0.0
    for m, s in zip(mean, std, strict=True):
        q = normal_density(grid, m, s)
        if isinstance(prior, Normal):
            p = normal_density(grid, 0, prior.std)
        else:
            p = prior.share * normal_density(grid, 0, prior.wide)
            p = p + (1 - prior.share) * normal_density(grid, 0, prior.narrow)
        inside = np.where(q > 0, q * (np.log(q + 1e-300) - np.log(p + 1e-300)), 0)
        exact += inside.sum() * (grid[1] - grid[0])
    noise = np.random.default_rng(0).normal(size=(50, 400, 2))  # fifty sums of 400 draws
    draws = []
    for z in noise:
        w = Drawn(*(Tensor(np.broadcast_to(a, z.shape)) for a in (mean + std * z, mean, std)))
        draws.append(prior.divergence(w).item() / 400)
    error = np.std(draws) / np.sqrt(len(draws))
    assert abs(np.mean(draws) - exact) < 4 * error + 1e-6
    assert (error < 1e-9) == isinstance(prior, Normal), "a closed form does not depend on draws"


def test_the_bound_is_below_the_evidence_by_the_divergence_from_the_posterior(on_numpy):
    """Two classes of one number: P(data | w) depends on two differences of weights, which the prior
    makes N(0, 2); log P(data) is an integral over a plane, -of * loss the ELBO in the mean."""
    tinydl.seed(4)
    model = BayesianSoftmax(1, 2).astype("float64")
    x, y = Tensor(X), Tensor(Y)
    slope = np.linspace(-12, 12, 801)
    w, b = np.meshgrid(slope, slope)
    logits = X[:, :, None] * w + b  # of class 1 less that of class 0
    likelihood = np.exp(-np.logaddexp(0, np.where(Y[:, None, None] == 1, -logits, logits)).sum(0))
    joint = likelihood * normal_density(w, 0, np.sqrt(2)) * normal_density(b, 0, np.sqrt(2))
    evidence = np.log(joint.sum() * (slope[1] - slope[0]) ** 2)

    def elbo(draws, seed):
        with no_grad():
            rng = Generator(seed)
            return -len(X) * np.array([model.loss(x, y, rng, len(X)).item() for _ in range(draws)])

    before = elbo(100, 0).mean()
    optimizer, rng = Adam(model.parameters(), lr=0.06), Generator(1)
    for _ in range(250):
        optimizer.zero_grad()
        model.loss(x, y, rng, len(X)).backward()
        optimizer.step()
    values = elbo(700, 2)
    error = values.std() / np.sqrt(len(values))
    assert before < evidence - 2 and values.mean() < evidence + 4 * error
    # the same gap by NumPy alone: KL(q || posterior) = E_q log q - log P(data | w) P(w) + evidence
    r = np.random.default_rng(3)
    (layer,) = model.layers
    q = {
        "W": (layer.mean.numpy(), np.logaddexp(0, layer.rho.numpy())),
        "b": (layer.bias_mean.numpy(), np.logaddexp(0, layer.bias_rho.numpy())),
    }
    gaps = []
    for _ in range(2_000):
        drawn = {k: m + s * r.normal(size=m.shape) for k, (m, s) in q.items()}
        scores = X @ drawn["W"] + drawn["b"]
        told = (scores[np.arange(5), Y] - np.logaddexp(*scores.T)).sum()
        for k, (m, s) in q.items():
            told += np.log(normal_density(drawn[k], 0, 1) / normal_density(drawn[k], m, s)).sum()
        gaps.append(evidence - told)
    spread = np.std(gaps) / np.sqrt(len(gaps))
    assert abs((evidence - values.mean()) - np.mean(gaps)) < 4 * (error + spread)
    assert 0 < np.mean(gaps) < 0.6, "what is left: W and b, and both classes, hang together"
    posterior = (joint * w).sum() / joint.sum()
    mean = layer.mean.numpy()[0]
    assert abs((mean[1] - mean[0]) - posterior) < 0.3


def test_the_books_network_is_linear(on_numpy):
    tinydl.seed(0)
    model = BayesianSoftmax().astype("float64")
    weights = model.drawn(Generator(0))
    r = np.random.default_rng(1)
    a, b = (Tensor(r.random((3, 784))) for _ in range(2))
    with no_grad():
        parts = model.at(a, weights) + model.at(b, weights) - model.at(a * 0.0, weights)
        assert_close(parts.numpy(), model.at(a + b, weights).numpy(), 1e-12)
    for p in model.layers[0].mean, model.layers[0].rho:
        assert abs(p.numpy().mean()) < 0.05 and abs(p.numpy().std() - 1) < 0.05


def test_draws_are_gaussian_and_forward_takes_the_means(on_numpy):
    tinydl.seed(0)
    layer = BayesianLinear(3, 2).astype("float64")
    layer.rho.assign(np.linspace(-2, 1, 6).reshape(3, 2))
    rng = Generator(0)
    draws = np.stack([layer.drawn(rng)[0].w.numpy() for _ in range(1_000)])
    std = np.log1p(np.exp(layer.rho.numpy()))
    assert (abs(draws.mean(axis=0) - layer.mean.numpy()) < 4 * std / np.sqrt(1_000)).all()
    assert_close(draws.std(axis=0), std, 0.1)
    model = BayesianMLP((3, 4, 2)).astype("float64")
    x = np.random.default_rng(2).normal(size=(5, 3))
    (first, second) = model.layers
    hidden = np.maximum(x @ first.mean.numpy() + first.bias_mean.numpy(), 0)
    expected = hidden @ second.mean.numpy() + second.bias_mean.numpy()
    assert_close(model(Tensor(x)).numpy(), expected, 1e-12)
    assert_close(np.log1p(np.exp(first.rho.numpy())), np.full((3, 4), 0.02), 1e-6)


def test_units_are_dropped_for_each_sample_and_make_up_for_it(on_numpy):
    """A linear layer after the dropped units: the mean of many draws is the whole network's."""
    tinydl.seed(0)
    model = DropoutMLP((3, 40, 2), rate=0.5).astype("float64")
    x = Tensor(np.ones((4_000, 3)))
    with no_grad():
        drawn, whole = model.draw(x, Generator(0)).numpy(), model(x).numpy()
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert (error > 0).all() and (abs(drawn.mean(axis=0) - whole[0]) < 4 * error).all()
    plain = DropoutMLP((3, 40, 2), rate=0.0)
    said = plain.probabilities(tinydl.ones((2, 3)), 3, Generator(0))
    assert said.shape == (3, 2, 2) and np.array_equal(said[0], said[2])
    assert_close(said.sum(axis=2), np.ones((3, 2)), 1e-6)


def test_doubt_of_networks_that_contradict_each_other_and_of_those_that_agree():
    """Four networks, each sure of another class; four that all say "any"."""
    p = np.stack([np.eye(4), np.full((4, 4), 0.25)], axis=1)
    total, apart = uncertainty(p)
    assert_close(total, np.log([4.0, 4.0]), 1e-12)
    assert_close(apart, np.array([np.log(4.0), 0.0]), 1e-12)
    assert_close(entropy(np.array([[1.0, 0.0], [0.5, 0.5]])), np.array([0, np.log(2)]), 1e-12)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: BayesianMLP((3,)), "at least two sizes"),
        (lambda: BayesianMLP((3, 2), first_std=0.0), "first_std > 0"),
        (lambda: BayesianMLP((3, 2), mixture=(0.5, 1.0)), "mixture of three"),
        (lambda: BayesianMLP((3, 2), mixture=(1.0, 1.0, 0.1)), "0 < share < 1"),
        (lambda: DropoutMLP((3,)), "at least two sizes"),
        (lambda: DropoutMLP((3, 2), rate=1.5), "rate"),
        (lambda: BayesianLinear(0, 2), "in_features"),
        (lambda: DropoutMLP().probabilities(tinydl.ones((1, 784)), 0, Generator(0)), "samples"),
    ],
)
def test_settings_are_checked(make, words):
    with pytest.raises(ConfigError, match=words):
        make()


def test_what_a_subclass_owes():
    x = tinydl.zeros((1, 2))
    with pytest.raises(NotImplementedError, match="Doubting draws no network"):
        Doubting().draw(x, Generator(0))
    with pytest.raises(NotImplementedError, match="Doubting has no loss"):
        Doubting().loss(x, x, Generator(0), 1)
    assert issubclass(BayesianSoftmax, MeanField)
