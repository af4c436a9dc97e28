"""Games against what is known of them: optimal critics, exact distances, formulas in NumPy."""

import numpy as np
import pytest
from cases.game_formulas import drawn, named, soft
from closeness import assert_close

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.creation import uniform
from tinydl.errors import ConfigError
from tinydl.models import (
    ACGAN,
    DCGAN,
    GAN,
    LSGAN,
    MLP,
    WGAN,
    WGANGP,
    ConditionalDCGAN,
    ConditionalGAN,
    InfoGAN,
)
from tinydl.models.adversarial.game import Game, Labelled, Unlabelled
from tinydl.models.adversarial.wgan import Clipped, Penalised
from tinydl.nn import Buffer, Linear, Module
from tinydl.optim import Adam, RMSprop

SMALL = {"picture": (8, 8, 1), "widths": (4, 6), "latent": 3}
WITH_CLASSES = {**SMALL, "classes": 3}


class Given(Module):
    """A generator of fixed samples, whatever the noise."""

    def __init__(self, samples):
        self.samples = Buffer(np.asarray(samples, np.float32))

    def forward(self, z):
        return self.samples[: len(z)]


def train_critic(game, real, steps, optimizer, rng=None):
    rng = Generator(0) if rng is None else rng
    for _ in range(steps):
        optimizer.zero_grad()
        game.critic_loss(real, rng).backward()
        optimizer.step()
        game.after_critic()


# -- the optimal critic ----------------------------------------------------------------------------

P, Q = np.array([8, 1, 4, 4, 3]), np.array([2, 3, 4, 10, 1])  # counts of five symbols, 20 each


class LeastSquares(Unlabelled):
    told_apart, passed_off = LSGAN.told_apart, LSGAN.passed_off


@pytest.mark.parametrize("kind", [Unlabelled, LeastSquares])
def test_the_best_critic_is_p_over_p_plus_q(kind):
    """On five symbols, one weight each; there the first game's loss is 2 log 2 - 2 JSD(p, q)."""
    rows = np.eye(5, dtype=np.float32)
    game = kind(Given(np.repeat(rows, Q, axis=0)), Linear(5, 1, bias=False), latent=1)
    real = Tensor(np.repeat(rows, P, axis=0))
    train_critic(game, real, 300, Adam(game.critic.parameters(), lr=0.1))
    scores = game.critic(Tensor(rows)).numpy()[:, 0]
    found = 1 / (1 + np.exp(-scores)) if kind is Unlabelled else scores
    assert_close(found, (P / (P + Q)).astype(np.float32), 2e-3)
    if kind is Unlabelled:
        p, q = P / 20, Q / 20
        divergence = (p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))).sum() / 2
        wanted = np.array(2 * np.log(2) - 2 * divergence, np.float32)
        assert_close(game.critic_loss(real, Generator(0)).numpy(), wanted, 1e-4)


# -- the Wasserstein distance ----------------------------------------------------------------------


def toys(n=128):
    """Pairs of samples (n, 1) of the line."""
    x = np.linspace(-1, 1, n)
    halves = np.where(x > 0, 1.0, -1.0)
    return {
        "shifted": (x + 0.5, x),
        "split": (x + 0.3 * halves, x),
        "narrowed": (x, 0.4 * x),
        "one mode lost": (halves + 0.1 * x, 0.1 * x + np.where(x > -0.6, 1.0, -1.0)),
    }


def distance(x, y):
    """Exact: sorted samples of the line travel to each other in order."""
    return abs(np.sort(x) - np.sort(y)).mean()


def estimate(game, real):
    with no_grad():
        fake = game(game.noise(len(real), Generator(0)))
        return -game.told_apart(game.critic(real), game.critic(fake)).item()


def column(values):
    return np.asarray(values, np.float32)[:, None]


