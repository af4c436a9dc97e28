"""Variational autoencoders against what they bound: integrals over the code, done on a grid."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import CVAE, VAE, ConvVAE
from tinydl.models.variational.bound import Variational
from tinydl.nn import kl_gaussian
from tinydl.optim import Adam

PICTURE = (3, 2, 1)
LABELS = np.array([0, 1, 1, 0])


def made(kind=VAE, **options):
    """A model with a code of one number, decisive enough that the bound is not tight."""
    tinydl.seed(3)
    model = kind(PICTURE, hidden=(6,), latent=1, **options).astype("float64")
    for _, p in model.named_parameters():
        p.assign(1.3 * p.numpy())
    return model


def pictures(n=4):
    return Tensor((np.random.default_rng(0).random((n, *PICTURE)) < 0.5).astype("float64"))


def log_likelihood(model, x, *given):
    """log of the integral of p(x|z) N(z; 0, 1) by the trapezoidal rule, (N,)."""
    grid = np.linspace(-9, 9, 2_001)
    logs = []
    for n in range(len(x)):
        rows = [Tensor(np.repeat(t.numpy()[n : n + 1], len(grid), axis=0)) for t in (x, *given)]
        logits = model.decode(Tensor(grid[:, None]), *rows[1:]).numpy()
        pixels = rows[0].numpy() * logits - np.logaddexp(0, logits)
        logs.append(pixels.reshape(len(grid), -1).sum(axis=1) - grid**2 / 2)
    logs = np.array(logs) - np.log(2 * np.pi) / 2 + np.log(grid[1] - grid[0])
    return np.logaddexp.reduce(logs, axis=1)


def test_the_divergence_is_what_draws_say(on_numpy):
    rng = np.random.default_rng(1)
    m, s = rng.normal(size=(1, 3)), rng.normal(size=(1, 3))
    z = m + np.exp(s / 2) * rng.normal(size=(200_000, 3))
    draws = 0.5 * (z**2 - (z - m) ** 2 / np.exp(s) - s).sum(axis=1)  # log q - log p
    exact = kl_gaussian(Tensor(m), Tensor(s)).item()
    error = draws.std() / np.sqrt(len(draws))
    assert abs(draws.mean() - exact) < 4 * error and error < 0.01 * exact


def test_the_terms_are_the_bound_by_the_integral(on_numpy):
    """E_q log p(x|z) - KL over a grid of codes against the mean of many draws of the two terms."""
    model, x = made(), pictures()
    grid = np.linspace(-12, 12, 4_001)[:, None]
    with no_grad():
        m, s = (t.numpy() for t in model.encode(x))
        logits = model.decode(Tensor(grid)).numpy().reshape(len(grid), 1, -1)
        pixels = x.numpy().reshape(1, len(x), -1)
        missed = (np.logaddexp(0, logits) - pixels * logits).sum(axis=2)
        q = np.exp(-((grid - m.T) ** 2) / (2 * np.exp(s.T))) / np.sqrt(2 * np.pi * np.exp(s.T))
        expected = (missed * q).sum(axis=0) * (grid[1] - grid[0])
        rng, draws = Generator(0), []
        for _ in range(2_000):
            drawn, divergence = model.terms(x, rng=rng)
            draws.append(drawn.numpy())
    draws = np.array(draws)
    error = draws.std(axis=0) / np.sqrt(len(draws))
    assert (abs(draws.mean(axis=0) - expected) < 4 * error + 1e-9).all()
    assert_close(divergence.numpy(), 0.5 * (np.exp(s) + m**2 - 1 - s)[:, 0], 1e-12)
    assert (expected + divergence.numpy() > -log_likelihood(model, x)).all()  # -ELBO > -log p


@pytest.mark.parametrize("kind, options", [(VAE, {}), (CVAE, {"classes": 2})])
def test_more_samples_make_the_bound_tighter_up_to_the_likelihood(kind, options, on_numpy):
    """Means over 1,000 draws rise with K; 2,000 samples are within 0.01 nats of the integral."""
    model, x, rng = made(kind, **options), pictures(), Generator(0)
    given = (Tensor(LABELS),) if options else ()
    truth = log_likelihood(model, x, *given).mean()
    many = [Tensor(np.repeat(t.numpy(), 1_000, axis=0)) for t in (x, *given)]
    with no_grad():
        means = [model.bound(*many, samples=k, rng=rng).mean().item() for k in (1, 2, 4, 16)]
        elbo = -model.loss(*many, rng=rng).item()
        close = model.bound(x, *given, samples=2_000, rng=rng).mean().item()
    assert truth - means[0] > 0.05, "the bound is tight from the start: nothing is tested"
    assert (np.diff([*means, truth]) > 0).all(), (means, truth)
    assert abs(elbo - means[0]) < 0.1 * (truth - means[0]) and abs(close - truth) < 0.01


def test_the_weight_is_that_of_the_divergence(on_numpy):
    x = pictures()
    plain, pressed = made(), made(beta=4.0)
    missed, divergence = plain.terms(x, rng=Generator(1))
    wanted = missed.mean().item() + 4 * divergence.mean().item()
    assert_close(pressed.loss(x, rng=Generator(1)).numpy(), np.array(wanted), 1e-12)
    samples = pressed.bound(x, samples=3, rng=Generator(2))  # a likelihood has no beta
    assert_close(samples.numpy(), plain.bound(x, samples=3, rng=Generator(2)).numpy(), 1e-12)


def test_a_larger_weight_leaves_less_divergence():
    told = {}
    for beta in (0.25, 8.0):
        tinydl.seed(0)
        model = VAE((4, 4, 1), hidden=(16,), latent=2, beta=beta)
        x = Tensor(np.eye(16, dtype="float32").reshape(16, 4, 4, 1))
        optimizer, rng = Adam(model.parameters(), lr=0.02), Generator(1)
        for _ in range(150):
            optimizer.zero_grad()
            model.loss(x, rng=rng).backward()
            optimizer.step()
        told[beta] = [t.mean().item() for t in model.terms(x, rng=rng)]
    assert told[0.25][1] > 10 * told[8.0][1] and told[0.25][0] < told[8.0][0]


def test_the_decoder_is_told_the_class(on_numpy):
    """A CVAE trained on one picture per class draws that picture when it is asked for it."""
    tinydl.seed(0)
    model = CVAE((2, 2, 1), classes=4, hidden=(16,), latent=2)
    labels = Tensor(np.arange(4))
    x = Tensor(np.eye(4, dtype="float32").reshape(4, 2, 2, 1))
    optimizer, rng = Adam(model.parameters(), lr=0.05), Generator(1)
    for _ in range(100):
        optimizer.zero_grad()
        model.loss(x, labels, rng=rng).backward()
        optimizer.step()
    asked = np.array([2, 0, 3, 1, 1])
    drawn = model.sample(5, Generator(3), Tensor(asked))
    assert drawn.shape == (5, 2, 2, 1) and not drawn.requires_grad
    assert_close(drawn.numpy().reshape(5, 4).round(), np.eye(4, dtype="float32")[asked], 1e-6)


@pytest.mark.parametrize("wrong", [{"latent": 0}, {"beta": -1.0}, {"beta": float("nan")}])
@pytest.mark.parametrize("kind", [VAE, CVAE, ConvVAE])
def test_settings_are_checked(kind, wrong):
    with pytest.raises(ConfigError, match=f"{kind.__name__}: needs latent"):
        kind(**wrong)


def test_pictures_that_do_not_fit_are_named():
    with pytest.raises(ConfigError, match=r"multiples of 2\^2"):
        ConvVAE((30, 28, 1))
    for model in (VAE(), ConvVAE()):
        with pytest.raises(ShapeError, match=r"must be \(N, 28, 28, 1\), got \(2, 784\)"):
            model(tinydl.zeros((2, 784)))
    with pytest.raises(ConfigError, match="samples >= 1"):
        VAE().bound(tinydl.zeros((2, 28, 28, 1)), samples=0, rng=Generator(0))
    for name in ("encode", "decode"):
        with pytest.raises(NotImplementedError, match="Variational has no"):
            getattr(Variational(2, 1.0), name)(tinydl.zeros((1, 2)))
