"""Points of the plane without a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data import covered_modes, gaussian_ring, ring_modes
from ..random import Generator

SAMPLES = 2_000


def one_gaussian(training: Any, part: str) -> dict[str, float]:
    """Samples of the Gaussian that has the data's mean and covariance."""
    program, rng = training.program, Generator(0)
    real = gaussian_ring(SAMPLES, rng, program.modes, sigma=program.sigma)
    drawn = rng.normal((SAMPLES, 2)) @ np.linalg.cholesky(np.cov(real.T)).T + real.mean(axis=0)
    modes, good = covered_modes(drawn, ring_modes(program.modes), program.sigma)
    return {"modes": float(modes), "good": good}


def one_mode(training: Any, part: str) -> dict[str, float]:
    """Samples of one of the Gaussians: a generator that has collapsed to the last."""
    program = training.program
    (x, y), drawn = ring_modes(program.modes)[0], Generator(0).normal((SAMPLES, 2))
    points = drawn * program.sigma + np.array([x, y])
    modes, good = covered_modes(points, ring_modes(program.modes), program.sigma)
    return {"modes": float(modes), "good": good}
