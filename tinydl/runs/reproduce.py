"""Book beside measured: train a recipe with several seeds, keep and print what came out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from .. import recipes
from .._version import __version__
from ..baselines import Found, beside
from ..errors import ConfigError, FormatError
from ..experiment.card import Recipe
from ..recipes import RECIPES
from ..train import write_atomically
from .report import PARTS, figure, markdown, told_beside
from .run import Outcome, Settings, begin, train
from .workers import Job
from .workers import outcomes as outcomes_of

DEFAULTS = Settings()
MEASURED = Path(recipes.__file__).with_name("measured.json")
Measured = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """The outcomes of one recipe over training seeds, and what stands beside them: by seed where a
    seed is another split of the data, else once."""

    recipe: Recipe
    outcomes: tuple[Outcome, ...]
    beside: tuple[Found, ...]

    @property
    def baselines(self) -> Found:
        return mean_of(self.beside)

    def margins(self) -> dict[str, dict[str, float]]:
        """{baseline: {"mean", "error"}}: how much the score is larger on the same splits, its mean
        and its standard error; {} where the seeds have the same split."""
        score, result = self.recipe.program.score, {}
        for name in self.beside[0] if len(self.beside) > 1 else ():
            pairs = zip(self.outcomes, self.beside, strict=True)
            more = [o.test[score] - found[name][score] for o, found in pairs]
            error = stdev(more) / len(more) ** 0.5
            result[name] = {"mean": round(fmean(more), 6), "error": round(error, 6)}
        return result

    def mean(self, part: str) -> float | None:
        """Mean accuracy over the seeds; None where the recipe has no such part."""
        found = [o.numbers for o in self.outcomes]
        return fmean(f[part] for f in found) if part in found[0] else None

    def measured(self) -> Measured:
        """The row for measured.json: mean accuracies as fractions, every seed's and the standard
        deviation of one, the means of all measures on the test part, what stands beside them, how
        and when."""
        first, tested = self.outcomes[0], [o.numbers["test"] for o in self.outcomes]
        means = {part: self.mean(part) for part in PARTS}
        command = command_for(self.recipe, first.settings, f"--seeds {len(tested)}")
        return {
            **{part: round(mean, 6) for part, mean in means.items() if mean is not None},
            "test_by_seed": [round(value, 6) for value in tested],
            "measures": {k: round(fmean(o.test[k] for o in self.outcomes), 6) for k in first.test},
            **({"test_spread": round(stdev(tested), 6)} if len(tested) > 1 else {}),
            **rows_beside(self.baselines, command),
            **({"margins": margins} if (margins := self.margins()) else {}),
            "seeds": [o.settings.seed for o in self.outcomes],
            "epochs": self.recipe.epochs,
            "backend": first.settings.backend,
            "dtype": first.settings.dtype,
            "split": first.split,
            "seconds": round(fmean(o.seconds for o in self.outcomes), 2),
            "cpu_seconds": round(fmean(o.cpu_seconds for o in self.outcomes), 2),
            "tinydl": __version__,
            "date": date.today().isoformat(),
            "command": command,
        }


def mean_of(found: tuple[Found, ...]) -> Found:
    """The mean of every measure over several splits."""
    return {
        name: {k: fmean(one[name][k] for one in found) for k in values}
        for name, values in found[0].items()
    }


def beside_by_seed(
    recipe: Recipe, settings: Settings, count: int, data: Any = None
) -> tuple[Found, ...]:
    """The baselines for each of `count` seeds, or once where all have the same split."""
    count = count if recipe.program.split_by_seed else 1
    return tuple([beside(begin(recipe, _seeded(settings, k), data)) for k in range(count)])


def _seeded(settings: Settings, k: int) -> Settings:
    return Settings(settings.seed + k, settings.backend, settings.dtype)


def command_for(recipe: Recipe, settings: Settings, what: str) -> str:
    """The command that measures and records this."""
    other = f" --seed {settings.seed}" if settings.seed else ""
    other += f" --backend {settings.backend}" if settings.backend != DEFAULTS.backend else ""
    return f"tinydl reproduce {recipe.name} {what}{other} --record"


def rows_beside(found: Found, command: str) -> Measured:
    """What measured.json says of the baselines, and the command that measured them."""
    kept = {name: {k: round(v, 6) for k, v in values.items()} for name, values in found.items()}
    return {"baselines": kept, "baselines_by": command}


def reproduce(
    recipe: Recipe,
    seeds: int | None = None,
    settings: Settings = DEFAULTS,
    tell: Callable[[str], None] = lambda line: None,
    progress: bool | None = None,
) -> Result:
    """Train with seeds settings.seed, settings.seed + 1, ... (None: as many as the recipe says)."""
    count = _count(recipe, seeds)
    data = recipe.program.load(recipe, settings)
    found, outcomes = _beside(recipe, settings, count, data, tell), []
    for i in range(count):
        outcomes.append(train(recipe, _seeded(settings, i), data, progress))
        tell(_told(outcomes[-1]))
    return Result(recipe, tuple(outcomes), found)


def _count(recipe: Recipe, seeds: int | None) -> int:
    count = recipe.seeds if seeds is None else seeds
    if count < 1:
        raise ConfigError(f"reproduce: seeds must be >= 1, got {count}")
    return count


def _beside(
    recipe: Recipe, settings: Settings, count: int, data: Any, tell: Callable[[str], None]
) -> tuple[Found, ...]:
    found = beside_by_seed(recipe, settings, count, data)
    tell(f"{recipe.name}: beside {told_beside(recipe, mean_of(found)) or 'nothing'}")
    return found


def _told(outcome: Outcome) -> str:
    score = figure(outcome.recipe, outcome.numbers["test"])
    return (
        f"{outcome.recipe.name}, seed {outcome.settings.seed}: test {score} in "
        f"{outcome.seconds:.1f} s"
    )


def reproduced(
    recipes: Sequence[Recipe],
    seeds: int | None = None,
    settings: Settings = DEFAULTS,
    tell: Callable[[str], None] = lambda line: None,
    workers: int = 1,
    progress: bool | None = None,
) -> Iterator[Result]:
    """`reproduce` of several recipes, each as soon as its seeds are done. workers: how many
    trainings run side by side (workers.py); more than one finds recipes by their names, and takes
    over no other change than their epochs."""
    if workers == 1:
        for recipe in recipes:
            yield reproduce(recipe, seeds, settings, tell, progress)
        return
    counts = [_count(recipe, seeds) for recipe in recipes]
    jobs = [
        Job(recipe.name, recipe.epochs, _seeded(settings, k))
        for recipe, count in zip(recipes, counts, strict=True)
        for k in range(count)
    ]
    owner = [k for k, count in enumerate(counts) for _ in range(count)]
    waiting: list[dict[int, Outcome]] = [{} for _ in recipes]
    for place, outcome in outcomes_of(jobs, workers):
        tell(_told(outcome))
        mine, recipe = waiting[owner[place]], recipes[owner[place]]
        mine[place] = outcome
        if len(mine) == counts[owner[place]]:
            data = recipe.program.load(recipe, settings)
            found = _beside(recipe, settings, len(mine), data, tell)
            yield Result(recipe, tuple([mine[k] for k in sorted(mine)]), found)


def is_recorded(recipe: Recipe, seeds: int | None = None, path: Path = MEASURED) -> bool:
    """Whether a figure over so many seeds (None: as many as the recipe says) is kept already."""
    row = load_measured(path).get(recipe.name, {})
    wanted = recipe.seeds if seeds is None else seeds
    return row.get("epochs") == recipe.epochs and len(row["seeds"]) >= wanted


def record_beside(recipe: Recipe, found: Found, path: Path = MEASURED) -> list[Path]:
    """Put baselines beside the figure that is kept; ConfigError where there is none yet. Returns
    the files that were written."""
    measured = load_measured(path)
    if recipe.name not in measured:
        raise ConfigError(f"reproduce: no figure of {recipe.name} is recorded to stand beside")
    command = command_for(recipe, DEFAULTS, "--baselines")
    measured[recipe.name] |= rows_beside(found, command)
    return _write(measured, path)


def to_run(recipe: Recipe, table: bool) -> list[Recipe]:
    """What `reproduce` trains: the recipe, its companion, or with `table` all variants."""
    if table:
        if not recipe.variants:
            raise ConfigError(f"reproduce: {recipe.name} has no table")
        return [recipe.variant(v.name) for v in recipe.variants]
    return [recipe] + ([recipe.variant(recipe.companion)] if recipe.companion else [])


def load_measured(path: Path = MEASURED) -> dict[str, Measured]:
    """What has been measured, by recipe name; another file than the package's own may not be there
    yet. FormatError for a damaged file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if path == MEASURED:
            raise FormatError(f"recipes: the package lacks {path}") from None
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
    return _write(measured, path)


def _write(measured: dict[str, Measured], path: Path) -> list[Path]:
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
