"""Agents with a network, in an environment: how they are measured and shown; two ways to learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from ..arguments import number, probability, whole
from ..environments import Clipped, drawn, features, play_together, width
from ..environments.playing import Policy
from ..errors import ConfigError
from ..experiment.datasets import maker
from ..experiment.program import PLAY, Card, Episode, Group, Program, Settings, Streams, Training
from ..nn import Module
from ..optim import Adam
from ..random import Generator
from ..train import History, State
from .agent_replay import FromReplay
from .agent_rollouts import FromRollouts

TESTED, SEEDS = 100, 2**31  # episodes that a measure plays; seeds of episodes are below


@dataclass(frozen=True)
class Agent(Program):
    """model(**architecture), trained by Adam from what it does itself.

    The rate falls in a line from lr in the first epoch to `end` lr after the last: what is measured
    is the policy of the last weights, and with a rate that stays as it is these are one of many
    between which it wanders.

    The recipe's data set is a function that makes an environment, one of `tinydl.environments` or
    of gymnasium. learning: `FromReplay` (DQN) or `FromRollouts` (policy gradients). An epoch is as
    many whole episodes as it takes for `steps` steps; each is begun by a seed from the run's own
    stream, so a run goes on exactly in any environment that keeps to its seed, and no environment
    is kept. score: "return", the sum of rewards of the greedy policy of the last weights, its mean
    over 100 episodes with other seeds than those of training; beside it the worst of them and how
    many steps they took. Raises ConfigError for counts below 1.
    """

    model: type[Module]
    architecture: Mapping[str, Any] = field(default_factory=dict)
    learning: FromReplay | FromRollouts = field(default_factory=FromReplay)
    steps: int = 1_000
    batch_size: int = 64
    lr: float = 0.001
    end: float = 1.0
    score: str = "return"

    input_shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]
    kind: ClassVar[str] = "agent"
    what: ClassVar[str] = "an agent with a network"
    alone: ClassVar[str] = (
        "what an agent learns from comes from its own steps in the world, one after the other"
    )
    abilities: ClassVar[frozenset[str]] = frozenset({PLAY})

    def __post_init__(self) -> None:
        whole("agent", "steps", self.steps, 1)
        whole("agent", "batch_size", self.batch_size, 1)
        number("agent", "lr", self.lr)
        probability("agent", "end", self.end)

    def build(self) -> Module:
        return self.model(**self.architecture)

    def load(self, recipe: Card, settings: Settings) -> Callable[[], Any]:
        return maker(recipe.dataset)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> AgentTraining:
        return AgentTraining(
            recipe, settings, self.load(recipe, settings) if data is None else data
        )

    def stored(self) -> dict[str, Any]:
        return {
            "model": self.model.__name__,
            "architecture": dict(self.architecture),
            "learning": asdict(self.learning),
            **{name: getattr(self, name) for name in ("steps", "batch_size", "lr", "end")},
        }

    def restored(self, stored: Mapping[str, Any]) -> Agent:
        """The program with the run's settings; ConfigError where what is learnt or how differs."""
        own = self.stored()
        wrong = [k for k in {**own, **stored} if k not in stored or k not in own]
        fixed = ("model", "architecture", "learning")
        wrong = wrong or [k for k in fixed if _plain(stored[k]) != _plain(own[k])]
        if wrong:
            raise ConfigError(f"the settings are not those of the recipe: {', '.join(wrong)}")
        return replace(self, **{k: v for k, v in stored.items() if k not in fixed})

    def facts(self) -> dict[str, Any]:
        return self.stored()

    def play(self, model: Any, rng: Generator, recipe: Card) -> Episode:
        environment = within_bounds(maker(recipe.dataset)())
        frames, shown = [], []
        space = environment.observation_space

        def watched(states: np.ndarray) -> Any:
            frames.append(picture(environment))
            return model.greedy(states)

        (played,) = play_together([environment], watched, [int(rng.integers(0, SEEDS))])
        frames.append(picture(environment))
        for number_, state in enumerate(played.states):
            shown.append(told(space, number_, state))
        actions, rewards = played.actions.tolist(), played.rewards.tolist()
        return Episode(shown, actions, rewards, np.stack(frames))


def within_bounds(environment: Any) -> Any:
    """The environment, to which actions beyond the bounds of its `Box` may be said."""
    return environment if hasattr(environment.action_space, "n") else Clipped(environment)


def _plain(value: Any) -> Any:
    """Settings as JSON gives them back: tuples are lists."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def picture(environment: Any) -> np.ndarray:
    """What it draws, (H, W, 3) uint8; ConfigError if that is nothing."""
    image = environment.render()
    if image is None:
        raise ConfigError(
            f"play: {type(environment).__name__} draws nothing; of gymnasium, make it with "
            'render_mode="rgb_array"'
        )
    return np.asarray(image, np.uint8)


def told(space: Any, step: int, state: np.ndarray) -> Any:
    """A state for people: its number, up to eight numbers, or the step where it is a picture."""
    if hasattr(space, "n"):
        return int(state.argmax())
    return " ".join(f"{x:.3f}" for x in state) if state.size <= 8 else step


class AgentTraining(Training):
    """Streams "worlds", the seeds of episodes, and "actions", chance in what is done and learnt."""

    def __init__(self, recipe: Card, settings: Settings, make: Callable[[], Any]) -> None:
        self.program: Agent = recipe.program
        self.make = lambda: within_bounds(make())
        self.environment = self.make()
        super().__init__(recipe, settings)

    def started(self) -> State:
        rate = self.program.lr
        self.optimizer = Adam(self.model.named_parameters(), rate)
        self.streams = Streams(worlds=self.generator.spawn(), actions=self.generator.spawn())
        self.learner: Any = self.program.learning.learner(self)
        group: Any = Group(adam=self.optimizer, **self.learner.kept())
        return State(self.model, group, self.streams, History(), 0, self.recipe.epochs)  # type: ignore[arg-type]

    @property
    def width(self) -> int:
        """How many numbers the network gets of an observation."""
        return width(self.environment.observation_space)

    def seed(self) -> int:
        """Of the next episode."""
        return int(self.streams["worlds"].integers(0, SEEDS))

    def features(self, observation: Any) -> np.ndarray:
        return features(self.environment.observation_space, observation)

    def update(self, loss: Any) -> float:
        """One step of Adam down this loss; its value."""
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def epoch(self) -> dict[str, float]:
        program, done = self.program, self.state.epoch / self.recipe.epochs
        self.optimizer.lr = program.lr * (1 - (1 - program.end) * done)
        return self.learner.epoch()

    def returns(self, policy: Policy) -> tuple[np.ndarray, np.ndarray]:
        """(sum of rewards, steps) of policy(states) -> actions in each of 100 episodes, always the
        same ones."""
        seeds = Generator(0).integers(0, SEEDS, (TESTED,))
        played = play_together([self.make() for _ in seeds], policy, seeds.tolist())
        return (
            np.array([p.rewards.sum() for p in played]),
            np.array([float(len(p.rewards)) for p in played]),
        )

    def random_policy(self) -> Policy:
        """Actions by even chance, from a stream of its own."""
        chance, space = Generator(1), self.environment.action_space
        return lambda states: [drawn(space, chance) for _ in states]

    def measure(self, part: str = "test") -> dict[str, float]:
        self.require_test(part)
        model: Any = self.model.eval()
        returns, steps = self.returns(model.greedy)
        return {
            "return": float(returns.mean()),
            "worst": float(returns.min()),
            "steps": float(steps.mean()),
        }

    def split(self) -> str:
        return f"{TESTED} episodes of the greedy policy"
