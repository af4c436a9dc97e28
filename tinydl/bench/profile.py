"""`tinydl profile RECIPE`: a few training steps of a recipe, operation by operation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from ..errors import ConfigError
from ..experiment.program import Settings
from ..measure.profiler import Profile, profile
from ..programs.scores import metrics_of
from ..programs.supervised import SupervisedTraining, settings_of
from ..recipes import find
from ..recording import no_grad
from ..train import fit


def profile_recipe(name: str, batches: int = 5, backend: str = "cpu") -> Profile:
    """The profile of `batches` training steps, after one that nobody counts: the first touches
    fresh memory and builds programs. ConfigError if the data have fewer batches."""
    if batches < 1:
        raise ConfigError(f"profile: --batches must be >= 1, got {batches}")
    recipe = find(name)
    program = settings_of("profile", recipe)
    session = SupervisedTraining(recipe, Settings(0, backend, "float32"))
    data = list(islice(session.batches, batches + 1))
    if len(data) <= batches:
        raise ConfigError(f"profile: {name} has {len(data)} batches, one is to warm up")

    def steps(some: list) -> None:
        metrics = metrics_of(program)
        fit(session.model, some, program.loss, session.optimizer, 1, metrics, progress=False)

    steps(data[:1])
    with profile() as found:
        steps(data[1:])
    return found


def profile_net(model: Any, x: Any, batches: int) -> Profile:
    """The profile of so many forward passes of a net, after one that nobody counts."""
    if batches < 1:
        raise ConfigError(f"profile: --batches must be >= 1, got {batches}")
    with no_grad():
        model(x)
        with profile() as found:
            for _ in range(batches):
                model(x)
    return found


def report(
    found: Profile, title: str, by_shape: bool, out: str | None, tell: Callable[[Any], None]
) -> None:
    """The peaks and the table, and the roofline as a picture in `out`."""
    tell(found.peaks().text())
    tell(found.page(by_shape))
    if out:
        found.plot(out, title)
        tell(f"roofline: {out}")
