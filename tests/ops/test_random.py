"""Dropout and the generators: expectation, repeatability, the place in the stream."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Generator, Tensor, ops
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.random import by_shares

pytestmark = pytest.mark.usefixtures("on_numpy")


def test_dropout_keeps_the_expectation():
    y = ops.dropout(tinydl.ones((200, 200)), 0.3, rng=Generator(1)).numpy()
    assert set(np.unique(y).tolist()) == {0.0, float(np.float32(1 / 0.7))}
    assert abs(y.mean() - 1) < 4 * np.sqrt(0.3 / 0.7) / 200


def test_forward_and_backward_use_one_mask():
    x = Tensor(np.ones((5, 7)), requires_grad=True)
    y = ops.dropout(x, 0.5, rng=Generator(3))
    y.sum().backward()
    assert np.array_equal(x.grad.numpy(), y.numpy())


def test_two_draws_differ_and_a_seed_repeats_them():
    x = tinydl.ones((50,))
    tinydl.seed(1)
    first, second = ops.dropout(x, 0.5).tolist(), ops.dropout(x, 0.5).tolist()
    tinydl.seed(1)
    assert ops.dropout(x, 0.5).tolist() == first != second


def test_nothing_is_drawn_outside_of_training():
    rng, x = Generator(0), tinydl.ones((3,))
    assert ops.dropout(x, 0.5, training=False, rng=rng) is x and ops.dropout(x, 0.0, rng=rng) is x
    assert rng.offset == 0


@pytest.mark.parametrize("rate", [-0.1, 1.01, 2])
def test_rates(rate):
    with pytest.raises(ConfigError, match=r"dropout: rate must be in \[0, 1\]"):
        ops.dropout(tinydl.ones((2,)), rate)


def test_integers_are_refused():
    with pytest.raises(DTypeError, match="dropout: needs a float tensor"):
        ops.dropout(Tensor([1, 2]), 0.5)


def test_host_and_device_draw_one_stream(backend):
    """The generator's own values are those that a kernel draws from the same place."""
    for name in ("float32", "float64"):
        host = Generator(9).uniform((3, 5), dtype=name)
        device = tinydl.uniform((3, 5), dtype=name, rng=Generator(9), backend=backend)
        assert np.array_equal(host, device.numpy())
        host = Generator(9).normal((3, 5), dtype=name)
        device = tinydl.normal((3, 5), dtype=name, rng=Generator(9), backend=backend)
        assert_close(host, device.numpy(), 1e-6)


def test_state_is_saved_exactly():
    rng = Generator(4)
    rng.normal((7,))
    state = rng.state_dict()
    first = rng.uniform((5,)).tolist()
    other = Generator(0)
    other.load_state_dict(state)
    assert other.uniform((5,)).tolist() == first


def test_permutations_and_integers():
    rng = Generator(2)
    assert sorted(rng.permutation(50).tolist()) == list(range(50))
    drawn = rng.integers(-3, 4, (1000,))
    assert set(drawn.tolist()) == set(range(-3, 4)) and drawn.dtype == np.int64
    with pytest.raises(ConfigError, match="needs low < high"):
        rng.integers(3, 3)


def test_children_are_independent():
    rng = Generator(2)
    a, b = rng.spawn(), rng.spawn()
    assert a.key != b.key and a.uniform((4,)).tolist() != b.uniform((4,)).tolist()


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds(seed):
    with pytest.raises(ConfigError, match="seed must be an integer"):
        Generator(seed)


def test_two_draws_never_overlap():
    """take() moves past what a kernel draws, in both dtypes."""
    rng = Generator(0)
    places = [rng.take(n, dtype) for n, dtype in ((5, "float32"), (5, "float64"), (1, "float32"))]
    assert [offset for _, offset in places] == [0, 2, 5] and rng.offset == 6


def test_classes_are_drawn_by_their_probabilities():
    weights = Tensor(np.array([[1.0, 2.0, 7.0], [0.0, 5.0, 0.0]]))
    drawn = tinydl.multinomial(weights, 4000, replacement=True, rng=Generator(0))
    assert drawn.shape == (2, 4000) and drawn.dtype == np.int64
    shares = np.bincount(drawn.numpy()[0], minlength=3) / 4000
    spread = np.sqrt(np.array([0.09, 0.16, 0.21]) / 4000)
    assert (np.abs(shares - (0.1, 0.2, 0.7)) < 4 * spread).all()
    assert (drawn.numpy()[1] == 1).all()  # what has no probability is never drawn
    assert tinydl.multinomial(weights[0], rng=Generator(1)).shape == (1,)


def test_shares_are_cut_where_their_sums_are():
    """Also at the ends: no class of weight 0, and the largest chance falls on a class there is."""
    weights = np.array([[0.0, 2.0, 0.0, 1.0, 0.0], [0.1] * 5])
    chances = np.array([0.0, 0.5, 0.7, 1 - 2**-53])
    found = by_shares(np.cumsum(weights, axis=1), np.stack([chances] * 2))
    assert found.tolist() == [[1, 1, 3, 3], [0, 2, 3, 4]]
    assert by_shares(np.cumsum(weights[0]), chances).tolist() == found[0].tolist()
    assert by_shares(np.cumsum(weights[0]), 0.7) == 3


@pytest.mark.parametrize("wrong", [[0.0, 0.0], [0.5, -0.1], [np.nan, 1.0], [np.inf, 1.0]])
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(ConfigError, match="multinomial: probabilities must be >= 0"):
        tinydl.multinomial(Tensor(np.array(wrong)))


def test_several_draws_say_that_they_are_independent():
    with pytest.raises(ConfigError, match="more with replacement=True, got 2"):
        tinydl.multinomial(tinydl.ones((3,)), 2)
    with pytest.raises(ShapeError, match=r"must be \(C,\) or \(N, C\), got \(1, 1, 3\)"):
        tinydl.multinomial(tinydl.ones((1, 1, 3)))
