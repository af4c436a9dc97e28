"""The recurrent attention model: its retina pixel by pixel, its surrogate by its formula."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Generator, Tensor
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import RecurrentAttention
from tinydl.models.glimpses.recurrent_attention import glimpses


def made(**changes):
    tinydl.seed(4)
    sizes = {"picture": (12, 12, 1), "classes": 3, "side": 4, "scales": 2, "hidden": 6}
    return RecurrentAttention(**{**sizes, "looks": 3, **changes}).astype("float64")


def drawn(n=5):
    rng = np.random.default_rng(0)
    return Tensor(rng.random((n, 12, 12, 1))), Tensor(np.arange(n) % 3)


def test_a_retina_sees_squares_around_its_place_and_zeros_outside():
    x = np.random.default_rng(1).random((4, 9, 11, 2))
    places = np.array([[0.0, 0.0], [-1.0, -1.0], [1.0, 1.0], [0.5, -0.4]])
    seen = glimpses(x, places, 4, 2).reshape(4, 2, 4, 4, 2)
    for n, (down, right) in enumerate(places):
        row, column = round((down + 1) / 2 * 8), round((right + 1) / 2 * 10)
        for k, step in enumerate((1, 2)):
            for i in range(4):
                for j in range(4):
                    total = np.zeros(2)
                    for a in range(step):
                        for b in range(step):
                            r = row - 2 * step + i * step + a
                            c = column - 2 * step + j * step + b
                            if 0 <= r < 9 and 0 <= c < 11:
                                total += x[n, r, c]
                    assert_close(seen[n, k, i, j], total / step**2, 1e-12, atol=1e-12)


def test_the_surrogate_is_cross_entropy_reinforce_and_the_error_of_the_promise():
    model, (x, y) = made(sigma=0.3), drawn()
    places, rewards, beyond = model.rollout(x, y, Generator(1))
    state, found = model.start(x)[1], 0.0
    for t in range(3):
        state = model.step(x.numpy(), places[:, t], state)
        promised = model.promised(state).numpy()[:, 0]
        assert_close(beyond[:, t], rewards - promised, 1e-12, atol=1e-12)
        found += ((promised - rewards) ** 2).mean() / 3
        if t < 2:
            mean = np.tanh(model.next_place(state).numpy())
            density = -((places[:, t + 1] - mean) ** 2).sum(axis=1) / (2 * 0.3**2)
            found -= (beyond[:, t] * density).mean() / 3
    logits = model.head(state).numpy()
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    found -= logs[np.arange(5), y.numpy()].mean()
    assert_close(model.surrogate(x, y, places, rewards, beyond).numpy(), np.array(found), 1e-10)
    assert np.array_equal(rewards, (logits.argmax(axis=1) == y.numpy()).astype(float))


def test_places_are_rewarded_by_the_slope_of_their_density():
    """With all rewards 1 beyond a promise of 0, the bias of the mean moves by (l - m) / sigma^2."""
    model, (x, y) = made(looks=2, sigma=0.5), drawn(1)
    model.next_place.weight.assign(0 * model.next_place.weight.numpy())
    places = np.array([[[0.0, 0.0], [0.4, -0.3]]])
    model.surrogate(x, y, places, np.ones(1), np.ones((1, 2))).backward()
    assert_close(model.next_place.bias.grad.numpy(), -np.array([0.4, -0.3]) / 0.25 / 2, 1e-10)


def test_called_it_looks_where_it_is_most_likely_to():
    model, (x, _) = made(), drawn()
    assert np.array_equal(model(x).numpy(), model(x).numpy())
    places = model.places_of(x)
    assert places.shape == (5, 3, 2) and not places[:, 0].any() and abs(places).max() <= 1
    drawn_places, states = model.looked(x, Generator(0))
    assert not np.array_equal(drawn_places, places) and len(states) == 3


def test_what_does_not_fit():
    with pytest.raises(ConfigError, match="side must be even"):
        made(side=5)
    with pytest.raises(ShapeError, match="pictures must be"):
        made()(Tensor(np.zeros((1, 9, 12, 1))))
