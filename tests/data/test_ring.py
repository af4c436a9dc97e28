"""The ring of Gaussians: where its modes are, how its points lie, and how modes are counted."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator
from tinydl.data import covered_modes, gaussian_ring, ring_modes
from tinydl.errors import ConfigError, ShapeError


def test_modes_are_at_equal_angles_on_the_circle():
    assert_close(ring_modes(4, 2.0), np.array([[2, 0], [0, 2], [-2, 0], [0, -2]]), 1e-12)
    assert_close(np.linalg.norm(ring_modes(8), axis=1), np.ones(8), 1e-12)


def test_points_are_of_their_modes():
    """Shares of the modes within five deviations of a multinomial, spread sigma around each."""
    n, sigma = 8_000, 0.02
    points, modes = gaussian_ring(n, Generator(0), sigma=sigma), ring_modes(8)
    assert points.shape == (n, 2) and points.dtype == np.float32
    nearest = np.linalg.norm(points[:, None] - modes, axis=2).argmin(axis=1)
    counts = np.bincount(nearest, minlength=8)
    assert np.abs(counts - n / 8).max() < 5 * np.sqrt(n / 8)
    assert_close((points - modes[nearest]).std(), sigma, 0.05)
    again = gaussian_ring(n, Generator(0), sigma=sigma)
    assert np.array_equal(points, again)


def test_covered_modes_are_counted_by_good_points():
    modes = ring_modes(4)
    points = np.concatenate([np.repeat(modes[:2], 50, axis=0), np.zeros((100, 2))])
    assert covered_modes(points, modes, 0.1) == (2, 0.5)
    assert covered_modes(points, modes, 0.1, least=0.3) == (0, 0.5)
    real = gaussian_ring(4_000, Generator(1), 4, sigma=0.02)
    count, good = covered_modes(real, modes, 0.02)
    assert count == 4
    assert_close(good, 1 - np.exp(-4.5), 0.01)  # P(radius <= 3 sigma) of a round Gaussian


def test_what_collapsed_covers_few_modes():
    means = ring_modes(4)
    one = np.repeat(means[:1], 99, axis=0)
    assert covered_modes(one, means, 0.1) == (1, 1.0)
    assert covered_modes(np.vstack([one, means[1:2]]), means, 0.1) == (2, 1.0)
    assert covered_modes(np.vstack([one, means[1:2]]), means, 0.1, least=0.02) == (1, 1.0)
    assert covered_modes(one + 0.5, means, 0.1) == (0, 0.0)


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: ring_modes(0), ConfigError),
        (lambda: ring_modes(3, 0.0), ConfigError),
        (lambda: gaussian_ring(0, Generator(0)), ConfigError),
        (lambda: gaussian_ring(3, Generator(0), sigma=0.0), ConfigError),
        (lambda: covered_modes(np.ones((3, 2)), ring_modes(3), 0.0), ConfigError),
        (lambda: covered_modes(np.zeros((3, 3)), ring_modes(3), 0.1), ShapeError),
        (lambda: covered_modes(np.zeros((0, 2)), ring_modes(3), 0.1), ShapeError),
        (lambda: covered_modes(np.ones((3, 2)), np.ones((3, 1)), 0.1), ShapeError),
    ],
)
def test_impossible_arguments(call, error):
    with pytest.raises(error, match="needs"):
        call()
