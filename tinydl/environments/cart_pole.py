"""A pole on a cart, to be held upright by pushing the cart left and right."""

from __future__ import annotations

from math import cos, pi, sin

import numpy as np

from ..arguments import finite
from .environment import Environment
from .spaces import Box, Discrete

GRAVITY, CART, POLE, HALF, FORCE, TICK = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02  # SI units
FARTHEST, STEEPEST = 2.4, 12 * pi / 180  # metres from the middle, radians from upright
STATE = np.array([FARTHEST, np.inf, STEEPEST, np.inf])


class CartPole(Environment):
    """State (x, x', th, th'): place (m) and speed of the cart, angle (rad) and speed of the pole.

    With F = +10 N (action 1) or -10 N (0), M the mass of both, m the pole's, l half its length:

    th'' = (g sin th + cos th (-F - m l th'^2 sin th + a sgn x') / M - b th' / (m l))
           / (l (4/3 - m cos^2 th / M))
    x''  = (F + m l (th'^2 sin th - th'' cos th) - a sgn x') / M

    Barto, Sutton and Anderson 1983, IEEE Transactions SMC-13, appendix; a and b, the friction of
    cart and pole, are 0.0005 and 0.000002 there and 0 in the usual benchmark and here. Euler steps
    of 0.02 s, places from the old speeds. It begins within 0.05 of upright rest. Every step earns
    1, also the last one: |x| > 2.4 or |th| > 12 degrees ends the episode. Observations are float32.
    """

    def __init__(
        self, steps: int = 500, cart_friction: float = 0.0, pole_friction: float = 0.0
    ) -> None:
        super().__init__(steps)
        self.frictions = (
            finite("CartPole", "cart_friction", cart_friction),
            finite("CartPole", "pole_friction", pole_friction),
        )
        self.observation_space, self.action_space = Box(-2 * STATE, 2 * STATE, (4,)), Discrete(2)
        self.state = (0.0, 0.0, 0.0, 0.0)

    def accelerations(
        self, state: tuple[float, float, float, float], force: float
    ) -> tuple[float, float]:
        """(x'', th'') of the equations above."""
        _, speed, angle, turning = state
        mass, (cart, pole) = CART + POLE, self.frictions
        drag = cart * ((speed > 0) - (speed < 0))
        push = (-force - POLE * HALF * turning**2 * sin(angle) + drag) / mass
        swing = GRAVITY * sin(angle) + cos(angle) * push - pole * turning / (POLE * HALF)
        swing /= HALF * (4 / 3 - POLE * cos(angle) ** 2 / mass)
        pull = POLE * HALF * (turning**2 * sin(angle) - swing * cos(angle))
        return (force + pull - drag) / mass, swing

    def _begin(self) -> np.ndarray:
        drawn = self.rng.uniform(4, low=-0.05, high=0.05, dtype=np.float64)
        self.state = tuple(drawn.tolist())
        return self._seen()

    def _seen(self) -> np.ndarray:
        return np.array(self.state, np.float32)

    def _move(self, action: int) -> tuple[np.ndarray, float, bool]:
        place, speed, angle, turning = self.state
        pushed, swung = self.accelerations(self.state, FORCE if action == 1 else -FORCE)
        self.state = (
            place + TICK * speed, speed + TICK * pushed,
            angle + TICK * turning, turning + TICK * swung,
        )  # fmt: skip
        ended = abs(self.state[0]) > FARTHEST or abs(self.state[2]) > STEEPEST
        return self._seen(), 1.0, ended

    def render(self) -> np.ndarray:
        """The track from -2.4 to 2.4 m at 50 pixels a metre, the pole at its length of 1 m."""
        image = np.full((100, 260, 3), 255, np.uint8)
        column = 130 + 50 * self.state[0]
        image[80:82] = 150
        left = int(np.clip(column - 12, 0, 236))
        image[70:80, left : left + 24] = (60, 60, 60)
        along = np.linspace(0, 2 * HALF * 50, 120)
        rows = np.rint(70 - along * cos(self.state[2])).astype(int)
        columns = np.rint(column + along * sin(self.state[2])).astype(int)
        for shift in (-1, 0, 1):
            image[rows.clip(0, 99), (columns + shift).clip(0, 259)] = (38, 92, 166)
        return image
