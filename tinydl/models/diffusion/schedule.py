"""How much of a picture is left after t steps of noise, and one step of the way back."""

from __future__ import annotations

from math import cos, pi, sqrt

import numpy as np

from ...arguments import whole
from ...ops import clip
from ...tensor import Tensor

OFFSET, LARGEST = 0.008, 0.999  # of the cosine, and of the noise of one step


def cosine_schedule(steps: int) -> np.ndarray:
    """abar_t for t = 0 ... steps, float64 (steps + 1,): how much of a picture's variance is left.

    With f(t) = cos^2((t / steps + 0.008) / 1.008 * pi / 2) a step adds noise of the variance
    beta_t = min(1 - f(t) / f(t-1), 0.999), and abar_t = prod_{s <= t} (1 - beta_s), abar_0 = 1.
    Nichol and Dhariwal 2021 (arXiv:2102.09672), equation 17. Raises ConfigError for steps < 1.
    """
    whole("cosine_schedule", "steps", steps, 1)
    left = [cos((t / steps + OFFSET) / (1 + OFFSET) * pi / 2) ** 2 for t in range(steps + 1)]
    betas = [min(1 - left[t] / left[t - 1], LARGEST) for t in range(1, steps + 1)]
    return np.concatenate([[1.0], np.cumprod(1 - np.array(betas))])


def passed_times(steps: int, count: int) -> list[int]:
    """The times steps = t_0 > t_1 > ... > t_count = 0 of a way back in `count` even steps."""
    whole("passed_times", "count", count, 1, steps)
    return [round(steps * (count - i) / count) for i in range(count + 1)]


def step_back(
    x: Tensor,
    v: Tensor,
    left: float,
    then: float,
    eta: float = 0.0,
    fresh: Tensor | None = None,
    limit: float | None = None,
) -> Tensor:
    """x_s of x_t and what is thought to be its v; left: abar_t, then: abar_s, s < t.

    x0 = sqrt(left) x - sqrt(1 - left) v and noise = sqrt(1 - left) x + sqrt(left) v;  with a limit
    x0 within -limit ... limit, and the noise that x then has. From them  x_s = sqrt(then) x0
    + sqrt(1 - then - sigma^2) noise + sigma fresh,
    sigma = eta sqrt((1 - then) / (1 - left)) sqrt(1 - left / then). eta = 0 draws nothing anew
    (DDIM); eta = 1 over all times is DDPM, whose sigma^2 is the variance of q(x_s | x_t, x0). Song
    et al. 2020 (arXiv:2010.02502), equations 12 and 16.
    """
    start = x * sqrt(left) - v * sqrt(1 - left)
    noise = x * sqrt(1 - left) + v * sqrt(left)
    if limit is not None:
        start = clip(start, -limit, limit)
        noise = (x - start * sqrt(left)) * (1 / sqrt(1 - left))
    sigma = eta * sqrt((1 - then) / (1 - left)) * sqrt(1 - left / then)
    y = start * sqrt(then) + noise * sqrt(max(1 - then - sigma**2, 0.0))
    return y if fresh is None or sigma == 0 else y + fresh * sigma
