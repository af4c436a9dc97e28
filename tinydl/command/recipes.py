"""The subcommands `tinydl recipes` and `tinydl reproduce`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..console import Parser, print_json, teller
from ..errors import ConfigError
from ..tables import show

if TYPE_CHECKING:
    from ..experiment.program import Settings
    from ..recipes import Recipe

Arguments = argparse.Namespace


def add_recipes(sub: Parser) -> None:
    """The arguments of `tinydl recipes` but for --json."""
    sub.add_argument(
        "words", metavar="NAME|WORD", nargs="*", help="one recipe, or what all shown ones contain"
    )


def add_reproduce(sub: Parser) -> None:
    """The arguments of `tinydl reproduce` but for --backend and --data."""
    sub.add_argument("recipe", help="recipe, or recipe/variant")
    sub.add_argument("--table", action="store_true", help="every variant of the recipe")
    sub.add_argument("--seeds", type=int, metavar="K", help="how many (default: the recipe's)")
    sub.add_argument("--seed", type=int, default=0, help="the first (default 0)")
    sub.add_argument("--epochs", type=int, help="(default: the recipe's; others are not recorded)")
    sub.add_argument(
        "--missing", action="store_true", help="only what has no recorded figure of so many seeds"
    )
    sub.add_argument(
        "--baselines", action="store_true", help="train nothing: only what stands beside figures"
    )
    sub.add_argument(
        "--workers", type=int, default=1, metavar="N",
        help="so many trainings side by side, each with its share of the cores (default 1)",
    )  # fmt: skip
    sub.add_argument("--record", action="store_true", help="keep the result as `measured`")


def recipes_command(args: Arguments) -> int:
    """All recipes, those with some words, or the page of one."""
    from ..recipes import RECIPES, find
    from ..runs.report import entry
    from ..runs.reproduce import load_measured
    from ..runs.told import listing, page, search

    measured, words = load_measured(), args.words
    if len(words) == 1 and (words[0] in RECIPES or "/" in words[0]):
        recipe = find(words[0])
        if args.json:
            print_json(entry(recipe, measured))
        else:
            show(page(recipe, measured))
        return 0
    chosen = search(words)
    if args.json:
        print_json([entry(recipe, measured) for recipe in chosen])
    else:
        show(listing(chosen, measured))
    return 0


def reproduce_command(args: Arguments) -> int:
    """Train with the recipe's seeds, and put the book's numbers beside what came out."""
    from ..recipes import find
    from ..runs.report import entry, row_of
    from ..runs.reproduce import is_recorded, record, reproduced, to_run
    from ..runs.run import Settings
    from ..runs.told import comparison, notes

    if args.record and args.epochs is not None:
        raise ConfigError(
            "reproduce: --record keeps only the recipe's own epochs, leave --epochs out"
        )
    tell, settings = teller(args), Settings(args.seed, args.backend)
    recipes = to_run(find(args.recipe), args.table)
    if args.baselines:
        return _baselines(args, recipes, settings)
    if args.missing:
        recipes = [recipe for recipe in recipes if not is_recorded(recipe, args.seeds)]
    results = []
    recipes = [recipe.changed(epochs=args.epochs) for recipe in recipes]
    for result in reproduced(recipes, args.seeds, settings, tell, args.workers, True):
        results.append(result)
        if args.record:  # at once: a table takes long
            for path in record([result]):
                tell(f"recorded in {path}")
    tell(comparison([row_of(r.recipe, r.measured()) for r in results]))
    for note in notes(r.recipe for r in results):
        tell(note)
    if args.json:
        print_json([{**entry(r.recipe, {}), "measured": r.measured()} for r in results])
    return 0


def _baselines(args: Arguments, recipes: list[Recipe], settings: Settings) -> int:
    """Compute what stands beside the figures, and with --record put it there."""
    from ..runs.report import told_beside
    from ..runs.reproduce import beside_by_seed, load_measured, mean_of, record_beside

    tell, measured, found = teller(args), load_measured(), {}
    for recipe in recipes:
        count = args.seeds or recipe.seeds
        found[recipe.name] = mean_of(beside_by_seed(recipe, settings, count))
        score = measured.get(recipe.name, {}).get("test")
        tell(f"{recipe.name}: {told_beside(recipe, found[recipe.name], score) or 'none'}")
        if args.record:
            record_beside(recipe, found[recipe.name])
    if args.json:
        print_json(found)
    return 0
