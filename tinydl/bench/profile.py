"""`tinydl profile RECIPE`: a few training steps of a recipe, operation by operation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from ..errors import ConfigError
from ..profiler import Profile, profile
from ..recipes import find
from ..recipes.run import Session, Settings
from ..recipes.scores import metrics_of
from ..train import fit


def profile_recipe(name: str, batches: int = 5, backend: str = "cpu") -> Profile:
    """The profile of `batches` training steps, after one that nobody counts: the first touches
    fresh memory and builds programs. ConfigError if the data have fewer batches."""
    if batches < 1:
        raise ConfigError(f"profile: --batches must be >= 1, got {batches}")
    session = Session(find(name), Settings(0, backend, "float32"))
    data = list(islice(session.batches, batches + 1))
    if len(data) <= batches:
        raise ConfigError(f"profile: {name} has {len(data)} batches, one is to warm up")

    def steps(some: list) -> None:
        recipe = session.recipe
        metrics = metrics_of(recipe)
        fit(session.model, some, recipe.loss, session.optimizer, 1, metrics, progress=False)

    steps(data[:1])
    with profile() as found:
        steps(data[1:])
    return found


def report(
    found: Profile, title: str, by_shape: bool, out: str | None, tell: Callable[[str], None]
) -> None:
    """The peaks and the table, and the roofline as a picture in `out`."""
    tell(found.peaks().text())
    tell(found.table(by_shape))
    if out:
        found.plot(out, title)
        tell(f"roofline: {out}")
