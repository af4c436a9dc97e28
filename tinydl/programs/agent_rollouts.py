"""Learning from what the policy itself just did: how policy gradients are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import whole
from ..environments import Played, play_together
from ..errors import ConfigError
from ..tensor import Tensor

if TYPE_CHECKING:
    from .agent import AgentTraining


@dataclass(frozen=True, slots=True)
class FromRollouts:
    """Whole episodes with at least the program's `batch_size` steps, then `passes` over them, in
    shuffled batches of `minibatch` steps (None: all in one); then others.

    worlds: how many episodes are played side by side. ConfigError for counts below 1.
    """

    worlds: int = 8
    passes: int = 1
    minibatch: int | None = None

    def __post_init__(self) -> None:
        whole("FromRollouts", "worlds", self.worlds, 1)
        whole("FromRollouts", "passes", self.passes, 1)
        if self.minibatch is not None:
            whole("FromRollouts", "minibatch", self.minibatch, 1)

    def learner(self, training: AgentTraining) -> RolloutLearner:
        return RolloutLearner(self, training)


class RolloutLearner:
    """Nothing is kept from one rollout to the next but the weights."""

    def __init__(self, settings: FromRollouts, training: AgentTraining) -> None:
        wanted = "Discrete" if getattr(training.model, "discrete", True) else "Box"
        if hasattr(training.environment.action_space, "n") != (wanted == "Discrete"):
            raise ConfigError(f"FromRollouts: needs {wanted} actions, {training.recipe.dataset} has"
                              f" {type(training.environment.action_space).__name__}")  # fmt: skip
        self.settings, self.training = settings, training
        self.model: Any = training.model
        self.worlds = [training.make() for _ in range(settings.worlds)]

    def kept(self) -> dict[str, Any]:
        return {}

    def epoch(self) -> dict[str, float]:
        played: list[Played] = []
        losses: list[float] = []
        while sum(len(p.rewards) for p in played) < self.training.program.steps:
            rollout = self._play()
            losses += self._learn(rollout)
            played += rollout
        return {
            "return": float(np.mean([p.rewards.sum() for p in played])),
            "episodes": float(len(played)),
            "loss": float(np.mean(losses)),
        }

    def _play(self) -> list[Played]:
        training, rng = self.training, self.training.streams["actions"]
        found: list[Played] = []
        while sum(len(p.rewards) for p in found) < training.program.batch_size:
            seeds = [training.seed() for _ in self.worlds]
            found += play_together(self.worlds, lambda states: self.model.act(states, rng), seeds)
        return found

    def _learn(self, rollout: list[Played]) -> list[float]:
        arrays, model, losses = self.model.rollout(rollout), self.model, []
        count = len(arrays[0])
        size = self.settings.minibatch or count
        for _ in range(self.settings.passes):
            order = self.training.streams["actions"].permutation(count)
            for first in range(0, count, size):
                rows = [a[order[first : first + size]] for a in arrays]
                kinds = [a.astype(model.dtype) if a.dtype.kind == "f" else a for a in rows]
                tensors = [Tensor(a, backend=model.backend) for a in kinds]
                losses.append(self.training.update(model.loss(*tensors)))
        return losses
