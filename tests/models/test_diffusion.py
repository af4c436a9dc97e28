"""Diffusion against data whose best noise predictor is a formula: one point, and a Gaussian."""

from math import cos, pi

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Generator, Tensor
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import DDPM, NoiseUNet
from tinydl.models.diffusion.schedule import cosine_schedule, passed_times, step_back

PICTURE = (4, 4, 1)
TINY = {"widths": (4,), "told_size": 8, "heads": 2}


class OfGaussian(DDPM):
    """Knows that the pixels of class c are N(means[c], spread^2), and what is to be expected:
    E[noise | x_t] = sqrt(1 - abar) (x_t - sqrt(abar) mean) / (abar spread^2 + 1 - abar), and
    E[x_0 | x_t] likewise. Told nothing it expects the mean of all classes."""

    def __init__(self, means, spread, steps=200):
        super().__init__(PICTURE, classes=len(means), steps=steps, **TINY)
        self.means, self.spread = np.array([*means, np.mean(means)]), spread

    def forward(self, x, t, labels):
        left = self.left[t.numpy()].reshape(-1, 1, 1, 1)
        mean = self.means[labels.numpy()].reshape(-1, 1, 1, 1)
        away = (x.numpy() - np.sqrt(left) * mean) / (left * self.spread**2 + 1 - left)
        noise = np.sqrt(1 - left) * away
        start = mean + np.sqrt(left) * self.spread**2 * away
        return Tensor(np.sqrt(left) * noise - np.sqrt(1 - left) * start)


def made(means=(0.5,), spread=0.0, **options):
    tinydl.seed(0)
    return OfGaussian(means, spread, **options).astype("float64")


def test_the_schedule_is_the_cosine_until_its_noise_would_be_all(on_numpy):
    """abar_t is f(t) / f(0) as long as no step is cut off at 0.999: up to the last one."""
    left = cosine_schedule(1_000)
    f = np.array([cos((t / 1_000 + 0.008) / 1.008 * pi / 2) ** 2 for t in range(1_001)])
    assert_close(left[:-1], (f / f[0])[:-1], 1e-12)
    assert left[-1] == left[-2] * (1 - 0.999) > 0 and left[0] == 1
    assert (np.diff(left) < 0).all()


@pytest.mark.parametrize("steps, count", [(1_000, 25), (10, 10), (10, 3), (7, 1)])
def test_the_way_back_ends_at_zero_in_even_steps(steps, count):
    times = passed_times(steps, count)
    gaps = -np.diff(times)
    assert times[0] == steps and times[-1] == 0 and len(times) == count + 1
    assert gaps.min() >= 1 and gaps.max() - gaps.min() <= 1


def test_noise_in_one_step_is_the_noise_of_many(on_numpy):
    """x_t = sqrt(1 - beta_t) x_(t-1) + sqrt(beta_t) noise, t times, has mean and variance of the
    one step that `noised` takes."""
    model = made(steps=50)
    betas = 1 - model.left[1:] / model.left[:-1]
    mean, variance = 1.0, 0.0
    for t, beta in enumerate(betas, 1):
        mean, variance = mean * np.sqrt(1 - beta), variance * (1 - beta) + beta
        times = np.array([t])
        one = Tensor(np.ones((1, *PICTURE)))
        kept, v = model.noised(one, times, one * 0)
        added, w = model.noised(one * 0, times, one)
        assert_close(kept.numpy(), np.full((1, *PICTURE), mean), 1e-9)
        assert_close(added.numpy() ** 2, np.full((1, *PICTURE), variance), 1e-9)
        assert_close(w.numpy(), kept.numpy(), 1e-9)  # v turns (x_0, noise) by a right angle
        assert_close(v.numpy(), -added.numpy(), 1e-9)


def test_the_right_noise_of_one_point_costs_nothing(on_numpy):
    model = made((0.5, -0.25))
    model.untold = 0.0
    labels = Tensor(np.arange(32) % 2)
    x = Tensor(model.means[labels.numpy()].reshape(-1, 1, 1, 1) * np.ones((1, *PICTURE)))
    assert model.loss(x, labels, Generator(0)).item() < 1e-20
    model.untold = 1.0  # now it must guess between two points
    assert model.loss(x, labels, Generator(0)).item() > 0.01


