"""A Markov decision process of tinydl.data as an environment: the chain, the grid world."""

from __future__ import annotations

import numpy as np

from ..data import MDP, grid_world
from ..doors import checked
from ..errors import ConfigError
from ..quoting import quoted
from .environment import Environment
from .spaces import Discrete

CELL = 32  # pixels
BOARD, WALL, GOOD, BAD, AGENT = (235,) * 3, (60,) * 3, (70, 150, 80), (190, 70, 60), (38, 92, 166)
COLOURS = {".": BOARD, "S": BOARD, "#": WALL, "+": GOOD, "-": BAD}
MAZE = "S...\n.#.-\n...+"


class Walk(Environment):
    """The states of an MDP, seen as their numbers; a step draws from its table.

    world: of `chain_world`, `grid_world`, `random_mdp`. rows: its map for pictures, where it is a
    grid; without one the states stand in a row. An episode has at most `steps` steps. ConfigError
    for a map of another world.
    """

    @checked
    def __init__(self, world: MDP, steps: int = 50, rows: str = "") -> None:
        super().__init__(steps)
        self.world, self.state = world, world.start
        self.rows = (rows or "." * world.states).split("\n")
        if set(rows) - {*COLOURS, "\n"} or len({len(row) for row in self.rows}) != 1:
            raise ConfigError(f"Walk: a map is even lines of S . # + -, got {quoted(rows)}")
        self.cells = [
            (r, c) for r, row in enumerate(self.rows) for c, mark in enumerate(row) if mark != "#"
        ]
        if len(self.cells) != world.states:
            raise ConfigError(
                f"Walk: the map has {len(self.cells)} cells, the world {world.states} states"
            )
        self.observation_space = Discrete(world.states)
        self.action_space = Discrete(world.actions)

    def _begin(self) -> int:
        self.state = self.world.start
        return self.state

    def _move(self, action: int) -> tuple[int, float, bool]:
        self.state, reward, ended = self.world.step(self.state, int(action), self.rng)
        return self.state, reward, ended

    def render(self) -> np.ndarray:
        image = np.full((CELL * len(self.rows), CELL * len(self.rows[0]), 3), 255, np.uint8)
        colours = {
            (r, c): COLOURS[mark] for r, row in enumerate(self.rows) for c, mark in enumerate(row)
        }
        for (r, c), colour in colours.items():
            image[CELL * r + 1 : CELL * (r + 1), CELL * c + 1 : CELL * (c + 1)] = colour
        r, c = self.cells[self.state]
        image[CELL * r + 8 : CELL * r + 25, CELL * c + 8 : CELL * c + 25] = AGENT
        return image


class GridWorld(Walk):
    """`grid_world(rows, slip, step_reward)` as an environment: up, right, down, left."""

    @checked
    def __init__(
        self,
        rows: str = MAZE,
        slip: float = 0.0,
        step_reward: float = -0.04,
        steps: int = 50,
    ) -> None:
        super().__init__(grid_world(rows, slip, step_reward), steps, rows)
