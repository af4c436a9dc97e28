"""New tasks without having learnt to learn."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import random
from ..models import MAML
from ..models.meta.maml import descended
from ..models.meta.tasks import errors, slopes
from ..optim import Adam
from ..programs.learning_to_learn import told
from ..random import Generator
from ..tensor import Tensor

RATES = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)


def zero_everywhere(training: Any, part: str) -> dict[str, float]:
    """0 for every x, the mean of all tasks."""
    _, _, _, y = training.tested()
    return {"mse": float(np.square(y.numpy(), dtype=np.float64).mean())}


def from_scratch(training: Any, part: str) -> dict[str, float]:
    """The same network from weights that were drawn, with the same number of steps of gradient
    descent on the same points, by the rate that is best for these 200 tasks."""
    program = training.program
    model = _fresh(training, program.architecture)
    return _best_of_rates(model, training.tested(), program.inner)


def one_for_all(training: Any, part: str) -> dict[str, float]:
    """One network trained on all tasks at once, as long and by the same Adam, then adapted as the
    drawn one is: it has learnt the mean of the tasks, 0."""
    program, rng = training.program, Generator(0)
    model = _fresh(training, {**program.architecture, "steps": 0})
    optimizer = Adam(model.named_parameters(), 0.002)
    for _ in range(program.updates * training.recipe.epochs):
        x, y, x2, y2 = training.points(program.batch_size, rng, program.shots, program.shots)
        optimizer.zero_grad()
        model.outer(x, y, x2, y2, rng)
        optimizer.step()
    return _best_of_rates(model, training.tested(), program.inner)


def _fresh(training: Any, architecture: Any) -> MAML:
    def drawn() -> MAML:
        random.seed(0)
        kept = {k: v for k, v in architecture.items() if k in ("sizes", "steps")}
        return MAML(**kept)

    model = copy_context().run(drawn).to(training.model.backend)
    model.astype(training.settings.dtype)
    return model


def _best_of_rates(model: MAML, points: list[Tensor], steps: int) -> dict[str, float]:
    found, (x, y, x2, y2) = [], points
    for model.rate in RATES:
        with np.errstate(all="ignore"):  # a rate may be too large
            found.append(told(model.curve(x, y, x2, y2, steps)))
    return min(found, key=lambda row: row["mse"] if np.isfinite(row["mse"]) else np.inf)


@dataclass(frozen=True)
class Tuned:
    """The same networks trained by "adam" or "descent" with the rate that is best for these tasks
    after so many steps."""

    rule: str

    def __str__(self) -> str:
        return f"tuned {self.rule}"

    def __call__(self, training: Any, part: str) -> dict[str, float]:
        steps, tried = training.program.inner, []
        x, y, x2, y2 = training.tested()
        for rate in RATES:
            curve: list[float] = []
            weights = training.model.first(len(x), Generator(0))

            def look(kept: Any, seen: list[float] = curve) -> None:
                seen.append(errors(x2, y2, kept).mean().item())

            with np.errstate(all="ignore"):
                if self.rule == "descent":
                    descended(weights, x, y, steps, rate, look)
                else:
                    _by_adam(weights, x, y, steps, rate, look)
            tried.append(told(np.array(curve)))
        return min(tried, key=lambda row: row["mse"] if np.isfinite(row["mse"]) else np.inf)


def _by_adam(weights: Any, x: Tensor, y: Tensor, steps: int, rate: float, look: Any) -> None:
    optimizer = Adam(weights, rate)
    look(weights)
    for _ in range(steps):
        for w, along in zip(weights, slopes(x, y, weights), strict=True):
            w.grad = along
        optimizer.step()
        look(weights)
