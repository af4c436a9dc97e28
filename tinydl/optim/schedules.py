"""Learning-rate schedules: objects that give the rate of a step, `schedule(step) -> lr`.

step counts from 0 and is whatever is counted: epochs or updates. Each returns a float from a closed
formula, so that a resumed run needs no state; only `Plateau` looks at what happened.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise

from ..arguments import is_number
from ..doors import checked
from ..errors import ConfigError
from ..habits import install
from .monitor import better, worst

Schedule = Callable[[int], float]


def _require(rule: str, holds: bool, needs: str, *values: object) -> None:
    if not holds:
        raise ConfigError(f"{rule}: needs {needs}, got {', '.join(map(repr, values))}")


def _numbers(rule: str, **values: object) -> None:
    for name, value in values.items():
        if not is_number(value) or not math.isfinite(value):  # type: ignore[arg-type]
            raise ConfigError(f"{rule}: {name} must be a finite number, got {value!r}")


def _power(base: float, exponent: float) -> float:
    """base ** exponent >= 0, infinite where Python would raise OverflowError."""
    try:
        return float(base) ** float(exponent)
    except OverflowError:
        return math.inf


class StepDecay:
    """lr * factor^floor(step / every): a staircase with steps of equal length."""

    @checked
    def __init__(self, lr: float, every: int, factor: float = 0.1) -> None:
        _numbers("StepDecay", lr=lr, every=every, factor=factor)
        _require("StepDecay", lr >= 0 and every >= 1 and factor > 0,
                 "lr >= 0, every >= 1, factor > 0", lr, every, factor)  # fmt: skip
        self.lr, self.every, self.factor = lr, every, factor

    @checked
    def __call__(self, step: int) -> float:
        return float(self.lr * _power(self.factor, step // self.every))


class Exponential:
    """lr * factor^(step / every); staircase: the exponent is rounded down, as in `StepDecay`."""

    @checked
    def __init__(self, lr: float, factor: float, every: int = 1, staircase: bool = False) -> None:
        _numbers("Exponential", lr=lr, factor=factor, every=every)
        _require("Exponential", lr >= 0 and every >= 1 and factor > 0,
                 "lr >= 0, every >= 1, factor > 0", lr, every, factor)  # fmt: skip
        self.lr, self.factor, self.every, self.staircase = lr, factor, every, staircase

    @checked
    def __call__(self, step: int) -> float:
        exponent = step // self.every if self.staircase else step / self.every
        return float(self.lr * _power(self.factor, exponent))


class Polynomial:
    """(lr - end) (1 - step / steps)^power + end, and `end` from `steps` on; power 1 is a line."""

    @checked
    def __init__(self, lr: float, steps: int, end: float = 0.0, power: float = 1.0) -> None:
        _numbers("Polynomial", lr=lr, steps=steps, end=end, power=power)
        _require("Polynomial", lr >= 0 and steps >= 1 and end >= 0 and power > 0,
                 "lr >= 0, steps >= 1, end >= 0, power > 0", lr, steps, end, power)  # fmt: skip
        self.lr, self.steps, self.end, self.power = lr, steps, end, power

    @checked
    def __call__(self, step: int) -> float:
        left = 1 - min(step, self.steps) / self.steps
        return float((self.lr - self.end) * _power(left, self.power) + self.end)


class Cosine:
    """end + (lr - end) (1 + cos(pi step / steps)) / 2, and `end` from `steps` on.

    Loshchilov and Hutter 2017 (arXiv:1608.03983), equation 5, without restarts.
    """

    @checked
    def __init__(self, lr: float, steps: int, end: float = 0.0) -> None:
        _numbers("Cosine", lr=lr, steps=steps, end=end)
        _require("Cosine", lr >= 0 and steps >= 1 and end >= 0,
                 "lr >= 0, steps >= 1, end >= 0", lr, steps, end)  # fmt: skip
        self.lr, self.steps, self.end = lr, steps, end

    @checked
    def __call__(self, step: int) -> float:
        angle = math.pi * min(step, self.steps) / self.steps
        return self.end + (self.lr - self.end) * (1 + math.cos(angle)) / 2


class WarmUp:
    """A line up to the rate of another schedule: then(0) (step + 1) / steps for step < steps,
    afterwards then(step - steps).

    The first step already has a rate above 0. Goyal et al. 2017 (arXiv:1706.02677), section 2.2.
    """

    @checked
    def __init__(self, steps: int, then: Schedule | float) -> None:
        _numbers("WarmUp", steps=steps)
        _require("WarmUp", steps >= 1, "steps >= 1", steps)
        _require("WarmUp", not isinstance(then, type), "a rate or a schedule, no class", then)
        if not callable(then):
            _numbers("WarmUp", then=then)
            _require("WarmUp", then >= 0, "a rate >= 0 or a schedule", then)
        self.steps, self.then = steps, then

    def _after(self, step: int) -> float:
        return self.then(step) if callable(self.then) else float(self.then)

    @checked
    def __call__(self, step: int) -> float:
        if step < self.steps:
            return self._after(0) * (step + 1) / self.steps
        return self._after(step - self.steps)


class Piecewise:
    """values[i] with i the number of boundaries that are <= step: one value more than boundaries.

    (Keras changes the value one step later, after the boundary.)
    """

    @checked
    def __init__(self, boundaries: Sequence[int], values: Sequence[float]) -> None:
        for value in (*boundaries, *values):
            _numbers("Piecewise", **{"each of boundaries and values": value})
        ordered = all(a < b for a, b in pairwise(boundaries))
        _require("Piecewise", ordered and len(values) == len(boundaries) + 1,
                 "rising boundaries and one value more", boundaries, values)  # fmt: skip
        self.boundaries, self.values = list(boundaries), list(values)

    @checked
    def __call__(self, step: int) -> float:
        return self.values[bisect_right(self.boundaries, step)]


class Plateau:
    """The rate is multiplied by `factor` each time that a value has not improved for `patience`.

    rate = plateau.update(value, rate): call it once per epoch. A value improves when it is better
    than the best one by more than min_delta (`tinydl.optim.monitor`); NaN never does. mode: "min",
    smaller is better, or "max"; None is "min" here and lets `ReduceOnPlateau` go by the name of
    what it watches. After a cut, the waiting starts again.
    """

    @checked
    def __init__(
        self,
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 1e-4,
        min_lr: float = 0.0,
        mode: str | None = None,
    ) -> None:
        _numbers("Plateau", factor=factor, patience=patience, min_delta=min_delta, min_lr=min_lr)
        _require("Plateau", 0 < factor < 1 and patience >= 1 and min_delta >= 0 and min_lr >= 0,
                 "0 < factor < 1, patience >= 1, min_delta >= 0, min_lr >= 0",
                 factor, patience, min_delta, min_lr)  # fmt: skip
        _require("Plateau", mode in (None, "min", "max"), "mode min, max or None", mode)
        self.factor, self.patience = factor, patience
        self.min_delta, self.min_lr, self.mode = min_delta, min_lr, mode
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self.best, self.waited = worst(self.mode or "min"), 0

    @checked
    def update(self, value: float, lr: float) -> float:
        """The rate to go on with after another value."""
        self.waited += 1
        if better(value, self.best, self.mode or "min", self.min_delta):
            self.best, self.waited = value, 0
        if self.waited < self.patience:
            return lr
        self.waited = 0
        return min(lr, max(lr * self.factor, self.min_lr))


for _kind in (StepDecay, Exponential, Polynomial, Cosine, WarmUp, Piecewise):
    install(_kind, "schedule")
