"""Learning to learn: inner steps against gradient descent by hand, second derivatives against
differences, a learned rule against its two numbers."""

import numpy as np
import pytest
from cases.models_meta import sines
from closeness import assert_close

import tinydl
from tinydl import Generator, Tensor
from tinydl.data import Sinusoids, sinusoids
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import MAML, LearnedOptimizer, Reptile
from tinydl.models.meta.learned_optimizer import two_numbers
from tinydl.models.meta.tasks import Learner


def points(n=3):
    return [Tensor(a) for a in sines(np.random.default_rng(0), n)]


def by_hand(model, x, y, steps):
    """Gradient descent of y = x w + b, task by task."""
    w, b = (p.numpy().copy() for p in model.weights)
    found = []
    for own_x, own_y in zip(x.numpy(), y.numpy(), strict=True):
        v, c = w.copy(), b.copy()
        for _ in range(steps):
            away = own_x @ v + c - own_y
            v, c = (
                v - model.rate * 2 * own_x.T @ away / len(own_x),
                c - model.rate * 2 * away.mean(),
            )
        found.append((v, c))
    return found


@pytest.mark.parametrize("kind", [MAML, Reptile])
def test_every_task_descends_by_itself(kind, on_numpy):
    tinydl.seed(0)
    model = kind((1, 1), rate=0.1).astype("float64")
    x, y, x2, y2 = points()
    w, b = model.learn(x, y, 3)
    for task, (v, c) in enumerate(by_hand(model, x, y, 3)):
        assert_close(w.numpy()[task], v, 1e-12)
        assert_close(b.numpy()[task], c, 1e-12)
    curve = model.curve(x, y, x2, y2, 3)
    assert len(curve) == 4
    last = x2.numpy() @ w.numpy() + b.numpy() - y2.numpy()
    assert_close(curve[-1], np.mean(last**2), 1e-12)


def test_the_outer_gradient_has_second_derivatives(on_numpy):
    """For y = x w + b after one step it is (1 - rate H) times the gradient at the end, H the
    inner Hessian; the first order leaves the bracket out."""
    tinydl.seed(0)
    found = {}
    for first_order in (False, True):
        tinydl.seed(0)
        model = MAML((1, 1), rate=0.1, first_order=first_order).astype("float64")
        given = points(1)
        model.outer(*given, Generator(0))
        found[first_order] = np.concatenate([p.grad.numpy().ravel() for p in model.weights])
    x = given[0].numpy()[0, :, 0]
    hessian = 2 * np.array([[np.mean(x * x), x.mean()], [x.mean(), 1.0]])
    assert_close(found[False], (np.eye(2) - 0.1 * hessian) @ found[True], 1e-12)
    assert abs(found[False] - found[True]).max() > 0.01


def test_reptile_goes_to_the_mean_of_the_ends(on_numpy):
    tinydl.seed(0)
    model = Reptile((1, 1), rate=0.1, steps=2).astype("float64")
    x, y, x2, y2 = points()
    both = [Tensor(np.concatenate([a.numpy(), b.numpy()], axis=1)) for a, b in ((x, x2), (y, y2))]
    ends = by_hand(model, *both, 2)
    model.outer(x, y, x2, y2, Generator(0))
    w, b = model.weights
    assert_close(w.grad.numpy(), w.numpy() - np.mean([v for v, _ in ends], axis=0), 1e-12)
    assert_close(b.grad.numpy(), b.numpy() - np.mean([c for _, c in ends], axis=0), 1e-12)


def test_gradients_become_two_numbers(on_numpy):
    g = np.array([1.0, -np.exp(-5.0), np.exp(-12.0), 0.0])
    expected = np.array([[0, 1], [-0.5, -1], [-1, np.exp(-2.0)], [-1, 0]])
    assert_close(two_numbers(Tensor(g)).numpy(), expected, 1e-12)


def test_a_learned_rule_has_a_state_for_every_weight(on_numpy):
    tinydl.seed(0)
    model = LearnedOptimizer((1, 4, 1), hidden=5).astype("float64")
    x, y, x2, y2 = points(2)
    weights = model.first(2, Generator(0))
    assert [w.shape for w in weights] == [(2, 1, 4), (2, 1, 4), (2, 4, 1), (2, 1, 1)]
    along = [w * 0.0 + 1.0 for w in weights]
    after, (h, c) = model.moved(weights, along, model.nothing(weights))
    assert h.shape == c.shape == (26, 5)
    steps = np.concatenate([(a - w).numpy().ravel() for a, w in zip(after, weights, strict=True)])
    assert_close(steps, np.full(26, steps[0]), 1e-12)  # equal gradients, equal steps
    assert model.curve(x, y, x2, y2, 3).shape == (4,)
    with pytest.raises(NotImplementedError, match="learns no tasks"):
        Learner().learn(x, y, 1)
    with pytest.raises(NotImplementedError, match="does not learn to learn"):
        Learner().outer(x, y, x2, y2, Generator(0))


def test_sines_are_what_is_said():
    tasks = sinusoids(4, Generator(0))
    x, y = tasks.points(7, Generator(1))
    assert x.shape == y.shape == (4, 7, 1) and abs(x).max() <= 5
    want = tasks.amplitude[:, None] * np.sin(x[..., 0] + tasks.phase[:, None])
    assert_close(y[..., 0], want.astype(np.float32), 1e-5)
    assert tasks.amplitude.min() >= 0.1 and tasks.amplitude.max() <= 5
    with pytest.raises(ShapeError, match="arrays amplitude and phase"):
        Sinusoids(np.ones(2), np.ones(3))
    for wrong in (lambda: sinusoids(0, Generator(0)), lambda: tasks.points(0, Generator(0))):
        with pytest.raises(ConfigError, match=">= 1"):
            wrong()


@pytest.mark.parametrize(
    "make", [lambda: MAML((1,)), lambda: MAML(rate=0.0), lambda: Reptile(steps=0),
             lambda: LearnedOptimizer((1,)), lambda: LearnedOptimizer(scale=0.0)]
)  # fmt: skip
def test_settings_are_checked(make):
    with pytest.raises(ConfigError, match="needs"):
        make()