@pytest.mark.parametrize("toy", toys())
def test_the_penalised_critic_measures_the_distance(toy):
    """Within 5 %. On the line a slope of the wrong sign would have to pass 0, where the penalty is
    highest, and stays: the penalty begins small."""
    x, y = toys()[toy]
    tinydl.seed(0)
    game = Penalised(Given(column(y)), MLP((1, 32, 32, 1)), latent=1)
    real = Tensor(column(x))
    for penalty, lr in ((0.1, 0.01), (10.0, 0.01), (10.0, 0.001)):
        game.penalty_weight = penalty
        train_critic(game, real, 150, Adam(game.critic.parameters(), lr=lr, beta1=0.5))
    assert abs(estimate(game, real) / distance(x, y) - 1) < 0.05


@pytest.mark.parametrize("penalty, shift", [(1.0, 0.5), (10.0, 0.5), (10.0, 4.0)])
def test_the_penalty_lets_the_slope_be_too_large_by_the_distance(penalty, shift):
    """max over k of k W - penalty (k - 1)^2 is at k = 1 + W / (2 penalty): by so much the estimate
    for a shift is above the distance, whatever the critic."""
    x = np.linspace(-1, 1, 32)
    critic = Linear(1, 1, weight_init="ones")
    game = Penalised(Given(column(x)), critic, latent=1, penalty=penalty)
    train_critic(game, Tensor(column(x + shift)), 400, Adam(critic.parameters(), lr=0.02))
    slope = np.float32(1 + shift / (2 * penalty))
    assert_close(critic.weight.numpy().ravel(), np.array([slope]), 2e-3)


def test_the_clipped_critic_is_proportional_to_the_distance():
    """Ten separations of two modes: correlation above 0.99, by a constant that is printed.

    Layers of tanh, which clipped weights keep near their linear part. With ReLU the bound on the
    slope changes where its units begin, at -bias / weight = 1 and -1: correlation 0.98.
    """
    found, exact = [], []
    y = 0.2 * np.random.default_rng(0).normal(size=64)
    for separation in np.linspace(0.2, 2.0, 10):
        x = y + separation * np.repeat([1, 0], 32)
        tinydl.seed(1)
        game = Clipped(Given(column(y)), MLP((1, 16, 16, 1), "tanh"), latent=1, clip=0.1)
        train_critic(game, Tensor(column(x)), 120, RMSprop(game.critic.parameters(), lr=0.01))
        found.append(estimate(game, Tensor(column(x))))
        exact.append(distance(x, y))
    constant = np.dot(found, exact) / np.dot(exact, exact)
    print(f"the clipped critic's estimate is {constant:.4f} times the distance")
    assert np.corrcoef(found, exact)[0, 1] > 0.99
    assert abs(np.array(found) - constant * np.array(exact)).max() < 0.02 * max(found)


def test_clipping_bounds_every_weight_of_the_critic_only():
    model = WGAN(**SMALL, clip=0.01)
    generator = [p.numpy().copy() for p in model.generator.parameters()]
    model.after_critic()
    sizes = [abs(p.numpy()).max() for p in model.critic.parameters()]
    assert max(sizes) == np.float32(0.01)
    after = [p.numpy() for p in model.generator.parameters()]
    assert all(np.array_equal(a, b) for a, b in zip(after, generator, strict=True))
    GAN(**SMALL).after_critic()  # nothing to do
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(ConfigError, match="clip > 0"):
            WGAN(**SMALL, clip=wrong)


def test_the_penalty_is_its_formula(on_numpy):
    """D(x) = v tanh(W x + b), whose gradient is written down; the mixing is drawn again."""
    tinydl.seed(2)
    critic = MLP((3, 5, 1), "tanh")
    y = np.random.default_rng(1).normal(size=(6, 3))
    game = Penalised(Given(y), critic, latent=2, penalty=7.0).astype("float64")
    x = np.random.default_rng(0).normal(size=(6, 3))
    found = game.critic_loss(Tensor(x), Generator(4)).item()
    rng = Generator(4)
    game.noise(6, rng)
    e = uniform((6, 1), dtype="float64", rng=rng).numpy()
    W, b, v, c = (p.numpy() for p in critic.parameters())
    y = game.generator.samples.numpy()
    at = e * x + (1 - e) * y
    slope = ((1 - np.tanh(at @ W + b) ** 2) * v[:, 0]) @ W.T
    penalty = ((np.sqrt((slope**2).sum(axis=1)) - 1) ** 2).mean()
    score = [(np.tanh(s @ W + b) @ v + c).mean() for s in (x, y)]
    assert_close(np.array(found), np.array(score[1] - score[0] + 7 * penalty), 1e-12)


