"""A car in a valley whose engine is too weak for the hill: it has to swing."""

from __future__ import annotations

from math import cos, sin
from typing import Any

import numpy as np

from .environment import Environment
from .spaces import Box

LEFT, RIGHT, FLAG, FASTEST = -1.2, 0.6, 0.45, 0.07
POWER, SLOPE, PRICE, PRIZE = 0.0015, 0.0025, 0.1, 100.0


class MountainCar(Environment):
    """State (x, v), action u in [-1, 1], an array of one number; the height is sin 3x.

    v <- v + 0.0015 u - 0.0025 cos 3x, cut to +-0.07;  x <- x + v, cut to -1.2 ... 0.6

    The left end is a wall, where v becomes 0. The flag at x = 0.45, reached with v >= 0, ends the
    episode and earns 100; every step costs 0.1 u^2. Doing nothing costs nothing, and a car that
    was never lucky learns just that. It begins at rest in -0.6 ... -0.4. The car of Moore 1990
    (thesis, Cambridge) in the usual continuous form. Observations are float32.
    """

    def __init__(self, steps: int = 999) -> None:
        super().__init__(steps)
        low, high = np.array([LEFT, -FASTEST]), np.array([RIGHT, FASTEST])
        self.observation_space = Box(low.astype(np.float32), high.astype(np.float32), (2,))
        self.action_space = Box(-1.0, 1.0, (1,))
        self.state = (-0.5, 0.0)

    def _begin(self) -> np.ndarray:
        drawn = self.rng.uniform(1, low=-0.6, high=-0.4, dtype=np.float64)
        self.state = (float(drawn[0]), 0.0)
        return self._seen()

    def _seen(self) -> np.ndarray:
        return np.array(self.state, np.float32)

    def _move(self, action: Any) -> tuple[np.ndarray, float, bool]:
        push = float(np.asarray(action).reshape(-1)[0])
        place, speed = self.state
        speed += POWER * push - SLOPE * cos(3 * place)
        speed = min(max(speed, -FASTEST), FASTEST)
        place = min(max(place + speed, LEFT), RIGHT)
        if place == LEFT and speed < 0:
            speed = 0.0
        self.state = (place, speed)
        ended = place >= FLAG and speed >= 0
        return self._seen(), PRIZE * ended - PRICE * push * push, ended

    def render(self) -> np.ndarray:
        """The hill, 100 pixels a unit of x, the car and the flag."""
        image = np.full((120, 180, 3), 255, np.uint8)
        places = LEFT + np.arange(180) / 100
        ground = np.rint(105 - 45 * (np.sin(3 * places) + 1)).astype(int)
        for column, row in enumerate(ground):
            image[row:, column] = (200, 205, 200)
        flag = round(100 * (FLAG - LEFT))
        image[ground[flag] - 14 : ground[flag], flag] = (60, 60, 60)
        image[ground[flag] - 14 : ground[flag] - 8, flag : flag + 8] = (190, 70, 60)
        column = round(100 * (self.state[0] - LEFT))
        row = round(105 - 45 * (sin(3 * self.state[0]) + 1))
        left = int(np.clip(column - 6, 0, 168))
        image[max(row - 8, 0) : row, left : left + 12] = (38, 92, 166)
        return image
