"""Recipes and results as JSON and as pages in Markdown; `told.py` is for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..baselines import Found, beaten, name_of
from ..errors import ConfigError
from ..experiment.card import Recipe
from ..recipes import find

PARTS = ("train", "val", "test")


def entry(recipe: Recipe, measured: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object of `tinydl recipes --json`; accuracies are fractions."""
    return {
        "name": recipe.name,
        "title": recipe.title,
        "book": recipe.book,
        "chapter": recipe.chapter,
        "parameters": recipe.parameters,
        "dataset": recipe.dataset,
        **recipe.program.facts(),
        "epochs": recipe.epochs,
        "baselines": [name_of(b) for b in recipe.baselines],
        "not_beaten": [name_of(b) for b in recipe.not_beaten],
        "time_budget": recipe.time_budget,
        "reported": dict(recipe.reported) or None,
        "checked": dict(recipe.checked) or None,
        "measured": measured.get(recipe.name),
        "target": "; ".join(f"{k} {t}" for k, t in recipe.targets.items()) or None,
        "errors": list(recipe.errors),
        "notes": list(recipe.notes),
        "variants": [entry(recipe.variant(v.name), measured) for v in recipe.variants],
    }


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


def figure(recipe: Recipe, value: float | None) -> str:
    """A value of the recipe's score: shares in percent, others as they are."""
    if value is None or recipe.program.is_share(recipe.program.score):
        return percent(value)
    return f"{value:.4g}"


def told_beside(recipe: Recipe, found: Found, score: float | None = None) -> str:
    """ "nearest mean 82.03, logistic regression 92.41 (not beaten)" by the program's score."""
    name_of_score, told = recipe.program.score, []
    better = {} if score is None else beaten(recipe.program, score, found)
    for name, values in found.items():
        value = f" {figure(recipe, values[name_of_score])}" if name_of_score in values else ""
        told.append(f"{name}{value}{'' if better.get(name, True) else ' (not beaten)'}")
    return ", ".join(told)


def test_figure(recipe: Recipe, row: Mapping[str, Any]) -> str:
    """The score of a row of measured.json, with the standard deviation over its seeds."""
    spread = row.get("test_spread")
    told = figure(recipe, row.get("test"))
    return told if spread is None else f"{told} ± {figure(recipe, spread)}"


def seeds_told(row: Mapping[str, Any]) -> str:
    return "one" if len(row["seeds"]) == 1 else str(len(row["seeds"]))


HEADS = (
    "recipe", "book train", "book val", "book test", "checked test",
    "train", "val", "test", "seeds", "target", "met", "beside",
)  # fmt: skip


def row_of(recipe: Recipe, measured: Mapping[str, Any]) -> list[str]:
    """One line of the comparison, in percent."""
    target = recipe.target
    # Rounded as it was recorded, so that the table and the run agree.
    met = "" if target is None else ("yes" if target.met(measured["test"]) else "NO")
    return [
        recipe.name,
        *(figure(recipe, recipe.reported.get(part)) for part in PARTS),
        figure(recipe, recipe.checked.get("test")),
        *(figure(recipe, measured.get(part)) for part in ("train", "val")),
        test_figure(recipe, measured),
        seeds_told(measured),
        "" if target is None else str(target),
        met,
        told_beside(recipe, measured.get("baselines", {}), measured["test"]),
    ]


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown."""
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def markdown(measured: Mapping[str, Any]) -> str:
    """The table of benchmarks/results/reproduce.md."""
    lines = [
        "# Book beside measured",
        "",
        "Made by `tinydl reproduce NAME --record`. Accuracies in percent: the book's, those of an "
        "independent NumPy",
        "re-run (checked), and ours as the mean over training seeds, ± the standard deviation of "
        "one of them;",
        "beside it what methods without a network reach on the same data. Training accuracies are "
        "running means of the",
        "last epoch with dropout on, test accuracies those after the last epoch. Seconds are wall "
        "time per seed on a shared machine with two busy cores: no benchmark; CPU "
        "seconds are those of all threads.",
        "",
    ]
    rows = []
    for name, row in measured.items():
        try:
            recipe = find(name)
        except ConfigError:
            continue  # measured by another version
        cells = [*row_of(recipe, row), row["backend"], str(row["seconds"])]
        cells.append(str(row.get("cpu_seconds", "-")))
        rows.append(cells)
    lines += markdown_table((*HEADS, "backend", "seconds", "CPU seconds"), rows)
    return "\n".join(lines) + "\n"