# -- losses as NumPy has them ----------------------------------------------------------------------


#: (critic's loss, generator's loss) of the scores for real and generated samples.
FORMULAS = {
    DCGAN: (lambda r, f: (soft(-r) + soft(f)).mean(), lambda f: soft(-f).mean()),
    GAN: (lambda r, f: (soft(-r) + soft(f)).mean(), lambda f: soft(-f).mean()),
    LSGAN: (
        lambda r, f: ((r - 1) ** 2 + f**2).mean() / 2, lambda f: ((f - 1) ** 2).mean() / 2,
    ),
    WGAN: (lambda r, f: f.mean() - r.mean(), lambda f: -f.mean()),
    WGANGP: (None, lambda f: -f.mean()),  # the critic's: above
}  # fmt: skip


def small(kind):
    tinydl.seed(3)
    model = kind(**(WITH_CLASSES if issubclass(kind, Labelled) or kind is InfoGAN else SMALL))
    for _, p in model.named_parameters():
        p.assign(p.numpy() * 10)  # scores away from 0
    return model.astype("float64")


@pytest.mark.parametrize("kind", FORMULAS)
def test_losses_are_their_formulas(kind, on_numpy):
    model, (x, _) = small(kind), drawn()
    with no_grad():
        fake = model.critic(model(model.noise(4, Generator(1)))).numpy()
        real = model.critic(x).numpy()
        told, passed = FORMULAS[kind]
        found = model.generator_loss(4, Generator(1)).item()
        assert abs(real - fake).max() > 1e-3
        assert_close(np.array(found), np.array(passed(fake)), 1e-12)
        if told:
            found = model.critic_loss(x, Generator(1)).item()
            assert_close(np.array(found), np.array(told(real, fake)), 1e-12)


@pytest.mark.parametrize("kind", [ConditionalGAN, ConditionalDCGAN])
def test_both_players_are_told_the_class(kind, on_numpy):
    """The losses with the labels written beside noise and samples by hand; another label gives
    another sample and another score."""
    model, (x, labels) = small(kind), drawn()
    rows = np.eye(3)[labels.numpy()]

    def seen(samples, rows):
        if kind is ConditionalGAN:
            return Tensor(np.concatenate([samples.reshape(4, -1), rows], axis=1))
        planes = np.tile(rows[:, None, None], (1, 8, 8, 1))
        return Tensor(np.concatenate([samples, planes], axis=3))

    with no_grad():
        z = model.noise(4, Generator(1)).numpy()
        fake = model.generator(Tensor(np.concatenate([z, rows], axis=1))).numpy()
        scores = [model.critic(seen(s, rows)).numpy() for s in (x.numpy(), fake)]
        found = model.critic_loss(x, labels, Generator(1)).item()
        assert_close(np.array(found), np.array((soft(-scores[0]) + soft(scores[1])).mean()), 1e-12)
        other = model.critic(seen(x.numpy(), rows[::-1])).numpy()
        assert abs(other - scores[0]).max() > 1e-3
        rng = Generator(1)
        labels = model.labels(4, rng)
        fake = model(model.noise(4, rng), labels).numpy()
        wanted = soft(-model.critic(seen(fake, np.eye(3)[labels.numpy()])).numpy()).mean()
        assert_close(
            np.array(model.generator_loss(4, Generator(1)).item()), np.array(wanted), 1e-12
        )


