"""Recipes and results for people: pages and tables as wide as the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ..baselines import name_of
from ..errors import ConfigError
from ..experiment.card import Recipe
from ..quoting import quoted
from ..recipes import RECIPES
from ..tables import Column, Page, Table, facts, wrapped
from .report import HEADS, PARTS, entry, figure, told_beside

OWN = "tinydl"  # what stands as the book of recipes that no book has


def said(value: Any) -> str:
    """A setting in words: numbers as one writes them, names with what they are set to.

    >>> said({"sizes": (784, 256, 10), "dropout": 0.45, "batch_norm": True})
    'sizes (784, 256, 10), dropout 0.45, batch norm yes'
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        inner = {k: said(v) for k, v in value.items()}
        dicts = {k for k, v in value.items() if isinstance(v, Mapping)}
        told = (f"({text})" if k in dicts else text for k, text in inner.items())
        return ", ".join(f"{_words(k)} {t}" for k, t in zip(inner, told, strict=True))
    if isinstance(value, list | tuple):
        return f"({', '.join(map(said, value))})"
    return value.__name__ if callable(value) else str(value)


LABELS = {"dataset": "data set"}


def _words(name: str) -> str:
    return name.replace("_", " ")


# -- one recipe ------------------------------------------------------------------------------------


def page(recipe: Recipe, measured: Mapping[str, Any]) -> Page:
    """One recipe: its settings, the book's numbers beside ours, what the book has wrong."""
    found = entry(recipe, measured)
    apart = (
        "errors", "notes", "variants", "reported", "checked", "measured", "time_budget",
        "baselines", "not_beaten",
    )  # fmt: skip
    settings = {k: v for k, v in found.items() if k not in apart and v not in (None, {}, [], ())}
    settings["time budget"] = f"{recipe.time_budget:g} s for one training on two cores"
    entries = [(LABELS.get(k, _words(k)), said(v)) for k, v in settings.items()]
    parts: list[Table | str] = [facts(entries)]
    if rows := _numbers(recipe, found):
        parts += ["", rows, *_how(found["measured"])]
    lists = {
        "what the figure stands beside": _beside(recipe, measured.get(recipe.name, {})),
        "what the book has wrong": found["errors"],
        "notes": found["notes"],
    }
    for title, texts in lists.items():
        if texts:
            bullets = Table((Column(""), Column("", least=30)), [("-", text) for text in texts])
            parts += ["", f"{title}:", bullets]
    if recipe.variants:
        names = ", ".join(v.name for v in recipe.variants)
        parts += ["", f"variants ({recipe.name}/NAME):", facts([("", names)])]
    return Page([*parts, "", f"tinydl train {recipe.name}"])


def _beside(recipe: Recipe, row: Mapping[str, Any]) -> list[str]:
    """What each baseline reached, in `figure`'s units, how far the model is above it where every
    seed is a split, and the first sentence about it."""
    told = []
    for baseline in recipe.baselines:
        name = name_of(baseline)
        kept = {name: row.get("baselines", {}).get(name, {})}
        does = " ".join((baseline.__doc__ or "").split()).partition(". ")[0].rstrip(".")
        far = _margin(recipe, row.get("margins", {}).get(name))
        told.append(f"{told_beside(recipe, kept, row.get('test'))}{far}: {does}")
    return told


def _margin(recipe: Recipe, row: Mapping[str, float] | None) -> str:
    """How much larger the score is on the same splits, with its standard error."""
    if row is None:
        return ""
    mean, error = figure(recipe, row["mean"]), figure(recipe, row["error"])
    return f" (on the same splits {mean} ± {error} above it)"


def _numbers(recipe: Recipe, found: Mapping[str, Any]) -> Table | None:
    """The scores of all parts that anybody has one of."""
    sources = {"book": "reported", "book, re-run": "checked", "here": "measured"}
    values = {name: found[key] or {} for name, key in sources.items()}
    parts = [part for part in PARTS if any(part in v for v in values.values())]
    if not parts:
        return None
    share = recipe.program.is_share(recipe.program.score)
    score = f"{_words(recipe.program.score)}{', %' if share else ''}"
    rows = [
        (name, *(figure(recipe, v.get(part)) for part in parts)) for name, v in values.items() if v
    ]
    return Table((Column(score), *(Column(part, right=True) for part in parts)), rows)


