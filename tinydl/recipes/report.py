"""Recipes and results as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import ConfigError
from . import find
from .recipe import Recipe

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
        "split": str(recipe.split),
        "model": recipe.model.__name__,
        "architecture": dict(recipe.architecture),
        "optimizer": recipe.optimizer.__name__,
        "optimizer_settings": dict(recipe.optimizer_settings),
        "batch_size": recipe.batch_size,
        "epochs": recipe.epochs,
        "time_budget": recipe.time_budget,
        "reported": dict(recipe.reported) or None,
        "checked": dict(recipe.checked) or None,
        "measured": measured.get(recipe.name),
        "target": str(recipe.target) if recipe.target else None,
        "errors": list(recipe.errors),
        "notes": list(recipe.notes),
        "variants": [entry(recipe.variant(v.name), measured) for v in recipe.variants],
    }


def page(recipe: Recipe, measured: Mapping[str, Any]) -> str:
    """One recipe for people: the settings, then what the book has wrong."""
    facts = entry(recipe, measured)
    lists = ("errors", "notes", "variants")
    lines = [f"{key:<18} {value}" for key, value in facts.items() if key not in lists and value]
    for key in ("errors", "notes"):
        lines += [f"{key}:"] * bool(facts[key]) + [f"  - {text}" for text in facts[key]]
    if recipe.variants:
        lines += ["variants:", *(f"  {recipe.name}/{v.name}" for v in recipe.variants)]
    return "\n".join(lines)


def listing(recipes: Iterable[Recipe], measured: Mapping[str, Any]) -> str:
    """One line per recipe."""
    heads = ("recipe", "data set", "parameters", "epochs", "book", "ours")
    lines = ["{:<17} {:<17} {:>10} {:>6} {:>6} {:>6}  test score, %".format(*heads)]
    for r in recipes:
        ours = percent(measured.get(r.name, {}).get("test"))
        numbers = f"{percent(r.reported.get('test')):>6} {ours:>6}"
        head = f"{r.name:<17} {r.dataset:<17} {r.parameters:>10,} {r.epochs:>6}"
        lines.append(f"{head} {numbers}  {r.title}")
    return "\n".join(lines)


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


HEADS = (
    "recipe", "book train", "book val", "book test", "checked test",
    "train", "val", "test", "seeds", "target", "met",
)  # fmt: skip


def row_of(recipe: Recipe, measured: Mapping[str, Any]) -> list[str]:
    """One line of the comparison, in percent."""
    target = recipe.target
    # Rounded as it was recorded, so that the table and the run agree.
    met = "" if target is None else ("yes" if target.met(measured["test"]) else "NO")
    return [
        recipe.name,
        *(percent(recipe.reported.get(part)) for part in PARTS),
        percent(recipe.checked.get("test")),
        *(percent(measured.get(part)) for part in PARTS),
        str(len(measured["seeds"])),
        "" if target is None else str(target),
        met,
    ]


def table_text(rows: list[list[str]]) -> str:
    """Aligned columns: names to the left, numbers to the right."""
    lines = [list(HEADS), *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADS))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0])]
            + [c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True)]
        )
        for line in lines
    )


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
        "re-run (checked), and ours as the mean over training seeds. Training accuracies are "
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