def test_acgan_adds_the_cross_entropies_of_the_class(on_numpy):
    model, (x, labels) = small(ACGAN), drawn()
    y = labels.numpy()
    with no_grad():
        fake, said = (t.numpy() for t in model.critic(model(model.noise(4, Generator(1)), labels)))
        real, true = (t.numpy() for t in model.critic(x))
        wanted = (soft(-real) + soft(fake)).mean() + named(true, y) + named(said, y)
        found = model.critic_loss(x, labels, Generator(1)).item()
        assert_close(np.array(found), np.array(wanted), 1e-12)
        rng = Generator(1)
        y = model.labels(4, rng)
        fake, said = (t.numpy() for t in model.critic(model(model.noise(4, rng), y)))
        wanted = soft(-fake).mean() + named(said, y.numpy())
        found = model.generator_loss(4, Generator(1)).item()
        assert_close(np.array(found), np.array(wanted), 1e-12)


def test_infogan_reads_its_codes_back(on_numpy):
    """The mean squared miss of the code, which the book's loss leaves out, and the class."""
    model, (x, _) = small(InfoGAN), drawn()
    with no_grad():
        rng = Generator(1)
        code, kind = model.told(4, rng)
        fake, mean, said = (t.numpy() for t in model.critic(model(model.noise(4, rng), code, kind)))
        info = 0.1 * ((code.numpy() - mean) ** 2).mean() / 2 + named(said, kind.numpy())
        real = model.critic(x)[0].numpy()
        found = [model.critic_loss(x, Generator(1)), model.generator_loss(4, Generator(1))]
        wanted = [(soft(-real) + soft(fake)).mean() + info, soft(-fake).mean() + info]
        for a, b in zip(found, wanted, strict=True):
            assert_close(np.array(a.item()), np.array(b), 1e-12)
        right = model.information((code, kind), code, Tensor(100 * np.eye(3)[kind.numpy()]))
        wrong = model.information((code, kind), -code, Tensor(100 * np.eye(3)[kind.numpy()]))
        assert right.item() < 1e-9 < 0.1 * (code.numpy() ** 2).mean() < wrong.item()


def test_samples_take_the_classes_in_turn_or_as_asked():
    for kind in (ConditionalGAN, ConditionalDCGAN, ACGAN):
        model = small(kind)
        turn = model.sample(5, Generator(1)).numpy()
        asked = model.sample(5, Generator(1), Tensor(np.array([0, 1, 2, 0, 1]))).numpy()
        other = model.sample(5, Generator(1), Tensor(np.array([1, 1, 1, 1, 1]))).numpy()
        same = abs(turn - other).reshape(5, -1).max(axis=1) == 0
        assert np.array_equal(turn, asked) and same.tolist() == [False, True, False, False, True]
    model = small(InfoGAN)
    rows = model.sample(12, Generator(1)).numpy()  # 3 classes, codes -3, -1, 1, 3
    for i, code in enumerate((-3.0, -1.0, 1.0, 3.0)):
        codes, kinds = Tensor(np.full((12, 1), code)), Tensor(np.arange(12) % 3)
        own = model.sample(12, Generator(1), codes, kinds).numpy()
        assert_close(own[3 * i : 3 * i + 3], rows[3 * i : 3 * i + 3], 1e-12)


def test_labels_and_noise_are_spread_evenly():
    model, rng = small(ACGAN), Generator(0)
    counts = np.bincount(model.labels(3_000, rng).numpy(), minlength=3)
    assert len(counts) == 3 and abs(counts - 1_000).max() < 120
    z = model.noise(2_000, rng).numpy()
    assert z.shape == (2_000, 3) and -1 <= z.min() < -0.99 and 0.99 < z.max() < 1


@pytest.mark.parametrize("kind", [DCGAN, ConditionalDCGAN, LSGAN, WGAN, WGANGP, ACGAN, InfoGAN])
def test_pictures_that_cannot_be_halved_are_refused(kind):
    with pytest.raises(ConfigError, match=r"multiples of 2\^3.*got \(28, 28, 1\)"):
        kind((28, 28, 1), (4, 5, 6))


def test_a_game_needs_noise_and_a_labelled_one_its_view():
    with pytest.raises(ConfigError, match="latent >= 1, got 0"):
        Game(Linear(1, 1), Linear(1, 1), 0)
    with pytest.raises(NotImplementedError, match="Labelled does not say"):
        Labelled(Linear(3, 1), Linear(1, 1), 1, 2).generator_loss(2, Generator(0))
