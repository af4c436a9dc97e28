"""What a step was worth, looking back at a whole episode: returns and advantages."""

from __future__ import annotations

import numpy as np

from ...arguments import probability
from ...errors import ShapeError


def discounted_returns(rewards: np.ndarray, discount: float) -> np.ndarray:
    """G_t = r_t + discount G_{t+1}, with 0 after the last: (T,) -> (T,) float64."""
    probability("discounted_returns", "discount", discount)
    returns, later = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        returns[t] = later = float(rewards[t]) + discount * later
    return returns


def advantages(
    rewards: np.ndarray, values: np.ndarray, discount: float, decay: float
) -> np.ndarray:
    """A_t = d_t + discount decay A_{t+1},  d_t = r_t + discount v_{t+1} - v_t: (T,) float64.

    rewards (T,), values (T + 1,): v_T is 0 where the episode terminated. decay 1: returns, with
    v_T for what was cut off, less the values; decay 0: one step. ShapeError where they do not fit.
    Schulman et al. 2016 (arXiv:1506.02438), equation 16.
    """
    probability("advantages", "discount", discount)
    probability("advantages", "decay", decay)
    if len(values) != len(rewards) + 1:
        raise ShapeError(f"advantages: {len(rewards)} rewards need one value more, "
                         f"got {len(values)}")  # fmt: skip
    surprises = rewards + discount * values[1:] - values[:-1]
    return discounted_returns(surprises, discount * decay)
