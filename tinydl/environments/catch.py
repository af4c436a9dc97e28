"""Catch the fruit: a game that is seen only as pixels."""

from __future__ import annotations

import numpy as np

from ..arguments import whole
from .environment import Environment
from .spaces import Box, Discrete

LARGEST = 1_000  # pixels of a side
SCALE = 16  # of a pixel in pictures for people


class Catch(Environment):
    """A fruit falls one row a step, from a random column; a basket of three pixels is to be below.

    Observations: (size, size, 1) float32, 1 where the fruit or the basket is. Actions: left, stay,
    right, by one pixel. The reward is 1 if the fruit falls into the basket and 0 if beside it, in
    the last row, which ends the episode; a mean return is the share that was caught. The basket
    begins in the middle and reaches every column in time. size: 5 ... 1000;
    ConfigError otherwise.
    """

    def __init__(self, size: int = 10) -> None:
        self.size = whole("Catch", "size", size, 5, LARGEST)
        super().__init__(size)
        self.observation_space, self.action_space = Box(0.0, 1.0, (size, size, 1)), Discrete(3)
        self.fruit, self.basket = (0, 0), size // 2

    def _begin(self) -> np.ndarray:
        self.fruit = (0, int(self.rng.integers(0, self.size)))
        self.basket = self.size // 2
        return self._seen()

    def _move(self, action: int) -> tuple[np.ndarray, float, bool]:
        self.basket = min(max(self.basket + int(action) - 1, 1), self.size - 2)
        row, column = self.fruit
        self.fruit = (row + 1, column)
        ended = row + 1 == self.size - 1
        return self._seen(), float(ended and abs(column - self.basket) <= 1), ended

    def _seen(self) -> np.ndarray:
        picture = np.zeros((self.size, self.size, 1), np.float32)
        picture[self.fruit] = 1
        picture[-1, self.basket - 1 : self.basket + 2] = 1
        return picture

    def render(self) -> np.ndarray:
        image = np.full((self.size, self.size, 3), 235, np.uint8)
        image[-1, self.basket - 1 : self.basket + 2] = (38, 92, 166)
        image[self.fruit] = (190, 70, 60)
        return image.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