def _how(measured: Mapping[str, Any] | None) -> list[str]:
    """Under what conditions the numbers of `here` were measured."""
    if not measured:
        return []
    seeds = len(measured["seeds"])
    mean = f"the mean of {seeds} training seeds" if seeds > 1 else "one training seed"
    if spread := measured.get("test_spread"):
        mean += f" (± {spread:.4g}, the standard deviation of one)"
    return [
        f"here: {mean}, {measured['epochs']} epochs, {measured['backend']}, {measured['dtype']}, "
        f"{measured['seconds']:g} s; {measured['date']}, tinydl {measured['tinydl']}"
    ]


# -- all of them -----------------------------------------------------------------------------------

LISTED = (
    Column("recipe", bold=True),
    Column("what it is", least=24),
    Column("data set", spare=2),
    Column("parameters", right=True),
    Column("epochs", right=True, spare=1),
    Column("book", right=True),
    Column("here", right=True),
)


def listing(recipes: Iterable[Recipe], measured: Mapping[str, Any]) -> Page:
    """The recipes by book, one row each."""
    books: dict[str, list[Recipe]] = {}
    for recipe in recipes:
        books.setdefault(recipe.book, []).append(recipe)
    rows: list[Sequence[str] | str] = []
    for book, its in books.items():
        rows += ["Without a book" if book == OWN else book, *(_row(r, measured) for r in its)]
    told = (
        "book, here: the score on the test part, in percent where it is a share. `tinydl recipes "
        "NAME` shows one, `tinydl recipes WORD` searches."
    )
    return Page([Table(LISTED, rows), "", told])


def _row(recipe: Recipe, measured: Mapping[str, Any]) -> list[str]:
    return [
        recipe.name, recipe.title, recipe.dataset, f"{recipe.parameters:,}", f"{recipe.epochs:,}",
        figure(recipe, recipe.reported.get("test")),
        figure(recipe, measured.get(recipe.name, {}).get("test")),
    ]  # fmt: skip


def search(words: Sequence[str]) -> list[Recipe]:
    """The recipes in whose name, title, book, data set, model or kind every word occurs;
    ConfigError if there are none."""
    found = [r for r in RECIPES.values() if all(w.casefold() in _text(r) for w in words)]
    if not found:
        close = get_close_matches(" ".join(words), RECIPES, n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(close)}?" if close else "`tinydl recipes` lists all"
        raise ConfigError(f"recipes: none has {quoted(' '.join(words))} in it; {hint}")
    return found


def _text(recipe: Recipe) -> str:
    model = recipe.program.model.__name__
    parts = (recipe.name, recipe.title, recipe.book, recipe.dataset, model, recipe.program.what)
    return " ".join(parts).casefold()


# -- book beside measured --------------------------------------------------------------------------


def comparison(rows: Sequence[Sequence[str]]) -> Table:
    """`row_of` of several results; what no row has a number of is left out."""
    empty = {i for i in range(1, len(HEADS)) if all(row[i] in ("-", "") for row in rows)}
    kept = [i for i in range(len(HEADS)) if i not in empty]
    columns = [
        Column(head, bold=True, least=16) if head == "recipe"
        else Column(head, least=9) if head == "target"
        else Column(head, marks=True) if head == "met"
        else Column(head, least=20) if head == "beside"
        else Column(head, right=True)
        for head in HEADS
    ]  # fmt: skip
    return Table([columns[i] for i in kept], [[row[i] for i in kept] for row in rows])


def notes(recipes: Iterable[Recipe]) -> list[str]:
    """Their notes, each once."""
    texts = dict.fromkeys(note for recipe in recipes for note in recipe.notes)
    return [wrapped(f"note: {text}", indent="  ") for text in texts]
