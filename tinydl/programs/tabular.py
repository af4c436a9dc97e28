"""Episodes of an agent that learns by a table, in a world whose answer is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..data import MDP
from ..errors import ConfigError
from ..experiment.datasets import load_dataset
from ..experiment.program import PLAY, Card, Episode, Group, Program, Settings, Streams, Training
from ..models.reinforcement.q_table import QTable
from ..random import Generator
from ..train import History, State

CELL, TESTED = 64, 100  # pixels of a state in a picture; episodes that a measure plays


@dataclass(frozen=True)
class Tabular(Program):
    """model: `QTable` (Q-learning) or `SARSA`; an epoch is one episode of at most `steps` steps.

    rate, discount, epsilon, decay: of `QTable.episode`. score: "error", the largest difference
    from what the table should go to (`exact`): for Q-learning the values of the best policy, for
    SARSA those of its own. Beside it "reward", what the greedy policy collects in `steps` steps,
    its mean over 100 episodes.
    """

    states: int
    actions: int
    model: type[QTable] = QTable
    steps: int = 50
    rate: float = 0.5
    discount: float = 0.9
    epsilon: float = 0.3
    decay: float = 0.0
    score: str = "error"

    input_shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]
    kind: ClassVar[str] = "tabular"
    what: ClassVar[str] = "an agent with a table"
    alone: ClassVar[str] = "an agent with a table has no gradients"
    abilities: ClassVar[frozenset[str]] = frozenset({PLAY})
    lower_is_better: ClassVar[bool] = True

    def build(self) -> QTable:
        return self.model(self.states, self.actions)

    def load(self, recipe: Card, settings: Settings) -> MDP:
        return load_dataset(recipe.dataset)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> TabularTraining:
        return TabularTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    def stored(self) -> dict[str, Any]:
        names = ("states", "actions", "steps", "rate", "discount", "epsilon", "decay")
        return {"model": self.model.__name__, **{name: getattr(self, name) for name in names}}

    def restored(self, stored: Mapping[str, Any]) -> Tabular:
        if set(stored) != set(self.stored()) or stored["model"] != self.model.__name__:
            raise ConfigError("the settings are not those of an agent with a table")
        return replace(self, **{k: v for k, v in stored.items() if k != "model"})

    def facts(self) -> dict[str, Any]:
        return self.stored()

    def play(self, model: Any, rng: Generator, recipe: Card) -> Episode:
        world: MDP = load_dataset(recipe.dataset)
        return played(world, lambda state: model.greedy(state), self.steps, rng)


def played(world: MDP, policy: Any, steps: int, rng: Generator) -> Episode:
    """One episode of policy(state) -> action, with a picture of every step."""
    states, actions, rewards, frames = [world.start], [], [], [picture(world, world.start)]
    for _ in range(steps):
        action = int(policy(states[-1]))
        following, reward, done = world.step(states[-1], action, rng)
        states.append(following)
        actions.append(action)
        rewards.append(reward)
        frames.append(picture(world, following))
        if done:
            break
    return Episode(states, actions, rewards, np.stack(frames))


def picture(world: MDP, state: int) -> np.ndarray:
    """The states in a row, (CELL, CELL * states, 3) uint8: where the agent is, blue."""
    image = np.full((CELL, CELL * world.states, 3), 235, np.uint8)
    image[:, ::CELL] = 255
    image[:, CELL * state + 2 : CELL * (state + 1) - 1] = (38, 92, 166)
    return image


class TabularTraining(Training):
    """Episodes, one stream of random numbers for the world and the agent."""

    model: QTable

    def __init__(self, recipe: Card, settings: Settings, world: MDP) -> None:
        self.program: Tabular = recipe.program
        self.world = world
        if (world.states, world.actions) != (self.program.states, self.program.actions):
            raise ConfigError(
                f"recipe {recipe.name}: the table is ({self.program.states}, "
                f"{self.program.actions}), {recipe.dataset} has {world.states} states and "
                f"{world.actions} actions"
            )
        super().__init__(recipe, settings)

    def started(self) -> State:
        self.streams = Streams(episodes=self.generator.spawn())
        group: Any = Group()
        return State(self.model, group, self.streams, History(), 0, self.recipe.epochs)  # type: ignore[arg-type]

    def epoch(self) -> dict[str, float]:
        program = self.program
        collected = self.model.episode(
            self.world, program.steps, self.streams["episodes"],
            program.rate, program.discount, program.epsilon, program.decay,
        )  # fmt: skip
        return {"reward": collected, "error": self._error()}

    def _error(self) -> float:
        return self.error_of(self.model)

    def error_of(self, table: QTable) -> float:
        """The largest difference of the table from what it should go to."""
        exact = table.exact(self.world, self.program.discount, self.program.epsilon)
        return float(np.abs(table.values() - exact).max())

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        return {"error": self._error(), "reward": self.mean_reward(self.model.greedy)}

    def mean_reward(self, policy: Callable[[int], Any]) -> float:
        """What policy(state) -> action collects in an episode, the mean over 100 of them."""
        rng = Generator(0)
        runs = [played(self.world, policy, self.program.steps, rng) for _ in range(TESTED)]
        return float(np.mean([sum(run.rewards) for run in runs]))

    def split(self) -> str:
        return f"{TESTED} episodes of the greedy policy"