def test_the_expected_noise_leaves_the_loss_of_a_gaussian(on_numpy):
    """E |v - E[v | x_t]|^2 = s^2 / (abar s^2 + 1 - abar), the mean over t."""
    spread, rng = 0.5, np.random.default_rng(0)
    model = made((0.3,), spread)
    x = Tensor(0.3 + spread * rng.normal(size=(20_000, *PICTURE)))
    found = model.loss(x, Tensor(np.zeros(20_000, dtype=np.int64)), Generator(1)).item()
    exact = spread**2 / (model.left[1:] * spread**2 + 1 - model.left[1:])
    assert abs(found - exact.mean()) < 4 * exact.std() / np.sqrt(20_000)


@pytest.mark.parametrize("steps, eta", [(1, 0.0), (7, 0.0), (200, 0.0), (20, 0.5), (200, 1.0)])
def test_every_way_back_ends_at_the_only_point(steps, eta, on_numpy):
    """Whatever the steps and whatever is drawn anew: the last step leaves no noise."""
    drawn = made((0.5, -0.25)).sample(4, Generator(3), steps=steps, eta=eta, guidance=0.0)
    wanted = np.array([0.5, -0.25, 0.5, -0.25]).reshape(-1, 1, 1, 1) * np.ones((4, *PICTURE))
    assert_close(drawn.numpy(), wanted, 1e-9)


def test_ddpm_is_at_every_time_where_the_noise_had_been(on_numpy):
    """With the right noise of one point, eta = 1 and all steps x_t is N(sqrt(abar) point, 1 - abar)
    on the way back as it was on the way there."""
    model, film = made((0.2,)), []
    model.sample(2_000, Generator(0), steps=200, eta=1.0, guidance=0.0, limit=None, film=film)
    for t in (150, 100, 50, 10, 1):
        x, left = film[200 - t], model.left[t]
        assert abs(x.mean() - np.sqrt(left) * 0.2) < 4 * np.sqrt((1 - left) / x.size), t
        assert abs(x.var() / (1 - left) - 1) < 4 * np.sqrt(2 / x.size), t


def test_ddim_of_a_gaussian_is_its_line(on_numpy):
    """eta = 0 moves x - sqrt(abar) mean by one factor a step, here from the formula alone; many
    steps carry noise of one standard deviation to data of one."""
    spread, mean = 0.4, 0.2
    model, film = made((mean,), spread), []
    drawn = model.sample(3, Generator(0), steps=200, guidance=0.0, limit=None, film=film)
    left, factor = model.left, 1.0
    for t in range(200, 0, -1):
        seen, then = left[t] * spread**2 + 1 - left[t], left[t - 1]
        of_data = np.sqrt(left[t]) * spread**2 / seen  # E[x0 - mean | x_t], for 1 of x_t
        of_noise = np.sqrt(1 - left[t]) / seen
        factor *= np.sqrt(then) * of_data + np.sqrt(1 - then) * of_noise
    start = film[0] - np.sqrt(left[-1]) * mean
    assert_close(drawn.numpy(), mean + factor * start, 1e-9)
    assert abs(factor / spread - 1) < 0.05


def test_a_step_of_ddim_with_eta_one_is_the_papers_ddpm_step(on_numpy):
    """x_(t-1) = (x - beta / sqrt(1 - abar) noise) / sqrt(1 - beta) + sigma z with the variance
    beta (1 - abar_(t-1)) / (1 - abar_t): Ho et al. 2020, algorithm 2."""
    left, rng = cosine_schedule(100), np.random.default_rng(0)
    x, noise, fresh = rng.normal(size=(3, 5))
    for t in (100, 99, 50, 2):
        beta = 1 - left[t] / left[t - 1]
        mean = (x - beta / np.sqrt(1 - left[t]) * noise) / np.sqrt(1 - beta)
        sigma = np.sqrt(beta * (1 - left[t - 1]) / (1 - left[t]))
        v = (noise - np.sqrt(1 - left[t]) * x) / np.sqrt(left[t])
        found = step_back(Tensor(x), Tensor(v), left[t], left[t - 1], 1.0, Tensor(fresh))
        assert_close(found.numpy(), mean + sigma * fresh, 1e-9)


