"""Book beside measured: train a recipe with several seeds, keep and print what came out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

from .._version import __version__
from ..errors import ConfigError, FormatError
from ..train import write_atomically
from . import RECIPES
from .parts import Parts, load_parts
from .recipe import Recipe
from .report import PARTS, markdown, percent
from .run import Outcome, Settings, train

DEFAULTS = Settings()
MEASURED = Path(__file__).with_name("measured.json")
Measured = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """The outcomes of one recipe over training seeds."""

    recipe: Recipe
    outcomes: tuple[Outcome, ...]

    def mean(self, part: str) -> float | None:
        """Mean accuracy over the seeds; None where the recipe has no such part."""
        found = [o.accuracies() for o in self.outcomes]
        return fmean(f[part] for f in found) if part in found[0] else None

    def measured(self) -> Measured:
        """The row for measured.json: mean accuracies as fractions, every seed's, how and when."""
        first = self.outcomes[0]
        means = {part: self.mean(part) for part in PARTS}
        return {
            **{part: round(mean, 6) for part, mean in means.items() if mean is not None},
            "test_by_seed": [round(o.test[self.recipe.score], 6) for o in self.outcomes],
            "seeds": [o.settings.seed for o in self.outcomes],
            "epochs": self.recipe.epochs,
            "backend": first.settings.backend,
            "dtype": first.settings.dtype,
            "split": str(self.recipe.split),
            "seconds": round(fmean(o.seconds for o in self.outcomes), 2),
            "cpu_seconds": round(fmean(o.cpu_seconds for o in self.outcomes), 2),
            "tinydl": __version__,
            "date": date.today().isoformat(),
        }


def reproduce(
    recipe: Recipe,
    seeds: int | None = None,
    settings: Settings = DEFAULTS,
    tell: Callable[[str], None] = lambda line: None,
    progress: bool | None = None,
) -> Result:
    """Train with seeds settings.seed, settings.seed + 1, ... (None: as many as the recipe says)."""
    count = recipe.seeds if seeds is None else seeds
    if count < 1:
        raise ConfigError(f"reproduce: seeds must be >= 1, got {count}")
    parts: Parts = load_parts(recipe, settings.dtype)
    outcomes = []
    for i in range(count):
        chosen = Settings(settings.seed + i, settings.backend, settings.dtype)
        outcome = train(recipe, chosen, parts, progress)
        outcomes.append(outcome)
        tell(
            f"{recipe.name}, seed {chosen.seed}: test {percent(outcome.test[recipe.score])} % "
            f"in {outcome.seconds:.1f} s"
        )
    return Result(recipe, tuple(outcomes))


def to_run(recipe: Recipe, table: bool) -> list[Recipe]:
    """What `reproduce` trains: the recipe, its companion, or with `table` all variants."""
    if table:
        if not recipe.variants:
            raise ConfigError(f"reproduce: {recipe.name} has no table")
        return [recipe.variant(v.name) for v in recipe.variants]
    return [recipe] + ([recipe.variant(recipe.companion)] if recipe.companion else [])


def load_measured(path: Path = MEASURED) -> dict[str, Measured]:
    """What has been measured, by recipe name; FormatError for a damaged file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise FormatError(f"recipes: {path} is damaged ({error})") from None


def record(results: Iterable[Result], path: Path = MEASURED) -> list[Path]:
    """Add results to measured.json and, in a source tree, to benchmarks/results/.

    Returns the files that were written.
    """
    measured = load_measured(path)
    for result in results:
        measured[result.recipe.name] = result.measured()
    order = {name: i for i, name in enumerate(_names())}
    measured = dict(sorted(measured.items(), key=lambda item: order.get(item[0], len(order))))
    content = json.dumps(measured, indent=1).encode() + b"\n"
    write_atomically(path, content)
    written = [path]
    benchmarks = path.parents[2] / "benchmarks"
    if benchmarks.is_dir() and path == MEASURED:
        folder = benchmarks / "results"
        folder.mkdir(exist_ok=True)
        write_atomically(folder / "reproduce.json", content)
        write_atomically(folder / "reproduce.md", markdown(measured).encode())
        written += [folder / "reproduce.json", folder / "reproduce.md"]
    return written


@cache
def _names() -> list[str]:
    return [
        name
        for recipe in RECIPES.values()
        for name in (recipe.name, *(f"{recipe.name}/{v.name}" for v in recipe.variants))
    ]
