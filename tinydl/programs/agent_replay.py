"""Learning from a memory of steps, whoever took them: how DQN is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import number, probability, whole
from ..backend import use_backend
from ..errors import ConfigError
from ..models.reinforcement.replay import Replay
from ..nn import Module
from ..optim import WeightAverage
from ..tensor import Tensor

if TYPE_CHECKING:
    from .agent import AgentTraining

AT_ONCE = 64  # steps of an episode whose chances are drawn together


@dataclass(frozen=True, slots=True)
class FromReplay:
    """`updates` batches of the memory after every `every` steps.

    Many at once, after many steps: the policy that fills the memory changes less often.

    capacity: steps that the memory holds. starts: how many are taken by even chance before
    learning begins. copies: steps after which the target network becomes equal to the one that
    learns; soft above 0: it follows instead by this share of the difference after every update
    (`WeightAverage`). An action is drawn evenly with probability epsilon, which falls in a line
    from `first` to `last` over `falls` steps. ConfigError for counts below 1.

    enough: an epoch after one whose episodes earned at least this in the mean learns nothing; what
    holds is left alone, until it holds no longer. Else further updates move a policy that was
    right, whose values differ by little from those of its faults. None: every epoch learns.
    """

    capacity: int = 50_000
    starts: int = 1_000
    every: int = 1
    updates: int = 1
    copies: int = 500
    first: float = 1.0
    last: float = 0.05
    falls: int = 10_000
    soft: float = 0.0
    enough: float | None = None

    def __post_init__(self) -> None:
        for name in ("capacity", "starts", "every", "updates", "copies", "falls"):
            whole("FromReplay", name, getattr(self, name), 1)
        for name in ("first", "last", "soft"):
            probability("FromReplay", name, getattr(self, name))
        if self.enough is not None:
            number("FromReplay", "enough", self.enough)

    def learner(self, training: AgentTraining) -> ReplayLearner:
        return ReplayLearner(self, training)


class Kept:
    """A module's weights as a member of a checkpoint's `Group`."""

    lr = 0.0

    def __init__(self, module: Module) -> None:
        self.module = module

    def state_dict(self) -> dict[str, Any]:
        return {"scalars": {}, "arrays": self.module.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.module.load_state_dict(state["arrays"])


class ReplayLearner:
    """The memory, the target network, and one environment."""

    def __init__(self, settings: FromReplay, training: AgentTraining) -> None:
        self.settings, self.training, self.world = settings, training, training.environment
        if not hasattr(self.world.action_space, "n"):
            raise ConfigError(f"FromReplay: needs Discrete actions, {training.recipe.dataset} has "
                              f"{type(self.world.action_space).__name__}")  # fmt: skip
        self.model: Any = training.model
        self.home, self.dtype = self.model.backend, self.model.dtype  # looked for once: it is slow
        self.memory = Replay(settings.capacity, training.width)
        with use_backend(training.settings.backend):
            self.target = training.program.build().astype(training.settings.dtype)
        self.target.load_state_dict(self.model.state_dict())
        follows = (self.model.parameters(), 1 - settings.soft, self.target.parameters())
        self.average = WeightAverage(*follows) if settings.soft else None

    def kept(self) -> dict[str, Any]:
        return {"memory": self.memory, "target": Kept(self.target)}

    def epsilon(self) -> float:
        """How often the next action is drawn evenly."""
        s = self.settings
        share = min(1.0, max(0, self.memory.total - s.starts) / s.falls)
        return s.first + share * (s.last - s.first)

    def epoch(self) -> dict[str, float]:
        while self.memory.total < self.settings.starts:
            self._episode(None)
        before = self.training.state.history.last
        enough = self.settings.enough
        rests = enough is not None and bool(before) and before["return"] >= enough
        losses: list[float] = []
        returns: list[float] = []
        begun = self.memory.total
        while self.memory.total - begun < self.training.program.steps or not (losses or rests):
            returns.append(self._episode(losses, rests))
        return {
            "return": float(np.mean(returns)),
            "episodes": float(len(returns)),
            "loss": float(np.mean(losses)) if losses else before["loss"],
            "epsilon": self.epsilon(),
        }

    def _episode(self, losses: list[float] | None, rests: bool = False) -> float:
        """One episode, the sum of its rewards; `losses` grow by those of its updates, None: act by
        even chance and learn nothing; rests: learn nothing."""
        ask = self.training.features
        seen, _ = self.world.reset(seed=self.training.seed())
        state, collected, over = ask(seen), 0.0, False
        rng, taken = self.training.streams["actions"], 0
        while not over:
            if taken % AT_ONCE == 0:
                chances = rng.uniform((AT_ONCE, 2), dtype=np.float64)
            if chances[taken % AT_ONCE, 0] < (1.0 if losses is None else self.epsilon()):
                action = int(chances[taken % AT_ONCE, 1] * int(self.world.action_space.n))
            else:
                action = int(self.model.greedy(state[None])[0])
            taken += 1
            seen, reward, terminated, truncated, _ = self.world.step(action)
            following, over = ask(seen), bool(terminated or truncated)
            self.memory.add(state, action, float(reward), following, bool(terminated))
            state, collected = following, collected + float(reward)
            learns = not rests and self.memory.total % self.settings.every == 0
            if losses is not None and learns:
                losses += [self._learn() for _ in range(self.settings.updates)]
            if self.average is None and self.memory.total % self.settings.copies == 0:
                self.target.load_state_dict(self.model.state_dict())
        return collected

    def _learn(self) -> float:
        training, model = self.training, self.model
        batch = self.memory.draw(training.program.batch_size, training.streams["actions"])
        kinds = [a.astype(self.dtype) if a.dtype.kind == "f" else a for a in batch]
        tensors = [Tensor(a, backend=self.home) for a in kinds]
        loss = training.update(model.loss(*tensors, self.target))
        if self.average is not None:
            self.average.update()
        return loss
