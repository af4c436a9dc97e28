"""The subcommand `tinydl recommend`: films for a user of the run's data set."""

from __future__ import annotations

import argparse

from ..console import Parser, print_json, teller
from ..errors import ConfigError
from .draw import able

Arguments = argparse.Namespace
LIKED = 5  # films that the user liked most, printed above


def add_recommend(sub: Parser) -> None:
    """The arguments of `tinydl recommend` but for --backend."""
    sub.add_argument("folder", metavar="RUN", help="run folder")
    sub.add_argument("--user", type=int, required=True, help="the data set's number of the user")
    sub.add_argument("--count", type=int, default=10, help="how many (default 10)")


def recommend_command(args: Arguments) -> int:
    """The films that a user has not rated, those with the most expected stars first."""
    if args.count < 1:
        raise ConfigError(f"recommend: --count must be >= 1, got {args.count}")
    run = able("recommend", args)
    program, recipe = run.recipe.program, run.recipe
    found = program.recommend(run.model(args.backend), args.user, args.count, recipe)
    rated = program.rated(args.user, recipe)
    tell = teller(args)
    tell(f"user {args.user} has rated {len(rated)} films, best of all")
    for film in rated[:LIKED]:
        tell(f"  {film.stars:4.0f}  {film.title}")
    tell("and may like, by expected stars,")
    for film in found:
        tell(f"  {film.stars:4.2f}  {film.title}")
    if args.json:
        films = [{"item": f.item, "title": f.title, "stars": f.stars} for f in found]
        print_json({"run": args.folder, "user": args.user, "rated": len(rated), "films": films})
    return 0