def test_the_limit_bounds_the_guess_and_the_noise_explains_the_rest(on_numpy):
    """x is thought to be free of noise: x / sqrt(abar); what of it is beyond 1 must be noise."""
    left = cosine_schedule(100)
    x = np.array([3.0, -0.2])
    v = -np.sqrt((1 - left[60]) / left[60]) * x
    found = step_back(Tensor(x), Tensor(v), left[60], left[59], limit=1.0).numpy()
    guess = np.clip(x / np.sqrt(left[60]), -1, 1)
    noise = (x - np.sqrt(left[60]) * guess) / np.sqrt(1 - left[60])
    assert guess[0] == 1 and noise[0] > 1 and guess[1] > -1 and abs(noise[1]) < 1e-12
    assert_close(found, np.sqrt(left[59]) * guess + np.sqrt(1 - left[59]) * noise, 1e-12)
    free = step_back(Tensor(x), Tensor(v), left[60], left[59]).numpy()
    assert_close(free, np.sqrt(left[59] / left[60]) * x, 1e-12)


def test_guidance_goes_from_any_picture_through_the_class_and_beyond(on_numpy):
    model = made((0.5, -0.25), 0.2)
    x = Tensor(np.random.default_rng(0).normal(size=(2, *PICTURE)))
    labels, t = Tensor(np.array([0, 1])), Tensor(np.array([60, 60]))
    of_class = model(x, t, labels).numpy()
    of_any = model(x, t, Tensor(np.array([2, 2]))).numpy()
    assert_close(model.guided(x, 60, labels, 0.0).numpy(), of_class, 1e-12)
    assert_close(model.guided(x, 60, labels, -1.0).numpy(), of_any, 1e-12)
    assert_close(model.guided(x, 60, labels, 2.0).numpy(), 3 * of_class - 2 * of_any, 1e-12)


def test_samples_are_drawn_by_the_generator_and_the_training_mode_stays(on_numpy):
    tinydl.seed(0)
    model = DDPM(PICTURE, 2, **TINY, steps=10).train()
    one, same, other = (model.sample(3, Generator(s), steps=4).numpy() for s in (1, 1, 2))
    assert one.tobytes() == same.tobytes() and not np.array_equal(one, other)
    assert model.training and one.shape == (3, *PICTURE)
    assert abs(one).max() <= 1.0 + 1e-6
    labels = Tensor(np.array([0, 1, 0]))
    assert model.sample(3, Generator(1), labels, steps=4).numpy().tobytes() == one.tobytes()


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"untold": 1.5}, r"untold must be in \[0, 1\], got 1.5"),
        ({"untold": float("nan")}, "untold must be"),
        ({"steps": 0}, "steps must be an integer >= 1, got 0"),
        ({"classes": 0}, "classes must be an integer >= 1, got 0"),
        ({"widths": ()}, "at least one width"),
        ({"told_size": 1}, "told_size must be an integer >= 2, got 1"),
        ({"widths": (4, 12)}, "groups 8 must divide channels 12"),
    ],
)
def test_settings_are_checked(wrong, message):
    with pytest.raises(ConfigError, match=message):
        DDPM(**{"widths": (4, 8), **wrong})


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"steps": 11}, {"eta": "1"}, {"guidance": None}])
def test_a_way_back_that_is_none_is_refused(wrong):
    (name,) = wrong
    with pytest.raises(ConfigError, match=f"DDPM.sample: {name} must be"):
        DDPM(PICTURE, 2, **TINY, steps=10).sample(1, Generator(0), **{"steps": 5, **wrong})


def test_pictures_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match=r"DDPM: x must be \(N, 28, 28, 1\), got \(2, 784\)"):
        DDPM().loss(tinydl.zeros((2, 784)), Tensor(np.array([0, 1])), Generator(0))
    with pytest.raises(ShapeError, match=r"NoiseUNet: x must be .* multiples of 4"):
        NoiseUNet()(tinydl.zeros((1, 30, 28, 1)), Tensor(np.array([1])), Tensor(np.array([0])))
